"""Load from several threads, and what was promised to them."""

import hashlib
import io
import os
import random
import threading
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field

import requests

from harness.rules import MARKER, SLUGGISH

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Sent:
    """A sample that was sent."""

    sha256: str
    size: int
    # The files in which something is to be found, by their SHA-256: itself, or members of it.
    found: frozenset[str]
    source: str
    # How often the service had been killed when it was sent.
    kills: int


@dataclass
class Promises:
    """What clients were told, over all crashes."""

    acknowledged: dict[int, Sent] = field(default_factory=dict)
    checked: list[Sent] = field(default_factory=list)
    # By the SHA-256 of each file in which something is to be found.
    findings: dict[str, Sent] = field(default_factory=dict)
    refused: int = 0
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def expect(self, content: bytes, marked: bool = True, source: str = "", members: Sequence[bytes] = (),
               kills: int = 0) -> Sent:
        """Notes that a sample is sent, and whether something is to be found in it, or in `members` of it."""
        sha256 = hashlib.sha256(content).hexdigest()
        found = [sha256] * marked + [hashlib.sha256(member).hexdigest() for member in members]
        sample = Sent(sha256, len(content), frozenset(found), source, kills)
        self.findings.update((file, sample) for file in found)
        return sample

    def acknowledge(self, sample_id: int, sample: Sent) -> None:
        """Notes that a sample was taken into the queue; an id twice is wrong."""
        with self.lock:
            if sample_id in self.acknowledged:
                self.wrong.append(f"id {sample_id} was given out twice")
            self.acknowledged[sample_id] = sample


def make(chance: random.Random, size: int, marked: bool, slow: bool = False) -> bytes:
    """Returns a sample unlike any other, if it is long enough to be."""
    token = os.urandom(16).hex().encode()
    start = (MARKER if marked else b"nothing to find") + b" " + (SLUGGISH if slow else b"") + token
    if size < len(start):
        return token[:size]
    block = chance.randbytes(1000).hex().encode()
    return start + (block * (size // len(block) + 1))[:size - len(start)]


def make_archive(chance: random.Random) -> tuple[bytes, list[bytes]]:
    """Returns an archive with one clean and two to four marked members, and the latter; nothing is found outside them."""
    marked = [make(chance, chance.randint(100, 4000), marked=True) for _ in range(chance.randint(2, 4))]
    file = io.BytesIO()
    # Compressed, so that no mark is to be seen in the archive itself.
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, member in enumerate([*marked, make(chance, 1000, marked=False)]):
            archive.writestr(f"member-{number}.txt", member)
    return file.getvalue(), marked


def mixed_size(chance: random.Random) -> int:
    """Draws a size between one byte and 3 MB: most are small, some have a file of their own."""
    kind = chance.random()
    if kind < 0.08:
        return chance.randint(1, 20)
    if kind < 0.72:
        return chance.randint(100, 4000)
    if kind < 0.92:
        return chance.randint(4000, 600_000)
    return chance.randint(MEGABYTE, 3 * MEGABYTE)


class MixedLoad:
    """Threads that send samples of all sizes until told to stop, whatever happens to the service."""

    def __init__(self, service, promises: Promises, senders: int = 5, checkers: int = 1, size=mixed_size,
                 slow_share: float = 0.15, archive_share: float = 0.0, pause: float = 0.0):
        """`size(chance)` draws a sample's size; `slow_share` of them keep a worker busy for 20 ms.

        `archive_share` of the samples are archives with several findings.
        """
        self.service = service
        self.promises = promises
        self._size = size
        self._slow_share = slow_share
        self._archive_share = archive_share
        self._pause = pause
        self._stop = threading.Event()
        work = [self._send] * senders + [self._check] * checkers
        self._threads = [threading.Thread(target=self._run, args=(n, step), daemon=True) for n, step in enumerate(work)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self) -> None:
        """Ends the load and waits for its threads."""
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in self._threads), "a client hangs"

    def _run(self, number: int, step) -> None:
        chance = random.Random(os.urandom(8))
        session = requests.Session()
        session.trust_env = False
        while not self._stop.is_set():
            content, sample = self._draw(chance, f"source-{number % 3}")
            try:
                step(session, content, sample)
            except requests.RequestException:
                session.close()
                self._stop.wait(0.02)  # Killed meanwhile: nothing was promised.
            if self._pause:
                self._stop.wait(self._pause)
        session.close()

    def _draw(self, chance: random.Random, source: str) -> tuple[bytes, Sent]:
        kills = self.service.kills
        if chance.random() < self._archive_share:
            content, members = make_archive(chance)
            return content, self.promises.expect(content, False, source, members, kills)
        marked = chance.random() < 0.4
        content = make(chance, self._size(chance), marked, slow=chance.random() < self._slow_share)
        found = MARKER in content or SLUGGISH in content
        return content, self.promises.expect(content, found, source, kills=kills)

    def _post(self, session, endpoint: str, content: bytes, sample: Sent):
        answer = session.post(
            f"{self.service.url}/api/{endpoint}",
            params={"source": sample.source},
            files={"file": (f"/load/{sample.sha256[:12]}", content)},
            timeout=45,
        )
        if answer.status_code == 200:
            return answer.json()
        promises = self.promises
        if answer.status_code == 503 and int(answer.headers.get("Retry-After", 0)) >= 1:
            with promises.lock:
                promises.refused += 1
            self._stop.wait(0.05)
        else:
            promises.wrong.append(f"{endpoint}: {answer.status_code} {dict(answer.headers)} {answer.text[:300]}")
        return None

    def _send(self, session, content: bytes, sample: Sent) -> None:
        answer = self._post(session, "checkAsync", content, sample)
        if answer is not None:
            self.promises.acknowledge(answer["id"], sample)

    def _check(self, session, content: bytes, sample: Sent) -> None:
        findings = self._post(session, "check", content, sample)
        if findings is None:
            return
        found = [finding["context"]["sha256"] for finding in findings]
        if sorted(found) != sorted(sample.found):
            self.promises.wrong.append(f"check of {sample}: {findings}")
        with self.promises.lock:
            self.promises.checked.append(sample)


class CounterWatch:
    """Asks for the counters all the time, and notes every moment at which they do not add up."""

    def __init__(self, service):
        self.service = service
        self.asked = 0
        self.wrong: list[dict] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                answer = requests.get(f"{self.service.url}/api/v1/status", timeout=10)
                # An answer without counters says nothing about them.
                if answer.status_code == 200:
                    self.asked += 1
                    if not adds_up(answer.json()):
                        self.wrong.append(answer.json())
            except requests.RequestException:
                pass
            time.sleep(0.05)


def adds_up(status: dict) -> bool:
    """Tells whether accepted = scanned + failed + waiting + being scanned."""
    parts = ("scanned_samples", "failed_samples", "waiting_samples", "scanning_samples")
    return status["accepted_samples"] == sum(status[key] for key in parts)
