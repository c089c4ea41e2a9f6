"""Generation 1 of the API (contract, sections 2 and 3), spoken with curl."""

import json

from support.curl import curl, form
from support.rules import CLEAN, MARKER, SECOND
from support.shapes import check_error, check_v3

NAME = "/srv/data/Über straße.txt"
SAMPLE = b"\x00\x01 binary \xff" + MARKER + b" text " + SECOND + b"\xfe" * 5000 + MARKER


def test_check_answers_in_the_v3_log_form(squall, tmp_path):
    path = tmp_path / "sample"
    path.write_bytes(SAMPLE)
    answer = curl(*form(path, NAME), f"{squall.url}/api/v1/check?source=host.example")
    assert answer.status == 200
    [finding] = answer.json()
    check_v3(finding, SAMPLE, NAME, source="host.example")
    assert finding["meta"]["level"] == "Alert"
    assert finding["score"] == 86
    assert finding["subject"]["extension"] == ".txt"
    first = finding["reasons"][0]
    assert first["signature"]["rule_name"] == "E2E_Marker"
    assert first["signature"]["id"] == "6d0ff1a2-3b14-4f0c-9a53-0d7b7f6c1e01"
    assert first["signature"]["reference"] == ["https://example.com/e2e-marker"]
    offsets = {match["offset"] for match in first["matched"]}
    assert {SAMPLE.index(MARKER), SAMPLE.rindex(MARKER)} <= offsets
    assert {match["data"]["encoding"] for match in first["matched"]} == {"plain"}
    # Both ends of the sample are shown, and not what lies between.
    assert len(finding["subject"]["content"]["elements"]) >= 2


def test_asynchronous_flow(squall):
    sample_id = squall.enqueue(SAMPLE, NAME, generation="/api/v1", source="host.example")
    result = squall.result(sample_id, generation="/api/v1")
    assert set(result) == {"status", "result"}
    assert result["status"] == "Sample analysis complete"
    check_v3(result["result"][0], SAMPLE, NAME, source="host.example")


def test_both_generations_read_the_same_samples(squall):
    sample_id = squall.enqueue(SAMPLE, NAME)
    squall.result(sample_id)
    [old] = squall.json(f"/api/getAsyncResults?id={sample_id}")["result"]
    [new] = squall.json(f"/api/v1/getAsyncResults?id={sample_id}")["result"]
    assert old["score"] == new["score"]
    assert old["level"] == new["meta"]["level"]
    assert old["context"]["sha256"] == new["subject"]["hashes"]["sha256"]
    assert len(old["matches"]) == new["reason_count"]


def test_clean_is_an_empty_list(squall):
    assert squall.check(CLEAN, generation="/api/v1") == []


def test_pretty_and_compact(squall):
    compact = curl(f"{squall.url}/api/v1/info").text
    assert compact.strip() == json.dumps(json.loads(compact), separators=(",", ":"), ensure_ascii=False)
    pretty = curl(f"{squall.url}/api/v1/info?pretty=true").text
    assert pretty.strip() == json.dumps(json.loads(pretty), indent=4, ensure_ascii=False)


def test_status(squall):
    squall.check(CLEAN)
    status = squall.json("/api/v1/status")
    required = {"scanned_samples", "queued_async_requests", "avg_scan_time_milliseconds", "avg_wait_time_milliseconds"}
    assert required <= set(status)
    assert status["scanned_samples"] >= 1


def test_info(squall):
    info = squall.json("/api/v1/info")
    required = {
        "version_info", "arguments", "license_expiration", "license_owner", "scan_speed_limitation", "threads",
    }
    assert required <= set(info)
    assert {"thor", "build", "signatures", "sigma"} <= set(info["version_info"])
    assert isinstance(info["arguments"], list)
    assert info["license_expiration"] == "9999-12-31T23:59:59Z"
    assert info["scan_speed_limitation"] == 0
    assert info["threads"] >= 1


def test_histories(squall):
    squall.check(CLEAN)
    for name in ("queueHistory", "sampleHistory", "deniedHistory"):
        assert isinstance(squall.json(f"/api/v1/{name}"), dict)


def test_result_needs_an_integer_id(squall):
    for query in ("", "?id=", "?id=abc", "?id=1.5", "?id=99999999999999999999", "?id=4503599627370495"):
        check_error(curl(f"{squall.url}/api/v1/getAsyncResults{query}"), 400, "/api/v1")
