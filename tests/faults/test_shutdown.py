"""SIGTERM while a sample takes long, and a start with a long queue."""

import threading
import time
from contextlib import ExitStack, contextmanager

import pytest

from harness.books import COMPLETE, no_orphans, settle
from harness.figures import row
from harness.fill import fill_queue
from harness.load import Promises
from harness.rules import ENDLESS, MARKER, write_fault_rules, write_quick_rules
from support.places import rounds
from support.raw import body, connect, head, part
from support.service import wait_until

GRACE_SECONDS = 20


@contextmanager
def half_sent(service):
    """Clients whose requests are not complete, one whose upload goes on slowly, and one that waits for a scan without end."""
    upload = head("/api/checkAsync", "Content-Length: 5000000") + part(b"x" * 100_000)[:-2]
    endless = body(ENDLESS + b" checked")
    check = head("/api/check", f"Content-Length: {len(endless)}") + endless
    half_head = b"POST /api/check HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    stop = threading.Event()

    def go_on(sock) -> None:
        try:
            while not stop.wait(0.2):
                sock.sendall(b"x" * 2000)
        except OSError:
            pass  # Closed by the service.

    with ExitStack() as stack:
        socks = [stack.enter_context(connect(service)) for _ in range(4)]
        for sock, data in zip(socks, (upload, upload, half_head, check), strict=True):
            sock.sendall(data)
        wait_until(lambda: "squall_uploads 2\n" in service.get("/metrics").text, 10, "two uploads in progress")
        wait_until(lambda: service.v1_status()["scanning_samples"] == 2, 10, "the check is being scanned")
        thread = threading.Thread(target=go_on, args=(socks[0],), daemon=True)
        thread.start()
        yield
        stop.set()
        thread.join(10)


@pytest.mark.timeout(300)
def test_slow_sample_is_handed_back_at_the_end(victim, tmp_path):
    """The stop takes the 20 s it has; the sample is not blamed, and scanned again."""
    own = write_fault_rules(tmp_path / "rules")
    service = victim("--threads", "2", "--scan-timeout", "600s", "--header-timeout", "600s", "--body-timeout", "600s",
                     signatures=own).start()
    promises = Promises()
    promises.acknowledge(service.enqueue(ENDLESS), promises.expect(ENDLESS))
    wait_until(service.claimed, 10, "it is being scanned")
    for number in range(20):
        content = MARKER + b"%d" % number
        promises.acknowledge(service.enqueue(content), promises.expect(content))
    took = service.stop()
    print(f"stopped after {took:.1f} s")
    assert GRACE_SECONDS - 1 < took < GRACE_SECONDS + 5
    # Once or thrice more: none of the interrupted scans was its fault. With clients that would hold the stop up as well.
    for _ in range(rounds(1, 3)):
        service.start()
        wait_until(service.claimed, 10, "it is being scanned again")
        with half_sent(service):
            with_clients = service.stop()
        assert with_clients < GRACE_SECONDS + 5, "one limit for all that is waited for"
    write_quick_rules(own)
    before = service.output()
    service.start()
    balance = settle(service, promises, kills=0)
    assert (balance.complete, balance.failed) == (21, 0), balance
    assert "while these samples were being scanned" not in service.since_last_start(before)
    no_orphans(service)
    print(row("SIGTERM while a sample takes longer than the 20 s it has", 1 + rounds(1, 3), 21,
              f"ends after {took:.1f} s, {with_clients:.1f} s with half-sent uploads and a check beside it"))


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
