"""The files of `deploy` by themselves: nothing of a machine is needed."""

import re
import shutil
import subprocess

import pytest
from harness.delivery import DEPLOY
from support.places import REPOSITORY, SOAK

SCRIPTS = sorted(
    path
    for path in DEPLOY.rglob("*")
    if path.is_file() and path.read_bytes()[:2] == b"#!"
)


def needs(tool: str):
    return pytest.mark.skipif(not shutil.which(tool) and not SOAK, reason=f"`{tool}` is not installed")


@needs("shellcheck")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_shellcheck_finds_nothing(script):
    done = subprocess.run(["shellcheck", "--norc", str(script)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def exposure(folder) -> float:
    """The exposure level that systemd computes for the unit and its drop-ins."""
    done = subprocess.run(
        ["systemd-analyze", "security", "--no-pager", "--offline=true", str(folder / "squall.service")],
        capture_output=True,
        text=True,
    )
    found = re.search(r"Overall exposure level for squall.service: ([0-9.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    return float(found.group(1))


@needs("systemd-analyze")
def test_unit_is_exposed_little(tmp_path):
    shutil.copy(DEPLOY / "squall.service", tmp_path)
    alone = exposure(tmp_path)
    assert alone <= 2.0
    # The offline check reads no drop-ins, so this one is appended; and it must
    # show, or the check would not see anything.
    with (tmp_path / "squall.service").open("a") as unit:
        unit.write((DEPLOY / "low-port.conf").read_text())
    assert alone < exposure(tmp_path) <= 2.0


@needs("systemd-analyze")
def test_systemd_understands_every_line_of_the_unit(tmp_path):
    unit = (DEPLOY / "squall.service").read_text()
    # The program and the user are not on this machine.
    text = unit.replace("ExecStart=squall", "ExecStart=/bin/true").replace("=squall\n", "=root\n")
    (tmp_path / "squall.service").write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", str(tmp_path / "squall.service")], capture_output=True, text=True
    )
    ours = [line for line in done.stderr.splitlines() if "squall.service" in line]
    assert done.returncode == 0 and not ours, done.stderr


def test_template_of_the_configuration_has_the_lines_that_are_filled_in():
    text = (REPOSITORY / "config" / "squall.yml").read_text()
    for setting in ("data-dir", "logfile", "jsonfile"):
        assert len(re.findall(rf"^#{setting}: ", text, re.MULTILINE)) == 1, setting
