"""What `/api/info`, `/api/status` and the histories say, and that it is true."""

import re
import threading
import time
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
import requests

from support.places import rounds
from support.raw import connect, head, part
from support.rules import CLEAN, MARKER, RULE_COUNT, SLOW, SLUGGISH, slow
from support.service import wait_until

INFO_KEYS = {
    "thor_version", "yara_version", "signature_version", "sigma_version", "thor_timestamp", "threads",
    "allowed_samples_per_hour", "license_expiration_date", "rules", "iocs",
}
STATUS_KEYS = {
    "uptime_seconds", "scanned_samples", "queued_async_requests", "avg_scan_time_milliseconds",
    "avg_total_time_milliseconds", "avg_wait_time_milliseconds", "denied_requests", "denied_request_proportion",
    "quota_waits", "quota_wait_time_milliseconds",
}
OLDER_NAMES = {
    "uptime_s": "uptime_seconds",
    "avg_scan_time_ms": "avg_scan_time_milliseconds",
    "avg_total_time_ms": "avg_total_time_milliseconds",
    "quota_wait_time_ms": "quota_wait_time_milliseconds",
}


def minutes(history: dict) -> list[datetime]:
    return [datetime.strptime(key, "%Y-%m-%d %H:%M") for key in history]


def test_info(squall):
    info = squall.json("/api/info")
    assert INFO_KEYS <= set(info), INFO_KEYS - set(info)
    assert re.match(r"\d+\.\d+\.\d+", info["thor_version"])
    assert "yara" in info["yara_version"].lower()
    assert re.fullmatch(r"\d{4}/\d\d/\d\d-\d{6}", info["signature_version"])
    assert info["license_expiration_date"] == "9999/12/31"
    assert info["allowed_samples_per_hour"] == 0
    assert info["threads"] >= 1
    assert info["rules"] == RULE_COUNT
    assert info["iocs"] == 0


def test_threads_are_as_asked(start):
    assert start("--threads", "3").json("/api/info")["threads"] == 3


def test_status_keys_and_their_older_names(squall):
    squall.check(MARKER)
    status = squall.status()
    assert STATUS_KEYS | set(OLDER_NAMES) <= set(status), (STATUS_KEYS | set(OLDER_NAMES)) - set(status)
    for older, newer in OLDER_NAMES.items():
        assert status[older] == status[newer]
    assert all(isinstance(status[key], (int, float)) for key in STATUS_KEYS)
    assert 0 <= status["denied_request_proportion"] <= 1


def test_scanned_samples_counts_both_lanes_once_the_result_can_be_read(squall):
    before = squall.status()["scanned_samples"]
    squall.check(MARKER)
    assert squall.status()["scanned_samples"] == before + 1
    squall.result(squall.enqueue(CLEAN))
    assert squall.status()["scanned_samples"] == before + 2


def test_uptime_grows(squall):
    first = squall.status()["uptime_seconds"]
    time.sleep(1.1)
    assert squall.status()["uptime_seconds"] > first


def test_sample_history_sums_up_to_what_was_scanned(start):
    service = start()
    for _ in range(7):
        service.check(CLEAN)
    for _ in range(5):
        service.result(service.enqueue(CLEAN))
    wait_until(lambda: sum(service.json("/api/sampleHistory").values()) == 12, 10, "12 samples in the history")


@pytest.mark.parametrize("name", ["queueHistory", "sampleHistory", "deniedHistory"])
def test_history_is_in_time_order_and_without_gaps(squall, name):
    squall.check(CLEAN)
    history = squall.json(f"/api/{name}")
    assert history, "the minute of the start at least"
    assert all(isinstance(value, int) and value >= 0 for value in history.values())
    times = minutes(history)
    assert all(b - a == timedelta(minutes=1) for a, b in pairwise(times))
    assert abs(times[-1] - datetime.now()) <= timedelta(minutes=2)


def test_history_parameters(squall):
    squall.check(CLEAN)
    wait_until(lambda: sum(squall.json("/api/sampleHistory").values()) > 0, 10, "a sample in the history")
    aggregated = squall.json("/api/sampleHistory?aggregate=60")
    assert sum(aggregated.values()) == sum(squall.json("/api/sampleHistory").values())
    limited = squall.json("/api/sampleHistory?limit=5")
    assert 1 <= len(limited) <= 6
    # Absurd but valid: an answer of bounded size, soon.
    assert len(squall.json("/api/sampleHistory?limit=1000000000")) <= 600_000
    assert squall.get("/api/sampleHistory?aggregate=1000000000").status_code == 200


def test_queue_history_shows_what_waited(start):
    service = start("--threads", "1")
    ids = [service.enqueue(content) for content in [SLOW, *[CLEAN] * 20]]
    service.result(ids[-1])
    wait_until(lambda: max(service.json("/api/queueHistory").values()) >= 5, 10, "the queue in its history")


