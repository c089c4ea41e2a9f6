"""Clients that are slow, give up, or never end: they hold nothing that others need."""

import random
import socket
import threading
import time

import pytest
import requests

from harness.books import settle
from harness.figures import row
from harness.load import MEGABYTE, Promises
from harness.rules import CLEAN, MARKER
from support.places import rounds
from support.raw import BOUNDARY, CLOSED, connect, head, part, read_answer
from support.service import wait_until

# What good clients may have to wait on a busy machine of two cores.
PATIENCE = 5
# What a refused body may still send so that its sender gets to read the answer.
READ_ON_MAX = 300 * MEGABYTE


class SlowClients:
    """Connections that say nothing, half a head, half a body, or a head or a body one byte a second."""

    def __init__(self, service, count: int):
        self._socks = []
        self._stop = threading.Event()
        half_head = b"POST /api/check HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        # A fifth of the connections, fewer than three quarters of `max-uploads`: beyond, slow ones are cut much sooner.
        half_body = head("/api/checkAsync", "Content-Length: 5000000") + part(b"x" * 1000)[:-2]
        kinds = [b"", half_head, half_body, half_head, b""]
        for number in range(count):
            sock = connect(service, timeout=30)
            start = kinds[number % 5]
            sock.sendall(start)
            sock.setblocking(False)
            trickles = start != b"" and number % 10 >= 5
            self._socks.append((sock, trickles))
        self._thread = threading.Thread(target=self._trickle, daemon=True)
        self._thread.start()

    def _trickle(self) -> None:
        while not self._stop.wait(1):
            for sock, trickles in self._socks:
                if trickles:
                    try:
                        sock.send(b"x")
                    except OSError:
                        continue  # Cut by the service, or as good as.

    def open(self) -> int:
        """Returns how many the service has not closed yet."""
        return sum(not self._closed(sock) for sock, _ in self._socks)

    @staticmethod
    def _closed(sock: socket.socket) -> bool:
        try:
            while sock.recv(4096):  # It may say why before it closes.
                pass
            return True
        except BlockingIOError:
            return False
        except OSError:
            return True

    def close(self) -> None:
        """Closes those that the service did not."""
        self._stop.set()
        self._thread.join(30)
        for sock, _ in self._socks:
            sock.close()


