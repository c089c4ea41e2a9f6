"""An existing Thunderstorm installation, and a machine whose systemd does not run."""

import subprocess

import pytest
from harness.delivery import FILES, INSTALLER, deliver
from support.rules import EICAR

ORIGINAL = "/etc/thunderstorm/thunderstorm.yml"
# What the original's installer writes, with a port and a certificate set.
CONFIGURATION = """\
# License path
license-path: /etc/thunderstorm
logfile: /var/log/thunderstorm/thunderstorm.log
appendlog: True
server-host: 0.0.0.0
server-port: 443
pure-yara: True
server-cert: /etc/thunderstorm/cert.pem
server-key: /etc/thunderstorm/key.pem
server-upload-dir: /tmp/thunderstorm
server-store-samples: none
#server-result-cache-size: 10000
noscanid: True
max_runtime: 0
"""


@pytest.fixture
def delivered(new_machine):
    machine = new_machine()
    deliver(machine)
    return machine


def write_original(machine, text=CONFIGURATION):
    machine.write(ORIGINAL, text)
    folder = machine.path(ORIGINAL).parent
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")],
        check=True,
        capture_output=True,
    )  # fmt: skip
    (folder / "key.pem").chmod(0o600)


def test_takes_over_an_existing_configuration_and_serves_with_it(delivered):
    write_original(delivered)
    delivered.boot()
    before = delivered.contents("/etc/thunderstorm")
    said = delivered.run(INSTALLER, text="y\n").stdout
    assert f"from {ORIGINAL}" in said
    assert "logfile: /var/log/squall/thunderstorm.log instead of /var/log/thunderstorm/thunderstorm.log" in said
    assert "insecure-open: true, as it was" in said
    assert "ready: https://127.0.0.1:443" in said
    assert delivered.contents("/etc/thunderstorm") == before
    assert delivered.owner("/etc/squall/tls/key.pem") == "640 root squall"
    assert delivered.check(EICAR, base="https://127.0.0.1")[0]["level"] == "Alert"
    assert delivered.path("/var/log/squall/thunderstorm.log").read_text().count("\n") == 1
    in_force = delivered.run("/usr/local/bin/squall", "check-config", "-t", "/etc/squall/squall.yml").stdout
    assert "pure-yara: true" in in_force and "data-dir: /var/lib/squall" in in_force
    assert "do nothing" in delivered.run(INSTALLER, "auto").stdout


def test_a_file_that_cannot_be_used_stops_it_before_it_begins(delivered):
    write_original(delivered, CONFIGURATION + "server-prot: 8080\n")
    before = delivered.contents(*FILES)
    refused = delivered.run(INSTALLER, "auto", check=False)
    assert refused.returncode == 1
    assert "server-port" in refused.stderr and "--no-take-over" in refused.stderr
    assert delivered.contents(*FILES) == before


def test_leaves_the_original_alone_while_it_runs(delivered):
    unit = "[Service]\nExecStart=/bin/sleep infinity\n"
    delivered.write("/etc/systemd/system/thor-thunderstorm.service", unit)
    delivered.boot()
    delivered.run("systemctl", "start", "thor-thunderstorm")
    said = delivered.run(INSTALLER, "auto").stdout
    assert "not started: thor-thunderstorm runs" in said
    assert delivered.run("systemctl", "is-active", "thor-thunderstorm").stdout.strip() == "active"
    assert delivered.unit("ActiveState") == "inactive"
    delivered.run("systemctl", "disable", "--now", "thor-thunderstorm")
    delivered.run("systemctl", "start", "squall")
    delivered.wait_ready()


def test_says_why_the_service_does_not_get_ready(delivered):
    """The port is somebody else's."""
    delivered.write("/etc/systemd/system/other.socket", "[Socket]\nListenStream=127.0.0.1:8080\n")
    delivered.write("/etc/systemd/system/other.service", "[Service]\nExecStart=/bin/sleep infinity\n")
    delivered.boot()
    delivered.run("systemctl", "start", "other.socket")
    failed = delivered.run(INSTALLER, "auto", check=False)
    assert failed.returncode == 1
    assert "ended before it was ready" in failed.stderr and "cannot listen on `127.0.0.1` port 8080" in failed.stderr
    # It comes by itself once it can.
    delivered.run("systemctl", "stop", "other.socket", "other.service")
    delivered.wait_ready()


def test_installs_where_systemd_does_not_run(delivered):
    said = delivered.run(INSTALLER, "auto").stdout
    assert "enable the service" in said
    assert delivered.exists("/etc/systemd/system/multi-user.target.wants/squall.service")
    assert "do nothing" in delivered.run(INSTALLER, "auto").stdout
    # It begins with the machine.
    delivered.boot()
    delivered.wait_ready()
    assert delivered.check(EICAR)[0]["level"] == "Alert"


def test_installs_and_removes_without_ever_booting(delivered):
    delivered.run(INSTALLER, "auto")
    delivered.run(INSTALLER, "auto", "uninstall", "--delete-data")
    assert not delivered.exists("/etc/systemd/system/multi-user.target.wants/squall.service")
    assert not delivered.exists("/etc/squall") and not delivered.exists("/usr/local/bin/squall")
    assert delivered.exists("/var/log/squall")


def test_refuses_what_does_not_run_and_what_it_does_not_know(delivered):
    delivered.write("/root/text", "no program", mode=0o755)
    before = delivered.contents(*FILES)
    for arguments in (["auto", "--binary", "/root/text"], ["auto", "--binary", "/root/none"], ["instal"], ["--binary"]):
        assert delivered.run(INSTALLER, *arguments, check=False).returncode != 0, arguments
    assert delivered.contents(*FILES) == before
