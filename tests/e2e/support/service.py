"""The real binary as a process: start, wait, ask, stop, and look at what it said."""

import itertools
import os
import random
import re
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import requests

from support.places import BINARY

READY_SECONDS = 60
STOP_SECONDS = 40
# What a Rust process prints when something went wrong that must never go wrong.
PANIC = re.compile(r"panicked at|stack backtrace:|RUST_BACKTRACE|fatal runtime error|stack overflow")


class StartError(Exception):
    """The process ended, or never answered, before it was ready."""


def _ports():
    """Ports that only this process of the test run gives out, again and again from a random one on.

    They lie below those that the kernel takes for connections: a port that is to stay closed, or
    that a service is about to bind, must not become a client's.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    first = 10_000 + int(worker) % 7 * 3_000
    begin = random.randrange(3_000)
    for number in itertools.count(begin):
        yield first + number % 3_000


PORTS = _ports()


def free_port() -> int:
    """Returns a port of the loopback address that nobody listens on."""
    for port in itertools.islice(PORTS, 1_000):
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port of a thousand")


def wait_until(condition, seconds: float, what: str, pause: float = 0.05):
    """Returns the first value of `condition()` that is neither `None` nor false, or fails after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        # An answer with an error status is false by itself, and may be what is waited for.
        if value or isinstance(value, requests.Response):
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(pause)


