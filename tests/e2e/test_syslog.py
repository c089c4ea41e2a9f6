"""Findings sent to a real rsyslog: every format and transport, a receiver that is away, one that does not read."""

import json
import re
import socket
import threading
import time

import pytest

from support.rsyslog import Rsyslog
from support.rules import CLEAN, MARKER, SECOND
from support.service import free_port, wait_until
from support.shapes import check_v3, digests
from test_metrics import value

NAME = r"C:\Users\x y\a.exe"
HOSTILE = "/tmp/a\nb|c=\"d\" \\ SCORE: 0 \u202e\x1b[2J.exe"
# As the client encodes it: a control character in a header becomes its picture, unless it has an escape.
ARRIVES = HOSTILE.replace("\x1b", "\u241b")


@pytest.fixture
def rsyslog(tmp_path):
    """A running rsyslog."""
    server = Rsyslog(tmp_path / "rsyslog")
    server.start()
    yield server
    server.kill()


def target(port: int, form: str, protocol: str) -> str:
    return f"127.0.0.1:{port}:{form}:{protocol}"


def finding_of(message: str) -> dict:
    """Returns the JSON object in a message."""
    return json.loads(message[message.index("{"):])


def numbers(messages) -> list[int]:
    """Returns which of the numbered samples messages are about."""
    return [int(re.search(r"/numbered/(\d+)", message)[1]) for message in messages]


def send_numbered(service, first: int, count: int) -> None:
    """Has samples found one after the other, so that their order is known."""
    for number in range(first, first + count):
        service.check(MARKER + b" %d" % number, f"/numbered/{number}")


def lag(service, name: str) -> float:
    return value(service, "squall_output_lag_bytes", target=name)


@pytest.mark.parametrize("protocol", ["UDP", "TCP", "TCPTLS"])
def test_every_transport(start, rsyslog, protocol):
    port = {"UDP": rsyslog.udp, "TCP": rsyslog.tcp, "TCPTLS": rsyslog.tls}[protocol]
    service = start("--syslog", target(port, "SYSLOGJSON", protocol), "--output-ca", rsyslog.ca)
    content = b"MZ" + MARKER + SECOND
    service.check(content, NAME, source="web01.example")
    service.check(CLEAN)
    service.result(service.enqueue(MARKER, HOSTILE))
    first, second = rsyslog.wait_for(2)
    assert re.match(r'<129>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d) web01\.example THOR - Filescan '
                    r'\[origin software="Squall" swVersion="[0-9.]+"\] \{', first)
    check_v3(finding_of(first), content, NAME, source="web01.example")
    assert finding_of(second)["subject"]["path"].startswith("/tmp/a")
    name = target(port, "SYSLOGJSON", protocol)
    wait_until(lambda: value(service, "squall_output_sent_total", target=name) == 2, 5, "both counted")
    assert lag(service, name) == value(service, "squall_output_age_seconds", target=name) == 0
    assert value(service, "squall_output_dropped_total", target=name) == 0


