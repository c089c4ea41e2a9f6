"""Findings sent to a real HTTP receiver: signed, retried, put aside when it will not have them."""

import hashlib
import hmac
import http.server
import json
import re
import shutil
import subprocess
import threading
import time

import pytest

from support.documents import blocks
from support.rules import CLEAN, MARKER
from support.service import free_port, wait_until
from support.shapes import check_v3
from test_metrics import value

SECRET = "s3cret of the tests"


class Receiver:
    """Answers every request as `answer` says: a status, or a function of the body that returns one."""

    def __init__(self, port=None):
        self.requests = []
        self.tries = []
        self.answer = 200
        self.headers = {}
        self.delay = 0.0
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = receiver.answer
                status = answer(body) if callable(answer) else answer
                receiver.tries.append((time.monotonic(), status, body))
                if status == 200:
                    # Names of headers have no case. Before the answer: behind it comes the next.
                    headers = {name.title(): text for name, text in self.headers.items()}
                    receiver.requests.append((headers, body, self.path))
                if receiver.delay:
                    time.sleep(receiver.delay)
                try:
                    self.send_response(status)
                    for name, text in receiver.headers.items():
                        self.send_header(name, text)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    return

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port or 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hooks/squall?token=hidden"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def wait_for(self, count: int, seconds: float = 30):
        wait_until(lambda: len(self.requests) >= count, seconds, f"{count} requests")
        return self.requests

    def names(self) -> list[str]:
        """Returns the paths of the files of what was taken, in order."""
        return [json.loads(body)["subject"]["path"] for _, body, _ in self.requests]


@pytest.fixture
def receiver():
    server = Receiver()
    yield server
    server.close()


def signed(headers: dict, body: bytes, secret: str) -> bool:
    """Tells whether one of the signatures is that of a secret, as a receiver would."""
    parts = [part.split("=", 1) for part in headers["Squall-Signature"].split(",")]
    [seconds] = [text for name, text in parts if name == "t"]
    assert abs(int(seconds) - time.time()) < 120
    expected = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return any(name == "v1" and hmac.compare_digest(text, expected) for name, text in parts)


def label(receiver) -> str:
    return f"http://127.0.0.1:{receiver.port}"


def test_a_finding_is_sent_and_signed(start, receiver, tmp_path):
    secrets = tmp_path / "secrets"
    secrets.write_text(f"{SECRET}\nthe next one\n")
    service = start("--webhook", receiver.url, "--webhook-secret-file", secrets)
    service.check(MARKER, "/srv/a\nb.php", source="web01")
    service.check(CLEAN)
    [(headers, body, path)] = receiver.wait_for(1)
    assert path == "/hooks/squall?token=hidden"
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"].startswith("squall/")
    assert signed(headers, body, SECRET) and signed(headers, body, "the next one")
    assert not signed(headers, body, "another")
    # As the documentation tells receivers to look.
    documented = {}
    exec(*blocks("siem.md", "python", "## Webhook"), documented)
    assert documented["is_ours"](headers["Squall-Signature"], body, SECRET)
    assert not documented["is_ours"](headers["Squall-Signature"], body + b" ", SECRET)
    found = json.loads(body)
    check_v3(found, MARKER, "/srv/a\nb.php", source="web01")
    assert headers["Squall-Event-Id"] == found["meta"]["event_id"]
    wait_until(lambda: value(service, "squall_output_sent_total", target=label(receiver)) == 1, 5, "counted")
    assert value(service, "squall_output_lag_bytes", target=label(receiver)) == 0


def test_secrets_are_shown_nowhere(start, receiver):
    service = start("--webhook", receiver.url, env={"SQUALL_WEBHOOK_SECRET": SECRET})
    service.check(MARKER)
    [(headers, body, _)] = receiver.wait_for(1)
    assert signed(headers, body, SECRET)
    shown = service.get("/api/v1/configuration").text + service.get("/api/v1/info").text + service.get("/metrics").text + service.output()
    assert SECRET not in shown and "token=hidden" not in shown
    receiver.answer = 500
    service.check(MARKER + b"2")
    wait_until(lambda: "cannot send findings" in service.output(), 10, "a warning")
    assert "token=hidden" not in service.output()


def test_a_receiver_that_fails_gets_it_again_in_order(start, receiver):
    failures = iter([500, 503, 404])
    receiver.answer = lambda _: next(failures, 200)
    service = start("--webhook", receiver.url)
    for number in range(5):
        service.check(MARKER + b"%d" % number, f"/numbered/{number}")
    receiver.wait_for(5, 60)
    assert receiver.names() == [f"/numbered/{number}" for number in range(5)]
    assert [status for _, status, _ in receiver.tries][:4] == [500, 503, 404, 200]