def test_denied_requests_are_counted(start):
    """A sample is refused while the only place for an upload is taken."""
    service = start("--max-uploads", "1")
    with connect(service) as busy:
        busy.sendall(head("/api/check", "Content-Length: 100000") + part(b"x" * 1000))
        # Nothing tells when it has the place; without it the other would take it.
        time.sleep(0.5)

        def refused():
            # A small file would need no place; see the limits of the server.
            answer = service.post("/api/check", files={"file": ("a", CLEAN * 20_000)})
            return answer if answer.status_code == 503 else None

        answer = wait_until(refused, 10, "a refusal while the place is taken")
    assert int(answer.headers["Retry-After"]) >= 1
    assert set(answer.json()) == {"reason", "message"}
    status = service.status()
    assert status["denied_requests"] >= 1
    assert 0 < status["denied_request_proportion"] <= 1
    wait_until(lambda: sum(service.json("/api/deniedHistory").values()) >= 1, 10, "the refusal in the history")
    # The place is free again once the other upload is gone.
    wait_until(lambda: service.post("/api/check", files={"file": ("a", CLEAN * 20_000)}).status_code == 200, 20, "a free place")


def test_a_long_queue_is_warned_about_and_its_end_told(start):
    service = start("--threads", "1", "--queue-warn-size", "5")
    for content in [slow(1), slow(2), slow(3)] + [CLEAN] * 20:
        service.enqueue(content)
    wait_until(lambda: "longer than `queue-warn-size`" in service.output(), 10, "the warning")
    wait_until(lambda: "below `queue-warn-size` again" in service.output(), 90, "the end of it")
    assert service.output().count("longer than `queue-warn-size`") == 1


PARTS = ("scanned_samples", "failed_samples", "waiting_samples", "scanning_samples")


def adds_up(status: dict) -> bool:
    """Tells whether accepted = scanned + failed + waiting + being scanned."""
    return status["accepted_samples"] == sum(status[part] for part in PARTS)


class Load:
    """Threads that check, queue, give up and are refused, until told to stop or the service is gone."""

    def __init__(self, service):
        self.url = service.url
        self.over = threading.Event()
        self.ids = set()
        self.threads = [threading.Thread(target=self.work, args=(n,), daemon=True) for n in range(6)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join(30)
        assert not any(thread.is_alive() for thread in self.threads)

    def work(self, number: int) -> None:
        endpoint = "check" if number < 2 else "checkAsync"
        session = requests.Session()
        session.trust_env = False
        while not self.over.is_set():
            content = SLUGGISH if number % 2 else CLEAN
            # Some check and do not wait for the answer.
            seconds = 0.01 if number == 1 else 20
            try:
                answer = session.post(f"{self.url}/api/{endpoint}", files={"file": ("a", content)}, timeout=seconds)
                if answer.status_code == 200 and endpoint == "checkAsync":
                    self.ids.add(answer.json()["id"])
            except requests.RequestException:
                session.close()
                self.over.wait(0.01)


def test_counts_add_up_at_every_moment_and_over_kills(start):
    """Asked as often as possible under load from both lanes, with kills in between."""
    service = start("--threads", "2", "--max-waiting-checks", "2")
    ids = set()
    asked = 0
    for _ in range(rounds(2, 20)):
        with Load(service) as load:
            end = time.monotonic() + rounds(3, 10)
            while time.monotonic() < end:
                status = service.json("/api/v1/status")
                assert adds_up(status), status
                asked += 1
            service.kill()
        ids |= load.ids
        service.start()
        assert adds_up(service.json("/api/v1/status"))
    assert asked > 100 and len(ids) > 50, (asked, len(ids))
    # Nothing that was acknowledged is missing from the sum.
    last = wait_until(
        lambda: (status := service.json("/api/v1/status"))["waiting_samples"] + status["scanning_samples"] == 0
        and status, 120, "an empty queue")
    assert last["scanned_samples"] + last["failed_samples"] == last["accepted_samples"] >= len(ids)
    # The start found nothing to repair: what a crash interrupts is no difference.
    assert "queue repaired" not in service.output()
    answers = [service.json(f"/api/getAsyncResults?id={sample_id}")["status"] for sample_id in ids]
    assert set(answers) <= {"Sample analysis complete", "Sample analysis failed"}


def test_denied_requests_are_those_of_the_history_after_a_restart(start):
    service = start("--allowed-samples-per-hour", "1")
    for _ in range(5):
        service.post("/api/check", files={"file": ("a", CLEAN)})
    service.stop()
    service.start()
    status = service.status()
    assert status["denied_requests"] == sum(service.json("/api/deniedHistory").values()) == 4
    assert status["denied_request_proportion"] == pytest.approx(4 / 5)
    assert status["quota_waits"] == 0, "those count from the start of the service"
