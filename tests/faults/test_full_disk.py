"""A disk without space, or one that refuses to write.

Samples are refused at once, none is lost, and it all goes on when the disk is willing again.
"""

import os
import re
import time

import pytest
import requests

from harness.books import drained, no_orphans, settle
from harness.disks import Image, enlarge, fill, free_bytes, memory_disk
from harness.figures import row
from harness.load import MEGABYTE, MixedLoad, Promises
from harness.rules import CLEAN, ENDLESS, MARKER, write_quick_rules
from support.places import rounds
from support.rules import write_rules
from support.service import StartError, wait_until


# A line that does not fit on the disk is cut, and written again as a whole later.
TORN_MAX = 100


def some_size(chance) -> int:
    """From inline samples to those with a file of their own."""
    return chance.choice([500, 20_000, 300_000, 900_000])


def refusals(service, count: int = 3) -> None:
    """Fails unless samples are refused in the way that every collector retries."""
    for _ in range(count):
        answer = service.post("/api/checkAsync", files={"file": ("a", CLEAN * 1000)})
        assert answer.status_code == 503, f"{answer.status_code} {answer.text[:300]}"
        assert int(answer.headers["Retry-After"]) >= 1
        assert set(answer.json()) == {"reason", "message"}


def takes_samples(service, promises: Promises, seconds: float = 30) -> None:
    """Waits until a sample is taken again."""
    content = MARKER + b" taken again " + os.urandom(16).hex().encode()
    sample = promises.expect(content)

    def taken():
        answer = service.post("/api/checkAsync", files={"file": ("a", content)})
        assert answer.status_code in (200, 503), f"{answer.status_code} {answer.text[:300]}"
        return answer.json().get("id")

    promises.acknowledge(wait_until(taken, seconds, "a sample taken again", pause=0.3), sample)


def starts_or_says_why_not(service, reason: str) -> bool:
    """Starts the service; if it ends, it must give the reason, and no wrong advice. Returns whether it runs."""
    before = service.output()
    try:
        service.start()
        return True
    except StartError:
        said = service.since_last_start(before)
        assert service.process.returncode > 0
        assert reason in said.lower(), said
        assert "move it away" not in said and "is damaged" not in said, f"the database is well: {said}"
        return False


@pytest.mark.timeout(600)
@pytest.mark.parametrize("reserve", ["8MB", "0"])
def test_samples_fill_the_disk(victim, tmp_path, clean_up, reserve):
    """A queue that does not move on 64 MB: it fills up, refuses, and ends all it took once it moves."""
    disk = memory_disk(tmp_path / "disk", 64, clean_up)
    slow = write_rules(tmp_path / "rules", e2e=RULES_THAT_BLOCK)
    promises = Promises()
    service = victim("--threads", "1", "--disk-reserve", reserve, "--scan-timeout", "600s", disk=disk,
                     signatures=slow).start()
    promises.acknowledge(service.enqueue(ENDLESS), promises.expect(ENDLESS))
    wait_until(service.claimed, 10, "the worker is busy")
    with MixedLoad(service, promises, checkers=0, size=some_size, slow_share=0):
        wait_until(lambda: promises.refused > 50, 120, "a full disk", pause=0.2)
        time.sleep(1)
    assert not promises.wrong, promises.wrong[:3]
    taken = len(promises.acknowledged)
    assert taken > 20 and free_bytes(disk) < 12 * MEGABYTE, f"{taken} taken, {free_bytes(disk)} bytes free"
    assert requests.get(f"{service.url}/api/status", timeout=10).status_code == 200
    if reserve != "0":
        assert free_bytes(disk) > 4 * MEGABYTE, "the reserve was used up"
    # The process ends with the disk full, and comes back on it, with rules that let the queue move.
    service.kill()
    write_quick_rules(slow)
    starts_or_says_why_not(service, "no space left")
    enlarge(disk, 80)
    if not service.running():
        service.start()
    balance = settle(service, promises, service.kills, seconds=200, torn_max=TORN_MAX)
    takes_samples(service, promises)
    print(f"{taken} taken, {promises.refused} refused: {balance}")
    assert balance.failed == 0
    no_orphans(service)
    print(row(f"64 MB disk filled by samples, {reserve} reserve, kill, start", 1, len(promises.acknowledged),
              f"{promises.refused} refused"))