class Service:
    """One data directory and the process that serves it; can be stopped and started again."""

    # Those of the running test, so that a failure can show what they printed.
    live: list["Service"] = []

    def __init__(self, root: Path, *args: str, env=None, tls=False, bare=False, port=None, before=()):
        """`root` holds everything the process may see; `bare` leaves all arguments to the caller.

        `before` is a command that becomes the one behind it, such as `setpriv`.
        """
        self.root = Path(root)
        self.data = self.root / "data"
        self.cwd = self.root / "cwd"
        self.home = self.root / "home"
        self.tmp = self.root / "tmp"
        for folder in (self.root, self.cwd, self.home, self.tmp):
            folder.mkdir(parents=True, exist_ok=True)
        self.output_file = self.root / "output.log"
        self.port = port or free_port()
        self.tls = tls
        self.args = list(args)
        if not bare:
            self.args += ["--server-port", str(self.port), "--data-dir", str(self.data)]
        self.env = env or {}
        self.before = [str(word) for word in before]
        self.process = None
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = False

    # ---- life

    def spawn(self) -> "Service":
        """Starts the process and does not wait for it."""
        assert BINARY.is_file(), f"no binary at {BINARY}: build it or set SQUALL_BIN"
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "TMPDIR": str(self.tmp),
            "RUST_BACKTRACE": "1",
            **self.env,
        }
        with self.output_file.open("ab") as output:
            self.process = subprocess.Popen(
                [*self.before, str(BINARY), "serve", *self.args],
                cwd=self.cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        Service.live.append(self)
        return self

    def start(self) -> "Service":
        """Starts the process and returns when it takes samples."""
        self.spawn()
        end = time.monotonic() + READY_SECONDS
        while True:
            if self.process.poll() is not None:
                raise StartError(f"ended with {self.process.returncode}:\n{self.output()}")
            try:
                answer = self.get("/api/info", timeout=5)
                # It listens, and refuses samples, while the signatures still compile.
                if answer.status_code == 200 and answer.json()["rules"] > 0:
                    return self
            except requests.RequestException:
                pass
            if time.monotonic() > end:
                self.kill()
                raise StartError(f"not ready within {READY_SECONDS} s:\n{self.output()}")
            time.sleep(0.02)

    def stop(self) -> float:
        """Ends the process with SIGTERM, checks that it ended well, and returns the seconds it took."""
        began = time.monotonic()
        self.signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"SIGTERM did not end it within {STOP_SECONDS} s") from None
        finally:
            self._forget()
        assert code == 0, f"exit status {code} after SIGTERM:\n{self.output()[-3000:]}"
        self.check_output()
        return time.monotonic() - began

    def kill(self) -> None:
        """Ends the process with SIGKILL."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        self._forget()

    def wait_for_exit(self, seconds: float = 30) -> int:
        """Waits for a process that is expected to end by itself; returns its exit status."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {seconds} s:\n{self.output()}") from None
        finally:
            self.kill()

    def signal(self, number: int) -> None:
        """Sends the process a signal."""
        assert self.process.poll() is None, f"ended by itself:\n{self.output()[-3000:]}"
        self.process.send_signal(number)

    def running(self) -> bool:
        """Tells whether the process is there."""
        return self.process is not None and self.process.poll() is None

    def _forget(self) -> None:
        self._session.close()
        if self in Service.live:
            Service.live.remove(self)

    # ---- what it said and what it costs

    def output(self) -> str:
        """Returns all it has printed, over every start."""
        if not self.output_file.exists():
            return ""
        return self.output_file.read_text("utf-8", errors="replace")

    def check_output(self) -> None:
        """Fails when the process printed a panic."""
        found = PANIC.search(self.output())
        assert not found, f"a panic: {self.output()[max(0, found.start() - 500):][:3000]}"

    def memory_peak_bytes(self) -> int:
        """Returns the highest resident size so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) * 1024

    def open_files(self) -> int:
        """Returns how many file descriptors it holds."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    # ---- requests

    @property
    def url(self) -> str:
        """The address without a path."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def get(self, path: str, **options) -> requests.Response:
        """Sends a GET request."""
        options.setdefault("timeout", 30)
        return self._session.get(self.url + path, **options)

    def post(self, path: str, **options) -> requests.Response:
        """Sends a POST request."""
        options.setdefault("timeout", 60)
        return self._session.post(self.url + path, **options)

    def json(self, path: str):
        """Returns the body of a GET request that must succeed."""
        answer = self.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def status(self) -> dict:
        """Returns the live counters."""
        return self.json("/api/status")

    def check(self, content: bytes, name: str = "/tmp/sample.txt", generation="/api", **params):
        """Has a sample scanned at once; returns the findings."""
        answer = self.post(f"{generation}/check", params=params, files={"file": (name, content)})
        assert answer.status_code == 200, f"{answer.status_code} {answer.text[:500]}"
        return answer.json()

    def enqueue(self, content: bytes, name: str = "/tmp/sample.txt", generation="/api", **params):
        """Queues a sample; returns its id."""
        answer = self.post(f"{generation}/checkAsync", params=params, files={"file": (name, content)})
        assert answer.status_code == 200, f"{answer.status_code} {answer.text[:500]}"
        return answer.json()["id"]

    def result(self, sample_id: int, seconds: float = 30, generation="/api") -> dict:
        """Waits until a queued sample is done; returns the whole answer."""

        def done():
            answer = self.json(f"{generation}/getAsyncResults?id={sample_id}")
            return answer if answer["status"].startswith("Sample analysis") else None

        return wait_until(done, seconds, f"a result of sample {sample_id}")

    def unchanged(self, before: dict, seconds: float = 0.5) -> None:
        """Fails when a sample was scanned or queued since `before`, a status."""
        time.sleep(seconds)
        after = self.status()
        for key in ("scanned_samples", "queued_async_requests"):
            assert after[key] == before[key], f"{key}: {before[key]} became {after[key]}"


@contextmanager
def ended_well():
    """A list for services that a test starts: at its end those that run are stopped, and all are checked."""
    services: list[Service] = []
    yield services
    try:
        for service in services:
            if service.running():
                service.stop()
            service.check_output()
    finally:
        for service in services:
            service.kill()


@contextmanager
def running(service: Service):
    """Starts a service and stops it at the end, whatever happens between."""
    try:
        service.start()
        yield service
        if service.running():
            service.stop()
        service.check_output()
    finally:
        service.kill()
