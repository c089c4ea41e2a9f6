"""A source that queues very much delays another one by no more than a few scans."""

import statistics
import time

import pytest

from harness.books import COMPLETE
from harness.fill import fill_queue
from harness.figures import row
from harness.rules import MARKER, SLUGGISH, write_fault_rules, write_quick_rules
from support.places import rounds
from support.service import wait_until


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("threads", ["1", "2"])
def test_source_with_a_long_queue_delays_nobody(victim, tmp_path, threads):
    """Source A has 20,000 (long form: 100,000) samples of 20 ms waiting; B sends one at a time."""
    own = write_fault_rules(tmp_path / "rules")
    # A's samples are all the same, and each is to be scanned.
    service = victim("--scan-timeout", "600s", "--verdict-cache-size", "0", signatures=own)
    fill_queue(service, rounds(20_000, 100_000), SLUGGISH, source="A")
    service.args += ["--threads", threads]
    write_quick_rules(own)
    service.start()
    wait_until(lambda: service.status()["scanned_samples"] > 10, 30, "A's samples are being scanned")
    delays, waits = [], []
    for number in range(rounds(15, 60)):
        sample_id = service.enqueue(MARKER + b"%d" % number, source="B")
        before = service.status()["scanned_samples"]
        began = time.monotonic()
        assert service.result(sample_id)["status"] == COMPLETE
        waits.append(time.monotonic() - began)
        delays.append(service.status()["scanned_samples"] - before)
    checks = []
    for _ in range(rounds(15, 60)):
        began = time.monotonic()
        assert len(service.check(MARKER, source="C")) == 1
        checks.append(time.monotonic() - began)
    left = service.status()["queued_async_requests"]
    print(f"{left} of A still wait; B waited for {statistics.median(delays):.0f} scans (most: {max(delays)}), "
          f"{statistics.median(waits) * 1000:.0f} ms (most: {max(waits) * 1000:.0f} ms); "
          f"checks took {statistics.median(checks) * 1000:.0f} ms (most: {max(checks) * 1000:.0f} ms)")
    assert left > 1000, "A's queue was empty too soon: nothing is proved"
    # B's own, those in scan, a turn of A's, and the 50 ms between two looks of the test.
    assert statistics.median(delays) <= 12 and max(delays) <= 40
    assert statistics.median(checks) < 1 and max(checks) < 5
    workers = {"1": "one worker", "2": "two workers"}[threads]
    print(row(f"source A has {rounds(20_000, 100_000):,} waiting, B sends one at a time, {workers}", len(delays), "",
              f"B waits for {statistics.median(delays):.0f} scans, {max(delays)} at most", lost=""))
    service.kill()
