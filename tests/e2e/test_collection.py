"""`/api/collection`: a collector's run on one source."""

import json

import pytest

from support.curl import curl
from support.rules import MARKER
from support.shapes import check_error

GENERATIONS = pytest.mark.parametrize("api", ["/api", "/api/v1"])
BEGIN = {"type": "begin", "source": "web01", "collector": "e2e/1.0", "timestamp": "2026-11-24T08:00:00Z"}
STATS = {"scanned": 10, "submitted": 4, "skipped": 5, "failed": 1, "elapsed_seconds": 12}


def send(service, api, body):
    data = body if isinstance(body, str) else json.dumps(body)
    return curl("-H", "Content-Type: application/json", "--data-binary", data, f"{service.url}{api}/collection")


@GENERATIONS
def test_a_whole_run(squall, api):
    begun = send(squall, api, BEGIN)
    assert begun.status == 200
    assert len(begun.body) <= 256
    assert set(begun.json()) == {"scan_id"}
    scan_id = begun.json()["scan_id"]
    assert len(scan_id.split("-")) == 5, "a UUID"

    [finding] = squall.check(MARKER, generation="/api/v1", scan_id=scan_id, source="web01")
    assert finding["meta"]["scan_id"] == scan_id

    ended = send(squall, api, {**BEGIN, "type": "end", "scan_id": scan_id, "stats": STATS})
    assert (ended.status, ended.json()) == (200, {"ok": True})


@GENERATIONS
@pytest.mark.parametrize("kind", ["end", "interrupted", "abort"])
def test_unknown_run_is_accepted(squall, api, kind):
    answer = send(squall, api, {**BEGIN, "type": kind, "scan_id": "nobody-knows", "stats": STATS})
    assert (answer.status, answer.json()) == (200, {"ok": True})


def test_every_run_has_an_id_of_its_own(squall):
    ids = {send(squall, "/api", BEGIN).json()["scan_id"] for _ in range(20)}
    assert len(ids) == 20


@GENERATIONS
@pytest.mark.parametrize("body", ["", "{", "[]", "null", "17", '{"type":"dance","source":"x"}', '{"source":"x"}',
                                  '{"type":17,"source":"x"}', "[" * 10_000])
def test_bad_body(squall, api, body):
    check_error(send(squall, api, body), 400, api)


def test_huge_body_is_refused(squall, tmp_path):
    path = tmp_path / "huge.json"
    path.write_text(json.dumps({**BEGIN, "source": "x" * 20_000_000}))
    answer = curl("-H", "Content-Type: application/json", "--data-binary", f"@{path}", f"{squall.url}/api/collection")
    check_error(answer, (400, 413))