def test_retry_after_is_obeyed(start, receiver):
    receiver.headers = {"Retry-After": "4"}
    busy = iter([503])
    receiver.answer = lambda _: next(busy, 200)
    service = start("--webhook", receiver.url)
    service.check(MARKER)
    receiver.wait_for(1)
    (first, _, _), (second, _, _) = receiver.tries
    assert 3.5 < second - first < 10


def test_what_is_refused_again_and_again_is_put_aside(start, receiver):
    """One event that the receiver cannot stand does not hold up the others."""
    receiver.answer = lambda body: 422 if b"/numbered/1" in body else 200
    service = start("--webhook", receiver.url, "--webhook-tries", "3")
    for number in range(3):
        service.check(MARKER + b"%d" % number, f"/numbered/{number}")
    receiver.wait_for(2, 60)
    assert receiver.names() == ["/numbered/0", "/numbered/2"]
    assert [status for _, status, _ in receiver.tries].count(422) == 3
    [letters] = (service.data / "outputs").rglob("dead-letters.json")
    [letter] = [json.loads(line) for line in letters.read_text().splitlines()]
    assert letter["event"]["subject"]["path"] == "/numbered/1"
    assert letter["event_id"] == letter["event"]["meta"]["event_id"]
    assert "422" in letter["reason"]
    assert value(service, "squall_output_dropped_total", target=label(receiver)) == 1
    assert letters.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed: tests/run installs it")
def test_what_was_put_aside_is_sent_again_as_the_documentation_says(receiver, tmp_path):
    """Also what is longer than an argument of a command may be, and with characters that shells like."""
    events = [{"n": 1, "text": "a\\b $(id) 'x' \"y\" %s é"}, {"n": 2, "text": "x" * 300_000}, {"n": 3, "text": " two  spaces\n"}]
    letters = tmp_path / "dead-letters.json"
    lines = [json.dumps({"event_id": "A-0", "reason": "422", "event": event}) + "\n" for event in events]
    letters.write_text("".join(lines))
    [command] = blocks("siem.md", "sh", "## Webhook")
    command = command.replace("sudo ", "").replace("FILE", str(letters)).replace("ADDRESS", receiver.url)
    subprocess.run(["sh", "-ec", command], check=True, capture_output=True, timeout=60)
    assert [json.loads(body) for _, body, _ in receiver.requests] == events
    assert {headers["Content-Type"] for headers, _, _ in receiver.requests} == {"application/json"}


def test_a_receiver_that_is_away_is_waited_for(start):
    """That is no refusal: nothing is put aside, and a restart in between changes nothing."""
    port = free_port()
    service = start("--webhook", f"http://127.0.0.1:{port}/", "--webhook-tries", "1")
    for number in range(3):
        service.check(MARKER + b"%d" % number, f"/numbered/{number}")
    wait_until(lambda: "cannot send findings" in service.output(), 10, "a warning")
    service.stop()
    service.start()
    receiver = Receiver(port)
    try:
        receiver.wait_for(3, 60)
        assert receiver.names() == [f"/numbered/{number}" for number in range(3)]
        assert not list((service.data / "outputs").rglob("dead-letters.json"))
    finally:
        receiver.close()


def test_a_receiver_that_does_not_answer_slows_no_scan(start, receiver):
    receiver.delay = 60
    service = start("--webhook", receiver.url)
    began = time.monotonic()
    for number in range(20):
        service.check(MARKER + b"%d" % number)
    assert time.monotonic() - began < 20
    assert service.stop() < 20


def test_redirects_are_not_followed(start, receiver):
    other = Receiver()
    try:
        receiver.answer = 307
        receiver.headers = {"Location": other.url}
        service = start("--webhook", receiver.url, "--webhook-tries", "2")
        service.check(MARKER)
        wait_until(lambda: list((service.data / "outputs").rglob("dead-letters.json")), 30, "it is put aside")
        assert other.tries == []
    finally:
        other.close()


@pytest.mark.parametrize("address", ["ftp://a/", "not an address", "https://"])
def test_what_is_no_address_is_refused(start, tmp_path, address):
    from support.service import Service, StartError
    service = Service(tmp_path / "bad", "--webhook", address)
    with pytest.raises(StartError, match=re.escape("webhook")):
        service.start()