@pytest.mark.timeout(600)
def test_900_of_1000_connections_are_slow(victim, clean_up):
    """With the bounds as they are by default; the 100 others are answered all the time, and the 900 cut in the end."""
    seconds = rounds(8, 60)
    # So that all of them are there all the time.
    limit = f"{seconds + 6}s"
    service = victim("--threads", "2", "--header-timeout", limit, "--body-timeout", limit, "--idle-timeout", limit).start()
    service.check(MARKER)
    before = service.memory_peak_bytes()
    waits: list[float] = []
    wrong: list[str] = []
    slow = SlowClients(service, 900)
    clean_up.callback(slow.close)
    end = time.monotonic() + seconds

    def good(number: int) -> None:
        session = requests.Session()
        session.trust_env = False
        while time.monotonic() < end:
            began = time.monotonic()
            try:
                if number % 2:
                    answer = session.get(f"{service.url}/api/status", timeout=30)
                else:
                    answer = session.post(f"{service.url}/api/check", files={"file": ("a", MARKER)}, timeout=30)
                if answer.status_code != 200:
                    wrong.append(f"{answer.status_code} {answer.text[:200]}")
            except requests.RequestException as error:
                wrong.append(repr(error))
            waits.append(time.monotonic() - began)
            time.sleep(0.5)

    threads = [threading.Thread(target=good, args=(n,)) for n in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert slow.open() == 900, "the slow ones were there while the others were answered"
    waits.sort()
    grown = service.memory_peak_bytes() - before
    print(f"{len(waits)} answers, median {waits[len(waits) // 2]:.3f} s, 99 of 100 in "
          f"{waits[len(waits) * 99 // 100]:.3f} s, grew by {grown / MEGABYTE:.0f} MB")
    assert not wrong, wrong[:3]
    assert waits[len(waits) * 99 // 100] < PATIENCE
    assert grown < 300 * MEGABYTE
    # None of them gives up by itself, and those that trickle go on.
    wait_until(lambda: slow.open() == 0, seconds + 40, "all slow connections cut by the service", pause=0.5)
    wait_until(lambda: service.open_files() < 100, 10, "the connections gone")
    wait_until(lambda: not service.incoming(), 10, "no incomplete uploads")
    print(row("1,000 connections, 900 of them slow, with the default bounds", 1, f"{len(waits):,} answers",
              f"99 of 100 within {waits[len(waits) * 99 // 100]:.2f} s, {grown / MEGABYTE:.0f} MB grown, "
              "the slow ones cut"))


@pytest.mark.timeout(600)
def test_20_aborted_uploads_for_each_finished_one(victim):
    """Nothing of an aborted upload is scanned or kept, and those that finish are unharmed."""
    service = victim("--threads", "2").start()
    promises = Promises()
    chance = random.Random(7)
    finished = rounds(30, 300)

    def abort(size: int) -> None:
        content = MARKER + chance.randbytes(size)
        body = part(content)
        data = head("/api/checkAsync", f"Content-Length: {len(body) + 60}") + body
        sock = connect(service)
        try:
            sock.sendall(data[:chance.randrange(1, len(data))])
            if chance.random() < 0.5:
                # A reset rather than an end.
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        except CLOSED:
            pass
        finally:
            sock.close()

    for number in range(finished):
        for _ in range(20):
            abort(chance.choice([10, 5000, 700_000]))
        content = MARKER + b"%d" % number + chance.randbytes(chance.choice([10, 5000, 900_000])).hex().encode()
        promises.acknowledge(service.enqueue(content), promises.expect(content))
    wait_until(lambda: not service.incoming(), 20, "no incomplete uploads")
    balance = settle(service, promises, kills=0)
    print(f"{20 * finished} aborted: {balance}")
    assert balance.complete == finished
    assert service.v1_status()["scanned_samples"] == finished
    assert service.memory_peak_bytes() < 1500 * MEGABYTE
    print(row(f"{20 * finished:,} uploads aborted, {finished:,} finished", 1, len(promises.acknowledged),
              "nothing scanned in part"))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("endpoint", ["check", "checkAsync"])
def test_body_without_end(victim, endpoint):
    """Cut at the limit, for four such clients at a time, while others are answered."""
    limit = 20 * MEGABYTE
    service = victim("--threads", "2", "--max_file_size", str(limit)).start()
    service.check(MARKER)
    before = service.memory_peak_bytes()
    taken: list[int] = []
    answers: list = []

    def endless() -> None:
        first = (f"--{BOUNDARY}\r\n" 'Content-Disposition: form-data; name="file"; filename="a"\r\n\r\n').encode()
        piece = b"x" * 60_000
        sent = 0
        with connect(service, timeout=60) as sock:
            try:
                sock.sendall(head(f"/api/{endpoint}", "Transfer-Encoding: chunked"))
                sock.sendall(b"%x\r\n%s\r\n" % (len(first), first))
                while sent < limit + 2 * READ_ON_MAX:
                    sock.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
                    sent += len(piece)
            except CLOSED:
                pass
            taken.append(sent)
            answers.append(read_answer(sock))

    threads = [threading.Thread(target=endless) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        began = time.monotonic()
        assert service.check(CLEAN) == []
        assert time.monotonic() - began < PATIENCE
        time.sleep(0.1)
    assert len(taken) == 4 and max(taken) < limit + READ_ON_MAX, taken
    assert all(answer is None or answer.status == 413 for answer in answers), answers
    grown = service.memory_peak_bytes() - before
    print(f"cut after {[sent // MEGABYTE for sent in taken]} MB, grew by {grown / MEGABYTE:.0f} MB")
    assert grown < 300 * MEGABYTE
    wait_until(lambda: not service.incoming(), 20, "nothing kept of them")
    assert service.v1_status()["scanned_samples"] >= 1
    print(row(f"bodies without end for `{endpoint}`, four at a time, limit 20 MB", 1, "",
              f"answered 413, cut after {max(taken) // MEGABYTE} MB at most, {grown / MEGABYTE:.0f} MB grown"))
