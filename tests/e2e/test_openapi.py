"""The API does what its document says: schemathesis makes up requests from the document, right ones and wrong ones."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.places import SOAK, rounds
from support.rules import MARKER
from support.service import wait_until

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
SECONDS = rounds(45, 1200)
# Requests that a run makes at the very least, however busy the machine is.
REQUESTS_MIN = 200


@pytest.mark.timeout(SECONDS + 300)
def test_made_up_requests_are_answered_as_documented(start, tmp_path):
    service = start("--server-store-samples", "all")
    # Something to be found, looked at and reviewed.
    service.check(MARKER, name="/tmp/found.txt", source="web-01")
    wait_until(lambda: service.json("/api/v1/findings")["findings"], 10, "the finding is stored")
    command = [
        Path(sys.executable).with_name("schemathesis"), "--config-file", CONFIGURATION, "run", f"{service.url}/openapi.json",
        "--max-time", SECONDS, "--continue-on-failure", "--request-timeout", 20, "--generation-database", "none", "--no-color",
    ]  # fmt: skip
    # What every change must pass asks the same each time; new questions are for the long form.
    command += [] if SOAK else ["--seed", 1]
    done = subprocess.run(list(map(str, command)), cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS + 240)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]
    made = re.search(r"(\d+) generated", done.stdout)
    assert made and int(made[1]) >= REQUESTS_MIN, done.stdout[-2000:]
    assert re.search(r"Tested: (\d+)", done.stdout)[1] == re.search(r"Selected: (\d+)/\1\b", done.stdout)[1]
