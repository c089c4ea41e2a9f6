"""The real Python client, thunderstormAPI 0.2.0: its library and its command."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from thunderstormAPI.thunderstorm import ThunderstormAPI

from support.rules import CLEAN, MARKER
from support.service import Service, running, wait_until
from support.shapes import check_v0

COMMAND = Path(sys.executable).parent / "thunderstorm-cli"
FILES = 200


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """200 files in a tree, every tenth with a mark, some with names that are hard to send."""
    top = tmp_path_factory.mktemp("files")
    for number in range(FILES):
        place = top / f"folder {number % 7}"
        place.mkdir(exist_ok=True)
        name = ["plain.txt", "mit Leerzeichen.txt", "quote'\".txt", "ünïcode-東京.php", "noextension"][number % 5]
        content = (MARKER if number % 10 == 0 else CLEAN) + b"\n%d\n" % number * (1 + number * 20)
        (place / f"{number}-{name}").write_bytes(content)
    return top


@pytest.fixture(scope="module", params=["http", "https"])
def service(request, tmp_path_factory, rules):
    tls = request.param == "https"
    args = ["--signatures", str(rules), *(["--server-cert", "auto"] if tls else [])]
    with running(Service(tmp_path_factory.mktemp(request.param), *args, tls=tls)) as running_service:
        yield running_service


@pytest.fixture
def api(service):
    return ThunderstormAPI(host="127.0.0.1", port=service.port, source="client.example", use_ssl=service.tls)


def command(service, *args, seconds=150):
    """Runs thunderstorm-cli; returns what it printed, in which there must be no error line."""
    run = subprocess.run(
        [str(COMMAND), "-t", "127.0.0.1", "-p", str(service.port), *(["--ssl"] if service.tls else []), *map(str, args)],
        capture_output=True, text=True, timeout=seconds, check=False,
    )
    printed = run.stdout + run.stderr
    assert run.returncode == 0, printed
    assert not re.search(r"\[ERROR|error|Traceback|Malformed", printed, re.IGNORECASE), printed[-3000:]
    return printed


def test_scan(api, tmp_path):
    path = tmp_path / "marked ü.txt"
    path.write_bytes(MARKER)
    [finding] = api.scan(str(path))
    check_v0(finding, MARKER, str(path))
    path.write_bytes(CLEAN)
    assert api.scan(str(path)) == []


def test_scan_asynchronously(api, tmp_path):
    path = tmp_path / "marked"
    path.write_bytes(MARKER)
    receipt = api.scan(str(path), asyn=True)
    assert set(receipt) == {"id", "file"}

    def complete():
        answer = api.get_async_result(receipt["id"])
        return answer if answer["status"] == "Sample analysis complete" else None

    result = wait_until(complete, 20, "the result")
    check_v0(result["result"][0], MARKER, str(path))


def test_scan_multi(api, folder):
    paths = [str(path) for path in sorted(folder.rglob("*")) if path.is_file()][:60]
    results = api.scan_multi(paths, num_threads=8)
    assert len(results) == 60
    assert all(isinstance(result, list) for result in results)
    marked = {path for path in paths if MARKER in Path(path).read_bytes()}
    assert {result[0]["context"]["file"] for result in results if result} == marked


def test_unknown_result(api):
    answer = api.get_async_result(4_503_599_627_370_495)
    assert (answer["status"], answer["status_code"]) == ("error", 400)
    assert "reason" in answer["message"]


def test_status_and_info(api):
    assert api.get_status()["uptime_seconds"] >= 0
    assert api.get_info()["license_expiration_date"] == "9999/12/31"


def test_command_scans_a_folder(service, folder):
    before = service.status()["scanned_samples"]
    printed = command(service, "-s", "-d", folder)
    assert f"FOUND: {FILES} SELECTED: {FILES} PROCESSED: {FILES}" in printed
    assert printed.count("Result returned for FILE:") == FILES // 10
    assert service.status()["scanned_samples"] == before + FILES


def test_command_queues_a_folder(service, folder):
    before = service.status()["scanned_samples"]
    printed = command(service, "-s", "-d", folder, "--asyn")
    assert f"FOUND: {FILES} SELECTED: {FILES} PROCESSED: {FILES}" in printed
    wait_until(lambda: service.status()["scanned_samples"] == before + FILES, 60, f"{FILES} scanned samples")
    assert service.status()["queued_async_requests"] == 0


def test_command_scans_a_file_and_reads_a_result(service, tmp_path):
    path = tmp_path / "one.txt"
    path.write_bytes(MARKER)
    assert "E2E_Marker" in command(service, "-s", "-f", path)
    sample_id = re.search(r"'id': (\d+)", command(service, "-s", "-f", path, "--asyn")).group(1)
    service.result(int(sample_id))
    assert "Sample analysis complete" in command(service, "--result", "-r", sample_id)


def test_client_waits_while_the_service_is_busy(start, tmp_path, folder):
    """With few places for uploads the client is told to wait, and loses nothing."""
    service = start("--max-uploads", "2", "--threads", "1")
    printed = command(service, "-s", "-d", folder, "-i", "*0-plain.txt", "-n", "12", "--asyn")
    found = re.search(r"SELECTED: (\d+) PROCESSED: (\d+)", printed)
    assert found.group(1) == found.group(2) == str(FILES // 10)
    wait_until(lambda: service.status()["scanned_samples"] == FILES // 10, 60, "all of them scanned")
