"""`install.sh` on a machine with a real systemd: one life of an installation, in order."""

import json
import time

import pytest
from harness.delivery import DEPLOY, FILES, INSTALLER, assert_locked_in, deliver
from support.rules import EICAR

LOG = "/var/log/squall/squall.log"
DROPINS = "/etc/systemd/system/squall.service.d"


@pytest.fixture(scope="module")
def delivered(machine):
    deliver(machine)
    return machine


def test_dry_run_says_everything_and_changes_nothing(delivered):
    before = delivered.contents(*FILES)
    said = delivered.run(INSTALLER, "--dry-run").stdout
    for what in ("user squall", "/etc/squall/squall.yml", "/var/lib/squall", "/var/log/squall", "/usr/local/bin/squall",
                 "/etc/logrotate.d/squall", "squall.service", "enable the service", "start the service"):
        assert what in said
    assert delivered.contents(*FILES) == before


@pytest.mark.parametrize("reply", ["n\n", "\n", ""])
def test_nothing_is_done_without_a_yes(delivered, reply):
    before = delivered.contents(*FILES)
    assert "Nothing was changed." in delivered.run(INSTALLER, text=reply).stdout
    assert delivered.contents(*FILES) == before


def test_installs_and_serves(delivered):
    said = delivered.run(INSTALLER, text="y\n").stdout
    assert "ready: http://127.0.0.1:8080" in said
    assert delivered.unit("ActiveState") == "active"
    assert delivered.run("systemctl", "is-enabled", "squall").stdout.strip() == "enabled"
    assert delivered.owner("/var/lib/squall") == "750 squall squall"
    assert delivered.owner("/var/log/squall") == "750 squall squall"
    assert delivered.owner("/etc/squall/squall.yml") == "640 root squall"
    assert delivered.owner("/usr/local/bin/squall") == "755 root root"
    assert delivered.run("getent", "passwd", "squall").stdout.strip().endswith("/usr/sbin/nologin")
    [finding] = delivered.check(EICAR)
    assert finding["level"] == "Alert"
    assert "SQUALL_Test_EICAR" in delivered.path(LOG).read_text()
    [line] = delivered.path("/var/log/squall/squall.json").read_text().splitlines()
    assert json.loads(line)["message"] == "Malware file found"


def test_runs_with_the_rights_it_needs_and_no_others(delivered):
    pid = delivered.unit("MainPID")
    status = delivered.run("cat", f"/proc/{pid}/status").stdout
    uid = delivered.run("id", "-u", "squall").stdout.strip()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["Uid"].split() == [uid] * 4
    for capabilities in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(fields[capabilities], 16) == 0, capabilities
    assert fields["NoNewPrivs"].strip() == "1"
    assert fields["Seccomp"].strip() == "2"
    assert_locked_in(delivered)


def test_the_second_time_changes_nothing(delivered):
    pid = delivered.unit("MainPID")
    before = delivered.contents("/etc", "/usr/local")
    assert "do nothing" in delivered.run(INSTALLER, "auto").stdout
    assert delivered.contents("/etc", "/usr/local") == before
    assert delivered.unit("MainPID") == pid


def test_what_the_operator_wrote_is_kept_and_what_is_missing_comes_back(delivered):
    settings = delivered.path("/etc/squall/squall.yml")
    settings.write_text(settings.read_text() + "server-port: 8081\n")
    delivered.path("/etc/logrotate.d/squall").unlink()
    said = delivered.run(INSTALLER, "auto").stdout
    assert "create /etc/logrotate.d/squall" in said and "ready: http://127.0.0.1:8081" in said
    assert settings.read_text().endswith("server-port: 8081\n")
    settings.write_text(settings.read_text().replace("server-port: 8081\n", ""))
    delivered.run("systemctl", "restart", "squall")
    delivered.wait_ready()


def test_a_configuration_that_is_not_valid_stops_it_before_it_begins(delivered):
    settings = delivered.path("/etc/squall/squall.yml")
    good = settings.read_text()
    settings.write_text(good + "server-prot: 1\n")
    before = delivered.contents("/etc", "/usr/local")
    refused = delivered.run(INSTALLER, "auto", check=False)
    assert refused.returncode == 1
    assert "server-port" in refused.stderr and "nothing was changed" in refused.stderr
    assert delivered.contents("/etc", "/usr/local") == before
    settings.write_text(good)


