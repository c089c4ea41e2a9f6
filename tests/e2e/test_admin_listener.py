"""A second listener: the first has what collectors need, and nothing else is to be seen there."""

import subprocess

import pytest
import requests

from support.curl import curl, form
from support.places import BINARY
from support.rules import MARKER
from support.service import Service, StartError, free_port
from support.tokens import Guarded, bearer, token


class Two(Guarded):
    """A service with two listeners."""

    def __init__(self, root, *args, **options):
        self.admin_port = free_port()
        super().__init__(root, *args, "--admin-listen", f"127.0.0.1:{self.admin_port}", **options)

    @property
    def admin_url(self):
        """The address of the second listener."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.admin_port}"

    def ask(self, path, url=None, secret=None):
        """Asks at one of the two."""
        headers = bearer(secret or self.tokens["admin"])
        return requests.get((url or self.admin_url) + path, headers=headers, timeout=30, verify=False)


@pytest.fixture(scope="module")
def two(tmp_path_factory, rules):
    service = Two(tmp_path_factory.mktemp("two"), "--signatures", str(rules), "--access", "tokens")
    try:
        yield service.start()
        service.stop()
    finally:
        service.kill()


def test_collectors_have_what_they_need(two, tmp_path):
    sample = tmp_path / "sample"
    sample.write_bytes(MARKER)
    shows = ["-H", f"X-API-Key: {two.tokens['submit']}"]
    for url in (two.url, two.admin_url):
        assert curl(*shows, *form(sample), f"{url}/api/check").json()[0]["level"] == "Warning"
        for path in ("/api/status", "/api/v1/info", "/healthz", "/readyz"):
            assert curl(*shows, f"{url}{path}").status == 200


def test_everything_else_is_elsewhere(two):
    for path in ("/", "/docs/", "/openapi.json", "/static/console.js", "/metrics", "/api/v1/findings", "/api/v1/log",
                 "/api/v1/session", "/api/queueHistory"):  # fmt: skip
        assert two.ask(path).status_code == 200, path
        elsewhere = two.ask(path, two.url)
        unknown = two.ask("/api/v1/none" if path.startswith("/api/v1/") else "/none", two.url)
        for header in ("date",):
            elsewhere.headers.pop(header), unknown.headers.pop(header)
        assert elsewhere.status_code == 404, path
        assert (elsewhere.text, dict(elsewhere.headers)) == (unknown.text, dict(unknown.headers)), path


def test_commands_find_the_listener_for_administrators(two):
    listens = ["--server-port", str(two.port), "--admin-listen", f"127.0.0.1:{two.admin_port}"]
    run = subprocess.run(
        [str(BINARY), "status", "--json", *listens],
        capture_output=True, text=True, timeout=60, check=False, env={"SQUALL_TOKEN": two.tokens["admin"]},
    )  # fmt: skip
    assert run.returncode == 0 and two.admin_url in run.stdout + run.stderr, run.stdout + run.stderr
    assert f"{two.admin_url}/\n" in two.output()


def test_the_same_certificate_for_both(tmp_path, rules):
    service = Two(tmp_path / "s", "--signatures", str(rules), "--server-cert", "auto", "--access", "tokens", tls=True)
    try:
        service.start()
        assert service.ask("/api/v1/log").status_code == 200
        assert service.ask("/api/v1/log", service.url).status_code == 404
        service.stop()
    finally:
        service.kill()


@pytest.mark.parametrize("where", ["--server-host", "--admin-listen"])
def test_either_listener_beyond_loopback_asks_on_both(tmp_path, rules, where):
    admin_port = free_port()
    value = "0.0.0.0" if where == "--server-host" else f"0.0.0.0:{admin_port}"
    options = ["--admin-listen", f"127.0.0.1:{admin_port}"] if where == "--server-host" else []
    service = Service(tmp_path / "s", "--signatures", str(rules), where, value, *options)
    with pytest.raises(StartError) as refused:
        service.start()
    assert "squall token create --role admin" in str(refused.value) and "0.0.0.0:" in str(refused.value)
    secret = token(service.data, "admin", "adm")
    service._session.headers.update(bearer(secret))
    try:
        service.start()
        for port in (service.port, admin_port):
            assert requests.get(f"http://127.0.0.1:{port}/api/status", timeout=10).status_code == 401
            assert service._session.get(f"http://127.0.0.1:{port}/api/status", timeout=10).status_code == 200
        service.stop()
    finally:
        service.kill()


def test_both_on_loopback_ask_nobody(start):
    admin_port = free_port()
    service = start("--admin-listen", f"127.0.0.1:{admin_port}")
    assert service.get("/api/status").status_code == 200
    assert service.get("/api/v1/log").status_code == 404
    assert requests.get(f"http://127.0.0.1:{admin_port}/api/v1/log", timeout=10).status_code == 200
    # No page of somebody else's has its name point there.
    answer = requests.get(f"http://127.0.0.1:{admin_port}/api/v1/log", headers={"Host": "evil.example"}, timeout=10)
    assert answer.status_code == 403


def test_a_port_that_is_taken_is_told(tmp_path, rules, start):
    other = start()
    service = Service(tmp_path / "t", "--signatures", str(rules), "--admin-listen", f"127.0.0.1:{other.port}")
    with pytest.raises(StartError) as refused:
        service.start()
    assert "`admin-listen` cannot be had" in str(refused.value)