def kept_bytes(service) -> int:
    """Returns the bytes of kept samples, as the metrics say."""
    found = re.search(r"^squall_kept_\w*bytes ([0-9.e+]+)$", service.get("/metrics").text, re.MULTILINE)
    assert found, "no metric says how many bytes are kept"
    return int(float(found[1]))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("reserve", ["8MB", "0"])
def test_kept_samples_fill_the_disk(victim, tmp_path, clean_up, reserve):
    """All samples are kept on 64 MB, far more than fit: the oldest of them go, and the intake does not stop for them."""
    disk = memory_disk(tmp_path / "disk", 64, clean_up)
    promises = Promises()
    service = victim("--threads", "2", "--disk-reserve", reserve, "--server-store-samples", "all", disk=disk).start()

    def taken() -> int:
        return sum(sample.size for sample in list(promises.acknowledged.values()))

    with MixedLoad(service, promises, senders=2, checkers=0, size=some_size, slow_share=0, pause=0.01):
        # While the scan threads are behind, the disk may be full of what waits. They never stay behind.
        wait_until(lambda: taken() > rounds(130, 1000) * MEGABYTE, rounds(60, 300), "more taken than fits", pause=0.2)
    balance = settle(service, promises, kills=0, seconds=120)
    assert balance.failed == 0
    # With nothing in the queue only kept samples are in the way.
    for _ in range(30):
        content = MARKER + os.urandom(300_000)
        sample = promises.expect(content)
        promises.acknowledge(service.enqueue(content), sample)
        drained(service)
        assert service.kept(sample.sha256).is_file(), f"the newest is not kept; {free_bytes(disk)} bytes free"
    assert 5 * MEGABYTE < kept_bytes(service) < 64 * MEGABYTE
    settle(service, promises, kills=0)
    no_orphans(service)
    # Others take what is left, and give it back.
    filler = fill(disk)
    refusals(service)
    filler.unlink()
    takes_samples(service, promises)
    settle(service, promises, kills=0, torn_max=TORN_MAX)
    print(row(f"64 MB disk filled by kept samples, {reserve} reserve", 1, f"{len(promises.acknowledged):,}",
              f"{taken() // MEGABYTE} MB in all, {promises.refused} refused"))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("reserve", ["8MB", "0"])
def test_others_fill_the_disk(victim, tmp_path, clean_up, reserve):
    """Somebody else takes every byte while samples arrive and are scanned; later he gives them back."""
    disk = memory_disk(tmp_path / "disk", 64, clean_up)
    promises = Promises()
    service = victim("--threads", "2", "--disk-reserve", reserve, disk=disk).start()
    with MixedLoad(service, promises, senders=3, checkers=0, size=some_size, pause=0.01):
        for _ in range(3):
            time.sleep(1)
            filler = fill(disk)
            refused = promises.refused
            wait_until(lambda: promises.refused > refused + 10, 60, "refusals", pause=0.1)
            time.sleep(1)
            filler.unlink()
            takes_samples(service, promises)
        assert not promises.wrong, promises.wrong[:3]
    # What one log took while the other could not even put it off goes to both again, each time that the disk is full.
    balance = settle(service, promises, kills=3, seconds=120, torn_max=TORN_MAX)
    print(f"{promises.refused} refused: {balance}")
    assert balance.failed == 0 and balance.complete > 10
    print(row(f"64 MB disk filled by others, {reserve} reserve", 3, len(promises.acknowledged),
              f"{promises.refused} refused, {balance.logged_twice} findings logged twice"))


