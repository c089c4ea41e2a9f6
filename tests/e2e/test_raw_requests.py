"""Clients as they are in the wild, byte by byte: chunks, old HTTP, half uploads, garbage."""

import os
import random
import socket

import pytest

from support.places import rounds
from support.raw import CLOSED, body, chunked, closed_within, connect, end_stream, exchange, head, part, read_answer
from support.rules import CLEAN, MARKER
from support.service import wait_until
from support.shapes import check_error

LARGE = MARKER + os.urandom(3_000_000)


def assert_found(answer):
    assert answer is not None, "closed without an answer"
    assert answer.status == 200, answer.text
    assert len(answer.json()) == 1


def no_incoming(service):
    wait_until(lambda: not list(service.data.rglob("incoming/*")), 10, "half an upload removed")


@pytest.mark.parametrize("content", [MARKER, LARGE], ids=["small", "large"])
class TestWholeUploads:
    def test_chunked_without_a_length(self, squall, content):
        assert_found(exchange(squall, head("/api/check", "Transfer-Encoding: chunked") + chunked(body(content))))

    def test_http_1_0(self, squall, content):
        data = body(content)
        with connect(squall) as sock:
            sock.sendall(head("/api/check", f"Content-Length: {len(data)}", version="1.0") + data)
            assert_found(read_answer(sock))
            assert closed_within(sock, 5) == b"", "HTTP/1.0 closes after the answer"

    def test_connection_close(self, squall, content):
        data = body(content)
        with connect(squall) as sock:
            sock.sendall(head("/api/check", f"Content-Length: {len(data)}", "Connection: close") + data)
            assert_found(read_answer(sock))
            assert closed_within(sock, 5) == b""

    def test_expect_continue(self, squall, content):
        data = body(content)
        with connect(squall, timeout=10) as sock:
            sock.sendall(head("/api/check", f"Content-Length: {len(data)}", "Expect: 100-continue"))
            assert read_answer(sock).status == 100
            sock.sendall(data)
            assert_found(read_answer(sock))

    def test_text_before_the_first_boundary(self, squall, content):
        data = b"This is a message with multiple parts in MIME format.\r\n\r\n" + body(content)
        assert_found(exchange(squall, head("/api/check", f"Content-Length: {len(data)}") + data))

    def test_text_behind_the_last_boundary(self, squall, content):
        data = body(content) + b"\r\nan epilogue\r\n"
        assert_found(exchange(squall, head("/api/check", f"Content-Length: {len(data)}") + data))

    def test_no_line_break_behind_the_last_boundary(self, squall, content):
        data = body(content)[:-2]
        assert_found(exchange(squall, head("/api/check", f"Content-Length: {len(data)}") + data))

    def test_sender_closes_its_half(self, squall, content):
        """Some servers take that for a client gone; an answer or a clean close, then."""
        data = body(content)
        answer = exchange(squall, head("/api/check", f"Content-Length: {len(data)}") + data, finish=True)
        if answer is not None:
            assert_found(answer)


def test_a_body_that_arrives_byte_by_byte(squall):
    data = body(MARKER)
    with connect(squall) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(head("/api/check", f"Content-Length: {len(data)}"))
        for at in range(len(data)):
            sock.sendall(data[at:at + 1])
        assert_found(read_answer(sock))


def test_content_that_looks_like_a_boundary(squall):
    content = MARKER + b"\r\n--e2e-boundary-7MA4YWxkTrZu0g\r\n--\r\n-" * 50
    data = body(content)
    answer = exchange(squall, head("/api/check", f"Content-Length: {len(data)}") + data)
    assert answer.json()[0]["context"]["size"] == len(content)


def test_many_requests_on_one_connection(squall):
    data = body(MARKER)
    with connect(squall) as sock:
        for _ in range(20):
            sock.sendall(head("/api/check", f"Content-Length: {len(data)}") + data)
            assert_found(read_answer(sock))


