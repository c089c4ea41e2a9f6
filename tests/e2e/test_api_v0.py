"""Generation 0 of the API (contract, section 1), spoken with curl."""

import json
import re

import pytest

from support.curl import curl, form
from support.rules import CLEAN, MARKER, SECOND, slow
from support.service import wait_until
from support.shapes import check_v0

WINDOWS_NAME = r"C:\Users\x y\Downloads\a.txt"
SAMPLE = b"<html>" + MARKER + b" and " + SECOND + b"\n"


@pytest.fixture
def sample(tmp_path):
    path = tmp_path / "sample.bin"
    path.write_bytes(SAMPLE)
    return path


@pytest.fixture
def clean(tmp_path):
    path = tmp_path / "clean.bin"
    path.write_bytes(CLEAN)
    return path


def test_check_shows_the_finding_with_every_key(squall, sample):
    answer = curl(*form(sample, WINDOWS_NAME), f"{squall.url}/api/check")
    assert answer.status == 200
    [finding] = answer.json()
    check_v0(finding, SAMPLE, WINDOWS_NAME)
    assert finding["context"]["ext"] == ".txt"
    first, second = finding["matches"]
    assert (first["rulename"], first["subscore"]) == ("E2E_Marker", 80)
    assert (second["rulename"], second["subscore"]) == ("E2E_Second", 60)
    assert first["reason"] == "Marks a sample of the end-to-end tests"
    assert first["author"] == "Squall tests"
    assert first["ref"] == "https://example.com/e2e-marker"
    assert first["ruledate"] == "2026-11-24"
    assert {"WEBSHELL", "TEST"} <= set(first["tags"])
    assert any(MARKER.decode() in text for text in first["matched"])
    assert first["sigclass"] == "YARA Rule"
    # 100 * (1 - (1 - 0.80) * (1 - 0.60 / 2)) = 86, above 81 with a sub-score above 75.
    assert finding["score"] == 86
    assert finding["level"] == "Alert"


@pytest.mark.parametrize(
    ("content", "level", "score"),
    [(MARKER, "Warning", 80), (SECOND, "Warning", 60)],
    ids=["below the alert threshold", "at the warning threshold"],
)
def test_level_follows_the_score(squall, content, level, score):
    [finding] = squall.check(content)
    assert (finding["level"], finding["score"]) == (level, score)


def test_check_of_a_clean_sample_is_an_empty_list(squall, clean):
    answer = curl(*form(clean, "/var/www/clean.txt"), f"{squall.url}/api/check?source=e2e")
    assert (answer.status, answer.body) == (200, b"[]")


def test_an_empty_sample_is_clean(squall, tmp_path):
    path = tmp_path / "empty"
    path.touch()
    answer = curl(*form(path, "/tmp/empty"), f"{squall.url}/api/check")
    assert (answer.status, answer.json()) == (200, [])


def test_bodies_are_compact_unless_pretty(squall, sample):
    compact = curl(*form(sample), f"{squall.url}/api/check").text
    assert compact.strip() == json.dumps(json.loads(compact), separators=(",", ":"), ensure_ascii=False)
    pretty = curl(*form(sample), f"{squall.url}/api/check?pretty=true").text
    assert pretty.strip() == json.dumps(json.loads(pretty), indent=4, ensure_ascii=False)


@pytest.mark.parametrize("path", ["info", "status", "queueHistory", "sampleHistory", "deniedHistory"])
def test_every_reading_endpoint_has_both_forms(squall, path):
    squall.check(CLEAN)
    compact = curl(f"{squall.url}/api/{path}").text
    assert compact.strip() == json.dumps(json.loads(compact), separators=(",", ":"), ensure_ascii=False)
    pretty = curl(f"{squall.url}/api/{path}?pretty=true").text
    assert pretty.strip() == json.dumps(json.loads(pretty), indent=4, ensure_ascii=False)


def test_the_name_on_the_sender_reaches_the_rules(squall, clean):
    [finding] = curl(*form(clean, "/var/www/named.php"), f"{squall.url}/api/check").json()
    assert [match["rulename"] for match in finding["matches"]] == ["E2E_Name"]
    assert finding["context"]["ext"] == ".php"
    assert curl(*form(clean, "/srv/named.php"), f"{squall.url}/api/check").json() == []


def test_asynchronous_flow(squall, sample):
    queued = curl(*form(sample, WINDOWS_NAME), f"{squall.url}/api/checkAsync?source=e2e")
    assert queued.status == 200
    assert re.fullmatch(rb'\{"id":[1-9][0-9]*\}\n?', queued.body)
    assert b"reason" not in queued.body
    sample_id = queued.json()["id"]
    assert 0 < sample_id < 2**53

    result = squall.result(sample_id)
    assert set(result) == {"status", "result"}
    assert result["status"] == "Sample analysis complete"
    [finding] = result["result"]
    check_v0(finding, SAMPLE, WINDOWS_NAME)
    assert finding["context"]["sample_id"] == sample_id

    pretty = curl(f"{squall.url}/api/getAsyncResults?id={sample_id}&pretty=true").text
    assert pretty.strip() == json.dumps(result, indent=4, ensure_ascii=False)


def test_result_of_a_clean_sample_is_an_empty_list(squall):
    result = squall.result(squall.enqueue(CLEAN))
    assert result == {"status": "Sample analysis complete", "result": []}


def test_statuses_while_waiting_and_being_scanned(start):
    service = start("--threads", "1")
    ids = [service.enqueue(slow(number)) for number in range(3)]
    seen = {sample_id: [] for sample_id in ids}

    def all_done():
        for sample_id in ids:
            answer = service.json(f"/api/getAsyncResults?id={sample_id}")
            if answer["status"] != "Sample analysis complete":
                assert set(answer) == {"status"}
            if answer["status"] not in seen[sample_id]:
                seen[sample_id].append(answer["status"])
        return all("Sample analysis complete" in statuses for statuses in seen.values())

    wait_until(all_done, 60, "three slow samples")
    order = ["Waiting for execution", "Currently being scanned", "Sample analysis complete"]
    assert seen[ids[2]] == order
    for statuses in seen.values():
        assert statuses == [status for status in order if status in statuses]


def test_ids_are_positive_and_never_repeat(squall):
    ids = [squall.enqueue(CLEAN) for _ in range(50)]
    assert len(set(ids)) == 50
    assert all(isinstance(sample_id, int) and 0 < sample_id < 2**53 for sample_id in ids)


def test_other_form_fields_beside_the_file_are_ignored(squall, sample):
    fields = ["-F", "hostname=web01", "-F", "source_path=/var/www/a.php", "-F", "filename=a.php"]
    answer = curl(*fields, *form(sample, "/var/www/a.php"), f"{squall.url}/api/checkAsync?source=web01")
    assert answer.status == 200
    [finding] = squall.result(answer.json()["id"])["result"]
    check_v0(finding, SAMPLE, "/var/www/a.php")


def test_unknown_parameters_are_ignored(squall, sample):
    answer = curl(*form(sample), f"{squall.url}/api/check?nobody=knows&%ff=%fe&source=x")
    assert answer.status == 200
    assert len(answer.json()) == 1
