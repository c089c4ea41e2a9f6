"""Every bound at which samples are refused: the metrics and the log tell of it, and who waits as told is served."""

import re
import time
from contextlib import ExitStack

import pytest
import requests

from support.raw import connect, head, part
from support.rules import CLEAN, slow
from support.service import wait_until

# Above 64 KiB, up to which a sample needs no place among the uploads.
LARGE = CLEAN * 5000
# How long clients that do not move are waited for.
PATIENCE = 3


def send(service, endpoint: str = "check") -> requests.Response:
    """Sends a sample over a connection of its own."""
    with requests.Session() as session:
        session.trust_env = False
        return session.post(f"{service.url}/api/{endpoint}", files={"file": ("/tmp/a", LARGE)}, timeout=60)


def silent(service, held) -> requests.Response:
    """Takes all connections, and says nothing on them."""
    for _ in range(5):
        held.enter_context(connect(service))
    return send(service)


def half_uploads(service, held) -> requests.Response:
    """Begins two uploads that do not go on."""
    for _ in range(2):
        sock = held.enter_context(connect(service))
        sock.sendall(head("/api/check", "Content-Length: 150000") + part(b"x" * 1000)[:-2])
    wait_until(lambda: "squall_uploads 2\n" in service.get("/metrics").text, 10, "two uploads in progress")
    return send(service)


def long_queue(service, _held) -> requests.Response:
    """Fills the queue with samples of 33 kB whose scan takes a second each, and lets it drain a little."""
    number = 0
    while True:
        content = slow(number) + b" " * 33_000
        answer = service.post("/api/checkAsync", files={"file": ("/tmp/a", content)})
        number += 1
        if answer.status_code != 200:
            if service.status()["scanned_samples"] >= 2:
                return answer
            time.sleep(0.2)


def nothing(service, _held) -> requests.Response:
    """Does nothing: there is no room from the start."""
    return send(service, "checkAsync")


# The bound, its setting and value, what reaches it, other settings, and whether it is over by itself.
CASES = [
    ("connections", "--max-connections", 5, silent, ["--header-timeout", f"{PATIENCE}s", "--idle-timeout", f"{PATIENCE}s"], True),
    ("uploads", "--max-uploads", 2, half_uploads, ["--body-timeout", f"{PATIENCE}s"], True),
    ("bytes_in_flight", "--max-bytes-in-flight", 350_000, half_uploads, ["--body-timeout", f"{PATIENCE}s"], True),
    ("queue_samples", "--queue-max-samples", 30, long_queue, ["--threads", "1", "--scan-timeout", "1s"], True),
    ("queue_bytes", "--queue-max-bytes", 1_000_000, long_queue, ["--threads", "1", "--scan-timeout", "1s"], True),
    ("disk_reserve", "--disk-reserve", 10**16, nothing, [], False),
]  # fmt: skip


def metric(service, name: str, reason: str) -> float:
    """Returns the value for one bound."""
    text = service.get("/metrics").text
    return float(re.search(rf'^{name}{{reason="{reason}"}} (\S+)$', text, re.MULTILINE)[1])


@pytest.mark.parametrize("bound, setting, value, reach, others, passes", CASES, ids=[case[0] for case in CASES])
def test_a_bound_is_told_and_over_when_it_says(start, bound, setting, value, reach, others, passes):
    service = start(setting, value, *others)
    assert metric(service, "squall_limit", bound) == value
    assert metric(service, "squall_refused_samples_total", bound) == 0
    with ExitStack() as held:
        answer = reach(service, held)
        assert answer.status_code == 503, f"{answer.status_code} {answer.text[:300]}"
        told = int(answer.headers["Retry-After"])
        assert 1 <= told <= 30
        began = time.monotonic()
        assert metric(service, "squall_refused_samples_total", bound) >= 1
        said = [line for line in service.output().splitlines() if f'bound="{bound}"' in line]
        assert said and "refused a sample" in said[0] and answer.json()["reason"] in said[0], said
        assert re.search(r"\bretry_after_s=\d+", said[0]), said
        if not passes:
            return
        # As a collector does: again when told, each time. A busy machine may need a second try.
        endpoint = "checkAsync" if reach is long_queue else "check"
        wait = told
        while True:
            time.sleep(wait)
            answer = send(service, endpoint)
            if answer.status_code == 200:
                break
            wait = int(answer.headers["Retry-After"])
            waited = time.monotonic() - began
            assert waited <= told + 5, f"told to wait {told} s, refused after {waited:.1f} s: {answer.text}"
        assert metric(service, "squall_refused_samples_total", bound) >= 1
