"""Fills a queue through its own crate: many samples in seconds rather than minutes."""

import os
import subprocess
from pathlib import Path
from unittest import mock

import pytest

from harness.rules import ENDLESS
from support.places import BINARY
from support.service import wait_until


def fill_program() -> Path:
    """Returns `crates/squall-queue/examples/fill`, built beside the binary under test, or skips the test."""
    named = os.environ.get("SQUALL_FILL")
    program = Path(named) if named else BINARY.parent / "examples" / "fill"
    if not program.is_file():
        pytest.skip(f"no program at {program}: build the example `fill` of squall-queue, or set SQUALL_FILL")
    return program


def fill_queue(service, count: int, content: bytes, source: str = "filler") -> None:
    """Queues so many copies of a sample with the service stopped.

    What is stored beside a sample is the service's business, so one goes in
    through the service, and the program copies it.
    """
    program = fill_program()
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
