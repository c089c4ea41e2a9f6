"""TLS: the certificate it makes itself, one of the operator's, and both HTTP versions over it."""

import shutil
import socket
import ssl
import subprocess
import time

import pytest

from support.curl import curl, form
from support.raw import connect, end_stream
from support.rules import CLEAN, MARKER
from support.service import Service, wait_until


def certificate(service) -> bytes:
    """Returns the certificate the service shows."""
    with connect(service) as sock:
        return sock.getpeercert(binary_form=True)


def make_certificate(folder, name: str):
    """Makes a key and a self-signed certificate for 127.0.0.1; returns their paths."""
    folder.mkdir(exist_ok=True)
    cert, key = folder / f"{name}.crt", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
        check=True, capture_output=True, timeout=60,
    )
    return cert, key


@pytest.fixture
def sample(tmp_path):
    path = tmp_path / "sample"
    path.write_bytes(MARKER)
    return path


def test_automatic_certificate_is_kept(start):
    service = start("--server-cert", "auto", tls=True)
    assert len(service.check(MARKER)) == 1
    first = certificate(service)
    service.stop()
    service.start()
    assert certificate(service) == first
    keys = [path for path in service.data.rglob("*") if path.is_file() and b"PRIVATE KEY" in path.read_bytes()[:4096]]
    assert keys, "the key is kept in the data directory"
    assert all(path.stat().st_mode & 0o077 == 0 for path in keys), "others can read the key"


@pytest.mark.parametrize(("option", "version"), [("--http1.1", "1.1"), ("--http2", "2")])
def test_both_http_versions(start, tmp_path, sample, option, version):
    cert, key = make_certificate(tmp_path, "own")
    service = start("--server-cert", cert, "--server-key", key, tls=True)
    answer = curl(option, "--cacert", cert, *form(sample, "/srv/a.txt"), f"{service.url}/api/check")
    assert (answer.status, answer.http_version) == (200, version)
    assert answer.json()[0]["context"]["file"] == "/srv/a.txt"
    answer = curl(option, "--cacert", cert, "-F", "other=x", f"{service.url}/api/check")
    assert answer.status == 400


def test_http2_without_tls(start, sample):
    service = start()
    answer = curl("--http2-prior-knowledge", *form(sample), f"{service.url}/api/check")
    assert (answer.status, answer.http_version) == (200, "2")


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_tls_versions(start, tmp_path, version):
    cert, key = make_certificate(tmp_path, "own")
    service = start("--server-cert", cert, "--server-key", key, tls=True)
    assert curl(f"--tlsv{version}", "--tls-max", version, "--cacert", cert, f"{service.url}/api/info").status == 200


def test_old_tls_is_refused(start):
    service = start("--server-cert", "auto", tls=True)
    answer = curl("--insecure", "--tls-max", "1.1", f"{service.url}/api/info", must_succeed=False)
    assert answer.exit_status != 0


def test_certificate_is_reloaded_when_its_files_change(start, tmp_path):
    cert, key = make_certificate(tmp_path / "a", "old")
    service = start("--server-cert", cert, "--server-key", key, tls=True)
    before = certificate(service)
    newer_cert, newer_key = make_certificate(tmp_path / "b", "new")
    # Between the two copies key and certificate do not fit: the old pair goes on.
    shutil.copy(newer_key, key)
    assert certificate(service) == before
    shutil.copy(newer_cert, cert)
    expected = ssl.PEM_cert_to_DER_cert(newer_cert.read_text())
    wait_until(lambda: certificate(service) == expected, 30, "the new certificate", pause=0.5)
    assert service.check(CLEAN) == []


def test_broken_new_certificate_does_not_end_the_service(start, tmp_path):
    cert, key = make_certificate(tmp_path, "own")
    service = start("--server-cert", cert, "--server-key", key, tls=True)
    before = certificate(service)
    cert.write_text("no certificate at all\n")
    # Long enough for the service to look at the files more than once.
    for _ in range(8):
        time.sleep(0.5)
        assert certificate(service) == before
    assert service.check(CLEAN) == []


@pytest.mark.parametrize("wrong", ["key of another", "no certificate", "empty"])
def test_wrong_pair_is_refused_at_the_start(tmp_path, wrong):
    cert, key = make_certificate(tmp_path / "a", "one")
    if wrong == "key of another":
        _, key = make_certificate(tmp_path / "b", "two")
    else:
        cert.write_text("" if wrong == "empty" else "nonsense")
    service = Service(tmp_path / "squall", "--server-cert", str(cert), "--server-key", str(key), tls=True).spawn()
    try:
        assert service.wait_for_exit() not in (0, 101)
    finally:
        service.kill()
    assert cert.name in service.output() or key.name in service.output(), service.output()
    service.check_output()


def test_garbage_instead_of_a_handshake(start):
    service = start("--server-cert", "auto", tls=True)
    for data in (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"\x00" * 1000, b"\x00", b""):
        with socket.create_connection(("127.0.0.1", service.port), timeout=10) as sock:
            sock.sendall(data)
            end_stream(sock)
            try:
                while sock.recv(4096):
                    pass
            except ConnectionResetError:
                pass
    assert len(service.check(MARKER)) == 1


def test_handshake_that_never_comes_is_cut(start):
    service = start("--server-cert", "auto", "--header-timeout", "2s", "--idle-timeout", "2s", tls=True)
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as sock:
        assert sock.recv(100) == b"", "a connection without a handshake stays open"
    assert service.check(CLEAN) == []


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
def test_session_is_resumed_after_those_of_a_fleet(start, tmp_path, version):
    """A collector that comes back once an hour need not shake hands anew, however many others came meanwhile."""
    cert, key = make_certificate(tmp_path, "own")
    service = start("--server-cert", cert, "--server-key", key, tls=True)

    def ask(*options) -> str:
        return subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{service.port}", f"-{version}", "-CAfile", cert, *options],
            input="GET /api/info HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", text=True, check=True,
            capture_output=True, timeout=30,
        ).stdout

    session = tmp_path / "session"
    first = ask("-ign_eof", "-sess_out", session)
    assert "200 OK" in first and "New, TLSv1" in first
    for _ in range(300):
        connect(service).close()
    again = ask("-ign_eof", "-sess_in", session)
    assert "200 OK" in again and "Reused, TLSv1" in again