def test_logs_are_rotated_and_nothing_is_lost(delivered):
    before = delivered.path(LOG).read_text()
    assert before.count("\n") == 1
    delivered.run("logrotate", "--force", "/etc/logrotate.d/squall")
    assert delivered.owner(LOG) == "640 squall squall"
    [rotated] = delivered.path("/var/log/squall").glob("squall.log-*")
    end = 100
    while "log files opened again" not in delivered.journal():
        end -= 1
        assert end, delivered.journal()
    delivered.check(EICAR)
    assert rotated.read_text() == before
    assert delivered.path(LOG).read_text().count("\n") == 1
    # The next rotation compresses the file of the one before; names tell seconds.
    time.sleep(1.1)
    delivered.run("logrotate", "--force", "/etc/logrotate.d/squall")
    assert len(list(delivered.path("/var/log/squall").glob("squall.log-*.gz"))) == 1


@pytest.mark.parametrize("listener", ["127.0.0.1:443", '"[::1]:443"'])
def test_a_low_port_for_administrators_gets_the_right_that_it_needs(delivered, listener):
    settings = delivered.path("/etc/squall/squall.yml")
    before = settings.read_text()
    settings.write_text(before + f"admin-listen: {listener}\n")
    assert f"create {DROPINS}/low-port.conf" in delivered.run(INSTALLER, "auto").stdout
    assert delivered.json("/api/v1/overview", f"http://{listener.strip(chr(34))}")["version"]
    settings.write_text(before)
    assert f"remove {DROPINS}/low-port.conf" in delivered.run(INSTALLER, "auto").stdout
    assert not delivered.exists(DROPINS)


def test_uninstall_asks_and_leaves_what_is_the_operators(delivered):
    delivered.check(EICAR)
    delivered.put(DEPLOY / "low-port.conf", f"{DROPINS}/low-port.conf")
    delivered.write(f"{DROPINS}/data.conf", "[Service]\nReadWritePaths=/srv\n")
    before = delivered.contents(*FILES)
    assert "Nothing was changed." in delivered.run(INSTALLER, "uninstall", text="n\n").stdout
    assert delivered.contents("/etc", "/usr/local") == {
        path: what for path, what in before.items() if "/etc" in path or "/usr/local" in path
    }
    assert delivered.unit("ActiveState") == "active"

    said = delivered.run(INSTALLER, "uninstall", text="y\n").stdout
    assert "leave the logs" in said and f"leave {DROPINS}/data.conf" in said
    assert delivered.unit("ActiveState") == "inactive"
    for gone in ("/usr/local/bin/squall", "/usr/local/sbin/squall-update", "/usr/local/lib/squall",
                 "/etc/systemd/system/squall.service", "/etc/logrotate.d/squall", f"{DROPINS}/low-port.conf",
                 "/etc/systemd/system/multi-user.target.wants/squall.service"):
        assert not delivered.exists(gone), gone
    assert "SQUALL_Test_EICAR" in delivered.path(LOG).read_text()
    assert delivered.exists("/etc/squall/squall.yml") and delivered.exists("/var/lib/squall/queue")
    assert delivered.exists(f"{DROPINS}/data.conf")
    assert "not installed" in delivered.run(INSTALLER, "uninstall", "auto").stdout


def test_installs_again_with_what_was_left_and_goes_with_its_data(delivered):
    scanned = delivered.path(LOG).read_text()
    delivered.run(INSTALLER, "auto")
    assert delivered.json("/api/status")["scanned_samples"] == 3, "the counters are those of before"
    delivered.path(f"{DROPINS}/data.conf").unlink()
    delivered.put(DEPLOY / "low-port.conf", f"{DROPINS}/low-port.conf")
    delivered.run(INSTALLER, "auto", "uninstall", "--delete-data")
    assert not delivered.exists(DROPINS), "nothing is left in it"
    assert not delivered.exists("/etc/squall") and not delivered.exists("/var/lib/squall")
    assert delivered.path(LOG).read_text() == scanned