@pytest.mark.parametrize(("form", "expected"), [
    ("DEFAULT", r'Alert: MODULE: Filescan MESSAGE: Malware file found SCANID: \S+ FILE: .*? EXT: \.exe SCORE: \d+ .* '
                r'SOURCE: web01 IP: 127\.0\.0\.1 UID: \S+'),
    ("SYSLOGKV", r'Alert: LEVEL="Alert" MODULE="Filescan" MESSAGE="Malware file found" .* SOURCE="web01" '
                 r'IP="127\.0\.0\.1" UID="\S+"'),
    ("CEF", r'CEF:0\|Squall\|Squall\|[0-9.]+\|Filescan\|Malware file found\|10\|rt=\d{13} externalId=\S+ cat=Alert .*'),
    ("SYSLOGJSON", r"\{.*\}"),
])
@pytest.mark.parametrize("head", ["5424", "3164"])
def test_every_format_is_understood_and_one_line(start, rsyslog, form, expected, head):
    options = ["--syslog-rfc3164"] if head == "3164" else []
    service = start("--syslog", target(rsyslog.tcp, form, "TCP"), *options)
    service.check(MARKER, HOSTILE, source="web01")
    [message] = rsyslog.wait_for(1)
    assert not re.search("[\x00-\x1f\x7f\u202e]", message), repr(message)
    wait_until(lambda: rsyslog.received(rsyslog.lines), 10, "the last of its files")
    [parts] = rsyslog.received(rsyslog.parts)
    found = re.fullmatch(r"(?P<pri>\S+) (?P<time>\S+) (?P<host>\S+) (?P<app>\S+) (?P<sd>\[.*?\]|-) ?(?P<msg>.*)", parts)
    assert (found["pri"], found["host"]) == ("local0.alert", "web01"), parts
    assert found["app"] == ("CEF" if form == "CEF" and head == "3164" else "THOR"), parts
    if form == "CEF":
        assert re.fullmatch(expected, message[message.index("CEF:0"):]), message
    else:
        assert re.fullmatch(expected, found["msg"].strip()), parts
    if form == "DEFAULT":
        # What it writes to a file in its usual way is the line of a text log, but for a colon.
        [line] = rsyslog.received(rsyslog.lines)
        colon = ":" if head == "3164" else ""
        assert re.match(rf"[A-Z][a-z]{{2}} [ \d]\d \d\d:\d\d:\d\d web01 THOR{colon} Alert: MODULE: Filescan MESSAGE:", line)


