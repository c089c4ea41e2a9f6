"""The service locks itself in, and everything it does goes on working."""

import re
import tempfile
from pathlib import Path

import pytest

from support.rules import CLEAN, MARKER, write_rules
from support.service import wait_until


def threads(service):
    """The `status` of every thread."""
    return [path.read_text() for path in Path(f"/proc/{service.process.pid}/task").glob("*/status")]


def in_force(service):
    """What the service says of its sandbox."""
    return re.search(r"serve: sandbox: (.*)", re.sub(r"\x1b\[[0-9;]*m", "", service.output())).group(1)


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


@pytest.fixture
def elsewhere():
    """A directory that no other place of a test is beside."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


def test_a_queue_and_a_store_that_are_beside_nothing_else_are_used(start, elsewhere):
    queue, kept = elsewhere / "a/queue", elsewhere / "b/kept"
    service = start("--queue-storage", queue, "--server-upload-dir", kept, "--server-store-samples", "all")
    service.result(service.enqueue(MARKER))
    service.kill()
    service.start()
    service.result(service.enqueue(MARKER))
    assert queue.exists() and any(kept.rglob("*"))
    output = service.output()
    assert "Permission denied" not in output, output[-3000:]


def test_a_log_among_what_is_everybodys_is_warned_of(start):
    with tempfile.NamedTemporaryFile(dir="/tmp", suffix=".log") as log:
        service = start("--logfile", log.name)
        service.check(MARKER)
        assert MARKER in Path(log.name).read_bytes()
        if "Landlock in force" in in_force(service):
            assert "the sandbox lets all of `/tmp` be read and written" in service.output()


def told(service):
    """The signatures once they were read again."""
    answer = service.post("/api/v1/signatures/reload")
    assert answer.status_code in (200, 409, 422), answer.text
    return service.json("/api/v1/signatures")


def marked(service, name):
    return bool(service.check(f"sandbox-{name}".encode()))


def rule(name):
    return f'rule Sandbox_{name} {{ meta: score = 80 strings: $a = "sandbox-{name}" condition: $a }}\n'


def test_only_places_that_settings_name_are_read(start, tmp_path):
    """Links that are changed and directories that are renamed are read; what nothing named leads to is not."""
    for place, name in (("sets/1", "first"), ("sets/2", "second"), ("extra/linked", "linked")):
        write_rules(tmp_path / place, own=rule(name))
    (tmp_path / "sets/now").symlink_to("1")
    (tmp_path / "sets/1/yara/linked").symlink_to(tmp_path / "extra/linked")
    secret = tmp_path / "home/secret.yar"
    secret.parent.mkdir()
    secret.write_text(rule("secret"))
    options = ("--signatures", tmp_path / "sets/now", "--watch-signatures=false")
    service = start(*options, "--log-level", "debug", signatures=False)
    locked = "Landlock in force" in in_force(service)
    assert f'"{tmp_path}/extra/linked"' in service.output() or not locked
    assert marked(service, "first") and marked(service, "linked") and not marked(service, "second")

    # Another set beside it, by the link and then by its name.
    (tmp_path / "sets/new").symlink_to("2")
    (tmp_path / "sets/new").rename(tmp_path / "sets/now")
    assert not told(service)["problems"]
    assert marked(service, "second") and not marked(service, "first")
    (tmp_path / "sets/2").rename(tmp_path / "sets/old")
    write_rules(tmp_path / "sets/2", own=rule("renamed"))
    assert not told(service)["problems"]
    assert marked(service, "renamed") and not marked(service, "second")

    # What a rule would get at.
    own = tmp_path / "sets/2/yara"
    (own / "get.yar").write_text(f'include "{secret}"\n')
    said = told(service)
    if locked:
        assert any("Permission denied" in problem for problem in said["problems"]), said
        assert not marked(service, "secret")
    (own / "get.yar").unlink()
    (own / "link.yar").symlink_to(secret)
    said = told(service)
    if locked:
        assert any("link.yar: cannot be read: Permission denied" in problem for problem in said["problems"]), said
        assert not marked(service, "secret")
    assert marked(service, "renamed")
    # Named at a start it is read.
    service.stop()
    service.start()
    assert marked(service, "secret")
