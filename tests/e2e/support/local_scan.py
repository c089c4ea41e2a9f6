"""`squall scan` run on trees of files: what its tests share. A plugin of pytest."""

import json
import os
import shutil
import subprocess

import pytest

from support.places import BINARY

EICAR_RULE = r"""
rule E2E_Eicar {
    meta:
        description = "The standard test file"
        score = 90
    strings:
        $eicar = "EICAR-STANDARD-ANTIVIRUS-TEST-FILE"
    condition:
        $eicar
}
"""


class Run:
    """A finished scan."""

    def __init__(self, done):
        self.status = done.returncode
        self.out = done.stdout
        self.err = done.stderr.decode()

    def json(self):
        return [json.loads(line) for line in self.out.decode().split("\n") if line]


@pytest.fixture(scope="module")
def own_rules(rules, tmp_path_factory):
    folder = tmp_path_factory.mktemp("scan-rules")
    shutil.copytree(rules, folder, dirs_exist_ok=True)
    (folder / "yara" / "eicar.yar").write_text(EICAR_RULE)
    return folder


@pytest.fixture
def tree(tmp_path):
    folder = tmp_path / "tree"
    folder.mkdir()
    return folder


@pytest.fixture
def command(own_rules):
    """Builds the command line of a scan with the tests' rules."""

    def build(*arguments):
        return [str(BINARY), "scan", "--signatures", str(own_rules), *map(os.fspath, arguments)]

    return build


@pytest.fixture
def scan(command):
    def run(*arguments, **options):
        done = subprocess.run(command(*arguments), capture_output=True, timeout=100, **options)
        assert b"panic" not in done.stderr, done.stderr.decode()
        return Run(done)

    return run


def paths(findings):
    return {finding["subject"]["path"] for finding in findings}


def issues(findings):
    return {(issue["category"], finding["subject"]["path"]) for finding in findings for issue in finding.get("issues", [])}
