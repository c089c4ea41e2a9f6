"""The container, assembled and started without an engine: read-only, not as root."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import requests
import yaml
from harness.container import READ_ONLY, Container, Image
from harness.delivery import DEPLOY
from support.rules import EICAR
from support.service import free_port, wait_until


@pytest.fixture
def image(new_machine):
    return Image(new_machine())


@pytest.fixture
def container(image, tmp_path):
    """Makes containers; the test's port and the loopback address come from the environment."""
    made = []

    def make(**environment) -> Container:
        port = free_port()
        made.append(Container(image, tmp_path / f"c{len(made)}", HOST="127.0.0.1", SQUALL_SERVER_PORT=str(port), **environment))
        made[-1].port = port
        return made[-1]

    yield make
    for each in made:
        each.kill()


def check(container, scheme="http") -> list:
    session = requests.Session()
    session.trust_env = False
    url = f"{scheme}://127.0.0.1:{container.port}/api/check"
    answer = session.post(url, files={"file": ("e.com", EICAR)}, verify=False, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_serves_read_only_and_not_as_root(container):
    running = container(LOG_ENABLED="true")
    assert not running.healthy()
    running.start()
    wait_until(running.healthy, 60, "the health check says that it is well")
    assert check(running)[0]["level"] == "Alert"
    status = Path(f"/proc/{running.inner_pid()}/status").read_text()
    assert re.search(r"^Uid:\s+10001\s+10001\s+10001\s+10001$", status, re.MULTILINE)
    for capabilities in ("CapPrm", "CapEff", "CapBnd"):
        assert int(re.search(rf"^{capabilities}:\s+(\w+)$", status, re.MULTILINE).group(1), 16) == 0
    assert READ_ONLY in running.run("touch", "/usr/bin/x").stderr
    assert READ_ONLY in running.run("touch", "/etc/squall/x").stderr
    assert "SQUALL_Test_EICAR" in (running.folder / "var/log/squall/squall.log").read_text()
    assert running.stop() == 0
    # What the volume holds is there for the next container.
    running.start()
    wait_until(running.healthy, 60, "it is well again")
    url = f"http://127.0.0.1:{running.port}/api/status"
    assert requests.get(url, timeout=30).json()["scanned_samples"] == 1


def test_variables_of_the_original_container_are_understood(container, image):
    certificates = image.machine.path("/etc/squall")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-keyout", str(certificates / "key.pem"), "-out", str(certificates / "cert.pem")],
        check=True,
        capture_output=True,
    )  # fmt: skip
    shutil.chown(certificates / "key.pem", int(image.user[0]))
    running = container(
        TLS_CERT="/etc/squall/cert.pem",
        TLS_KEY="/etc/squall/key.pem",
        PURE_YARA="1",
        RESULT_CACHE_SIZE="17",
        QUEUE_WARN_SIZE="18",
        SYNC_ONLY_THREADS="1",
        SIGNATURE_UPDATE_INTERVAL="24",
        STORE_SAMPLES="malicious",
        STORE_SAMPLES_SCORE="70",
        SQUALL_THREADS="3",
        THREADS="2",
        THUNDERSTORM_ARGS="--max-file-size 5MB",
    )
    said = running.run(*image.entrypoint, "check-config").stdout
    for line in ("pure-yara: true", "server-result-cache-size: 17", "queue-warn-size: 18", "sync-only-threads: 1",
                 "signature-update-interval: 24", "server-store-samples: malicious", "store-samples-score: 70",
                 "threads: 3", "server-cert: /etc/squall/cert.pem", "server-host: 127.0.0.1", "data-dir: /var/lib/squall"):
        assert re.search(rf"^{re.escape(line)} ", said, re.MULTILINE), (line, said)
    running.start()
    wait_until(running.healthy, 60, "the health check says that it is well, over TLS")
    assert check(running, "https")[0]["level"] == "Alert"
    too_large = requests.post(
        f"https://127.0.0.1:{running.port}/api/check",
        files={"file": ("zeros", bytes(6 << 20))}, verify=False, timeout=30,
    )  # fmt: skip
    assert too_large.status_code == 413, "THUNDERSTORM_ARGS has no effect"
    assert running.stop() == 0


def test_switches_are_off_when_somebody_says_so(container, image):
    said = container(PURE_YARA="false", LOG_ENABLED="no").run(*image.entrypoint, "check-config").stdout
    assert re.search("^pure-yara: false ", said, re.MULTILINE)
    assert "/var/log/squall" not in said


def test_listens_for_the_published_port(image, tmp_path):
    """Without variables: on every address of the container, at the port that is exposed."""
    said = Container(image, tmp_path / "c").run(*image.entrypoint, "check-config").stdout
    assert re.search("^server-host: 0.0.0.0 ", said, re.MULTILINE)
    assert re.search(f"^server-port: {image.port} ", said, re.MULTILINE)


def test_compose_starts_it_with_no_more_rights_than_the_test():
    service = yaml.safe_load((DEPLOY / "compose.yml").read_text())["services"]["squall"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service and "user" not in service
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    mounted = {volume.split(":")[1] for volume in service["volumes"]}
    assert mounted == {"/var/lib/squall", "/var/log/squall"}
    build = (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).resolve()
    assert build == DEPLOY / "Dockerfile"
