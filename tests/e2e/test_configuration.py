"""Flags, environment, file and the original's configuration (contract, section 6)."""

import os
import socket
import subprocess

import pytest

from support.places import BINARY, REPOSITORY
from support.rules import CLEAN, MARKER
from support.service import Service, free_port, running, wait_until

# As an installation of the original service has it, comments and all.
ORIGINAL = """\
# Thunderstorm service configuration

# License
license-path: /etc/thunderstorm/licenses

# Write all log events to a local log file
logfile: {folder}/thunderstorm.log
appendlog: true
nocsv: true
nohtml: true
json: true
# Forward to the SIEM
#syslog:
#  - siem.example.com:514:CEF:UDP
utc: true
rfc3339: true

# Service
thunderstorm: true
server-host: 127.0.0.1
server-port: {port}
#server-cert: /etc/thunderstorm/server.crt
#server-key: /etc/thunderstorm/server.key
pure-yara: false
threads: 2
sync-only-threads: 1

# Samples
server-upload-dir: {folder}/samples
server-store-samples: none
server-result-cache-size: 10000
max_file_size: 200MB
max_runtime: 0
noscanid: false
cpulimit: 95
minmem: 50
"""


@pytest.fixture
def template(tmp_path):
    """Writes a configuration file; returns its path."""

    def write(text: str):
        path = tmp_path / "squall.yml"
        path.write_text(text)
        return path

    return write


def refused(tmp_path, *args, env=None) -> str:
    """Starts with settings that must be refused; returns what was printed."""
    service = Service(tmp_path / "refused", *map(str, args), env=env or {})
    service.spawn()
    assert service.wait_for_exit() not in (0, 101), service.output()
    service.check_output()
    assert not service.data.exists() or not any(service.data.rglob("*.seg")), "it began to work"
    return service.output()


def test_the_original_file_works_unchanged(tmp_path, template):
    port = free_port()
    path = template(ORIGINAL.format(port=port, folder=tmp_path))
    service = Service(tmp_path / "squall", "-t", str(path), "--data-dir", str(tmp_path / "squall/data"),
                      bare=True, port=port)
    with running(service):
        assert service.json("/api/info")["threads"] == 2
        assert service.check(CLEAN) == []
        printed = service.output()
        warned = [line for line in printed.splitlines() if "license-path" in line]
        assert len(warned) == 1, f"one warning for keys that have no use here:\n{printed}"
        for key in ("noscanid", "max_runtime", "appendlog", "cpulimit", "minmem"):
            assert key in warned[0]


def test_no_argument_at_all(tmp_path):
    """The defaults: port 8080 of the loopback address, data beside the working directory, starter rules."""
    with socket.socket() as sock:
        if sock.connect_ex(("127.0.0.1", 8080)) == 0:
            pytest.skip("somebody else listens on port 8080")
    with running(Service(tmp_path / "squall", bare=True, port=8080)) as service:
        assert (service.cwd / "squall-data").is_dir()
        rules = service.json("/api/info")["rules"]
        assert rules >= 40
        printed = service.output()
        for shown in ("127.0.0.1:8080", "curl", str(rules)):
            assert shown in printed


@pytest.mark.parametrize(("key", "nearest"), [
    ("server-prot", "server-port"), ("logfle", "logfile"), ("max-file-sise", "max-file-size"),
])
def test_unknown_key_names_the_nearest(tmp_path, template, key, nearest):
    path = template(f"threads: 1\n{key}: 1\n")
    printed = refused(tmp_path, "-t", path)
    assert key in printed
    assert nearest in printed.replace("_", "-")
    assert path.name in printed


@pytest.mark.parametrize(("args", "named"), [
    (["--threads", "many"], "threads"),
    (["--max_file_size", "huge"], "max"),
    (["--server-port", "99999"], "server-port"),
    (["--server-cert", "/nonexistent.crt"], "server-key"),
    (["--server-cert", "/nonexistent.crt", "--server-key", "/nonexistent.key"], "nonexistent"),
    (["--threads", "2", "--sync-only-threads", "2"], "sync-only-threads"),
    (["--signatures", "/nonexistent-signatures"], "nonexistent-signatures"),
    (["--queue-durability", "sometimes"], "queue-durability"),
    (["--no-such-flag"], "no-such-flag"),
    (["-t", "/nonexistent.yml"], "nonexistent.yml"),
])
def test_bad_setting_is_named(tmp_path, args, named):
    service = Service(tmp_path / "refused", *args, bare=True)
    service.spawn()
    assert service.wait_for_exit() not in (0, 101), service.output()
    service.check_output()
    assert named in service.output()


