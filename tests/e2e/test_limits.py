"""What is too large or too much is refused in the way every collector understands."""

import os
import shutil
import subprocess
import time

import pytest

from support.curl import curl, form
from support.raw import body, chunked, exchange, head
from support.rules import CLEAN, MARKER, slow
from support.service import Service, running, wait_until
from support.shapes import check_error

MEGABYTE = 1_000_000
GENERATIONS = pytest.mark.parametrize("api", ["/api", "/api/v1"])
UPLOADS = pytest.mark.parametrize("endpoint", ["check", "checkAsync"])


@pytest.fixture(scope="module")
def small(tmp_path_factory, rules):
    """A service that takes a megabyte at most."""
    root = tmp_path_factory.mktemp("small")
    with running(Service(root, "--signatures", str(rules), "--max_file_size", str(MEGABYTE))) as service:
        yield service


def file_of(tmp_path, size: int):
    path = tmp_path / "large"
    path.write_bytes(MARKER + b"x" * (size - len(MARKER)))
    return path


def nothing_kept(service, before):
    service.unchanged(before, 0.2)
    wait_until(lambda: not list(service.data.rglob("incoming/*")), 10, "nothing left of it")


@GENERATIONS
@UPLOADS
@pytest.mark.parametrize("size", [MEGABYTE + 1, 2 * MEGABYTE, 60 * MEGABYTE], ids=["one byte", "2 MB", "60 MB"])
def test_too_large(small, tmp_path, api, endpoint, size):
    before = small.status()
    answer = curl(*form(file_of(tmp_path, size)), f"{small.url}{api}/{endpoint}")
    check_error(answer, 413, api)
    nothing_kept(small, before)


@UPLOADS
def test_too_large_without_a_length(small, endpoint):
    before = small.status()
    data = chunked(body(MARKER + b"x" * 3 * MEGABYTE), 60_000)
    check_error(exchange(small, head(f"/api/{endpoint}", "Transfer-Encoding: chunked") + data), 413)
    nothing_kept(small, before)


def test_endless_body_is_cut(small):
    """The answer comes soon after the limit, not at the end that never comes."""
    before = small.status()
    began = time.monotonic()
    piece = b"%x\r\n" % 60_000 + b"x" * 60_000 + b"\r\n"
    data = head("/api/check", "Transfer-Encoding: chunked") + chunked(body(MARKER))[:100] + piece * 2000
    answer = exchange(small, data)
    assert answer is None or answer.status in (400, 413)
    assert time.monotonic() - began < 20
    nothing_kept(small, before)


def test_exactly_the_limit_is_taken(small, tmp_path):
    answer = curl(*form(file_of(tmp_path, MEGABYTE)), f"{small.url}/api/check")
    assert answer.status == 200
    assert answer.json()[0]["context"]["size"] == MEGABYTE


def test_full_queue_refuses_before_it_takes(start):
    """503 with an honest time to wait, never 429 or 500; what was taken is scanned."""
    service = start("--threads", "1", "--queue-max-samples", "5")
    ids, refused = [], []
    for _ in range(15):
        answer = service.post("/api/checkAsync", files={"file": ("a", slow(len(ids)) if len(ids) < 3 else CLEAN)})
        if answer.status_code == 200:
            ids.append(answer.json()["id"])
        else:
            refused.append(answer)
    assert refused and 5 <= len(ids) <= 10
    for answer in refused:
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert set(answer.json()) == {"reason", "message"}
    assert service.status()["denied_requests"] >= len(refused)
    for sample_id in ids:
        assert service.result(sample_id)["status"] == "Sample analysis complete"
    assert service.enqueue(CLEAN) > max(ids)


def test_result_cache_evicts_the_oldest(start):
    service = start("--server-result-cache-size", "10")
    ids = []
    for _ in range(30):
        ids.append(service.enqueue(MARKER))
        service.result(ids[-1])
    wait_until(lambda: service.get(f"/api/getAsyncResults?id={ids[0]}").status_code == 400, 10, "the oldest evicted")
    assert service.result(ids[-1])["status"] == "Sample analysis complete"
    check_error(service.get(f"/api/getAsyncResults?id={ids[0]}"), 400)

    def kept():
        return [i for i in ids if service.get(f"/api/getAsyncResults?id={i}").status_code == 200]

    # What is being written to the disk is answered too until it is there: longer on a slow one.
    wait_until(lambda: len(kept()) <= 20, 20, "no more than a few beyond the limit are kept")
    left = kept()
    assert left == ids[-len(left):] and len(left) >= 10


def test_sync_only_threads_answer_while_the_queue_is_busy(start):
    service = start("--threads", "2", "--sync-only-threads", "1")
    ids = [service.enqueue(slow(number)) for number in range(6)]
    for _ in range(5):
        began = time.monotonic()
        assert len(service.check(MARKER)) == 1
        assert time.monotonic() - began < 0.9
    assert service.json(f"/api/getAsyncResults?id={ids[-1]}")["status"] == "Waiting for execution"


def test_checks_go_before_the_queue(start):
    service = start("--threads", "1")
    ids = [service.enqueue(slow(number)) for number in range(4)]
    assert len(service.check(MARKER)) == 1
    assert service.json(f"/api/getAsyncResults?id={ids[-1]}")["status"] == "Waiting for execution"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("endpoint", ["checkAsync", "check"])
def test_memory_of_32_parallel_uploads_of_100_megabytes(start, tmp_path, endpoint):
    """The process stays within its rules' own footprint plus 400 MB."""
    if shutil.disk_usage(tmp_path).free < 12_000_000_000:
        pytest.skip("needs 12 GB of free disk space")
    large = tmp_path / "large"
    block = os.urandom(MEGABYTE)
    with large.open("wb") as file:
        for _ in range(100):
            file.write(block)
        file.seek(-len(MARKER), os.SEEK_END)
        file.write(MARKER)
    service = start("--threads", "2", "--max-uploads", "64", "--body-timeout", "300s", "--scan-timeout", "300s")
    service.check(MARKER)
    before = service.memory_peak_bytes()
    command = ["curl", "--disable", "--silent", "--show-error", "--noproxy", "*", "--max-time", "500",
               "--fail-with-body", *form(large, "/srv/large.bin"), f"{service.url}/api/{endpoint}"]
    clients = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(32)]
    answers = [client.communicate(timeout=550) for client in clients]
    assert [client.returncode for client in clients] == [0] * 32, answers
    if endpoint == "checkAsync":
        wait_until(lambda: service.status()["scanned_samples"] == 33, 400, "33 scanned samples", pause=0.5)
    else:
        assert all("E2E_Marker" in out for out, _ in answers)
    grown = service.memory_peak_bytes() - before
    print(f"grew by {grown / MEGABYTE:.0f} MB")
    assert grown < 400 * MEGABYTE
    wait_until(lambda: sum(p.stat().st_size for p in service.data.rglob("*") if p.is_file()) < 200 * MEGABYTE,
               30, "the samples' bytes freed", pause=0.5)
