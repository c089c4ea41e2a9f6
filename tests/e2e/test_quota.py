"""Quotas and bounds: who is over one is sent back in a way that every collector obeys, and nobody else."""

import time

import pytest

from support.raw import body, connect, head, part, read_answer
from support.rules import CLEAN, MARKER, SLOW, slow
from support.service import wait_until


def send(service, endpoint="check", content=CLEAN, **params):
    return service.post(f"/api/{endpoint}", params=params, files={"file": ("/tmp/a", content)})


def refusal(answer, reason: str) -> int:
    """Checks a refusal; returns its `Retry-After`."""
    assert answer.status_code == 503, f"{answer.status_code} {answer.text[:300]}"
    assert reason in answer.json()["reason"] and answer.json()["message"] == answer.json()["reason"]
    seconds = int(answer.headers["Retry-After"])
    assert seconds >= 1
    return seconds


def in_flight(service, size: int) -> None:
    """Waits until an upload of `size` bytes is counted."""
    wait_until(lambda: f"squall_in_flight_bytes {size}\n" in service.get("/metrics").text, 20, "it is counted")


def test_overall_quota(start):
    service = start("--allowed-samples-per-hour", "6")
    assert service.json("/api/info")["allowed_samples_per_hour"] == 6
    assert service.json("/api/v1/info")["scan_speed_limitation"] == 6
    # What is refused for itself costs nothing.
    for _ in range(20):
        assert service.post("/api/check", data={"not": "a file"}).status_code == 400
    for number in range(6):
        assert send(service, ("check", "checkAsync")[number % 2], source=f"s{number}").status_code == 200
    waits = [refusal(send(service, endpoint, source="other"), "quota of samples per hour")
             for endpoint in ("check", "checkAsync")]
    # A token comes back every ten minutes.
    assert all(590 <= seconds <= 600 for seconds in waits), waits
    status = service.status()
    assert status["quota_waits"] == status["denied_requests"] == 2
    assert status["quota_wait_time_milliseconds"] == 1000 * sum(waits)
    assert sum(service.json("/api/deniedHistory").values()) == 2
    assert wait_until(lambda: service.status()["scanned_samples"] == 6, 10, "the others are scanned")


def test_retry_after_is_true(start):
    """Who comes back when told is served; a moment earlier it is not."""
    service = start("--allowed-samples-per-hour", "1200")  # One every three seconds.
    refused = None
    for _ in range(1300):
        answer = send(service)
        if answer.status_code != 200:
            refused = answer
            break
    assert refused is not None, "1300 samples in a row under a quota of 1200"
    seconds = refusal(refused, "quota")
    assert seconds <= 3
    time.sleep(seconds)
    assert send(service).status_code == 200
    refusal(send(service), "quota")


def test_quota_of_a_source(start):
    service = start("--allowed-samples-per-hour-per-source", "2")
    assert service.json("/api/info")["allowed_samples_per_hour"] == 0
    for endpoint in ("check", "checkAsync"):
        assert send(service, endpoint, source="loud").status_code == 200
    assert 1790 <= refusal(send(service, source="loud"), "source's quota") <= 1800
    assert send(service, source="quiet").status_code == 200
    # Without a name it is the address that counts.
    assert [send(service).status_code for _ in range(3)] == [200, 200, 503]
    assert service.status()["quota_waits"] == 2


def test_environment_and_file_set_quotas(start, tmp_path):
    file = tmp_path / "squall.yml"
    file.write_text("allowed-samples-per-hour: 100\n")
    service = start("-t", file, env={"SQUALL_ALLOWED_SAMPLES_PER_HOUR_PER_SOURCE": "1"})
    assert service.json("/api/info")["allowed_samples_per_hour"] == 100
    assert [send(service, source="a").status_code for _ in range(2)] == [200, 503]
    assert "no effect" not in service.output()