def test_requests_sent_ahead(squall):
    with connect(squall) as sock:
        sock.sendall(b"GET /api/info HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 3)
        sock.sendall(b"GET /api/info HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        assert closed_within(sock, 10).count(b"HTTP/1.1 200") == 4


@pytest.mark.parametrize("content", [MARKER * 10, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("endpoint", ["check", "checkAsync"])
class TestHalfUploads:
    """A half upload is never scanned as if it were whole, and leaves nothing."""

    def test_sender_stops_and_closes(self, squall, content, endpoint):
        before = squall.status()
        data = body(content)
        request = head(f"/api/{endpoint}", f"Content-Length: {len(data)}") + data[: len(data) // 2]
        answer = exchange(squall, request, finish=True)
        assert answer is None or answer.status == 400
        squall.unchanged(before)
        no_incoming(squall)

    def test_sender_resets_the_connection(self, squall, content, endpoint):
        before = squall.status()
        data = body(content)
        with connect(squall) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            sock.sendall(head(f"/api/{endpoint}", f"Content-Length: {len(data)}") + data[: len(data) // 2])
        squall.unchanged(before)
        no_incoming(squall)

    def test_chunks_that_stop_early(self, squall, content, endpoint):
        before = squall.status()
        data = chunked(body(content))[:-60]
        answer = exchange(squall, head(f"/api/{endpoint}", "Transfer-Encoding: chunked") + data, finish=True)
        assert answer is None or answer.status == 400
        squall.unchanged(before)
        no_incoming(squall)

    def test_whole_body_without_the_closing_boundary(self, squall, content, endpoint):
        before = squall.status()
        data = part(content)
        check_error(exchange(squall, head(f"/api/{endpoint}", f"Content-Length: {len(data)}") + data), 400)
        squall.unchanged(before)
        no_incoming(squall)


def test_twenty_aborted_uploads_for_one_that_succeeds(squall):
    data = body(LARGE)
    request = head("/api/checkAsync", f"Content-Length: {len(data)}") + data
    chance = random.Random(7)
    files = squall.open_files()
    before = squall.status()["scanned_samples"]
    for _ in range(rounds(2, 20)):
        for _ in range(20):
            with connect(squall) as sock:
                sock.sendall(request[: chance.randrange(10, len(request) - 10)])
        answer = exchange(squall, request)
        assert len(squall.result(answer.json()["id"])["result"]) == 1
    no_incoming(squall)
    assert squall.status()["scanned_samples"] == before + rounds(2, 20)
    wait_until(lambda: squall.open_files() <= files + 10, 20, "closed file descriptors")


BROKEN = {
    "no request": b"\r\n\r\n",
    "only a method": b"GET\r\n\r\n",
    "nul": b"\x00" * 100,
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x55" * 200,
    "unknown version": b"POST /api/check HTTP/9.9\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two spaces": b"GET  /  HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "negative length": b"POST /api/check HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
    "length beyond 64 bits": b"POST /api/check HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "two lengths": b"POST /api/check HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "chunk without a size": head("/api/check", "Transfer-Encoding: chunked") + b"zz\r\n",
    "chunk of absurd size": head("/api/check", "Transfer-Encoding: chunked") + b"f" * 18 + b"\r\n",
    "nul in a header": b"GET /api/info HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a\x00b\r\n\r\n",
    "http/2 of garbage": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 64,
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN.keys())
def test_broken_requests_are_refused_or_closed(squall, data):
    answer = None
    with connect(squall, timeout=10) as sock:
        try:
            sock.sendall(data)
            end_stream(sock)
            got = sock.recv(65536)
            answer = int(got.split(b" ")[1]) if got.startswith(b"HTTP/") else None
        except CLOSED:
            pass
    assert answer is None or answer == 200 or 400 <= answer < 600
    assert squall.check(CLEAN) == []


def test_a_thousand_connections_of_garbage(squall):
    chance = random.Random(1)
    files, memory = squall.open_files(), squall.memory_peak_bytes()
    for number in range(rounds(1000, 20_000)):
        with connect(squall) as sock:
            try:
                sock.sendall(chance.randbytes(chance.randrange(1, 200)))
                if number % 3 == 0:
                    end_stream(sock)
                    sock.recv(100)
            except CLOSED:
                pass
    assert len(squall.check(MARKER)) == 1
    wait_until(lambda: squall.open_files() <= files + 10, 30, "closed connections")
    assert squall.memory_peak_bytes() - memory < 50_000_000
