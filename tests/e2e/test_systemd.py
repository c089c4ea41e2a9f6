"""What systemd is told, by a socket in its place."""

import os
import signal
import socket
import time

import pytest

from support.rules import CLEAN


class Systemd:
    """The receiving end of `NOTIFY_SOCKET`."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(0.1)
        self.path = path
        self.heard: list[dict[str, str]] = []

    def listen(self, seconds: float, until=lambda message: False) -> dict[str, str] | None:
        """Hears messages until one is what is waited for, which is returned."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                text = self.socket.recv(65536).decode()
            except TimeoutError:
                continue
            message = dict(line.split("=", 1) for line in text.splitlines())
            self.heard.append(message)
            if until(message):
                return message
        return None

    def wait_for(self, name: str, seconds: float = 30) -> dict[str, str]:
        message = self.listen(seconds, lambda message: name in message)
        assert message, f"no {name}: {self.heard}"
        return message


@pytest.fixture
def systemd(tmp_path):
    # The path of such a socket has about a hundred bytes at most.
    path = f"/tmp/squall-notify-{os.getpid()}-{time.monotonic_ns()}"
    made = Systemd(path)
    yield made
    made.socket.close()
    os.unlink(path)


def begin(start, systemd, *args, watchdog: float | None = None, **env):
    if watchdog:
        env["WATCHDOG_USEC"] = str(int(watchdog * 1e6))
    return start(*args, env={"NOTIFY_SOCKET": systemd.path, **env})


def test_it_says_when_it_is_ready_reloads_and_stops(start, systemd):
    service = begin(start, systemd)
    ready = systemd.wait_for("READY")
    assert ready["READY"] == "1"
    # All that was heard before was that it starts, and needs more time.
    before = systemd.heard[:-1]
    assert any(message.get("STATUS") == "starting" for message in before)
    assert not any("WATCHDOG" in message for message in systemd.heard), "nobody asked for it"
    assert service.get("/readyz").status_code == 200, "it is ready when it says so"
    service.check(CLEAN)
    status = systemd.listen(15, lambda message: "1 scanned" in message.get("STATUS", ""))
    assert status and status["STATUS"].startswith("ready: "), systemd.heard

    service.signal(signal.SIGHUP)
    reloading = systemd.wait_for("RELOADING")
    assert abs(int(reloading["MONOTONIC_USEC"]) / 1e6 - time.monotonic()) < 30
    assert systemd.wait_for("READY")["READY"] == "1"

    service.signal(signal.SIGTERM)
    stopping = systemd.wait_for("STOPPING")
    assert stopping["STATUS"].startswith("stopping")
    assert service.wait_for_exit() == 0


@pytest.mark.timeout(90)
def test_the_watchdog_hears_from_a_process_that_works_and_not_from_one_that_hangs(start, systemd):
    service = begin(start, systemd, watchdog=3)
    systemd.wait_for("READY")
    beats = []
    end = time.monotonic() + 6
    while time.monotonic() < end:
        if systemd.listen(0.5, lambda message: message.get("WATCHDOG") == "1"):
            beats.append(time.monotonic())
    gaps = [after - before for before, after in zip(beats, beats[1:], strict=False)]
    assert len(beats) >= 3 and max(gaps) < 2, gaps
    service.signal(signal.SIGSTOP)
    try:
        systemd.listen(1)
        systemd.heard.clear()
        systemd.listen(4)
        assert systemd.heard == [], "a process that stands still says nothing"
    finally:
        service.signal(signal.SIGCONT)
    systemd.wait_for("WATCHDOG", 5)


def test_a_watchdog_of_another_process_is_not_answered(start, systemd):
    begin(start, systemd, watchdog=1, WATCHDOG_PID="1")
    systemd.wait_for("READY")
    systemd.listen(2)
    assert not any("WATCHDOG" in message for message in systemd.heard)


def test_a_socket_that_is_gone_is_no_reason_to_end(start, tmp_path):
    service = start(env={"NOTIFY_SOCKET": str(tmp_path / "gone")})
    assert service.check(CLEAN) == []
