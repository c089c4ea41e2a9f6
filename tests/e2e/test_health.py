"""`/healthz` and `/readyz`: true, open to load balancers, and without a trace in anything that is counted."""

import threading
import time

import pytest
import requests

from support.rules import CLEAN, MARKER, slow
from support.service import wait_until

CHECKS = {"running", "signatures", "queue", "scan"}


def ready(service) -> dict | None:
    """What `/readyz` says, once it says yes."""
    answer = service.get("/readyz")
    return answer.json() if answer.status_code == 200 else None


def test_it_is_ready_soon_after_the_start_and_says_what_was_checked(start):
    service = start()
    body = wait_until(lambda: ready(service), 10, "it is ready")
    assert body["ready"] is True and set(body["checks"]) == CHECKS
    assert all(check["ok"] and "reason" not in check for check in body["checks"].values())
    for name in ("queue", "scan"):
        assert 0 <= body["checks"][name]["passed_seconds_ago"] < 20
    assert service.json("/healthz") == {"alive": True}
    assert requests.head(f"{service.url}/readyz", timeout=10).status_code == 200


def test_it_is_not_ready_before_the_signatures_are_loaded(start, tmp_path):
    """A start with the disk's write and the scan thread waiting for the first set."""
    service = start()
    service.stop()
    # The process answers as soon as it listens; with luck before the set is loaded.
    service.spawn()
    seen = set()

    def is_ready():
        try:
            answer = service.get("/readyz", timeout=5)
        except requests.RequestException:
            return False
        seen.update(name for name, check in answer.json()["checks"].items() if not check["ok"])
        assert (answer.status_code == 200) == answer.json()["ready"]
        return answer.status_code == 200

    wait_until(is_ready, 30, "it is ready", pause=0)
    assert seen <= {"signatures", "queue", "scan"}


@pytest.mark.timeout(120)
def test_the_trials_leave_no_trace(start, tmp_path):
    log = tmp_path / "findings.json"
    service = start("--jsonfile", log, "--logfile", tmp_path / "findings.log", "--server-store-samples", "all")
    wait_until(lambda: ready(service), 10, "it is ready")
    before = service.status()
    overview = service.json("/api/v1/overview")

    def age():
        return service.json("/readyz")["checks"]["scan"]["passed_seconds_ago"]

    wait_until(lambda: age() > 5, 20, "some seconds since a trial")
    wait_until(lambda: age() < 4, 20, "another trial")
    after = service.status()
    for key in before:
        if not key.startswith("uptime"):
            assert after[key] == before[key], key
    later = service.json("/api/v1/overview")
    for part in ("samples", "scan_time", "findings"):
        assert later[part] == overview[part], part
    assert log.read_text() == "" and (tmp_path / "findings.log").read_text() == ""
    assert service.json("/api/v1/findings")["findings"] == []
    assert service.json("/api/v1/sources")["sources"] == []
    # A minute that ends meanwhile is there, with nothing in it.
    for history in ("sampleHistory", "queueHistory"):
        assert not any(service.json(f"/api/{history}").values()), history
    assert "EICAR" not in service.output()
    # Ids are not used up either.
    assert service.enqueue(CLEAN) == 1


@pytest.mark.timeout(300)
def test_a_busy_service_answers_and_stays_ready(start):
    """One thread, and a sample of a second in it, again and again: the trial goes before what waits."""
    service = start("--threads", "1")
    wait_until(lambda: ready(service), 10, "it is ready")
    ids = [service.enqueue(slow(number)) for number in range(15)]
    end = time.monotonic() + 13
    while time.monotonic() < end:
        began = time.monotonic()
        assert ready(service), service.get("/readyz").text
        assert time.monotonic() - began < 1
        time.sleep(0.2)
    # Every ten seconds, and behind the sample that is being scanned: long before the queue is done.
    assert service.json("/readyz")["checks"]["scan"]["passed_seconds_ago"] < 30
    assert service.result(ids[0], seconds=120)["status"] == "Sample analysis complete"


def test_a_supervisor_is_answered_when_there_are_too_many_connections(start):
    service = start("--max-connections", "4")
    wait_until(lambda: ready(service), 10, "it is ready")
    held = [requests.Session() for _ in range(4)]
    stop = threading.Event()
    try:
        for session in held:
            session.get(f"{service.url}/api/status", timeout=10)

        def status(path):
            return requests.get(service.url + path, timeout=10, headers={"Connection": "close"}).status_code

        wait_until(lambda: status("/api/status") == 503, 10, "all places are taken")
        assert status("/healthz") == status("/readyz") == 200
    finally:
        stop.set()
        for session in held:
            session.close()


def test_reading_it_needs_nothing_and_tells_no_path(start, tmp_path):
    service = start()
    wait_until(lambda: ready(service), 10, "it is ready")
    text = service.get("/readyz?pretty=true").text
    assert str(tmp_path) not in text and text.endswith("}\n")
    assert service.post("/readyz").status_code == 405


def test_another_set_is_tried_as_well(start, rules):
    service = start()
    wait_until(lambda: ready(service), 10, "it is ready")
    (rules / "yara" / "later.yar").write_text("rule Later { condition: filesize == 12345 }")
    try:
        assert service.post("/api/v1/signatures/reload").status_code == 200
        time.sleep(1)
        assert ready(service)
        assert service.check(MARKER)[0]["level"] == "Warning"
    finally:
        (rules / "yara" / "later.yar").unlink()