def test_json_without_a_head_is_a_line(start, tmp_path):
    """What reads JSON lines reads neither a head nor a count of octets."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        service = start("--syslog", target(server.getsockname()[1], "JSON", "TCP"))
        service.check(MARKER, HOSTILE)
        service.check(MARKER + b"2", NAME)
        connection, _ = server.accept()
        with connection, connection.makefile("rb") as lines:
            connection.settimeout(10)
            check_v3(json.loads(lines.readline()), MARKER, ARRIVES)
            check_v3(json.loads(lines.readline()), MARKER + b"2", NAME)


def test_a_certificate_of_a_stranger_gets_nothing(start, rsyslog, tmp_path):
    other = Rsyslog(tmp_path / "other")
    service = start("--syslog", target(rsyslog.tls, "DEFAULT", "TCPTLS"), "--output-ca", other.ca)
    service.check(MARKER)
    wait_until(lambda: "cannot send findings" in service.output(), 10, "a warning")
    assert rsyslog.received() == []
    assert lag(service, target(rsyslog.tls, "DEFAULT", "TCPTLS")) > 0


@pytest.mark.parametrize("protocol", ["UDP", "TCP", "TCPTLS"])
def test_a_receiver_that_was_away_is_caught_up_in_order(start, rsyslog, protocol):
    """Away from the start, killed in between, and away while the service itself is started again."""
    port = {"UDP": rsyslog.udp, "TCP": rsyslog.tcp, "TCPTLS": rsyslog.tls}[protocol]
    rsyslog.stop()
    service = start("--syslog", target(port, "DEFAULT", protocol), "--output-ca", rsyslog.ca)
    send_numbered(service, 0, 30)
    assert lag(service, target(port, "DEFAULT", protocol)) > 0
    rsyslog.start()
    assert numbers(rsyslog.wait_for(30, 60)) == list(range(30))

    rsyslog.kill()
    send_numbered(service, 30, 10)
    service.stop()
    service.start()
    send_numbered(service, 40, 10)
    rsyslog.start()
    wait_until(lambda: 49 in numbers(rsyslog.received()), 90, "the last one")
    got = numbers(rsyslog.received())
    # What was on its way when it was killed comes again, as a whole and in order.
    assert set(got) == set(range(50))
    again = got[30:]
    assert again == list(range(again[0], 50)), got
    assert again[0] <= 30


def test_a_killed_service_loses_nothing(start, rsyslog):
    rsyslog.stop()
    service = start("--syslog", target(rsyslog.tcp, "DEFAULT", "TCP"))
    send_numbered(service, 0, 20)
    service.kill()
    service.start()
    rsyslog.start()
    assert numbers(rsyslog.wait_for(20, 60)) == list(range(20))
    # In order: nothing is sent twice.
    service.stop()
    service.start()
    send_numbered(service, 20, 1)
    assert numbers(rsyslog.wait_for(21)) == list(range(21))


def test_a_receiver_that_never_reads_does_not_slow_scanning(start):
    with socket.create_server(("127.0.0.1", 0)) as server:
        # The system takes megabytes for it all the same, which are as good as sent.
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        held = []
        threading.Thread(target=lambda: held.append(server.accept()), daemon=True).start()
        name = target(server.getsockname()[1], "SYSLOGJSON", "TCP")
        service = start("--syslog", name, "--output-buffer-size", "1MB", "--syslog-length-limit", "64KB")
        samples = [(MARKER + b"\n") * 300 + b" %d" % number for number in range(900)]
        began = time.monotonic()
        slowest = 0.0
        for content in samples:
            at = time.monotonic()
            service.check(content, "/tmp/" + "x" * 4000)
            slowest = max(slowest, time.monotonic() - at)
        took = time.monotonic() - began
        assert slowest < 2, f"a check took {slowest:.1f} s"
        assert took < 60, f"{took:.0f} s for {len(samples)} checks"
        assert value(service, "squall_scanned_samples_total") == len(samples)
        # More than fits is dropped from the old end, and counted.
        wait_until(lambda: lag(service, name) > 0, 10, "something waits")
        assert lag(service, name) <= 1 << 20
        on_disk = sum(path.stat().st_size for path in (service.data / "outputs").rglob("*.seg"))
        assert on_disk <= (1 << 20)
        if value(service, "squall_output_dropped_total", target=name) > 0:
            assert "the oldest findings in it are dropped" in service.output()
        for connection, _ in held:
            connection.close()


def test_a_full_buffer_keeps_the_newest_and_counts_the_rest(start, tmp_path):
    port = free_port()
    name = target(port, "DEFAULT", "TCP")
    service = start("--syslog", name, "--output-buffer-size", "1MB", "--threads", "2")
    count = 1300
    for number in range(count):
        service.check(MARKER + b" %d" % number, f"/numbered/{number}/" + "x" * 900)
    dropped = value(service, "squall_output_dropped_total", target=name)
    assert dropped > 0
    server = Rsyslog(tmp_path / "rsyslog")
    server.config.write_text(server.config.read_text().replace(str(server.tcp), str(port)))
    server.tcp = port
    server.start()
    try:
        got = numbers(server.wait_for(count - int(dropped), 60))
        assert got == list(range(int(dropped), count))
    finally:
        server.kill()


def test_long_messages_are_cut_and_stay_valid(start, rsyslog):
    options = ["--syslog-length-limit", "2048"]
    service = start("--syslog", target(rsyslog.udp, "SYSLOGJSON", "UDP"), "--syslog",
                    target(rsyslog.tcp, "SYSLOGKV", "TCP"), *options)
    content = (MARKER + b"\xff\n") * 300
    service.check(content, "/long/" + "\u202e" * 900 + ".php")
    messages = rsyslog.wait_for(2)
    assert all(len(message.encode()) <= 2048 for message in messages)
    [as_json] = [message for message in messages if "] {" in message]
    [as_pairs] = [message for message in messages if "] {" not in message]
    found = finding_of(as_json)
    assert found["subject"]["hashes"]["sha256"] == digests(content)["sha256"]
    assert any(issue["category"] == "truncated" for issue in found["issues"])
    assert 'TRUNCATED="yes"' in as_pairs and as_pairs.endswith('"')


def test_a_receiver_of_yesterday_is_told_of(start):
    service = start("--syslog", target(free_port(), "DEFAULT", "TCP"))
    service.check(MARKER)
    service.stop()
    service.args[service.args.index("--syslog") + 1] = target(free_port(), "DEFAULT", "TCP")
    service.start()
    assert "a receiver that is not in the configuration any more" in service.output()
