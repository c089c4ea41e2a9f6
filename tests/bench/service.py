"""Programs that are started, asked and ended by the bench."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

from context import output_of

START_TIMEOUT = 120


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Squall:
    """A service with a data directory of its own; what it compiled is kept from one to the next."""

    def __init__(self, context, folder, *options, cache=True):
        self.port = free_port()
        self.folder = folder
        cached = context.dir / "signature-cache" if cache else folder / "signature-cache"
        self.command = [
            context.squall, "serve", "--server-host", "127.0.0.1", "--server-port", self.port, "--data-dir", folder / "data",
            "--signatures", context.rules, "--custom-signatures", empty(folder), "--signature-cache-dir", cached,
            "--reverse-dns", "false", "--queue-max-samples", 2_000_000, *options,
        ]  # fmt: skip
        self.process = None

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def spawn(self):
        """Starts the process and does not wait for it."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("SQUALL_")}
        self.output = open(self.folder / "output.log", "ab")
        self.process = subprocess.Popen(
            list(map(str, self.command)), stdout=self.output, stderr=self.output, cwd=self.folder, env=environment
        )
        return self

    def start(self):
        """Starts the process and waits until it scans."""
        self.spawn()
        self.wait_ready()
        return self

    def wait_ready(self):
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            if first_answer(self.port):
                return
            time.sleep(0.002)
        raise RuntimeError(f"squall does not start: {(self.folder / 'output.log').read_text()[-2000:]}")

    def get(self, path):
        with urllib.request.urlopen(f"http://{self.address}{path}", timeout=60) as answer:
            return json.load(answer)

    def scanned(self):
        return self.get("/api/status")["scanned_samples"]

    def wait_scanned(self, count, timeout=1800):
        """Waits until so many results can be read."""
        deadline = time.monotonic() + timeout
        while self.scanned() < count:
            if time.monotonic() > deadline:
                raise RuntimeError("the queue does not drain")
            time.sleep(0.005)

    def resident_bytes(self):
        return resident_bytes(self.process.pid)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


def empty(folder):
    path = Path(folder) / "custom"
    path.mkdir(parents=True, exist_ok=True)
    return path


def first_answer(port):
    """Whether a synchronous check is answered with findings, or none, at the moment."""
    body = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.txt"\r\n\r\nfirst\r\n--b--\r\n'
    )
    head = (
        f"POST /api/check?source=bench HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(head + body)
            return connection.recv(4096).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def resident_bytes(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("no VmRSS")


def cpu_seconds(pid):
    """Processor time that a process has used, in steps of 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def listening(command):
    """A program that prints where it listens; gives the address and the process."""
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        if not line.startswith("listening on "):
            raise RuntimeError(f"`{command[0]}` does not listen: {line}")
        yield line.removeprefix("listening on ").strip(), process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def load(context, address, path="/api/check", **options):
    """Sends a load and returns what came of it. Options are those of `squall-bench load`; `True` is a switch."""
    command = [context.bench, "load", "--address", address, "--path", path]
    for name, value in options.items():
        if value is None or value is False:
            continue
        command.append("--" + name.replace("_", "-"))
        if value is not True:
            command.append(value)
    result = json.loads(output_of(command))
    if result["other"]:
        raise RuntimeError(f"not every upload was taken: {result['statuses']}")
    result["rate"] = result["requests"] / result["seconds"]
    return result
