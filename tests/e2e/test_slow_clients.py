"""Slow and silent clients are cut by time limits and hold nothing that others need."""

import socket
import time

import pytest

from support.raw import CLOSED, body, closed_within, connect, head, part, read_answer
from support.rules import CLEAN, MARKER
from support.service import Service, running, wait_until

LIMIT = 2
# The limit, plus what a busy two-core machine and a coarse timer may add.
CUT = LIMIT + 8


@pytest.fixture(scope="module")
def impatient(tmp_path_factory, rules):
    root = tmp_path_factory.mktemp("impatient")
    args = ["--header-timeout", f"{LIMIT}s", "--body-timeout", f"{LIMIT}s", "--idle-timeout", f"{LIMIT}s"]
    with running(Service(root, "--signatures", str(rules), *args)) as service:
        yield service


def test_silent_connection_is_closed(impatient):
    with connect(impatient) as sock:
        assert closed_within(sock, CUT) is not None, "a silent connection stays open"


@pytest.mark.parametrize("start", [b"P", b"POST /api/check HTTP/1.1\r\nHost: 127.0.0.1\r\n"], ids=["one byte", "half a head"])
def test_head_that_never_ends(impatient, start):
    with connect(impatient) as sock:
        sock.sendall(start)
        got = closed_within(sock, CUT)
    assert got is not None, "half a head stays open"
    assert got == b"" or b" 408 " in got.splitlines()[0]


def test_head_that_trickles(impatient):
    """Each byte comes in time; the head as a whole does not."""
    with connect(impatient) as sock:
        sock.settimeout(0.2)
        end = time.monotonic() + CUT
        sock.sendall(b"POST /api/check HTTP/1.1\r\n")
        while time.monotonic() < end:
            try:
                sock.sendall(b"X: y\r\n")
                if not sock.recv(1000):
                    return
            except TimeoutError:
                continue
            except CLOSED:
                return
    raise AssertionError("a trickling head stays open")


@pytest.mark.parametrize("endpoint", ["check", "checkAsync"])
@pytest.mark.parametrize("size", [100, 3_000_000], ids=["small", "large"])
def test_body_that_stops(impatient, endpoint, size):
    before = impatient.status()
    data = body(MARKER + b"x" * size)
    with connect(impatient) as sock:
        sock.sendall(head(f"/api/{endpoint}", f"Content-Length: {len(data)}") + data[:-40])
        got = closed_within(sock, CUT)
    assert got is not None, "an upload that stopped stays open"
    assert got == b"" or b" 408 " in got.splitlines()[0], got[:200]
    impatient.unchanged(before, 0.2)
    wait_until(lambda: not list(impatient.data.rglob("incoming/*")), 10, "half an upload removed")


def test_body_that_makes_progress_is_not_cut(impatient):
    """It takes twice the limit in all, but is never without a kilobyte for that long."""
    data = body(MARKER + b"x" * 10_000)
    pieces = [data[at:at + 500] for at in range(0, len(data), 500)]
    with connect(impatient) as sock:
        sock.sendall(head("/api/check", f"Content-Length: {len(data)}"))
        for piece in pieces:
            time.sleep(2 * LIMIT / len(pieces))
            sock.sendall(piece)
        answer = read_answer(sock)
    assert (answer.status, len(answer.json())) == (200, 1)


def test_body_that_trickles(impatient):
    """A byte now and then is no progress: it would hold its place for ever."""
    data = body(MARKER * 1000)
    with connect(impatient) as sock:
        sock.sendall(head("/api/check", f"Content-Length: {len(data)}"))
        sock.settimeout(0.2)
        for at in range(CUT * 5):
            try:
                sock.sendall(data[at:at + 1])
                got = sock.recv(1000)
                assert got == b"" or b" 408 " in got.splitlines()[0]
                return
            except TimeoutError:
                continue
            except CLOSED:
                return
    raise AssertionError("a trickling upload stays open")


def test_idle_connection_is_closed_after_an_answer(impatient):
    with connect(impatient) as sock:
        sock.sendall(b"GET /api/info HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert read_answer(sock).status == 200
        assert closed_within(sock, CUT) == b""


def test_reader_that_never_reads_holds_nobody(impatient):
    with connect(impatient) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        try:
            sock.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 200)
        except (TimeoutError, *CLOSED):
            pass
        assert impatient.check(CLEAN) == []


def test_three_hundred_slow_clients_delay_nobody(start):
    """Every place a slow client could hold is held; a good client is still served at once."""
    service = start("--threads", "2", "--max-uploads", "1000", "--max-connections", "2000",
                    "--header-timeout", "60s", "--body-timeout", "60s")
    slow = []
    try:
        for number in range(300):
            sock = connect(service)
            if number % 2:
                sock.sendall(b"POST /api/check HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            else:
                sock.sendall(head("/api/check", "Content-Length: 100000") + part(b"x" * 100))
            slow.append(sock)
        for _ in range(20):
            began = time.monotonic()
            assert len(service.check(MARKER)) == 1
            assert time.monotonic() - began < 2
        assert service.status()["scanned_samples"] == 20
    finally:
        for sock in slow:
            sock.close()


def test_more_connections_than_allowed(start):
    """Those above the limit wait or are refused; when the others go it works again."""
    service = start("--max-connections", "20", "--header-timeout", "3s", "--idle-timeout", "3s")
    idle = []
    try:
        for _ in range(60):
            sock = socket.create_connection(("127.0.0.1", service.port), timeout=5)
            idle.append(sock)
        wait_until(lambda: service.open_files() < 200, 5, "a bounded number of descriptors")
    finally:
        for sock in idle:
            sock.close()
    assert len(service.check(MARKER)) == 1