@pytest.mark.parametrize("text", ["threads: [", "- a\n- b\n", "threads: {a: b}\n", "\x00\x01", "threads: 1\nthreads: 2\n"])
def test_broken_file_is_named(tmp_path, template, text):
    path = template(text)
    assert path.name in refused(tmp_path, "-t", path)


def test_port_in_use_is_said_plainly(tmp_path, start):
    service = start()
    second = Service(tmp_path / "second", port=service.port).spawn()
    try:
        assert second.wait_for_exit() not in (0, 101)
    finally:
        second.kill()
    assert str(service.port) in second.output()
    second.check_output()


def test_flag_beats_environment_beats_file(tmp_path, template, rules):
    ports = {origin: free_port() for origin in ("file", "environment", "flag")}
    path = template(f"server-port: {ports['file']}\nsignatures: {rules}\nthreads: 3\n")
    env = {"SQUALL_SERVER_PORT": str(ports["environment"])}
    data = str(tmp_path / "data")
    cases = {"file": ({}, []), "environment": (env, []), "flag": (env, ["--server-port", str(ports["flag"])])}
    for origin, (variables, flags) in cases.items():
        service = Service(tmp_path / origin, "-t", str(path), "--data-dir", data, *flags,
                          env=variables, bare=True, port=ports[origin])
        with running(service):
            assert service.json("/api/info")["threads"] == 3


@pytest.mark.parametrize("spelling", [
    ["--host", "127.0.0.1", "--max-file-size", "1000"],
    ["--server-host", "127.0.0.1", "--max_file_size", "1000"],
    ["--server-host=127.0.0.1", "--max_file_size=1000"],
])
def test_both_spellings_of_a_setting(start, spelling):
    service = start(*spelling)
    assert service.post("/api/check", files={"file": ("a", b"x" * 2000)}).status_code == 413
    assert len(service.check(MARKER)) == 1


def test_environment_holds_lists_and_switches(start, rules):
    service = start(signatures=False, env={"SQUALL_SIGNATURES": str(rules), "SQUALL_UTC": "true",
                                           "SQUALL_MAX_FILE_SIZE": "2KB"})
    assert len(service.check(MARKER)) == 1
    assert service.post("/api/check", files={"file": ("a", b"x" * 3000)}).status_code == 413


def test_a_setting_without_effect_says_so(tmp_path, start):
    """It is never silently ignored: the printed warning names the setting."""
    service = start("--signature-update-interval", "12")
    wait_until(lambda: "signature-update-interval" in service.output(), 5, "a word on signature-update-interval")


def test_thresholds_are_settings(start):
    service = start("--notice", "10", "--warning", "20", "--alert", "30")
    assert service.check(MARKER)[0]["level"] == "Alert"
    quiet = start("--notice", "85", "--warning", "90", "--alert", "95", name="quiet")
    assert quiet.check(MARKER) == []


def test_the_committed_default_file_starts(start):
    service = start("-t", REPOSITORY / "config" / "squall.yml")
    assert len(service.check(MARKER)) == 1


def run(*args, env=None):
    return subprocess.run([str(BINARY), *map(str, args)], capture_output=True, text=True, timeout=60, check=False,
                          env={"PATH": os.environ["PATH"], **(env or {})})


def test_help_names_every_setting_of_the_contract():
    shown = run("serve", "--help").stdout
    for setting in ("server-host", "server-port", "server-cert", "server-key", "threads", "sync-only-threads",
                    "pure-yara", "server-upload-dir", "server-store-samples", "store-samples-score",
                    "server-result-cache-size", "queue-storage", "queue-warn-size", "max_file_size",
                    "max-recursion-depth", "max-nested-objects", "noarchive", "notice", "warning", "alert", "logfile",
                    "jsonfile", "syslog", "utc", "rfc3339", "signature-update-interval", "data-dir", "signatures",
                    "custom-signatures", "template", "trusted-proxy", "queue-durability"):
        assert f"--{setting}" in shown.replace("--max-file-size", "--max_file_size"), setting


def test_check_config_shows_values_and_where_they_come_from(tmp_path, template):
    path = template("threads: 5\n")
    found = run("check-config", "-t", path, "--notice", "33", env={"SQUALL_WARNING": "66"})
    assert found.returncode == 0, found.stderr
    lines = found.stdout.splitlines()
    for setting, value in (("threads", "5"), ("notice", "33"), ("warning", "66")):
        assert any(setting in line and value in line for line in lines), (setting, found.stdout)


def test_version():
    found = run("--version")
    assert found.returncode == 0 and found.stdout.startswith("squall ")
