"""The power fails: only what the disk was made to keep is left, and that is all that was promised."""

import random
import time

import pytest

from harness.books import no_orphans, settle
from harness.disks import Image, free_bytes
from harness.figures import row
from harness.load import MEGABYTE, MixedLoad, Promises
from support.places import rounds


# Room for all that is kept in the long form, several times over; the file is sparse.
DISK_MEGABYTES = 2048


def moved(victim, old, image):
    """The service on another disk, with everything but its disk as before."""
    service = victim("--threads", "2", "--disk-reserve", "16MB", "--server-store-samples", "malicious", disk=image.root)
    return service.continues(old) if old else service


@pytest.mark.timeout(3600)
def test_power_cut_under_load(victim, tmp_path, clean_up):
    """The disk stops at a random moment under load; a copy of it is mounted, and the service started on that.

    What is not modelled: a disk that itself loses what it said it had stored.
    """
    seed = int(time.time())
    print(f"seed {seed}")
    chance = random.Random(seed)
    promises = Promises()
    image = Image.make(tmp_path, "disk-0", clean_up, DISK_MEGABYTES)
    service = moved(victim, None, image).start()
    free_min = free_bytes(image.root)
    known_refusals = 0
    for turn in range(rounds(3, 20)):
        with MixedLoad(service, promises, archive_share=0.1) as load:
            time.sleep(chance.uniform(1.0, 5.0))
            # While all the bytes that wait are still there.
            free = free_bytes(image.root)
            free_min = min(free_min, free)
            # What is refused after the cut is scanned again; before it, a sample would be missing for want of room.
            assert not service.not_kept()[known_refusals:], service.not_kept()[known_refusals:]
            image.cut()
            # What is answered from now on may not be an acknowledgement.
            time.sleep(0.3)
            load.stop()
        service.kill()
        service.check_output()
        assert not promises.wrong, promises.wrong[:3]
        copy = image.copy(f"disk-{turn + 1}", clean_up)
        image.discard()
        image = copy
        known_refusals = len(service.not_kept())
        service = moved(victim, service, image).start()
        # The cache of verdicts is not synced, and is not part of the promise.
        said = "\n".join(line for line in service.since_last_start("").splitlines() if "squall_worker::verdicts" not in line)
        assert "damaged" not in said and "missing" not in said, said[:2000]
        balance = settle(service, promises, service.kills, once_per_life=True)
        assert not service.not_kept()[known_refusals:], service.not_kept()[known_refusals:]
        print(f"cut {turn + 1}: {free // MEGABYTE} MB free, {known_refusals} times not kept after a cut: {balance}")
    # A sample that is not kept is a loss, then.
    assert free_min > 100 * MEGABYTE, f"{free_min} bytes free"
    assert balance.complete > 100
    assert balance.failed <= service.kills
    service.stop()
    service.start()
    no_orphans(service, balance.failed)
    service.stop()
    print(row("power cut under load, `fsync`, the logs and kept samples on the same disk", turn + 1,
              f"{len(promises.acknowledged):,}", f"and no finding or kept sample; {balance.seen()}"))


def test_power_cut_right_after_each_answer(victim, tmp_path, clean_up):
    """One sample at a time, and the cut as soon as the answer is there: no other flush helps it."""
    promises = Promises()
    image = Image.make(tmp_path, "disk-0", clean_up)
    service = moved(victim, None, image).start()
    for turn in range(rounds(3, 20)):
        size = random.choice([1, 300, 700_000])
        with MixedLoad(service, promises, senders=1, checkers=0, size=lambda _, size=size: size) as load:
            known = len(promises.acknowledged)
            while len(promises.acknowledged) == known:
                time.sleep(0.001)
            image.cut()
            load.stop()
        service.kill()
        copy = image.copy(f"disk-{turn + 1}", clean_up)
        image.discard()
        image = copy
        service = moved(victim, service, image).start()
        print(f"cut {turn + 1}: {settle(service, promises, service.kills)}")
    service.stop()
    print(row("power cut within a millisecond of a single answer, `fsync`", turn + 1, len(promises.acknowledged)))
