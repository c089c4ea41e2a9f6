"""Findings as JSON in every form, read as those do who receive them, and log files that are rotated."""

import io
import json
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import jsonschema
import pytest
from py_ocsf_models.events.findings.detection_finding import DetectionFinding

from support.places import BINARY, REPOSITORY
from support.rules import CLEAN, MARKER, SECOND
from support.service import wait_until
from support.shapes import check_schema, digests
from test_webhook import Receiver

NAME = r"C:\Users\x y\a.exe"
HOSTILE = "/tmp/a\nb\"c\\ SCORE: 0 \u202e\x1b[2J.php"


def archive(*members) -> bytes:
    """Returns a ZIP file with (name, content) members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, content in members:
            packed.writestr(name, content)
    return out.getvalue()


def encrypted_archive() -> bytes:
    """Returns a ZIP file that says its member is encrypted."""
    content = bytearray(archive(("a.exe", MARKER)))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    return bytes(content)


def tarball(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as packed:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        packed.addfile(member, io.BytesIO(content))
    return out.getvalue()


# Every kind of finding there is: on the sample, on a member, by its name, several reasons, what could not be opened.
SAMPLES = [
    (MARKER, NAME),
    (MARKER + SECOND + b"\xff\xfe\x00", HOSTILE),
    (b"x", "/var/www/named.php"),
    (archive(("inner/x.js", MARKER), ("inner/y.js", SECOND)), "/tmp/outer.zip"),
    (tarball("deep.zip", archive(("deeper.exe", b"MZ" + MARKER))), "/tmp/outer.tar.gz"),
    (encrypted_archive(), "/tmp/locked.zip"),
    (b"PK\x03\x04 cut short", "/tmp/broken.zip"),
    ((MARKER + b"\n") * 3000, "/tmp/many"),
]


def logged(start, tmp_path, *options) -> list[dict]:
    """Returns the lines of a JSON log of all samples."""
    log = tmp_path / "findings.json"
    service = start("--jsonfile", log, *options)
    for content, name in SAMPLES:
        service.check(content, name, source="web-01")
    service.check(CLEAN)
    service.stop()
    lines = log.read_text("utf-8").split("\n")
    assert lines.pop() == ""
    return [json.loads(line) for line in lines]


def test_the_schema_is_that_of_the_api_document():
    tool = REPOSITORY / "tests" / "tools" / "finding_schema.py"
    made = subprocess.run([sys.executable, "-c", f"import runpy; print(runpy.run_path({str(tool)!r})['text'](), end='')"],
                          capture_output=True, text=True, check=True, timeout=60).stdout
    committed = (REPOSITORY / "openapi" / "finding-v3.schema.json").read_text()
    assert made == committed, f"run {tool.relative_to(REPOSITORY)}"
    jsonschema.Draft202012Validator.check_schema(json.loads(committed))


def test_v3_is_what_its_schema_says(start, tmp_path):
    findings = logged(start, tmp_path)
    assert len(findings) >= len(SAMPLES)
    for finding in findings:
        check_schema(finding)
    assert any(finding["context"] for finding in findings), "none on a member"
    assert any(not finding["reasons"] for finding in findings), "none that was not scanned completely"
    # The schema can fail.
    for spoil in (lambda f: f.pop("score"), lambda f: f["meta"].update(level="Info"), lambda f: f.update(more=1),
                  lambda f: f["subject"]["hashes"].update(md5="x")):
        spoiled = json.loads(json.dumps(findings[0]))
        spoil(spoiled)
        with pytest.raises(AssertionError):
            check_schema(spoiled)


def test_v1_is_flat(start, tmp_path):
    findings = logged(start, tmp_path, "--json-format", "v1")
    for finding in findings:
        assert all(isinstance(value, (str, int)) for value in finding.values()), finding
        assert {"time", "hostname", "level", "module", "message", "scanid", "file", "score", "uid"} <= set(finding)
        assert isinstance(finding["score"], int)
    first = next(finding for finding in findings if finding["file"] == NAME)
    assert first["hostname"] == "web-01" and first["ip"] == "127.0.0.1"
    assert first["sha256"] == digests(MARKER)["sha256"]
    assert first["rulename_1"] == "E2E_Marker" and first["subscore_1"] == 80
    # Values are as they are: JSON needs no escapes of a text line.
    assert any(finding["file"] == HOSTILE.replace("\x1b", "\u241b") for finding in findings)


# The fields of ECS 8.17 that are used, with their types there; `squall` is a custom object beside them.
ECS = {
    "@timestamp": "date", "ecs.version": "keyword", "message": "match_only_text", "tags": "keyword[]",
    "event.kind": "keyword", "event.category": "keyword[]", "event.type": "keyword[]", "event.module": "keyword",
    "event.dataset": "keyword", "event.provider": "keyword", "event.id": "keyword", "event.risk_score": "float",
    "event.created": "date", "event.reason": "keyword", "log.level": "keyword", "observer.vendor": "keyword",
    "observer.product": "keyword", "observer.type": "keyword", "observer.version": "keyword", "host.name": "keyword",
    "host.ip": "ip[]", "file.path": "keyword", "file.name": "keyword", "file.extension": "keyword",
    "file.type": "keyword", "file.size": "long", "file.hash.md5": "keyword", "file.hash.sha1": "keyword",
    "file.hash.sha256": "keyword", "file.pe.company": "keyword", "file.pe.description": "keyword",
    "file.pe.product": "keyword", "file.pe.original_file_name": "keyword", "file.pe.imphash": "keyword",
    "rule.name": "keyword", "rule.description": "keyword", "rule.author": "keyword[]", "rule.reference": "keyword",
    "rule.uuid": "keyword", "rule.category": "keyword", "rule.ruleset": "keyword", "threat.framework": "keyword",
    "threat.technique.id": "keyword[]", "related.hash": "keyword[]", "related.hosts": "keyword[]",
    "related.ip": "ip[]",
}


def fields(document: dict, prefix: str = ""):
    """Yields the fields of a document with their values, named as in a mapping."""
    for key, value in document.items():
        if isinstance(value, dict) and f"{prefix}{key}" != "squall":
            yield from fields(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def test_ecs_has_fields_of_the_schema_only(start, tmp_path):
    documents = logged(start, tmp_path, "--json-format", "ecs")
    for document in documents:
        for name, value in fields(document):
            if name == "squall":
                continue
            kind = ECS[name]
            values = value if isinstance(value, list) else [value]
            assert isinstance(value, list) == kind.endswith("[]"), name
            wanted = (int, float) if kind in ("float", "long") else str
            assert values and all(isinstance(each, wanted) for each in values), (name, value)
        assert document["event"]["kind"] in ("alert", "event")
        assert not document["file"].get("extension", "").startswith(".")
    first = next(document for document in documents if document["file"]["path"] == NAME)
    assert first["file"]["name"] == "a.exe" and first["file"]["extension"] == "exe"
    assert first["file"]["hash"] == digests(MARKER)
    assert first["host"] == {"name": "web-01", "ip": ["127.0.0.1"]}
    assert first["rule"]["name"] == "E2E_Marker"
    assert first["squall"]["reasons"][0]["matched"] == [MARKER.decode()]
    assert any(document["event"]["kind"] == "event" for document in documents)


def test_ocsf_is_a_detection_finding(start, tmp_path):
    findings = logged(start, tmp_path, "--json-format", "ocsf")
    for finding in findings:
        # The model knows the class as it was before `device` and `is_alert` came to it.
        DetectionFinding.model_validate(finding)
        assert (finding["class_uid"], finding["category_uid"], finding["type_uid"]) == (2004, 2, 200401)
        assert finding["metadata"]["version"] == "1.3.0"
        assert finding["severity_id"] in (3, 4, 5)
        assert finding["finding_info"]["uid"] == finding["metadata"]["uid"]
        assert finding["evidences"][0]["file"]["type_id"] == 1
    first = next(finding for finding in findings if finding["evidences"][0]["file"]["path"] == NAME)
    assert {each["value"] for each in first["evidences"][0]["file"]["hashes"]} == set(digests(MARKER).values())
    assert first["device"] == {"type_id": 0, "type": "Unknown", "hostname": "web-01", "ip": "127.0.0.1"}
    assert first["finding_info"]["analytic"]["name"] == "E2E_Marker"
    assert first["severity"] == "High" and first["is_alert"] is True


@pytest.mark.parametrize(("form", "key"), [("v1", "uid"), ("ecs", "event"), ("ocsf", "finding_info")])
def test_a_webhook_has_the_form_it_is_told(start, form, key):
    receiver = Receiver()
    try:
        service = start("--webhook", receiver.url, "--webhook-format", form)
        service.check(MARKER, HOSTILE)
        [(headers, body, _)] = receiver.wait_for(1)
        found = json.loads(body)[key]
        event_id = found if form == "v1" else found.get("id") or found.get("uid")
        assert event_id == headers["Squall-Event-Id"]
    finally:
        receiver.close()


def rotated(log):
    """Returns the files of a log, oldest first."""
    return sorted(log.parent.glob(f"{log.name}-*")) + [log]


def test_logs_are_rotated_by_size_and_nothing_is_lost(start, tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    log, text = folder / "findings.json", folder / "findings.log"
    service = start("--jsonfile", log, "--logfile", text, "--log-rotate-size", "20KB", "--log-rotate-keep", "0")
    count = 120
    for number in range(count):
        service.check(MARKER + b"%d" % number, f"/numbered/{number}")
        if number % 40 == 39:
            wait_until(lambda n=number: len(rotated(log)) > n // 40 + 1, 10, "a rotation")
    wait_until(lambda: len(rotated(text)) > 1, 10, "a rotation of the text log")
    lines = [line for file in rotated(log) for line in file.read_text().splitlines()]
    assert [json.loads(line)["subject"]["path"] for line in lines] == [f"/numbered/{n}" for n in range(count)]
    assert sum(len(file.read_text().splitlines()) for file in rotated(text)) == count
    service.stop()
    made = subprocess.run([str(BINARY), "findings", "rebuild", "--data-dir", service.data, "--jsonfile", log],
                          capture_output=True, text=True, timeout=60, check=True)
    assert made.stdout.startswith(f"{count} findings from {len(rotated(log))} log(s)"), made.stdout


def test_only_so_many_old_logs_are_kept(start, tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    log = folder / "findings.json"
    service = start("--jsonfile", log, "--log-rotate-size", "1KB", "--log-rotate-keep", "2")
    (folder / "findings.json-notes").write_text("of somebody else")
    for number in range(4):
        service.check(MARKER + b"%d" % number, f"/numbered/{number}")
        wait_until(lambda n=number: f"/numbered/{n}" not in log.read_text(), 10, "a rotation")

    def old_ones():
        return [file for file in rotated(log) if file != log and not file.name.endswith("notes")]

    # The oldest goes once the new one is there.
    old = wait_until(lambda: len(found := old_ones()) == 2 and found, 10, "two are left")
    assert ["/numbered/2" in old[0].read_text(), "/numbered/3" in old[1].read_text()] == [True, True]
    assert len(old) == 2 and (folder / "findings.json-notes").exists()


def test_an_old_log_is_rotated(start, tmp_path):
    """By a service whose clock is two hours ahead of that of the disk, which knows when the file was begun."""
    libraries = [*Path("/usr/lib").glob("**/faketime/libfaketimeMT.so.1")]
    if not libraries:
        pytest.skip("needs libfaketime, of the package faketime")
    folder = tmp_path / "logs"
    folder.mkdir()
    log = folder / "findings.json"
    service = start("--jsonfile", log, "--log-rotate-hours", "1")
    service.check(MARKER, "/before")
    time.sleep(2.5)
    assert rotated(log) == [log]
    service.stop()
    service.env |= {"LD_PRELOAD": str(libraries[0]), "FAKETIME": "+2h", "NO_FAKE_STAT": "1",
                    "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
    service.start()
    old = wait_until(lambda: rotated(log)[:-1], 10, "a rotation")
    assert "/before" in old[0].read_text() and log.read_text() == ""
