"""What was acknowledged survives a restart: SIGTERM and SIGKILL, under load."""

import random
import threading
import time

import pytest

from support.bulk import Load, enqueue_many
from support.places import SOAK, rounds
from support.rules import CLEAN, MARKER, SLOW, SLUGGISH, slow
from support.service import Service, wait_until

COMPLETE = "Sample analysis complete"
FAILED = "Sample analysis failed"


def expect_all(service, acknowledged: dict[int, bytes], seconds: float, failed_max: int = 0) -> int:
    """Waits until every id has a result that is of its own bytes; returns how many failed."""
    wait_until(lambda: service.status()["queued_async_requests"] == 0, seconds, "an empty queue", pause=0.2)
    failed = []
    for sample_id, content in acknowledged.items():
        result = service.result(sample_id, seconds)
        if result["status"] == FAILED:
            failed.append(sample_id)
            continue
        assert result["status"] == COMPLETE
        if MARKER in content:
            [finding] = result["result"]
            assert finding["context"]["size"] == len(content)
            assert finding["context"]["sample_id"] == sample_id
        elif content == CLEAN:
            assert result["result"] == []
    assert len(failed) <= failed_max, f"failed: {failed}"
    return len(failed)


def marked(number: int) -> bytes:
    """Returns a sample whose size tells which it is."""
    return MARKER + b"x" * number


def no_orphans(service) -> None:
    """Fails when bytes of samples stay behind that nobody waits for any more."""
    wait_until(lambda: not list(service.data.rglob("incoming/*")), 10, "no incoming files")
    wait_until(lambda: not [p for p in service.data.rglob("spool/files/*") if p.is_file()], 10, "no spool files")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("threads", [1, 2] if SOAK else [2])
def test_thousand_queued_samples_keep_their_ids_over_a_restart(start, threads):
    service = start("--threads", threads)
    busy = enqueue_many(service, [slow(number) for number in range(3 * threads)], threads=1)
    waiting = enqueue_many(service, [marked(number) for number in range(1000)])
    assert len(busy | waiting) == 1000 + 3 * threads, "an id was given twice"
    queued = service.status()["queued_async_requests"]
    assert queued >= 900, f"only {queued} still wait: nothing to prove"
    assert service.stop() < 25
    before = service.output()
    service.start()
    expect_all(service, busy | waiting, 120)
    assert "unclean" not in service.output()[len(before):].lower()
    fresh = service.enqueue(CLEAN)
    assert fresh > max(waiting), "an id below one that was given before"
    no_orphans(service)


def test_results_and_totals_survive_a_restart(start):
    service = start()
    done = enqueue_many(service, [marked(number) for number in range(50)])
    expect_all(service, done, 30)
    service.check(MARKER)
    before = service.status()
    assert before["scanned_samples"] == 51
    for _ in range(3):
        service.stop()
        service.start()
    expect_all(service, done, 10)
    assert service.status()["scanned_samples"] == 51
    wait_until(lambda: sum(service.json("/api/sampleHistory").values()) == 51, 10, "the history of 51 samples")


def test_large_samples_survive_a_restart(start):
    """These have a file of their own in the spool."""
    service = start("--threads", "1")
    ids = enqueue_many(service, [slow(1), slow(2), *(marked(number * 1_000_000) for number in range(1, 6))], threads=1)
    service.stop()
    service.start()
    expect_all(service, ids, 60)
    no_orphans(service)


def test_restart_while_uploads_arrive(start):
    """SIGTERM under load: each upload is either acknowledged and kept, or refused."""
    service = start("--threads", "2")
    with Load(service, lambda thread, number: marked(thread * 1000 + number)) as load:
        time.sleep(1.5)
        service.stop()
        service.start()
        time.sleep(1.0)
    assert not load.reused
    assert not load.unexpected, load.unexpected[:3]
    assert len(load.acknowledged) > 50
    expect_all(service, load.acknowledged, 60)


def test_second_process_on_the_same_data_is_refused(start):
    service = start()
    second = Service(service.root, "--signatures", service.args[1]).spawn()
    try:
        assert second.wait_for_exit() != 0
    finally:
        second.kill()
    assert str(service.data) in service.output(), "the message names the data directory in use"
    assert service.check(CLEAN) == []


def test_stop_ends_a_running_check_well(start):
    """A client that waits for its answer gets it or a clean refusal."""
    service = start("--threads", "1")
    got = []

    def ask():
        got.append(service.post("/api/check", files={"file": ("a", SLOW)}))

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(0.4)
    service.stop()
    asking.join(30)
    assert got, "the connection was cut without an answer"
    assert got[0].status_code in (200, 503), got[0].text
    if got[0].status_code == 200:
        assert len(got[0].json()) == 1


@pytest.mark.timeout(1800)
def test_kill_under_load_loses_nothing(start):
    """SIGKILL at random moments: every acknowledged id ends complete, or failed after two crashes."""
    chance = random.Random(int(time.time()))
    service = start("--threads", "2")
    acknowledged: dict[int, bytes] = {}

    def content(thread: int, number: int) -> bytes:
        if number % 5 == 0:
            return SLUGGISH + MARKER + b"x" * (thread * 100 + number % 100)
        if number % 23 == 0:
            return MARKER + b"y" * 1_500_000
        return marked(thread * 1000 + number % 1000)

    for turn in range(rounds(5, 50)):
        with Load(service, content) as load:
            time.sleep(chance.uniform(0.2, 1.5))
            service.kill()
        assert not load.reused and not load.unexpected, (load.reused, load.unexpected[:3])
        again = set(load.acknowledged) & set(acknowledged)
        assert not again, f"ids given twice after round {turn}: {sorted(again)[:5]}"
        acknowledged |= load.acknowledged
        if turn % 2:
            # Also during the recovery itself.
            service.spawn()
            time.sleep(chance.uniform(0.0, 0.3))
            service.kill()
        service.start()
        service.check_output()
    assert len(acknowledged) > 100
    failed = expect_all(service, acknowledged, 240, failed_max=2 * rounds(5, 50))
    assert service.status()["queued_async_requests"] == 0
    if failed == 0:  # The bytes of a failed sample are kept, so that it can be tried again.
        no_orphans(service)
