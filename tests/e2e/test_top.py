"""`squall top` on a terminal: what is on the screen, and that the terminal is given back."""

import os
import signal
import subprocess

import pexpect
import pyte
import pytest

from support.places import BINARY
from support.rules import CLEAN, MARKER
from support.service import free_port, wait_until


class Screen:
    """The program on a terminal of some size, and what is to be seen there."""

    def __init__(self, *arguments, columns=80, rows=24):
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        # As it is over ssh: a plain terminal, and nothing else of this machine's settings.
        env = {"PATH": os.environ["PATH"], "TERM": "xterm", "LANG": "C.UTF-8", "TZ": "UTC"}
        self.process = pexpect.spawn(
            str(BINARY), ["top", *map(str, arguments)], dimensions=(rows, columns), env=env, timeout=10
        )
        self.raw = b""

    def read(self) -> str:
        """Draws what has come, and returns the screen."""
        try:
            while True:
                piece = self.process.read_nonblocking(65536, timeout=0.1)
                self.raw += piece
                self._stream.feed(piece)
        except (pexpect.TIMEOUT, pexpect.EOF):
            pass
        return "\n".join(self.screen.display)

    def shows(self, text: str, seconds: float = 10) -> str:
        wait_until(lambda: text in self.read(), seconds, f"{text!r} on\n{self.read()}")
        return self.read()

    def ended(self) -> int:
        """Waits for the end; returns the exit status, or minus the signal."""
        self.read()
        self.process.expect(pexpect.EOF)
        self.raw += self.process.before or b""
        self.process.close()
        status = self.process.exitstatus
        return status if status is not None else -self.process.signalstatus


@pytest.fixture
def screen():
    made = []

    def make(*arguments, **size) -> Screen:
        made.append(Screen(*arguments, **size))
        return made[-1]

    yield make
    for each in made:
        each.process.close(force=True)


def given_back(screen) -> None:
    """The main screen is shown again, with its cursor."""
    assert screen.raw.count(b"\x1b[?1049h") == screen.raw.count(b"\x1b[?1049l") == 1
    assert screen.raw.rindex(b"\x1b[?25h") > screen.raw.rindex(b"\x1b[?25l")


def test_a_screen_of_the_usual_size_shows_the_service(start, screen):
    service = start("--threads", "2")
    for number in range(3):
        service.check(CLEAN + b"%d" % number, source="quiet-host")
    service.check(MARKER, "/var/www/html/shell.php", source="web-01")
    top = screen("--url", service.url)
    text = top.shows("E2E_Marker")
    assert f"at {service.url}  ready" in text
    assert "4 scanned, 0 failed, 0 refused" in text
    assert "0 of 2 scan" in text
    assert "5 rules, 0 IOCs" in text
    assert "Warning" in text or "Alert" in text
    assert "/var/www/html/shell.php"[-15:] in text
    assert text.splitlines()[-1].strip() == "q quits"
    # Counts of sources may be a second behind.
    def sources():
        return [line.split()[:2] for line in top.read().splitlines() if line.startswith("quiet-host")]

    wait_until(lambda: sources() == [["quiet-host", "3"]], 10, "the samples of a source")
    # It is live, and tells how fast it goes.
    service.check(CLEAN + b"later")
    top.shows("5 scanned")
    top.process.send("q")
    assert top.ended() == 0
    given_back(top)


def test_what_others_chose_does_nothing_to_the_terminal(start, screen):
    service = start()
    evil = "/tmp/\x1b[2J\x1b[31m\u202egpj.exe"
    service.check(MARKER, evil, source="host\x1b]0;owned\x07")
    top = screen("--url", service.url)
    top.shows("E2E_Marker")
    assert b"\x1b]0;" not in top.raw and b"\x07" not in top.raw and "\u202e".encode() not in top.raw
    assert b"\x1b[2J\x1b[31m" not in top.raw.replace(b"\x1b[?25l\x1b[2J", b"")
    top.process.send("q")
    assert top.ended() == 0


@pytest.mark.parametrize("columns, rows", [(40, 10), (20, 5), (200, 60)])
def test_any_size_will_do(start, screen, columns, rows):
    service = start()
    service.check(MARKER)
    top = screen("--url", service.url, columns=columns, rows=rows)
    top.shows("q quits")
    top.shows("Squall")
    top.process.send("\x1b")
    assert top.ended() == 0


def test_a_terminal_that_changes_its_size(start, screen):
    service = start()
    top = screen("--url", service.url, columns=120, rows=40)
    top.shows("q quits")
    top.process.setwinsize(12, 60)
    top.screen.resize(12, 60)
    wait_until(lambda: top.read().splitlines()[-1].strip() == "q quits", 5, "the last line is the foot")
    top.process.send("\x03")
    assert top.ended() == 0


def test_a_service_that_goes_away_and_comes_back(start, screen):
    service = start()
    top = screen("--url", service.url)
    top.shows("ready")
    service.stop()
    top.shows("UNREACHABLE cannot reach the service")
    service.start()
    top.shows("  ready")
    top.process.send("q")
    assert top.ended() == 0


def test_a_signal_gives_the_terminal_back(start, screen):
    service = start()
    top = screen("--url", service.url)
    top.shows("ready")
    top.process.kill(signal.SIGTERM)
    assert top.ended() == 0
    given_back(top)


def test_without_a_terminal_it_says_what_to_use():
    command = [str(BINARY), "top", "--url", f"http://127.0.0.1:{free_port()}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
    assert done.returncode == 1 and "squall status" in done.stderr
