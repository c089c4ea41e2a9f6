"""The text and JSON logs (contract, sections 3 and 7): one physical line for each event."""

import json
import re
import signal

import pytest

from support.rules import CLEAN, MARKER, SECOND
from support.service import Service, wait_until
from support.shapes import as_pictures, check_v3, digests

NAME = r"C:\Users\x y\a.exe"
TEXT_LINE = re.compile(
    r"(?P<time>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S+) (?P<source>\S+?)(/(?P<address>\S+))? THOR: "
    r"(?P<level>Alert|Warning|Notice): MODULE: Filescan MESSAGE: (?P<message>.+?) SCANID: (?P<scan_id>\S+) "
    r"FILE: (?P<file>.*?) EXT: (?P<ext>\S*) SCORE: (?P<score>\d+) TYPE: (?P<type>\S+) SIZE: (?P<size>\d+) "
    r"MD5: (?P<md5>[0-9a-f]{32}) SHA1: (?P<sha1>[0-9a-f]{40}) SHA256: (?P<sha256>[0-9a-f]{64}) "
    r"FIRSTBYTES: (?P<first>.*?) REASON_1: (?P<reasons>.*)"
)
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@pytest.fixture
def logs(tmp_path, start):
    """A service that logs into two files; returns it and the files."""
    text, lines = tmp_path / "squall.log", tmp_path / "squall.json"
    return start("--logfile", text, "--jsonfile", lines), text, lines


def events(path, content: bytes) -> list[str]:
    """Returns the lines of a log that are about `content`."""
    digest = digests(content)["sha256"]
    if not path.exists():
        return []
    return [line for line in path.read_text("utf-8").split("\n") if digest in line]


def logged(path, content: bytes) -> str:
    """Waits for the one line about `content`."""
    lines = wait_until(lambda: events(path, content), 10, f"a line in {path.name}")
    assert len(lines) == 1, lines
    return lines[0]


def test_text_line(logs):
    service, text, _ = logs
    content = b"MZ" + MARKER + SECOND
    [finding] = service.check(content, NAME, source="web01.example")
    found = TEXT_LINE.fullmatch(logged(text, content))
    assert found, logged(text, content)
    assert found["source"] == "web01.example"
    assert found["address"] == "127.0.0.1"
    assert found["level"] == "Alert"
    assert found["message"] == "Malware file found"
    assert re.fullmatch(r"S-[A-Za-z0-9_-]{11}", found["scan_id"])
    assert found["file"] == NAME
    assert found["ext"] == ".exe"
    assert int(found["score"]) == finding["score"]
    assert int(found["size"]) == len(content)
    assert found["first"] == finding["context"]["firstBytes"]
    for key, value in digests(content).items():
        assert found[key] == value
    for expected in ("SUBSCORE_1: 80", "SIGTYPE_1: internal", "SIGCLASS_1: YARA Rule", "RULEDATE_1: 2026-11-24",
                     "RULENAME_1: E2E_Marker", "REF_1: https://example.com/e2e-marker", "MATCHED_1: ", "TAGS_1: ",
                     "REASON_2: ", "RULENAME_2: E2E_Second"):
        assert expected in found["reasons"], expected


def test_json_line(logs):
    service, _, lines = logs
    service.check(MARKER, NAME, source="web01.example")
    finding = json.loads(logged(lines, MARKER))
    check_v3(finding, MARKER, NAME, source="web01.example")
    assert finding["meta"]["event_id"]


def test_the_console_shows_findings_too(logs):
    service, _, _ = logs
    service.check(MARKER, NAME)
    wait_until(lambda: digests(MARKER)["sha256"] in service.output(), 10, "the finding on the console")


def test_both_lanes_log_and_clean_samples_do_not(logs):
    service, text, lines = logs
    service.result(service.enqueue(MARKER + b"queued"))
    service.check(CLEAN)
    assert TEXT_LINE.fullmatch(logged(text, MARKER + b"queued"))
    json.loads(logged(lines, MARKER + b"queued"))
    assert not events(text, CLEAN) and not events(lines, CLEAN)


@pytest.mark.parametrize("name", [
    "/tmp/a\nNov 24 08:00:00 forged/1.2.3.4 THOR: Alert: MODULE: Filescan",
    "/tmp/a\r\n{\"type\":\"THOR finding\"}", "/tmp/\u202egpj.exe", "/tmp/\x1b[2Jcleared", "/tmp/a\u2028b\u2029c\x85d",
    '/tmp/quote"back\\slash', "/tmp/tab\there",
])
def test_hostile_name_stays_on_one_line(logs, name):
    service, text, lines = logs
    content = MARKER + name.encode()
    service.check(content, name, source="evil\nhost\x1b[0m")
    line = logged(text, content)
    assert not CONTROL.search(line), repr(line)
    found = json.loads(logged(lines, content))
    assert found["subject"]["path"] in (name, as_pictures(name))
    assert len([each for each in text.read_text("utf-8").split("\n") if each.strip()]) == 1
    assert len([each for each in lines.read_text("utf-8").split("\n") if each.strip()]) == 1
    printed = service.output()
    assert "\x1b[2J" not in printed and "\u202e" not in printed


def test_hostile_content_stays_on_one_line(logs):
    """What a rule matched is shown beside the finding, whatever bytes stand around it."""
    service, text, lines = logs
    content = b"\n\r\x00\x1b[2J\xe2\x80\xae" + MARKER + b"\n\x00\xff\xfe\r\n"
    service.check(content)
    assert not CONTROL.search(logged(text, content))
    check_v3(json.loads(logged(lines, content)), content, "/tmp/sample.txt")


def test_files_are_reopened_on_sighup(logs):
    service, text, lines = logs
    service.check(MARKER + b"before")
    for path, where in ((text, "before"), (lines, "before")):
        logged(path, MARKER + where.encode())
        path.rename(f"{path}.1")
    # Until the signal the old files go on, so that rotation loses nothing.
    service.check(MARKER + b"between")
    old_text, old_lines = text.with_name("squall.log.1"), lines.with_name("squall.json.1")
    logged(old_text, MARKER + b"between")
    logged(old_lines, MARKER + b"between")
    service.signal(signal.SIGHUP)
    wait_until(lambda: text.exists() and lines.exists(), 10, "new log files")
    service.check(MARKER + b"after")
    logged(text, MARKER + b"after")
    logged(lines, MARKER + b"after")
    assert not events(old_text, MARKER + b"after") and not events(old_lines, MARKER + b"after")


def test_logs_are_appended_to_over_a_restart(logs):
    service, text, lines = logs
    service.check(MARKER + b"first")
    service.stop()
    service.start()
    service.check(MARKER + b"second")
    for path in (text, lines):
        logged(path, MARKER + b"first")
        logged(path, MARKER + b"second")


def test_rfc3339_times(tmp_path, start):
    text = tmp_path / "squall.log"
    service = start("--logfile", text, "--rfc3339", "--utc")
    service.check(MARKER)
    found = TEXT_LINE.fullmatch(logged(text, MARKER))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)", found["time"])


def test_unwritable_log_is_said_at_the_start(tmp_path):
    service = Service(tmp_path / "squall", "--logfile", "/nonexistent-folder/squall.log").spawn()
    try:
        assert service.wait_for_exit() not in (0, 101)
    finally:
        service.kill()
    assert "/nonexistent-folder/squall.log" in service.output()
    service.check_output()
