"""Mutual TLS: roles by certificate, with certificates of openssl shown by curl, the sandbox on."""

import json
import shutil
import subprocess
import time

import pytest

from support.authority import Authority
from support.curl import curl, form
from support.places import BINARY
from support.rules import MARKER
from support.service import Service, StartError, wait_until
from support.tokens import bearer, token
from support.tokens import squall as command

RELOAD_SECONDS = 6


def here(analyst: bool) -> dict:
    """What a session says besides, of somebody on this machine."""
    return {"analyst": analyst, "address": "127.0.0.1"}


class Mutual:
    """A service that asks for certificates, and curl that shows them."""

    def __init__(self, root, rules, *args, required=False, crl=False):
        self.authority = Authority(root / "ca")
        options = ["--signatures", rules, "--server-cert", "auto", "--client-ca", self.authority.cert, *args]
        self.crl = self.authority.revoke() if crl else None
        options += ["--client-crl", self.crl] if crl else []
        options += ["--client-auth", "required"] if required else []
        self.service = Service(root / "s", *map(str, options), tls=True)

    def curl(self, certificate, path, *args, must_succeed=True):
        shown = ["--cert", certificate[0], "--key", certificate[1]] if certificate else []
        return curl("--insecure", *shown, *args, self.service.url + path, must_succeed=must_succeed)

    def who(self, certificate, *args):
        return self.curl(certificate, "/api/v1/session", *args).json()

    def audit(self):
        return [json.loads(line) for line in (self.service.data / "audit.log").read_text().splitlines()]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Certificates of one authority, by what they are for."""
    authority = Authority(tmp_path_factory.mktemp("issued") / "ca")
    return authority, {
        "ana": authority.issue("ana", "/C=DE/O=Example, Inc./OU=Sec/CN=ana"),
        "siem": authority.issue("siem", "/O=Example/CN=siem", "URI:spiffe://example.org/siem"),
        "host": authority.issue("host", "/CN=h1", "DNS:h1.site-a.example"),
        "next": authority.issue("next", "/CN=other", "DNS:h1.site-a.example"),
        "host2": authority.issue("host2", "/CN=h2", "DNS:h2.site-a.example"),
        "nobody": authority.issue("nobody", "/CN=nobody"),
        "two": authority.issue("two", "/CN=two", "DNS:h3.site-a.example,DNS:h4.site-a.example"),
    }


RULES = [
    "--certificate-role", r"admin=dn:CN=ana,OU=Sec,O=Example\, Inc.,C=DE",
    "--certificate-role", "read=uri:spiffe://example.org/*",
    "--certificate-role", "submit=dns:*.site-a.example",
]  # fmt: skip


@pytest.fixture(scope="module")
def mutual(tmp_path_factory, rules, certificates):
    root = tmp_path_factory.mktemp("mutual")
    running = Mutual(root, rules, *RULES)
    # Asks on a loopback address too, since it is said who may.
    authority, shown = certificates
    running.authority = authority
    at = running.service.args.index("--client-ca")
    running.service.args[at + 1] = str(authority.cert)
    running.service._session.cert = tuple(map(str, shown["ana"]))
    try:
        yield running.service.start() and running
        running.service.stop()
    finally:
        running.service.kill()


def test_each_certificate_has_the_role_of_its_rule(mutual, certificates):
    authority, shown = certificates
    name = authority.distinguished_name(shown["ana"][0])
    assert name == r"CN=ana,OU=Sec,O=Example\, Inc.,C=DE"
    assert mutual.who(shown["ana"]) == {"required": True, "name": name, "role": "admin", **here(True)}
    assert mutual.who(shown["siem"])["role"] == "read"
    assert mutual.who(shown["host"]) == {"required": True, "name": "h1.site-a.example", "role": "submit", **here(False)}
    for nobody in (shown["nobody"], shown["two"], None):
        assert mutual.who(nobody)["name"] is None
    assert mutual.curl(None, "/api/status").status == 401
    assert mutual.curl(shown["nobody"], "/api/status").status == 401
    assert mutual.curl(shown["two"], "/api/status").status == 403
    assert mutual.curl(shown["host"], "/api/status").status == 200
    assert mutual.curl(shown["host"], "/metrics").status == 403
    assert mutual.curl(shown["siem"], "/metrics").status == 200
    assert mutual.curl(shown["siem"], "/api/v1/log").status == 403
    assert mutual.curl(shown["ana"], "/api/v1/log").status == 200
    # Whoever looks why a certificate has no role finds what it could be known by.
    said = mutual.service.output()
    assert "cn:nobody dn:CN=nobody" in said and "sandbox: Landlock in force, seccomp in force" in said


def test_a_collector_sees_its_own_results_also_after_a_renewal(mutual, certificates, tmp_path):
    _, shown = certificates
    sample = tmp_path / "sample"
    sample.write_bytes(MARKER)
    sent = mutual.curl(shown["host"], "/api/checkAsync", *form(sample, "/tmp/own.txt")).json()["id"]
    path = f"/api/getAsyncResults?id={sent}"

    def done():
        answer = mutual.curl(shown["host"], path).json()
        return answer.get("result")

    assert wait_until(done, 30, "the result")[0]["level"] == "Warning"
    assert mutual.curl(shown["next"], path).status == 200
    hidden = mutual.curl(shown["host2"], path)
    unknown = mutual.curl(shown["host2"], "/api/getAsyncResults?id=999999")
    assert hidden.status == unknown.status == 400
    assert hidden.text.replace(str(sent), "999999") == unknown.text
    assert mutual.curl(shown["siem"], path).status == 200


def test_reviews_and_acts_bear_the_name_of_the_certificate(mutual, certificates, tmp_path):
    _, shown = certificates
    sample = tmp_path / "sample"
    sample.write_bytes(MARKER + b"reviewed")
    mutual.curl(shown["host"], "/api/check", *form(sample, "/tmp/reviewed.txt"))

    def found():
        return mutual.curl(shown["siem"], "/api/v1/findings?name=reviewed.txt").json()["findings"]

    event = wait_until(found, 20, "the finding is stored")[0]["event_id"]
    body = json.dumps({"state": "reviewed", "note": "seen", "who": "somebody else"})
    review = ["-H", "content-type: application/json", "-d", body]
    path = f"/api/v1/findings/{event}/review"
    assert mutual.curl(shown["host"], path, *review).status == 403
    answer = mutual.curl(shown["ana"], path, *review)
    assert answer.status == 200 and answer.json()["who"].startswith("CN=ana,")
    refused, done = mutual.audit()[-2:]
    assert (refused["who"], refused["outcome"]) == ("h1.site-a.example", "refused")
    assert (done["who"], done["role"], done["outcome"]) == (answer.json()["who"], "admin", "done")
    said = subprocess.run(
        ["openssl", "x509", "-in", shown["ana"][0], "-noout", "-fingerprint", "-sha256"],
        capture_output=True, text=True, timeout=30, check=True,
    ).stdout  # fmt: skip
    assert done["certificate"] == said.strip().split("=")[1].replace(":", "").lower()


def test_a_token_beside_a_certificate_counts(mutual, certificates):
    _, shown = certificates
    secret = token(mutual.service.data, "read", "reader")
    header = ["-H", f"Authorization: {bearer(secret)['Authorization']}"]
    assert mutual.who(shown["ana"], *header) == {"required": True, "name": "reader", "role": "read", **here(False)}
    assert mutual.curl(shown["ana"], "/api/v1/log", *header).status == 403
    command(mutual.service.data, "token", "revoke", "reader")
    wait_until(lambda: mutual.curl(shown["ana"], "/metrics", *header).status == 401, 5, "it is revoked")
    assert mutual.curl(shown["nobody"], "/metrics").status == 401


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
def test_a_session_that_is_resumed_is_still_that_of_its_certificate(mutual, certificates, tmp_path, version):
    _, shown = certificates

    def ask(*options) -> str:
        return subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{mutual.service.port}", f"-{version}", "-ign_eof", *options],
            input="GET /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", text=True, check=True,
            capture_output=True, timeout=30,
        ).stdout  # fmt: skip

    session = tmp_path / "session"
    first = ask("-cert", shown["host"][0], "-key", shown["host"][1], "-sess_out", session)
    assert '"name":"h1.site-a.example"' in first and "New, TLSv1" in first
    # It shows none this time: what the service gave it says who it is.
    again = ask("-sess_in", session)
    assert '"name":"h1.site-a.example"' in again and "Reused, TLSv1" in again


def test_a_certificate_is_needed_where_it_is_required(tmp_path, rules):
    mutual = Mutual(tmp_path, rules, "--certificate-role", "submit=cn:*", required=True)
    good = mutual.authority.issue("good", "/CN=good")
    other = Authority(tmp_path / "other").issue("good", "/CN=good")
    mutual.service._session.cert = tuple(map(str, good))
    try:
        mutual.service.start()
        assert mutual.curl(good, "/api/status").status == 200
        for bad in (None, other):
            assert mutual.curl(bad, "/healthz", must_succeed=False).exit_status != 0
        assert "refused a client's certificate" in mutual.service.output()
        pem = tmp_path / "both.pem"
        pem.write_text(good[0].read_text() + good[1].read_text())

        def status(*args):
            return subprocess.run(
                [str(BINARY), "status", "--url", mutual.service.url, "--insecure", *args],
                capture_output=True, text=True, timeout=60, check=False, env={},
            )  # fmt: skip

        assert status().returncode == 2
        assert status("--client-cert", str(pem)).returncode == 0
        mutual.service.stop()
    finally:
        mutual.service.kill()


def test_a_revoked_certificate_and_another_authority_without_a_restart(tmp_path, rules):
    mutual = Mutual(tmp_path, rules, "--certificate-role", "admin=cn:*", crl=True)
    ana, eve = mutual.authority.issue("ana", "/CN=ana"), mutual.authority.issue("eve", "/CN=eve")
    mutual.service._session.cert = tuple(map(str, ana))
    try:
        mutual.service.start()
        assert mutual.curl(eve, "/api/v1/log").status == 200
        mutual.authority.revoke(eve[0])
        wait_until(
            lambda: mutual.curl(eve, "/healthz", must_succeed=False).exit_status != 0, RELOAD_SECONDS, "it is revoked"
        )
        assert mutual.curl(ana, "/api/v1/log").status == 200
        # A list that cannot be read changes nothing, and is told.
        kept = mutual.crl.read_bytes()
        mutual.crl.write_text("broken")
        time.sleep(3)
        assert mutual.curl(ana, "/api/v1/log").status == 200
        assert mutual.curl(eve, "/healthz", must_succeed=False).exit_status != 0
        assert "cannot be used" in mutual.service.output()
        mutual.crl.write_bytes(kept)
        # Another authority: its certificates are good, those of the first are not.
        other = Authority(tmp_path / "other", "next")
        bob = other.issue("bob", "/CN=bob")
        shutil.copy(other.revoke(), mutual.crl)
        shutil.copy(other.cert, mutual.authority.cert)
        wait_until(lambda: mutual.curl(bob, "/api/v1/log", must_succeed=False).status == 200, RELOAD_SECONDS, "the next")
        assert mutual.curl(ana, "/healthz", must_succeed=False).exit_status != 0
        mutual.service.kill()
    finally:
        mutual.service.kill()


def test_roles_are_let_in_from_their_networks_only(tmp_path, rules):
    networks = ["--role-network", "admin=127.0.0.2", "--role-network", "admin=192.0.2.0/24",
                "--role-network", "submit=127.0.0.0/8"]  # fmt: skip
    mutual = Mutual(tmp_path, rules, "--certificate-role", "admin=cn:ana", "--certificate-role", "submit=cn:host", *networks)
    ana, host = mutual.authority.issue("ana", "/CN=ana"), mutual.authority.issue("host", "/CN=host")
    mutual.service._session.cert = tuple(map(str, host))
    secret = token(mutual.service.data, "admin", "adm")
    reader = token(mutual.service.data, "read", "rd")
    there = ["--interface", "127.0.0.2"]
    shows = ["-H", f"X-API-Key: {secret}"]
    try:
        mutual.service.start()
        for certificate, args in ((ana, []), (None, shows)):
            refused = mutual.curl(certificate, "/api/v1/log", *args)
            assert refused.status == 403 and "not let in from this address" in refused.text
            assert mutual.curl(certificate, "/api/v1/log", *args, *there).status == 200
        assert mutual.curl(host, "/api/status").status == 200
        assert mutual.curl(None, "/metrics", "-H", f"X-API-Key: {reader}").status == 200
        # A session of the console is good where its role is.
        body = ["-H", "content-type: application/json", "-H", "X-Squall-Console: 1", "-d", json.dumps({"token": secret})]
        assert mutual.curl(None, "/api/v1/session", *body).status == 403
        begun = mutual.curl(None, "/api/v1/session", *body, *there)
        cookie = ["-H", "Cookie: " + begun.headers["set-cookie"].split(";")[0]]
        assert mutual.curl(None, "/api/v1/log", *cookie, *there).status == 200
        assert mutual.curl(None, "/api/v1/log", *cookie).status == 403
        # What was refused was no use of the token.
        mutual.service.stop()
    finally:
        mutual.service.kill()
    listed = map(json.loads, command(mutual.service.data, "token", "list", "--json").stdout.splitlines())
    assert {entry["name"]: entry["last_use"]["from"] for entry in listed} == {"adm": "127.0.0.2", "rd": "127.0.0.1"}


def test_networks_are_those_of_whom_a_proxy_speaks_for(start, tmp_path):
    service = Service(
        tmp_path / "p", "--trusted-proxy", "127.0.0.1", "--access", "tokens", "--role-network", "admin=192.0.2.0/24"
    )
    secret = token(service.data, "admin", "adm")
    service._session.headers.update({**bearer(secret), "X-Forwarded-For": "192.0.2.7"})
    try:
        service.start()
        assert service.get("/api/v1/log").status_code == 200
        for address in ("198.51.100.7", "192.0.2.7, 198.51.100.7"):
            answer = service.get("/api/v1/log", headers={"X-Forwarded-For": address})
            assert answer.status_code == 403, address
        service.stop()
    finally:
        service.kill()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--client-ca", "ca.pem"], "plain HTTP"),
        (["--certificate-role", "admin=cn:ana"], "without `client-ca`"),
        (["--server-cert", "auto", "--client-ca", "none.pem"], "none.pem"),
        (["--role-network", "admin=10.0.0.0/8", "--insecure-open"], "lets everybody in"),
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path, rules, args, said):
    service = Service(tmp_path / "s", "--signatures", str(rules), *args)
    with pytest.raises(StartError) as refused:
        service.start()
    assert said in str(refused.value)


def test_certificates_are_enough_to_listen_elsewhere(tmp_path, rules):
    mutual = Mutual(tmp_path, rules, "--server-host", "0.0.0.0", "--certificate-role", "submit=cn:*")
    host = mutual.authority.issue("host", "/CN=host")
    mutual.service._session.cert = tuple(map(str, host))
    try:
        mutual.service.start()
        assert mutual.curl(None, "/api/status").status == 401
        assert mutual.curl(host, "/api/status").status == 200
        mutual.service.stop()
    finally:
        mutual.service.kill()
