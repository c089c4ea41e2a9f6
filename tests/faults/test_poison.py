"""A sample in whose scan the process dies twice is put aside; the queue goes on."""

import subprocess

import pytest

from harness.books import COMPLETE, FAILED, failed_for_a_reason, reasons, settle
from harness.figures import row
from harness.load import Promises
from harness.rules import ENDLESS, MARKER, write_fault_rules, write_quick_rules
from support.places import BINARY
from support.service import wait_until


def is_claimed(service, sample_id: int) -> None:
    wait_until(lambda: sample_id in service.claimed(), 20, f"sample {sample_id} is being scanned")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("threads", ["1", "2"])
def test_sample_that_kills_twice_is_put_aside(victim, threads):
    """There is no such sample, so the test kills the process whenever the claims file shows it being scanned."""
    service = victim("--threads", threads, "--scan-timeout", "600s").start()
    promises = Promises()
    poison = service.enqueue(ENDLESS)
    is_claimed(service, poison)
    for number in range(40):
        content = MARKER + b"%d" % number
        promises.acknowledge(service.enqueue(content), promises.expect(content))
    service.kill()
    promises.expect(ENDLESS)
    service.start()
    is_claimed(service, poison)
    assert service.json(f"/api/getAsyncResults?id={poison}")["status"] == "Currently being scanned"
    service.kill()
    before = service.output()
    service.start()
    balance = settle(service, promises, service.kills, seconds=60)
    print(balance)
    assert balance.complete == 40 and balance.failed == 0, "only the poison may fail"
    assert service.json(f"/api/getAsyncResults?id={poison}")["status"] == FAILED
    assert str(poison) in service.since_last_start(before), "the start names the sample"
    failed_for_a_reason(service, [poison])
    assert poison not in service.claimed()
    service.stop()
    service.start()
    assert service.json(f"/api/getAsyncResults?id={poison}")["status"] == FAILED, "and it stays aside"
    print(row(f"a sample in whose scan the process is killed twice, threads: {threads}", 1, 41,
              "put aside at the third start"))


@pytest.mark.timeout(300)
def test_two_poison_samples_are_told_apart_from_one_that_was_beside_them(victim):
    """With two workers the innocent neighbour is scanned alone the second time, so it survives."""
    service = victim("--threads", "2", "--scan-timeout", "600s").start()
    first, second = service.enqueue(ENDLESS), service.enqueue(ENDLESS + b" as well")
    wait_until(lambda: {first, second} <= service.claimed(), 20, "both are being scanned")
    killed = {first: 0, second: 0}
    for _ in range(6):
        claimed = service.claimed() & {first, second}
        for sample_id in claimed:
            killed[sample_id] += 1
        service.kill()
        service.start()
        if all(service.json(f"/api/getAsyncResults?id={i}")["status"] == FAILED for i in (first, second)):
            break
        wait_until(service.claimed, 20, "a suspect is being scanned")
        assert len(service.claimed() & {first, second}) == 1, "suspects are scanned one at a time"
    assert killed == {first: 2, second: 2}
    assert service.result(service.enqueue(MARKER))["status"] == COMPLETE
    print(row("two such samples scanned at a time", 1, 3, "both put aside, nothing else"))


def retry_by_api(service, sample_id: int) -> None:
    answer = service.post(f"/api/v1/samples/{sample_id}/retry")
    assert answer.status_code in (200, 202), f"{answer.status_code} {answer.text}"


def retry_by_command(service, sample_id: int) -> None:
    command = [BINARY, "failed", "retry", str(sample_id), "--url", service.url]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.timeout(300)
@pytest.mark.parametrize("retry", [retry_by_api, retry_by_command])
def test_poison_can_be_tried_again(victim, tmp_path, retry):
    """Once its cause is gone: here, the rule."""
    own = tmp_path / "rules"
    service = victim("--threads", "1", "--scan-timeout", "600s", signatures=write_fault_rules(own)).start()
    poison = service.enqueue(ENDLESS)
    for _ in range(2):
        is_claimed(service, poison)
        service.kill()
        service.start()
    assert service.result(poison)["status"] == FAILED
    assert reasons(service)[poison]
    service.stop()
    write_quick_rules(own)
    service.start()
    retry(service, poison)

    def complete():
        return service.json(f"/api/getAsyncResults?id={poison}")["status"] == COMPLETE

    wait_until(complete, 20, "the sample is complete")
