"""Does to a queue, through its own crate, what takes a client too long or cannot be done by one."""

import os
import subprocess
from pathlib import Path
from unittest import mock

from harness.rules import ENDLESS
from support.needs import lacking
from support.places import BINARY
from support.service import wait_until


def program_for_queues(name: str) -> Path:
    """Returns an example of `squall-queue`, built beside the binary under test, or skips the test.

    `SQUALL_FILL` names `fill`, the others are beside it.
    """
    named = os.environ.get("SQUALL_FILL")
    folder = Path(named).parent if named else BINARY.parent / "examples"
    program = folder / name
    if not program.is_file():
        lacking(f"no program at {program}: build the example `{name}` of squall-queue, or set SQUALL_FILL")
    return program


def miscount(service, by: int) -> None:
    """Makes the counters on the disk of a service that is stopped say `by` samples more than there were."""
    run = subprocess.run([program_for_queues("miscount"), service.queue, str(by)], capture_output=True, text=True,
                         check=False, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr


def fill_queue(service, count: int, content: bytes, source: str = "filler") -> None:
    """Queues so many copies of a sample with the service stopped.

    What is stored beside a sample is the service's business, so one goes in
    through the service, and the program copies it.
    """
    program = program_for_queues("fill")
    # With one worker, that is busy, so that the sample is not gone before it can be copied.
    with mock.patch.object(service, "args", [*service.args, "--threads", "1"]):
        service.start()
    service.enqueue(ENDLESS, source="first")
    wait_until(service.claimed, 10, "the worker is busy")
    if content != ENDLESS:
        service.enqueue(content, source="first")
    service.kill()
    run = subprocess.run([program, service.queue, str(count), source], capture_output=True, text=True, check=False,
                         timeout=600)
    assert run.returncode == 0, run.stdout + run.stderr
