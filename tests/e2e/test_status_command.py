"""`squall status`: what a person reads and what a supervisor looks at, the exit status."""

import json
import subprocess

from support.places import BINARY
from support.rules import MARKER
from support.service import free_port, wait_until

READY, NOT_READY, UNREACHABLE = 0, 1, 2


def status(*arguments, **env) -> subprocess.CompletedProcess:
    command = [str(BINARY), "status", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, env={"PATH": "/bin", **env})


def test_a_ready_service(start):
    service = start()
    service.check(MARKER)
    wait_until(lambda: status("--url", service.url).returncode == READY, 10, "it is ready")
    done = status("--url", service.url)
    assert done.stdout.startswith("ready: Squall ") and service.url in done.stdout
    assert "1 scanned, 0 failed, 0 refused" in done.stdout and done.stderr == ""
    facts = json.loads(status("--url", service.url, "--json").stdout)
    assert facts["ready"] is True and facts["error"] is None and facts["url"] == service.url
    assert facts["readiness"]["checks"]["scan"]["ok"] is True
    assert facts["overview"]["samples"]["scanned"] == 1


def test_the_address_comes_from_flags_environment_and_file(start, tmp_path):
    service = start()
    wait_until(lambda: status("--url", service.url).returncode == READY, 10, "it is ready")
    assert status("--server-port", service.port).returncode == READY
    assert status(SQUALL_SERVER_PORT=str(service.port)).returncode == READY
    template = tmp_path / "squall.yml"
    # As it listens for a container: on every address.
    template.write_text(f"server-host: 0.0.0.0\nserver-port: {service.port}\n")
    assert status("-t", template).returncode == READY
    assert status(SQUALL_TEMPLATE=str(template)).returncode == READY
    # A flag goes before the file.
    assert status("-t", template, "--server-port", free_port()).returncode == UNREACHABLE


def test_a_self_signed_certificate(start):
    service = start("--server-cert", "auto", tls=True)
    wait_until(lambda: status("--server-port", service.port, "--server-cert", "auto").returncode == READY, 10, "ready")
    # An address that is named is not believed without a certificate that can be checked.
    foreign = status("--url", service.url)
    assert foreign.returncode == UNREACHABLE and "unreachable: " in foreign.stdout
    assert status("--url", service.url, "--insecure").returncode == READY


def test_nobody_there_and_somebody_else():
    port = free_port()
    done = status("--url", f"http://127.0.0.1:{port}")
    assert done.returncode == UNREACHABLE
    assert done.stdout.startswith("unreachable: cannot reach the service at") and done.stderr == ""
    facts = json.loads(status("--url", f"http://127.0.0.1:{port}", "--json").stdout)
    assert facts["ready"] is False and facts["readiness"] is None and "cannot reach" in facts["error"]


def test_a_wrong_command_is_told_from_a_service_that_is_not_ready(tmp_path):
    assert status("--url", "ftp://x").returncode == UNREACHABLE
    assert status("--no-such-flag").returncode == UNREACHABLE
    assert status("-t", tmp_path / "missing.yml").returncode == UNREACHABLE


def test_a_service_that_loads_or_stops_is_not_ready(start, tmp_path):
    """The first moments: it listens, and has not tried anything yet."""
    service = start()
    service.stop()
    service.spawn()
    seen = set()

    def ready():
        done = status("--url", service.url)
        seen.add(done.returncode)
        assert (done.returncode == NOT_READY) == done.stdout.startswith("NOT READY"), done.stdout
        return done.returncode == READY

    wait_until(ready, 30, "it is ready", pause=0)
    assert seen <= {READY, NOT_READY, UNREACHABLE}
