"""All outputs at once: nobody misses a finding when the service is killed, none is waited for, none tells a secret."""

import base64
import json
import random
import socket
import socketserver
import ssl
import subprocess
import threading
import time

import requests

from support.rsyslog import Rsyslog
from support.rules import CLEAN, MARKER, SLUGGISH
from support.service import free_port, wait_until
from test_access import Guarded, token
from test_metrics import value
from test_webhook import Receiver

SECRET = "hunter2-k3Y"


class Lines:
    """A syslog receiver for `JSON` over TCP: it keeps whole lines, from all connections, in the order it reads them."""

    def __init__(self, port=None):
        self.lines: list[bytes] = []
        self.connections: list[socket.socket] = []
        kept = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                kept.connections.append(self.connection)
                try:
                    for line in self.rfile:
                        # What was cut off came again, or was never sent to its end.
                        if line.endswith(b"\n"):
                            kept.lines.append(line)
                except OSError:
                    return

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = daemon_threads = True

        self.server = Server(("127.0.0.1", port or 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def cut(self):
        """Cuts the connections there are, without a word."""
        for connection in self.connections:
            try:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                connection.close()
            except OSError:
                pass
        self.connections.clear()

    def close(self):
        self.cut()
        self.server.shutdown()
        self.server.server_close()


def path_and_id(finding: dict) -> tuple[str, str]:
    return finding["subject"]["path"], finding["meta"]["event_id"]


def stored_ids(service) -> set[str]:
    """The ids of all findings in the store."""
    ids, cursor = set(), ""
    while cursor is not None:
        page = service.get("/api/v1/findings", params={"limit": 100, "cursor": cursor}).json()
        ids |= {each["event_id"] for each in page["findings"]}
        cursor = page["cursor"]
    return ids


def test_every_output_gets_every_finding_with_the_same_id_however_often_it_is_killed(start, tmp_path):
    """SIGKILL under load, and receivers that cut the connection: what was acknowledged is everywhere, as one event."""
    chance = random.Random(seed := int(time.time()))
    print(f"seed {seed}")
    log = tmp_path / "logs" / "findings.json"
    log.parent.mkdir()
    receiver, siem = Receiver(), Lines()
    acknowledged: set[str] = set()
    try:
        service = start("--jsonfile", log, "--log-rotate-size", "30KB", "--log-rotate-keep", "0", "--threads", "2",
                        "--webhook", receiver.url, "--syslog", f"127.0.0.1:{siem.port}:JSON:TCP")
        for turn in range(5):
            for number in range(40):
                name = f"/numbered/{turn}/{number}"
                service.enqueue(MARKER + SLUGGISH + name.encode(), name)
                acknowledged.add(name)
                if number == 20 and turn % 2:
                    siem.cut()
            time.sleep(chance.uniform(0.0, 0.8))
            service.kill()
            service.start()
        wait_until(lambda: service.json("/api/status")["queued_async_requests"] == 0, 60, "the queue is empty")

        def logged():
            files = [*log.parent.glob(f"{log.name}*")]
            return [path_and_id(json.loads(line)) for file in files for line in file.read_text().splitlines()]

        def hooked():
            return [path_and_id(json.loads(body)) for _, body, _ in receiver.requests]

        def sent():
            return [path_and_id(json.loads(line)) for line in siem.lines]

        outputs = {"the log": logged, "the webhook": hooked, "syslog": sent}
        ids: dict[str, set[str]] = {}
        for name, got in outputs.items():
            wait_until(lambda got=got: {path for path, _ in got()} >= acknowledged, 60, f"all of it in {name}")
            assert {path for path, _ in got()} == acknowledged, name
            for path, event_id in got():
                ids.setdefault(path, set()).add(event_id)
        assert all(len(each) == 1 for each in ids.values()), [each for each in ids.items() if len(each[1]) > 1][:3]
        assert len(set.union(*ids.values())) == len(acknowledged)
        # The store, which is searched, knows them under the same ids.
        wait_until(lambda: stored_ids(service) == set.union(*ids.values()), 30, "all of it in the store")
        for target in (f"http://127.0.0.1:{receiver.port}", f"127.0.0.1:{siem.port}:JSON:TCP"):
            assert value(service, "squall_output_dropped_total", target=target) == 0
            wait_until(lambda t=target: value(service, "squall_output_waiting", target=t) == 0, 10, "nothing waits")
    finally:
        receiver.close()
        siem.close()


def test_outputs_that_take_nothing_slow_no_scan(start):
    """One that never reads, one that never answers, one whose name is unknown, one that is away, one that drops."""
    receiver = Receiver()
    receiver.delay = 60
    held = []
    with socket.create_server(("127.0.0.1", 0)) as deaf, socket.create_server(("127.0.0.1", 0), backlog=0) as mute:
        threading.Thread(target=lambda: held.append(deaf.accept()), daemon=True).start()
        plain = start(name="plain")
        service = start(
            "--webhook", receiver.url, "--webhook", f"http://127.0.0.1:{free_port()}/", "--syslog", "squall.invalid",
            "--syslog", f"127.0.0.1:{deaf.getsockname()[1]}:SYSLOGJSON:TCP", "--syslog",
            f"127.0.0.1:{mute.getsockname()[1]}:CEF:TCPTLS", "--syslog", f"127.0.0.1:{free_port()}:SYSLOGKV:UDP",
            "--output-buffer-size", "1MB", name="burdened",
        )  # fmt: skip

        def seconds(of) -> tuple[float, float]:
            """Of all the checks, and of the slowest."""
            took = []
            for number in range(300):
                began = time.monotonic()
                of.check((MARKER + b"\n") * 200 + b" %d" % number, f"/numbered/{number}")
                took.append(time.monotonic() - began)
            return sum(took), max(took)

        without, _ = seconds(plain)
        burdened, slowest = seconds(service)
        print(f"300 checks: {without:.1f} s without outputs, {burdened:.1f} s with six that take nothing, slowest {slowest:.2f} s")
        # Each finding is written for each of the six and goes to a disk; none is waited for, which would take seconds.
        assert slowest < 2
        assert burdened < 4 * without + 10
        # Nothing that is asked of the service waits for them either.
        began = time.monotonic()
        assert value(service, "squall_output_waiting", target="squall.invalid:514:DEFAULT:UDP") == 300
        assert time.monotonic() - began < 2
        wait_until(lambda: service.output().count("cannot send findings") >= 3, 20, "they are named")
        assert service.stop() < 20
        for connection, _ in held:
            connection.close()
    receiver.close()


def test_a_name_is_looked_up_and_reached_from_inside_the_sandbox(start):
    """Addresses, names and certificates are read and connections made after the rights were given up."""
    siem, receiver = Lines(), Receiver()
    try:
        service = start("--syslog", f"localhost:{siem.port}:JSON:TCP", "--webhook", f"http://localhost:{receiver.port}/")
        said = service.output()
        assert "sandbox: " in said and "sandbox: off" not in said
        service.check(MARKER, "/a")
        receiver.wait_for(1)
        wait_until(lambda: siem.lines, 10, "a line")
        service.stop()
    finally:
        siem.close()
        receiver.close()


def secrets_of(service, others) -> list[bytes]:
    """Everything that must not be seen, also as Basic credentials and in an address."""
    plain = [SECRET, *others, *service.tokens.values()]
    # Three ways to stand in a word of Base64.
    coded = [base64.b64encode(b"ana:" + SECRET.encode()).decode().rstrip("=")]
    for secret in service.tokens.values():
        coded.append(base64.b64encode(f"collector:{secret}".encode()).decode().rstrip("="))
    return [text.encode() for text in plain + coded]


def test_no_log_and_no_output_has_a_credential(tmp_path, rules):
    """Everything is asked for, and fails, with secrets in every place that takes one; then every byte is looked through."""
    (tmp_path / "hidden").mkdir()
    hmac_file = tmp_path / "hidden" / "hmac"
    hmac_file.write_text("of-a-file-s3cret\n")
    stranger = Rsyslog(tmp_path / "hidden" / "stranger")
    receiver, siem = Receiver(), Lines()
    refusals = iter([500, 422, 422, 422])
    receiver.answer = lambda _: next(refusals, 200)
    away = free_port()

    def address(port: int, scheme: str = "http") -> str:
        return f"{scheme}://ana:{SECRET}@127.0.0.1:{port}/{SECRET}/hook?key={SECRET}#{SECRET}"

    logs = tmp_path / "logs"
    logs.mkdir()
    service = Guarded(
        tmp_path / "s", "--signatures", str(rules), "--access", "tokens", "--token-in-url", "--log-level", "trace",
        "--server-cert", "auto", "--logfile", str(logs / "a.log"), "--jsonfile", str(logs / "a.json"),
        "--archive-password", f"pw-{SECRET}", "--webhook", address(receiver.port), "--webhook", address(away),
        "--webhook", address(stranger.tls, "https"), "--webhook-tries", "2", "--webhook-secret-file", str(hmac_file),
        "--syslog", f"127.0.0.1:{siem.port}:JSON:TCP", "--syslog", f"127.0.0.1:{stranger.tls}:CEF:TCPTLS",
        "--signature-sources", f"https://ana:{SECRET}@127.0.0.1:{away}/set.zip?key={SECRET}", "--signature-update-interval", "1",
        env={"SQUALL_WEBHOOK_SECRET": "of-the-environment-s3cret"}, tls=True,
    )  # fmt: skip
    stranger.start()
    try:
        service.start()
        for secret in service.tokens.values():
            ways = [
                {"headers": {"Authorization": f"Bearer {secret}"}}, {"headers": {"X-API-Key": secret}},
                {"auth": ("collector", secret)}, {"params": {"token": secret}},
            ]  # fmt: skip
            for way in ways:
                for path in ("/api/status", "/api/v1/info", "/api/v1/configuration", "/nowhere", "/api/getAsyncResults?id=x"):
                    requests.get(service.url + path, verify=False, timeout=30, **way)
                requests.post(service.url + "/api/check", files={"file": ("/a", MARKER)}, verify=False, timeout=30, **way)
        # HTTP/2 has its own words for headers.
        for secret in service.tokens.values():
            subprocess.run(["curl", "-sk", "--http2", "-H", f"Authorization: Bearer {secret}", "-u", f"collector:{secret}",
                            f"{service.url}/api/status?token={secret}"], check=True, capture_output=True, timeout=30)
        wrong = token(tmp_path / "other", "admin", "of-another")
        answer = requests.get(service.url + "/api/status", headers={"Authorization": f"Bearer {wrong}"}, verify=False, timeout=30)
        assert answer.status_code == 401
        # A client that forgets itself and sends plain text, with a token in it.
        with socket.create_connection(("127.0.0.1", service.port)) as plain:
            plain.sendall(f"GET /?token={wrong} HTTP/1.1\r\nAuthorization: Bearer {wrong}\r\n\r\n".encode())
            plain.settimeout(10)
            try:
                plain.recv(100)
            except (OSError, ssl.SSLError):
                pass
        for number in range(4):
            service.check(MARKER + b"%d" % number, f"/numbered/{number}")
        service.check(CLEAN)
        receiver.wait_for(3, 60)
        wait_until(lambda: list((service.data / "outputs").rglob("dead-letters.json")), 30, "one is put aside")
        # Two that cannot be reached and one whose certificate is a stranger's, twice.
        wait_until(lambda: service.output().count("cannot send findings") >= 4, 30, "they are named")
        shown = [service.get(path).content for path in ("/metrics", "/api/v1/info", "/api/v1/configuration", "/api/v1/log",
                                                        "/api/v1/self-check", "/api/v1/signatures", "/api/v1/findings")]
        made = subprocess.run(["curl", "-sk", "-H", f"X-API-Key: {service.tokens['admin']}", f"{service.url}/api/v1/overview"],
                              check=True, capture_output=True, timeout=30).stdout
        service.stop()
    finally:
        service.kill()
        stranger.kill()
        receiver.close()
        siem.close()

    secrets = secrets_of(service, ["of-a-file-s3cret", "of-the-environment-s3cret", wrong])
    places = {"answers": b"".join([*shown, made]), "syslog": b"".join(siem.lines),
              "webhook": b"".join(body for _, body, _ in receiver.requests)}
    for root in (service.root, logs):
        places |= {str(file): file.read_bytes() for file in root.rglob("*") if file.is_file()}
    # The sweep looked where it says.
    assert MARKER in places["syslog"] and MARKER in places["webhook"] and MARKER in places[str(logs / "a.json")]
    assert len(places[str(service.output_file)]) > 50_000 and b"TRACE" in places[str(service.output_file)]
    assert any(name.endswith("audit.log") for name in places) and any(name.endswith(".seg") for name in places)
    assert any(name.endswith("dead-letters.json") for name in places)
    for name, content in places.items():
        for secret in secrets:
            at = content.find(secret)
            assert at < 0, f"{name}: {content[max(0, at - 200):at + 100]!r}"
    # The receiver did get what is for it alone.
    assert all(path.startswith(f"/{SECRET}/hook") for _, _, path in receiver.requests)
    assert all(headers["Authorization"].startswith("Basic ") for headers, _, _ in receiver.requests)
