"""The service locks itself in, and everything it does goes on working."""

import re
from pathlib import Path

from support.rules import CLEAN, MARKER
from support.service import wait_until


def threads(service):
    """The `status` of every thread."""
    return [path.read_text() for path in Path(f"/proc/{service.process.pid}/task").glob("*/status")]


def in_force(service):
    """What the service says of its sandbox."""
    return re.search(r"sandbox: (.*)", re.sub(r"\x1b\[[0-9;]*m", "", service.output())).group(1)


def test_every_thread_is_locked_in(start):
    service = start()
    said = in_force(service)
    service.check(MARKER)
    statuses = threads(service)
    assert len(statuses) > 2
    if "seccomp in force" in said:
        assert all("NoNewPrivs:\t1" in status and "Seccomp:\t2" in status for status in statuses)
    else:
        assert "not in force" in said


def test_it_can_be_left_out(start):
    service = start("--sandbox", "off")
    assert in_force(service) == "off"
    # What is left: no program that it starts gets rights that it has not.
    assert all("Seccomp:\t0" in status and "NoNewPrivs:\t1" in status for status in threads(service))


def test_places_that_settings_name_are_written_in(start, tmp_path):
    logs, queue, kept, database = (tmp_path / name for name in ("logs", "q/queue", "k/kept", "f/findings.db"))
    logs.mkdir()
    service = start(
        "--logfile", logs / "squall.log", "--jsonfile", logs / "squall.json", "--queue-storage", queue,
        "--server-store-samples", "all", "--server-upload-dir", kept, "--findings-db", database,
        "--signature-cache-dir", tmp_path / "c/cache", "--audit-log", tmp_path / "a/audit.log", "--server-cert", "auto", tls=True,
    )  # fmt: skip
    large = MARKER + b"x" * 5_000_000
    for content in (MARKER, CLEAN, large):
        service.check(content)
        service.result(service.enqueue(content))
    assert service.post("/api/v1/signatures/reload").status_code == 200
    (logs / "squall.log").rename(logs / "squall.log.1")
    service.signal(1)
    wait_until((logs / "squall.log").exists, 10, "the log is opened again")
    wait_until(lambda: service.json("/api/v1/findings")["findings"], 15, "findings are stored")
    rule = {"text": "rule own_rule { strings: $a = \"own-rule-marker\" condition: $a }"}
    assert service._session.put(f"{service.url}/api/v1/signatures/own/own.yar", json=rule, timeout=60).status_code == 200
    assert service.check(b"own-rule-marker")[0]["matches"][0]["rulename"] == "own_rule"
    service.stop()
    assert any(kept.rglob("*")) and database.exists() and (tmp_path / "a/audit.log").exists()
    output = service.output()
    assert "Permission denied" not in output and "not permitted" not in output, output[-3000:]
    service.start()
    assert service.status()["scanned_samples"] >= 6
