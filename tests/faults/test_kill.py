"""SIGKILL at random moments, under load and during recovery: nothing acknowledged is lost."""

import random
import time

import pytest

from harness.books import no_orphans, nothing_without_results, settle
from harness.figures import row
from harness.load import CounterWatch, MixedLoad, Promises
from support.places import rounds


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("durability", ["fsync", "buffered"])
def test_kill_under_load(victim, durability):
    """The page cache outlives a process, so a buffered queue survives this as well."""
    seed = int(time.time())
    print(f"seed {seed}")
    chance = random.Random(seed)
    service = victim("--threads", "2", "--queue-durability", durability,
                     "--server-store-samples", "malicious")
    promises = Promises()
    count = rounds(5, 50)
    service.start()
    with CounterWatch(service) as watch:
        for turn in range(count):
            with MixedLoad(service, promises, archive_share=0.1):
                time.sleep(chance.uniform(0.2, 2.0))
                service.kill()
                if turn % 2:
                    # Also during the recovery, while clients come back.
                    service.spawn()
                    time.sleep(chance.uniform(0.0, 0.5))
                    service.kill()
                service.start()
                time.sleep(chance.uniform(0.0, 0.3))
            service.check_output()
            assert not promises.wrong, promises.wrong[:5]
    assert watch.asked > count and not watch.wrong, watch.wrong[:3]
    balance = settle(service, promises, service.kills, once_per_life=True)
    print(f"{service.kills} kills, {watch.asked} times counted, {promises.refused} refused: {balance}")
    assert balance.complete > 20 * count
    # Two workers, each of whose samples may be caught twice.
    assert balance.failed <= service.kills
    before = service.output()
    service.stop()
    service.start()
    said = service.since_last_start(before)
    assert "damaged" not in said and "ERROR" not in said, said
    no_orphans(service, balance.failed)
    nothing_without_results(service, balance.failed)
    fresh = service.enqueue(b"one more")
    assert fresh > max(promises.acknowledged), "an id below one that was given before"
    print(row(f"SIGKILL under load, every other time also 0 to 500 ms into the recovery, `{durability}`; malicious samples kept",
              f"{count} ({service.kills} kills)", f"{len(promises.acknowledged):,}",
              f"{balance.seen()}; counted {watch.asked:,} times"))
