"""The clock, file descriptors and memory: what the system takes away or gives too little of."""

import random
import re
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from harness.books import settle
from harness.figures import row
from harness.load import MEGABYTE, CounterWatch, MixedLoad, Promises
from harness.rules import CLEAN, MARKER, slow
from support.bulk import enqueue_many
from support.needs import lacking

DAY = 24 * 3600


def faketime_library() -> Path:
    """Returns libfaketime, or skips the test."""
    for folder in ("/usr/lib", "/usr/local/lib"):
        for found in Path(folder).glob("**/faketime/libfaketimeMT.so.1"):
            return found
    lacking("needs libfaketime, of the package faketime")


def fake_clock(tmp_path, offset: str) -> dict[str, str]:
    """The environment of a process whose wall clock is `offset` off, as a file says that may change."""
    rc = tmp_path / "clock"
    rc.write_text(offset)
    return {
        "LD_PRELOAD": str(faketime_library()),
        "FAKETIME_TIMESTAMP_FILE": str(rc),
        "FAKETIME_CACHE_DURATION": "1",
        # Setting a clock moves the wall clock only.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }


def jumps(victim, tmp_path, offsets) -> dict:
    """Moves the wall clock under a busy service; returns its counters when all is settled."""
    promises = Promises()
    # What is kept does not grow older than it is; that all of it is there, is settled below.
    service = victim("--threads", "2", "--server-store-samples", "malicious", "--store-samples-max-age", "30",
                     env=fake_clock(tmp_path, "+0")).start()
    with CounterWatch(service) as watch, MixedLoad(service, promises, pause=0.01):
        for offset in offsets:
            time.sleep(1.5)
            (tmp_path / "clock").write_text(offset)
        time.sleep(1.5)
        assert not promises.wrong, promises.wrong[:3]
    assert not watch.wrong
    balance = settle(service, promises, kills=0)
    assert service.all_kept()
    # What was scanned more than a year before the new time is no longer in the history.
    assert service.check(CLEAN) == []
    assert sum(service.json("/api/sampleHistory").values()) > 0
    status = service.status()
    assert 0 <= status["uptime_seconds"] < 300, status
    assert 0 <= status["avg_scan_time_milliseconds"] < 300_000, status
    assert service.stop() < 25
    print(row(f"clock set while running: {', '.join(offsets)}; malicious samples kept for 30 days", 1, len(promises.acknowledged), balance.seen()))
    return status


@pytest.mark.timeout(300)
def test_clock_set_back_while_running(victim, tmp_path):
    status = jumps(victim, tmp_path, ["-3d", "-40d", "-400d"])
    for key in ("avg_wait_time_milliseconds", "avg_total_time_milliseconds"):
        assert 0 <= status[key] < 300_000, f"{key} followed the wall clock: {status}"


@pytest.mark.timeout(300)
def test_clock_set_forward_while_running(victim, tmp_path):
    """Nothing is lost. Known to be wrong: samples that wait at that moment count as having waited for as long.

    The average waiting times say so until the counters start anew.
    """
    jumps(victim, tmp_path, ["+3d", "+400d"])


@pytest.mark.timeout(300)
def test_clock_set_back_between_two_starts(victim, tmp_path):
    """Ids, results and the queue do not depend on the time of day, and neither does the order of waiting samples."""
    promises = Promises()
    env = fake_clock(tmp_path, "+0")
    service = victim("--threads", "1", env=env).start()
    for offset in ("+0", "-30d", "+30d", "-1000d"):
        (tmp_path / "clock").write_text(offset)
        with MixedLoad(service, promises, checkers=0):
            time.sleep(1)
            service.kill()
            service.start()
    balance = settle(service, promises, kills=service.kills)
    busy = [service.enqueue(slow(number)) for number in range(2)]
    (tmp_path / "clock").write_text("-2000d")
    rest = [service.enqueue(CLEAN) for _ in range(3)]
    assert sorted(busy + rest) == busy + rest, "ids must grow"
    assert min(busy) > max(promises.acknowledged)
    for sample_id in rest:
        assert service.result(sample_id, 120)["result"] == []
    print(row("clock set back and forward between four starts", 1, len(promises.acknowledged), balance.seen()))


@pytest.mark.timeout(300)
def test_few_file_descriptors(victim):
    """64 descriptors: more clients than that wait or are refused, none is lost, and the service stays."""
    promises = Promises()
    service = victim("--threads", "2", limits="ulimit -n 64").start()
    with MixedLoad(service, promises, senders=80, checkers=20):
        time.sleep(8)
    assert service.running(), service.output()[-2000:]
    assert not promises.wrong, promises.wrong[:3]
    assert service.open_files() <= 64
    balance = settle(service, promises, kills=0)
    print(f"{promises.refused} refused: {balance}")
    assert balance.complete > 50 and balance.failed == 0
    assert service.check(MARKER), "and it goes on"
    assert service.stop() < 30
    print(row("64 file descriptors, 100 clients", 1, f"{len(promises.acknowledged):,}", f"{promises.refused} refused"))


def address_space(service) -> int:
    """Returns the most address space the process ever had, in bytes."""
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    return int(re.search(r"VmPeak:\s+(\d+) kB", status).group(1)) * 1024


@pytest.mark.timeout(600)
def test_little_memory(victim, tmp_path):
    """Address space for the rules and 500 MB: 30 uploads of 40 MB at a time are all answered and scanned."""
    if shutil.disk_usage(tmp_path).free < 4_000 * MEGABYTE:
        lacking("needs 4 GB of free disk space")
    args = ("--threads", "2", "--scan-timeout", "120s")
    base = victim(*args).start()
    base.check(MARKER)
    needed = address_space(base)
    base.stop()
    limit = needed + 500 * MEGABYTE
    service = victim(*args, limits=f"ulimit -v {limit // 1024}").start()
    chance = random.Random(5)
    block = chance.randbytes(MEGABYTE)
    promises = Promises()

    def upload(number: int) -> None:
        content = f"{number:08}".encode() + block * 40 + MARKER
        sample = promises.expect(content)
        endpoint = "check" if number % 3 == 0 else "checkAsync"
        for _ in range(60):
            answer = requests.post(f"{service.url}/api/{endpoint}", files={"file": ("a", content)}, timeout=120)
            if answer.status_code != 503:
                break
            assert int(answer.headers["Retry-After"]) >= 1
            time.sleep(0.5)
        assert answer.status_code == 200, f"{answer.status_code} {answer.text[:300]}"
        if endpoint == "check":
            assert [f["context"]["sha256"] for f in answer.json()] == [sample.sha256]
        else:
            promises.acknowledge(answer.json()["id"], sample)

    with ThreadPoolExecutor(30) as pool:
        list(pool.map(upload, range(30)))
    assert service.running(), service.output()[-2000:]
    many = enqueue_many(service, [MARKER + b"%d" % n for n in range(300)])
    for sample_id, content in many.items():
        promises.acknowledge(sample_id, promises.expect(content))
    print(f"base {needed // MEGABYTE} MB, peak {service.memory_peak_bytes() // MEGABYTE} MB resident: "
          f"{settle(service, promises, kills=0, seconds=300)}")
    assert service.stop() < 30
    print(row("address space of the rules plus 500 MB, 30 uploads of 40 MB at a time", 1, len(promises.acknowledged)))