def test_bytes_in_flight(start):
    """Announced bytes count before they come; they are given back when the upload is gone."""
    service = start("--max-bytes-in-flight", "1M")
    data = body(MARKER + b"x" * 900_000)
    with connect(service) as busy:
        busy.sendall(head("/api/check", f"Content-Length: {len(data)}") + data[:1000])
        in_flight(service, len(data))
        large = CLEAN * 10_000
        for endpoint in ("check", "checkAsync"):
            refusal(send(service, endpoint, content=large), "too many bytes")
        assert send(service).status_code == 200, "a small one still fits"
        busy.sendall(data[1000:])
        answer = read_answer(busy)
        assert (answer.status, len(answer.json())) == (200, 1), "the first one is not disturbed"
    wait_until(lambda: send(service, content=large).status_code == 200, 10, "room again")
    # Alone, one may be larger than the bound.
    assert send(service, content=CLEAN * 200_000).status_code == 200
    assert "bound=\"bytes_in_flight\"" in service.output()


@pytest.mark.parametrize("endpoint", ["check", "checkAsync"])
def test_no_room_is_said_before_the_body_is_sent(start, endpoint):
    """A client that asks with `Expect: 100-continue` is spared the upload."""
    args = ["--disk-reserve", "10000T"] if endpoint == "check" else ["--queue-max-bytes", "1000"]
    service = start(*args)
    before = service.status()
    with connect(service) as sock:
        sock.sendall(head(f"/api/{endpoint}", "Content-Length: 50000000", "Expect: 100-continue"))
        answer = read_answer(sock)
    assert answer.status == 503
    assert int(answer.headers["retry-after"]) >= 1
    service.unchanged(before, 0.1)


def test_waiting_checks_are_bounded(start):
    service = start("--threads", "1", "--max-waiting-checks", "1")
    socks = []
    try:
        for number, state in enumerate(("scanning_samples", "waiting_samples")):
            sock = connect(service, timeout=60)
            data = body(slow(number))
            sock.sendall(head("/api/check", f"Content-Length: {len(data)}") + data)
            socks.append(sock)
            wait_until(lambda key=state: service.json("/api/v1/status")[key] == 1, 10, state)
        refusal(send(service), "too many synchronous checks")
        assert all(read_answer(sock).status == 200 for sock in socks)
    finally:
        for sock in socks:
            sock.close()


def test_refusals_are_told_in_the_log_without_flooding_it(start):
    service = start("--allowed-samples-per-hour", "1")
    for _ in range(100):
        send(service)
    assert service.status()["denied_requests"] == 99
    lines = [line for line in service.output().splitlines() if "refused a sample" in line]
    assert 1 <= len(lines) <= 5, len(lines)
    assert "quota" in lines[0]


def test_waiting_check_is_sent_back_at_the_stop(start):
    """It does not wait for the scan before it, which nobody would let it follow."""
    service = start("--threads", "1")
    data = body(SLOW)
    with connect(service) as first, connect(service) as second:
        first.sendall(head("/api/check", f"Content-Length: {len(data)}") + data)
        wait_until(lambda: service.json("/api/v1/status")["scanning_samples"] == 1, 10, "the first is scanned")
        data = body(CLEAN)
        second.sendall(head("/api/check", f"Content-Length: {len(data)}") + data)
        wait_until(lambda: service.json("/api/v1/status")["waiting_samples"] == 1, 10, "the second waits")
        service.signal(15)
        answer = read_answer(second)
        assert answer.status == 503 and "stopping" in answer.json()["reason"]
        assert read_answer(first).status == 200
    assert service.wait_for_exit() == 0


def test_part_without_a_length_is_bounded_too(start):
    """A chunked upload announces nothing; it is refused when it reaches the bound."""
    service = start("--max-bytes-in-flight", "300K")
    held = body(b"x" * 250_000)
    with connect(service) as busy, connect(service) as other:
        busy.sendall(head("/api/check", f"Content-Length: {len(held)}") + held[:100])
        in_flight(service, len(held))
        other.sendall(head("/api/check", "Transfer-Encoding: chunked"))
        chunk = part(b"y" * 100_000)
        other.sendall(b"%x\r\n" % len(chunk) + chunk + b"\r\n")
        answer = read_answer(other)
        assert answer.status == 503 and "too many bytes" in answer.json()["reason"]
