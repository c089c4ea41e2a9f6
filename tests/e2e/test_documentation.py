"""What the documents tell to write and to run is understood by those who are told, and does what it says."""

import shutil
import subprocess

import pytest
import yaml

from support.documents import blocks
from support.places import BINARY, REPOSITORY
from support.rsyslog import Rsyslog
from support.rules import MARKER
from support.service import Service, running, wait_until

# Files of others: a block that begins so is not a configuration of Squall.
OTHERS = ("filebeat.inputs:", "livenessProbe:", "scrape_configs:")
DOCUMENTS = sorted(path.name for path in (REPOSITORY / "docs").glob("*.md"))
SETTINGS = [(name, block) for name in DOCUMENTS for block in blocks(name, "yaml") if not block.startswith(OTHERS)]


@pytest.mark.parametrize(("name", "block"), SETTINGS, ids=[f"{name}-{block.split(':')[0]}" for name, block in SETTINGS])
def test_settings_are_understood(name, block, tmp_path):
    path = tmp_path / "squall.yml"
    path.write_text(block)
    done = subprocess.run([BINARY, "check-config", "-t", path], env={}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_both_files_for_rsyslog_bring_a_finding_there(start, tmp_path):
    [receiver] = blocks("siem.md", "", "### rsyslog")
    [sender] = blocks("siem.md", "yaml", "### rsyslog")

    class Documented(Rsyslog):
        def _configuration(self) -> str:
            self.tcp, self.raw = self.tls, self.root / "squall-findings.log"
            text = receiver.replace("/etc/ssl/syslog", str(self.root)).replace("/var/log/squall-findings.log", str(self.raw))
            return text.replace('"6514"', f'"{self.tls}"')

        def _has_udp(self) -> bool:
            return True

    rsyslog = Documented(tmp_path / "rsyslog")
    rsyslog.start()
    try:
        settings = tmp_path / "squall.yml"
        settings.write_text(
            sender.replace("loghost.example.org:6514", f"127.0.0.1:{rsyslog.tls}")
            .replace("/etc/squall/syslog-ca.pem", str(rsyslog.ca))
        )  # fmt: skip
        service = start("-t", settings)
        service.check(MARKER, "/srv/shell.php")
        [line] = rsyslog.wait_for(1)
        assert "FILE: /srv/shell.php" in line
    finally:
        rsyslog.stop()


@pytest.fixture
def certificates(tmp_path, rules):
    """A service set up by the section on client certificates, and what runs the section's commands."""
    section = "## Client certificates"
    issue, show, revoke = blocks("security.md", "sh", section)
    settings = blocks("security.md", "yaml", section)[0]
    etc, authority = tmp_path / "etc", tmp_path / "squall-ca"
    etc.mkdir()

    def run(commands: str, url: str = "") -> str:
        commands = commands.replace("/etc/squall", str(etc)).replace("/root/squall-ca", str(authority))
        commands = commands.replace("https://squall:8080", url).replace("curl ", "curl --insecure ")
        commands = commands.replace("squall status", f"{BINARY} status --insecure")
        cwd = authority if authority.exists() else tmp_path
        done = subprocess.run(["sh", "-ec", commands], cwd=cwd, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run(issue)
    (authority / "a.exe").write_bytes(MARKER)
    # The certificate of the service is another section's.
    written = yaml.safe_load(settings) | {"server-cert": "auto"}
    del written["server-key"]
    path = tmp_path / "squall.yml"
    path.write_text(yaml.safe_dump(written).replace("/etc/squall", str(etc)))
    service = Service(tmp_path / "squall", "--signatures", str(rules), "-t", str(path), tls=True)
    # It asks on a loopback address too, since it is said who may.
    service._session.cert = (str(authority / "ana.crt"), str(authority / "ana.key"))
    with running(service):
        yield service, run, show, revoke


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed: tests/run installs it")
def test_client_certificates_are_made_shown_and_revoked(certificates):
    service, run, show, revoke = certificates
    said = run(show, service.url)
    assert '"rulename":"E2E_Marker"' in said, said
    assert '"name":"CN=ana,O=Example"' in said and '"role":"admin"' in said, said
    assert "ready: Squall" in said, said
    run(revoke)
    who = "curl --silent --cert web-01.crt --key web-01.key --output /dev/null --write-out '%{http_code}' https://squall:8080/api/status || true"
    wait_until(lambda: run(who, service.url) != "200", 15, "the certificate is good for nothing")
    assert run(who.replace("web-01", "ana"), service.url) == "200"