@pytest.mark.timeout(600)
def test_stop_and_start_on_a_full_disk(victim, tmp_path, clean_up):
    """SIGTERM with a full disk ends in time; a start on it works or says plainly why not; then all is there."""
    disk = memory_disk(tmp_path / "disk", 64, clean_up)
    promises = Promises()
    service = victim("--threads", "2", "--disk-reserve", "0", disk=disk).start()
    with MixedLoad(service, promises, senders=3, checkers=0, size=some_size):
        wait_until(lambda: len(promises.acknowledged) > 60, 60, "some samples")
        filler = fill(disk)
        refused = promises.refused
        wait_until(lambda: promises.refused > refused + 5, 60, "refusals", pause=0.1)
    stopped = service.stop()
    assert stopped < 30, f"took {stopped:.0f} s to stop"
    fill(disk)
    if starts_or_says_why_not(service, "no space left"):
        refusals(service)
    service.kill()
    filler.unlink()
    service.start()
    # The orderly end could not be written down, so it may count as one more crash.
    balance = settle(service, promises, kills=service.kills + 2, seconds=120, torn_max=TORN_MAX)
    print(row("SIGTERM and start on a full disk", 1, len(promises.acknowledged), balance.seen()))


@pytest.mark.timeout(600)
def test_full_log_disk_loses_no_finding(victim, tmp_path, clean_up):
    """The log is on a disk of its own that is full for a while: every finding is in it in the end."""
    logs = memory_disk(tmp_path / "logs", 8, clean_up)
    promises = Promises()
    service = victim("--threads", "2", log=logs / "findings.json").start()
    filler = fill(logs)
    with MixedLoad(service, promises, senders=3, checkers=0, size=lambda chance: 1000, pause=0.01):
        time.sleep(3)
        assert requests.get(f"{service.url}/api/status", timeout=10).status_code == 200
        filler.unlink()
        time.sleep(1)
    assert len(promises.acknowledged) > 30
    balance = settle(service, promises, kills=1, seconds=60, torn_max=TORN_MAX)
    no_orphans(service, balance.failed)
    print(row("the log's disk full for three seconds", 1, len(promises.acknowledged), balance.seen()))


@pytest.mark.timeout(600)
def test_full_log_disk_and_a_kill_lose_no_finding(victim, tmp_path, clean_up):
    """The same, but the process is killed before there is space again."""
    logs = memory_disk(tmp_path / "logs", 8, clean_up)
    promises = Promises()
    service = victim("--threads", "2", log=logs / "findings.json").start()
    filler = fill(logs)
    with MixedLoad(service, promises, senders=3, checkers=0, size=lambda chance: 1000, pause=0.01):
        time.sleep(2)
    service.kill()
    filler.unlink()
    service.start()
    balance = settle(service, promises, kills=1, seconds=60, torn_max=TORN_MAX)
    no_orphans(service, balance.failed)
    print(row("the log's disk full, and a kill", 1, len(promises.acknowledged), balance.seen()))


@pytest.mark.timeout(1200)
def test_disk_turns_read_only(victim, tmp_path, clean_up):
    """What the kernel does with a broken file system. The service answers on, and after a repair nothing is missing.

    Often, for ext4 says for a moment that it has stored what it has thrown away.
    """
    promises = Promises()
    image = Image.make(tmp_path, "disk", clean_up, options="errors=remount-ro")
    service = victim("--threads", "2", "--disk-reserve", "16MB", disk=image.root).start()
    for turn in range(rounds(2, 30)):
        with MixedLoad(service, promises, senders=3, checkers=0, size=some_size):
            time.sleep(1)
            image.break_down()
            refused = promises.refused
            wait_until(lambda: promises.refused > refused + 10, 60, "refusals", pause=0.1)
        refusals(service)
        assert not promises.wrong, promises.wrong[:3]
        assert service.stop() < 30
        if starts_or_says_why_not(service, "read-only file system"):
            refusals(service)
        service.kill()
        image.repair()
        service.start()
        balance = settle(service, promises, kills=service.kills + 2 * (turn + 1), seconds=120, torn_max=TORN_MAX)
        takes_samples(service, promises)
    no_orphans(service, balance.failed)
    print(row("the file system finds an error and turns read-only", turn + 1, len(promises.acknowledged),
              balance.seen()))


RULES_THAT_BLOCK = r"""
rule FAULTS_Block {
    meta:
        score = 90
    strings:
        $endless = "squall-faults-endless"
    condition:
        $endless and for all i in (0..100000000000) : (uint8(i % filesize) != 300)
}
"""
