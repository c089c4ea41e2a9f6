"""A log whose disk does not answer: a pipe that nobody reads, and a file system that was frozen.

Uploads are acknowledged and checks answered all the while, the service can be
stopped, and once the log answers every finding is in it.
"""

import os
import shutil
import threading
import time

import pytest
import requests

from harness.books import settle
from harness.disks import Image, freeze
from harness.figures import row
from harness.load import MixedLoad, Promises
from harness.rules import CLEAN, MARKER
from support.needs import lacking
from support.service import wait_until

# What a client waits for an acknowledgement, at most, in seconds; a log is waited for longer before it is given up.
PROMPT = 3


def hangs(service) -> bool:
    """Tells whether the service says that its log hangs."""
    text = service.get("/metrics").text
    return any(line.startswith('squall_log_hangs{log="jsonfile"} 1') for line in text.splitlines())


def acknowledges_promptly(service, promises: Promises, count: int) -> float:
    """Sends samples, one after the other; fails when an acknowledgement takes long. Returns the longest time."""
    longest = 0.0
    for _ in range(count):
        content = MARKER + os.urandom(200)
        sample = promises.expect(content)
        begun = time.monotonic()
        sample_id = service.enqueue(content)
        longest = max(longest, time.monotonic() - begun)
        promises.acknowledge(sample_id, sample)
    assert longest < PROMPT, f"acknowledged after {longest:.1f} s"
    return longest


def answers_checks(service) -> None:
    """Fails unless checks are answered, whether something is found or not."""
    for content, found in ((MARKER + os.urandom(20), 1), (CLEAN + os.urandom(20), 0)):
        begun = time.monotonic()
        answer = requests.post(f"{service.url}/api/check", files={"file": ("a", content)}, timeout=30)
        assert answer.status_code == 200, f"{answer.status_code} {answer.text[:300]}"
        assert len(answer.json()) == found
        assert time.monotonic() - begun < 15


def copy(pipe, file) -> None:
    """Reads the pipe into a file for good, from a thread."""
    # For writing too, or the opening would wait for a writer.
    source, target = os.open(pipe, os.O_RDWR), file.open("ab", buffering=0)

    def run():
        while chunk := os.read(source, 1 << 16):
            target.write(chunk)

    threading.Thread(target=run, daemon=True).start()


@pytest.mark.timeout(300)
def test_a_pipe_that_nobody_reads(victim, tmp_path):
    """The log takes some findings and then hangs in the middle of one."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    promises = Promises()
    service = victim("--threads", "2", log=pipe).start()
    with MixedLoad(service, promises, senders=2, checkers=0, size=lambda chance: 1000, slow_share=0):
        wait_until(lambda: hangs(service), 60, "a log that hangs", pause=0.2)
        before = len(promises.acknowledged)
        time.sleep(5)
        under_load = len(promises.acknowledged) - before
    assert under_load > 50, f"{under_load} acknowledged in 5 s"
    longest = acknowledges_promptly(service, promises, 100)
    answers_checks(service)
    stopped = service.stop()
    assert stopped < 30, f"took {stopped:.0f} s to stop"
    # What the pipe held is gone with the process, as a device may lose it; the rest is scanned again.
    logged = tmp_path / "logged.json"
    copy(pipe, logged)
    service.start()
    service.log = logged
    acknowledges_promptly(service, promises, 5)
    wait_until(lambda: service.v1_status()["waiting_samples"] == 0, 120, "an empty queue")
    assert not hangs(service)
    assert len(service.logged().by_file()) > under_load // 4
    status = service.v1_status()
    assert status["failed_samples"] == 0
    print(row("the log a pipe that nobody reads; SIGTERM; read", 1, f"{len(promises.acknowledged):,}",
              f"acknowledged within {longest:.2f} s, stopped after {stopped:.1f} s"))


@pytest.mark.timeout(300)
def test_a_frozen_log_disk_loses_no_finding(victim, tmp_path, clean_up):
    """Every write to the log hangs for twelve seconds; afterwards nothing is missing."""
    if not shutil.which("fsfreeze"):
        lacking("needs fsfreeze, of the package util-linux")
    logs = Image.make(tmp_path, "logs", clean_up, megabytes=64)
    promises = Promises()
    service = victim("--threads", "2", log=logs.root / "findings.json").start()
    longest = acknowledges_promptly(service, promises, 20)
    thaw = freeze(logs.root, clean_up)
    with MixedLoad(service, promises, senders=2, checkers=0, size=lambda chance: 1000, slow_share=0, pause=0.01):
        wait_until(lambda: hangs(service), 60, "a log that hangs", pause=0.2)
        longest = max(longest, acknowledges_promptly(service, promises, 50))
        answers_checks(service)
        time.sleep(5)
        thaw()
        wait_until(lambda: not hangs(service), 30, "a log that answers", pause=0.2)
    # What was being written when it hung is written once more.
    balance = settle(service, promises, kills=1, seconds=120)
    assert balance.failed == 0
    print(row("the log's disk does not answer for twelve seconds", 1, f"{len(promises.acknowledged):,}",
              f"acknowledged within {longest:.2f} s, {balance.seen()}"))
