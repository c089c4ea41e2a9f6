"""Samples that could not be scanned: listed with their reason and tried again, by API and by command."""

import hashlib
import json
import subprocess

import pytest

from support.places import BINARY
from support.rules import CLEAN, MARKER, SLOW
from support.service import wait_until

# Larger than what shares a file with other samples.
LARGE = MARKER + b"x" * 600_000


def squall_failed(service, *args, url=True):
    """Runs `squall failed`; returns the ended process."""
    command = [str(BINARY), "failed", *args]
    if url:
        command += ["--url", service.url]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def spoil(service, name="/var/www/x.php", source="web-1") -> tuple[int, callable]:
    """Queues a sample whose bytes are gone when its turn comes; returns its id and what brings them back."""
    service.enqueue(SLOW)
    sample_id = service.enqueue(LARGE, name, source=source)
    file = service.data / "queue" / "spool" / "files" / f"{sample_id:016x}"
    wait_until(file.exists, 5, "the sample's file")
    aside = service.root / f"aside-{sample_id}"
    file.rename(aside)
    assert service.result(sample_id)["status"] == "Sample analysis failed"
    return sample_id, lambda: aside.rename(file)


@pytest.fixture
def service(start):
    # What is known of the same content would need no bytes that can be gone.
    return start("--threads", "1", "--verdict-cache-size", "0")


def test_nothing_failed(service):
    assert service.json("/api/v1/samples/failed") == {"total": 0, "samples": []}
    done = squall_failed(service, "list")
    assert (done.returncode, done.stdout, done.stderr) == (0, "no failed samples\n", "")
    done = squall_failed(service, "list", "--json")
    assert (done.returncode, done.stdout) == (0, "")
    done = squall_failed(service, "retry", "--all", "--json")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"retried": 0, "not_retried": 0})


def test_failed_sample_is_listed_and_retried(service):
    sample_id, mend = spoil(service)
    assert service.json("/api/v1/status")["failed_samples"] == 1
    # It fails again while the cause is there.
    assert service.post(f"/api/v1/samples/{sample_id}/retry").json() == {"retried": 1, "not_retried": 0}
    wait_until(lambda: service.json("/api/v1/samples/failed")["total"] == 1, 20, "it failed again")
    mend()
    page = service.json("/api/v1/samples/failed")
    assert set(page) == {"total", "samples"} and page["total"] == 1
    sample = dict(page["samples"][0])
    assert sample.pop("received_at").endswith("Z")
    assert "missing" in sample.pop("reason")
    sha256 = hashlib.sha256(LARGE).hexdigest()
    assert sample == {
        "id": sample_id, "source": "web-1", "file_name": "/var/www/x.php", "sha256": sha256,
        "size_bytes": len(LARGE), "attempts": 0, "retryable": True,
    }
    service.stop()
    service.start()
    assert service.json("/api/v1/samples/failed") == page
    assert service.post(f"/api/v1/samples/{sample_id}/retry").status_code == 200

    def complete():
        answer = service.json(f"/api/getAsyncResults?id={sample_id}")
        return answer if answer["status"] == "Sample analysis complete" else None

    assert wait_until(complete, 20, "a result")["result"][0]["context"]["file"] == "/var/www/x.php"
    assert service.json("/api/v1/samples/failed")["total"] == 0
    status = service.json("/api/v1/status")
    assert (status["accepted_samples"], status["scanned_samples"], status["failed_samples"]) == (2, 2, 0)
    assert service.post(f"/api/v1/samples/{sample_id}/retry").status_code == 404


def test_sample_whose_bytes_are_lost_is_listed_and_cannot_be_retried(service):
    sample_id, _ = spoil(service)
    service.stop()
    service.start()
    sample = service.json("/api/v1/samples/failed")["samples"][0]
    assert (sample["id"], sample["retryable"], sample["source"]) == (sample_id, False, None)
    answer = service.post(f"/api/v1/samples/{sample_id}/retry")
    assert answer.status_code == 409 and set(answer.json()) == {"message"}
    assert "lost" in squall_failed(service, "list").stdout
    done = squall_failed(service, "retry", "--all")
    assert done.returncode == 1 and "1 sample could not be put back" in done.stderr


def test_command_lists_and_retries(service):
    one, mend_one = spoil(service, "/tmp/evil\x1b[2J\nname", "web-1")
    two, mend_two = spoil(service)
    done = squall_failed(service, "list")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [int(line.split()[0]) for line in lines] == [one, two]
    assert "\x1b" not in done.stdout, "names from outside are escaped"
    listed = [json.loads(line) for line in squall_failed(service, "list", "--json").stdout.splitlines()]
    assert listed == service.json("/api/v1/samples/failed")["samples"]

    mend_one()
    done = squall_failed(service, "retry", str(one), "999999")
    assert done.returncode == 1, "one of them could not"
    assert "1 sample in the queue again" in done.stdout
    assert "sample 999999: no failed sample has the id 999999" in done.stderr
    assert service.result(one)["status"] == "Sample analysis complete"
    mend_two()
    done = squall_failed(service, "retry", "--all", "--json")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"retried": 1, "not_retried": 0})
    wait_until(lambda: service.result(two)["status"] == "Sample analysis complete", 20, "a result")


def test_command_without_a_service(service):
    service.stop()
    done = squall_failed(service, "list")
    assert done.returncode == 1 and done.stdout == ""
    assert "cannot reach the service" in done.stderr
    for args in (["retry"], ["retry", "--all", "1"], ["retry", "x"], ["retry", "0"], []):
        assert squall_failed(service, *args).returncode == 2, args
    done = squall_failed(service, "list", "--url", "localhost", url=False)
    assert done.returncode == 1 and "no address" in done.stderr


def test_command_with_a_self_signed_certificate(start):
    service = start("--server-cert", "auto", tls=True)
    service.check(CLEAN)
    refused = squall_failed(service, "list")
    assert refused.returncode == 1 and "certificate" in refused.stderr.lower()
    done = squall_failed(service, "list", "--insecure")
    assert (done.returncode, done.stdout) == (0, "no failed samples\n")


@pytest.mark.parametrize("path", ["x", "1.5", "99999999999999999999", "%00", "-1", "0", "1"])
def test_retry_of_nothing_is_an_error(squall, path):
    answer = squall.post(f"/api/v1/samples/{path}/retry")
    assert answer.status_code in (400, 404)
    assert set(answer.json()) == {"message"}


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=x", "after=x"])
def test_bad_parameters(squall, query):
    assert squall.get(f"/api/v1/samples/failed?{query}").status_code == 400
