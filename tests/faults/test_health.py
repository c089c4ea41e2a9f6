"""`/readyz` when the scan threads hang or the disk refuses: load balancers are told, and told when it is over."""

import subprocess
import time

import pytest

from harness.disks import Image, freeze
from harness.rules import ENDLESS
from support.places import BINARY
from support.service import wait_until


def failed(service) -> set[str]:
    """The checks that `/readyz` says failed; its status must agree."""
    answer = service.get("/readyz", timeout=5)
    body = answer.json()
    found = {name for name, check in body["checks"].items() if not check["ok"]}
    assert answer.status_code == (503 if found else 200) and body["ready"] == (not found)
    return found


def status(service) -> int:
    return subprocess.run([BINARY, "status", "--url", service.url], capture_output=True, timeout=30).returncode


@pytest.mark.timeout(300)
def test_scan_threads_that_hang(victim):
    """Within a minute or so of the last trial that passed, and not before."""
    service = victim("--threads", "2", "--sync-only-threads", "1", "--scan-timeout", "70s").start()
    wait_until(lambda: not failed(service), 20, "it is ready")
    service.enqueue(ENDLESS)
    began = time.monotonic()
    wait_until(lambda: failed(service) == {"scan"}, 75, "the scan threads are found to hang", pause=0.5)
    seconds = time.monotonic() - began
    assert seconds > 40, f"after {seconds:.0f} s"
    # Nothing that a restart would help against yet: the scan is within its limit.
    assert service.get("/healthz").status_code == 200
    assert status(service) == 1
    # The scan is timed out, and the thread is there again.
    wait_until(lambda: not failed(service), 90, "it is ready again", pause=0.5)
    assert "not ready any more" in service.output()
    wait_until(lambda: "ready again" in service.output(), 10, "the log says so")
    print(f"not ready after {seconds:.0f} s")


@pytest.mark.timeout(120)
def test_a_disk_that_turns_read_only(victim, tmp_path, clean_up):
    image = Image.make(tmp_path, "disk", clean_up, options="errors=remount-ro")
    service = victim("--threads", "1", "--disk-reserve", "16MB", disk=image.root).start()
    wait_until(lambda: not failed(service), 20, "it is ready")
    image.break_down()
    began = time.monotonic()
    # Nobody sends anything: it is found by trying.
    wait_until(lambda: failed(service) == {"queue"}, 15, "the disk is found to refuse", pause=0.2)
    said = service.get("/readyz").json()["checks"]["queue"]["reason"]
    assert "read-only" in said and str(tmp_path) not in said, said
    assert service.get("/healthz").status_code == 200
    assert status(service) == 1
    print(f"not ready after {time.monotonic() - began:.0f} s: {said}")


@pytest.mark.timeout(200)
def test_a_disk_that_hangs(victim, tmp_path, clean_up):
    """The write never comes back; the answer does, and says so."""
    image = Image.make(tmp_path, "disk", clean_up)
    service = victim("--threads", "1", "--disk-reserve", "16MB", disk=image.root).start()
    wait_until(lambda: not failed(service), 20, "it is ready")
    thaw = freeze(image.root, clean_up)
    wait_until(lambda: failed(service) == {"queue"}, 80, "the disk is found to hang", pause=0.5)
    assert "expected within 60 s" in service.get("/readyz").json()["checks"]["queue"]["reason"]
    thaw()
    wait_until(lambda: not failed(service), 30, "it is ready again", pause=0.2)
