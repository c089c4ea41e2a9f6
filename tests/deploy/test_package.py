"""The Debian package on a machine with a real systemd: one life of an installation, in order."""

import os
import re
import shutil
import subprocess

import pytest
from harness.delivery import DEPLOY, assert_all_found, assert_locked_in, queue_samples, use_queue_rule
from harness.root import TOOLS
from support.needs import lacking
from support.places import BINARY, REPOSITORY
from support.rules import EICAR

LOG = "/var/log/squall/squall.log"
SETTINGS = "/etc/squall/squall.yml"


def build(folder, version: str):
    """Builds the package of the program under test; `--fast` only compresses less."""
    # cargo-deb looks for the program in the target directory.
    release = folder / "target" / "release"
    release.mkdir(parents=True, exist_ok=True)
    if not (release / "squall").exists():
        os.symlink(BINARY, release / "squall")
    package = folder / f"squall_{version}.deb"
    subprocess.run(
        ["cargo", "deb", "--quiet", "--no-build", "--no-strip", "--fast", "--locked", "-p", "squall",
         "--deb-version", version, "--output", str(package)],
        cwd=REPOSITORY,
        check=True,
        env={**os.environ, "CARGO_TARGET_DIR": str(folder / "target"), "PATH": f"{TOOLS / 'bin'}:{os.environ['PATH']}"},
    )  # fmt: skip
    return package


def next_version(folder, package, version: str):
    """The same package under another version; building it anew would only take longer."""
    tree = folder / "tree"
    subprocess.run(["dpkg-deb", "--raw-extract", package, tree], check=True)
    control = tree / "DEBIAN" / "control"
    control.write_text(re.sub(r"(?m)^Version: .*$", f"Version: {version}", control.read_text()))
    made = folder / f"squall_{version}.deb"
    subprocess.run(["dpkg-deb", "-Znone", "--build", tree, made], check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(tree)
    return made


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """Two versions of the package."""
    if not (TOOLS / "bin" / "cargo-deb").exists() and not shutil.which("cargo-deb"):
        lacking("cargo-deb is not installed")
    folder = tmp_path_factory.mktemp("packages")
    first = build(folder, "0.1.0-1")
    return [first, next_version(folder, first, "0.1.0-2")]


@pytest.fixture(scope="module")
def delivered(machine, packages):
    for package in packages:
        machine.put(package, f"/root/{package.name}")
    return machine


def version(machine) -> str:
    return machine.run("dpkg-query", "-W", "-f", "${Status} ${Version}", "squall").stdout


def test_is_refused_beside_an_installation_by_the_script(delivered):
    delivered.write("/usr/local/bin/squall", "")
    delivered.write("/etc/systemd/system/squall.service", "")
    refused = delivered.run("dpkg", "-i", "/root/squall_0.1.0-1.deb", check=False)
    assert refused.returncode != 0 and "install.sh uninstall" in refused.stderr
    delivered.path("/usr/local/bin/squall").unlink()
    delivered.path("/etc/systemd/system/squall.service").unlink()


def test_installs_and_serves(delivered):
    delivered.run("dpkg", "-i", "/root/squall_0.1.0-1.deb")
    assert version(delivered) == "install ok installed 0.1.0-1"
    delivered.wait_ready()
    assert delivered.run("systemctl", "is-enabled", "squall").stdout.strip() == "enabled"
    assert delivered.owner("/var/lib/squall") == "750 squall squall"
    assert delivered.owner(SETTINGS) == "640 root squall"
    assert delivered.check(EICAR)[0]["level"] == "Alert"
    assert "SQUALL_Test_EICAR" in delivered.path(LOG).read_text()
    assert_locked_in(delivered)
    assert "ready: http://127.0.0.1:8080" in delivered.run("squall-update", "wait").stdout
    refused = delivered.run("squall-update", "full", SETTINGS, check=False)
    assert refused.returncode == 1 and "apt install" in refused.stderr


def test_has_what_the_documentation_tells_to_copy(delivered):
    there = {path.name: path.read_bytes() for path in delivered.path("/usr/share/squall/monitoring").iterdir()}
    assert there == {path.name: path.read_bytes() for path in (DEPLOY / "monitoring").iterdir()}
    assert delivered.exists("/usr/share/squall/low-port.conf")


def test_is_upgraded_while_samples_wait_and_loses_nothing(delivered):
    use_queue_rule(delivered)
    settings = delivered.path(SETTINGS).read_text()
    delivered.run("systemctl", "restart", "squall")
    delivered.wait_ready()
    pid = delivered.unit("MainPID")
    ids = delivered.enqueue(queue_samples(40))
    delivered.run("dpkg", "-i", "/root/squall_0.1.0-2.deb")
    delivered.wait_ready()
    assert delivered.json("/api/status")["queued_async_requests"] > 0, "the queue was empty: nothing was shown"
    assert version(delivered) == "install ok installed 0.1.0-2"
    assert delivered.unit("MainPID") != pid
    assert delivered.path(SETTINGS).read_text() == settings
    ids += delivered.enqueue(queue_samples(2))
    assert_all_found(delivered, ids)


def test_goes_back_to_the_version_before(delivered):
    ids = delivered.enqueue(queue_samples(10))
    delivered.run("dpkg", "-i", "/root/squall_0.1.0-1.deb")
    delivered.wait_ready()
    assert_all_found(delivered, ids)


def test_remove_keeps_what_is_the_operators(delivered):
    delivered.run("dpkg", "-r", "squall")
    assert not delivered.exists("/usr/bin/squall")
    assert not delivered.run("pgrep", "-x", "squall", check=False).stdout
    assert delivered.exists(SETTINGS) and delivered.exists("/var/lib/squall/queue") and delivered.exists(LOG)


def test_purge_leaves_nothing(delivered):
    delivered.run("dpkg", "-i", "/root/squall_0.1.0-1.deb")
    delivered.wait_ready()
    delivered.run("dpkg", "--purge", "squall")
    for gone in ("/etc/squall", "/var/lib/squall", "/var/log/squall", "/etc/logrotate.d/squall", "/usr/lib/squall",
                 "/usr/share/squall", "/etc/systemd/system/multi-user.target.wants/squall.service"):
        assert not delivered.exists(gone), gone
    assert not delivered.run("pgrep", "-x", "squall", check=False).stdout


def test_installs_where_systemd_does_not_run(new_machine, packages):
    machine = new_machine()
    machine.put(packages[0], "/root/squall.deb")
    machine.run("dpkg", "-i", "/root/squall.deb")
    machine.boot()
    machine.wait_ready()
    assert machine.check(EICAR)[0]["level"] == "Alert"
