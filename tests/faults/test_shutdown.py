"""SIGTERM while a sample takes long, and a start with a long queue."""

import time

import pytest

from harness.books import COMPLETE, no_orphans, settle
from harness.figures import row
from harness.fill import fill_queue
from harness.load import Promises
from harness.rules import ENDLESS, MARKER, write_fault_rules, write_quick_rules
from support.places import rounds
from support.service import wait_until

GRACE_SECONDS = 20


@pytest.mark.timeout(300)
def test_slow_sample_is_handed_back_at_the_end(victim, tmp_path):
    """The stop takes the 20 s it has; the sample is not blamed, and scanned again."""
    own = write_fault_rules(tmp_path / "rules")
    service = victim("--threads", "2", "--scan-timeout", "600s", signatures=own).start()
    promises = Promises()
    promises.acknowledge(service.enqueue(ENDLESS), promises.expect(ENDLESS))
    wait_until(service.claimed, 10, "it is being scanned")
    for number in range(20):
        content = MARKER + b"%d" % number
        promises.acknowledge(service.enqueue(content), promises.expect(content))
    took = service.stop()
    print(f"stopped after {took:.1f} s")
    assert GRACE_SECONDS - 1 < took < GRACE_SECONDS + 5
    # Twice more: three interrupted scans of it, none of which was its fault.
    for _ in range(rounds(1, 3)):
        service.start()
        wait_until(service.claimed, 10, "it is being scanned again")
        assert service.stop() < GRACE_SECONDS + 5
    write_quick_rules(own)
    before = service.output()
    service.start()
    balance = settle(service, promises, kills=0)
    assert (balance.complete, balance.failed) == (21, 0), balance
    assert "while these samples were being scanned" not in service.since_last_start(before)
    no_orphans(service)
    print(row("SIGTERM while a sample takes longer than the 20 s it has", 1 + rounds(1, 3), 21,
              f"ends after {took:.1f} s"))


@pytest.mark.timeout(120)
def test_stop_without_work_is_quick(victim):
    service = victim("--threads", "2").start()
    assert service.result(service.enqueue(MARKER))["status"] == COMPLETE
    assert service.stop() < 5


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("killed", [False, True], ids=["after a stop", "after a kill"])
def test_start_with_a_long_queue(victim, killed):
    """A million samples wait (50,000 in the short form): ready in less than ten seconds."""
    count = rounds(50_000, 1_000_000)
    service = victim("--scan-timeout", "600s", "--queue-max-samples", "2000000")
    fill_queue(service, count, ENDLESS)
    service.args += ["--threads", "1"]
    began = time.monotonic()
    service.start()
    took = time.monotonic() - began
    if killed:
        wait_until(service.claimed, 10, "the worker is busy")
        service.kill()
        began = time.monotonic()
        service.start()
        took = time.monotonic() - began
    waiting = service.status()["queued_async_requests"]
    print(f"ready after {took:.1f} s with {waiting} waiting, {service.memory_peak_bytes() / 1e6:.0f} MB resident")
    assert waiting >= count - 1
    assert took < 10
    began = time.monotonic()
    assert service.enqueue(MARKER, source="somebody else") > count
    assert time.monotonic() - began < 2
    end = "a kill" if killed else "a stop"
    print(row(f"start with {count:,} waiting, after {end}", 1, f"{waiting:,}",
              f"ready in {took:.1f} s, {service.memory_peak_bytes() / 1e6:.0f} MB resident"))
    service.kill()
