"""What lies on the disk is damaged: the service starts with what is intact and says what is not."""

import hashlib
import json
import random
import re
import shutil
import time
from pathlib import Path

import pytest
import requests

from harness.books import COMPLETE, FAILED, drained, ended, failed_for_a_reason, no_orphans, right_result
from harness.disks import fill, memory_disk
from harness.figures import row
from harness.fill import miscount
from harness.load import MixedLoad, Promises, adds_up
from harness.rules import ENDLESS, MARKER, write_quick_rules
from harness.victim import Logged, of_json, of_text
from support.places import rounds
from support.service import StartError, wait_until


def sizes(chance) -> int:
    """Small and large ones, so that both kinds of storage are used."""
    return chance.choice([40, 200, 1500, 20_000, 700_000])


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """Rules that let the queue of `left` move."""
    return write_quick_rules(tmp_path_factory.mktemp("quick"))


@pytest.fixture
def left(victim, rules, tmp_path):
    """A data directory whose process was killed with results stored and samples waiting; and what was promised."""
    promises = Promises()
    service = victim("--threads", "1", "--scan-timeout", "600s", root=tmp_path / "left").start()
    # The results of archives are too large for the database and go to segments of their own.
    with MixedLoad(service, promises, checkers=0, size=sizes, slow_share=0, archive_share=0.2):
        wait_until(lambda: len(promises.acknowledged) >= 60, 60, "some samples")
    drained(service)
    # A start with something in the database leaves a snapshot of it.
    service.stop()
    service.start()
    done = set(promises.acknowledged)
    blocker = service.enqueue(ENDLESS)
    wait_until(service.claimed, 10, "the worker is busy")
    with MixedLoad(service, promises, checkers=0, size=sizes, slow_share=0):
        wait_until(lambda: len(promises.acknowledged) >= len(done) + 60, 60, "samples that wait")
    time.sleep(0.5)
    service.kill()
    assert not promises.wrong
    return Left(service.data, promises, done, blocker)


class Left:
    """What a killed service left."""

    def __init__(self, data: Path, promises: Promises, done: set[int], blocker: int):
        self.data = data
        self.promises = promises
        self.done = done
        self.waiting = set(promises.acknowledged) - done
        self.blocker = blocker

    def copied_to(self, service) -> None:
        """Copies the data directory to that of another service."""
        shutil.copytree(self.data, service.data, dirs_exist_ok=True)


def started(service) -> str:
    """Starts it; returns what it said. One that refuses must say what to do, and works once that is done."""
    try:
        service.start()
    except StartError:
        said = service.since_last_start("")
        assert service.process.returncode not in (0, None) and service.process.returncode > 0
        assert "move it away" in said, f"a refusal without advice: {said}"
        service.check_output()
        (service.queue / "db").rename(service.root / "db-moved-away")
        service.start()
    return service.since_last_start("")


def judge(service, left: Left, said: str, results_may_go: bool) -> dict[str, int]:
    """Fails unless every acknowledged sample ended rightly, or is named as damaged. Returns how many ended how."""
    drained(service)
    ends = ended(service, left.promises.acknowledged, 60)
    failed_for_a_reason(service, [i for i, end in ends.items() if end and end["status"] == FAILED])
    count = {"complete": 0, "failed": 0, "results failed": 0, "results lost": 0}
    for sample_id, end in ends.items():
        if end is None:
            assert results_may_go and sample_id in left.done, f"sample {sample_id} is lost:\n{said}"
            count["results lost"] += 1
        elif end["status"] == FAILED:
            count["results failed" if sample_id in left.done else "failed"] += 1
        else:
            assert end["status"] == COMPLETE
            right_result(sample_id, left.promises.acknowledged[sample_id], end["result"])
            count["complete"] += 1
    service.check_output()
    fresh = service.enqueue(b"one more")
    assert fresh > max(left.promises.acknowledged), "an id below one that was given before"
    drained(service)
    no_orphans(service, count["failed"])
    return count


def test_removed_spool_files(victim, left, quick):
    service = victim("--threads", "2", signatures=quick)
    left.copied_to(service)
    gone = service.spool_files()[::2]
    assert gone
    ids = {int(path.name, 16) for path in gone} - {left.blocker}
    for path in gone:
        path.unlink()
    said = started(service)
    for sample_id in ids:
        assert re.search(rf"\b{sample_id}\b", said), f"the start does not name sample {sample_id}:\n{said}"
    assert judge(service, left, said, results_may_go=False)["failed"] == len(ids & left.waiting)
    print(row("spool files removed", 1, len(left.promises.acknowledged), f"{len(ids & left.waiting)} removed, each named"))


def test_removed_segments(victim, left, quick):
    service = victim("--threads", "2", signatures=quick)
    left.copied_to(service)
    for path in service.segments():
        path.unlink()
    said = started(service)
    count = judge(service, left, said, results_may_go=False)
    assert count["failed"] > 20
    assert "missing" in said or "damaged" in said or "lost" in said, said
    print(row("all segments removed", 1, len(left.promises.acknowledged), f"{count['failed']} removed, which are named"))


def test_spool_file_removed_while_it_waits(victim, rules):
    """Not a restart: somebody deletes the file of a waiting sample under the running service."""
    service = victim("--threads", "1", "--scan-timeout", "3s").start()
    service.enqueue(ENDLESS)
    wait_until(service.claimed, 10, "the worker is busy")
    large = service.enqueue(b"x" * 900_000)
    small = service.enqueue(b"y" * 900)
    [path] = [path for path in service.spool_files() if int(path.name, 16) == large]
    path.unlink()
    assert service.result(large)["status"] == FAILED
    failed_for_a_reason(service, [large])
    assert service.result(small) == {"status": COMPLETE, "result": []}
    print(row("a waiting sample's file removed under the running service", 1, 3, "that one failed with a reason"))


def flip(path: Path, chance: random.Random, count: int = 1) -> list[int]:
    """Inverts a bit in so many places; returns the offsets."""
    content = bytearray(path.read_bytes())
    places = [chance.randrange(len(content)) for _ in range(count)]
    for place in places:
        content[place] ^= 1 << chance.randrange(8)
    path.write_bytes(content)
    return places


def cut(path: Path, chance: random.Random) -> list[int]:
    """Takes off a piece of the end; returns the new length."""
    size = path.stat().st_size
    left = size - min(size, chance.choice([1, 100, 4096, 70_000]))
    with path.open("r+b") as file:
        file.truncate(left)
    return [left]


SAID = {flip: "bits flipped in", cut: "a piece cut off"}
# The files of the database, in turns.
PARTS = ("db", "conf", "db", "snap.*")
HARMS = pytest.mark.parametrize("harm", SAID, ids=["flipped bits", "cut tail"])


@pytest.mark.timeout(3600)
@HARMS
def test_damaged_segments(victim, left, quick, harm):
    """Samples in a damaged place fail, named; all others end as if nothing was."""
    seed = int(time.time())
    chance = random.Random(seed)
    hit = 0
    for turn in range(rounds(2, 15)):
        service = victim("--threads", "2", signatures=quick)
        left.copied_to(service)
        path = chance.choice(service.segments() + service.spool_files())
        places = harm(path, chance)
        said = started(service)
        count = judge(service, left, said, results_may_go=False)
        print(f"seed {seed}, {path.name} at {places}: {count}")
        assert count["complete"] >= 50
        hit += count["failed"]
        service.kill()
    print(row(f"{SAID[harm]} a file or segment of the spool", turn + 1, f"{(turn + 1) * len(left.promises.acknowledged):,}",
              f"{hit} samples hit, which are named"))


@pytest.mark.timeout(3600)
@HARMS
def test_damaged_database(victim, left, quick, harm):
    """Starts with what is intact, or refuses and says what to do. No waiting sample is lost: the spool has them all."""
    seed = int(time.time())
    chance = random.Random(seed)
    gone = 0
    for turn in range(rounds(4, 48)):
        service = victim("--threads", "2", signatures=quick)
        left.copied_to(service)
        path = chance.choice(sorted((service.queue / "db").glob(PARTS[turn % len(PARTS)])))
        places = harm(path, chance)
        said = started(service)
        count = judge(service, left, said, results_may_go=True)
        print(f"seed {seed}, {path.name} at {places}, "
              f"{'refused' if 'move it away' in said else 'started'}: {count}")
        assert count["failed"] == 0, f"samples that wait are in the spool: {said}"
        if count["results lost"]:
            assert "ERROR" in said or "WARN" in said or "move it away" in said, f"silent about lost results:\n{said}"
        gone += count["results lost"]
        service.kill()
    print(row(f"{SAID[harm]} the database, its configuration or its snapshot", turn + 1, f"{(turn + 1) * len(left.promises.acknowledged):,}",
              f"of those waiting; {gone} results in the damaged part, which the start reports"))


@pytest.mark.timeout(3600)
@HARMS
def test_damaged_results(victim, left, quick, harm):
    """A result that is not intact is said to be lost at the start, or when it is asked for; no other is touched."""
    seed = int(time.time())
    chance = random.Random(seed)
    hit = 0
    for turn in range(rounds(2, 15)):
        service = victim("--threads", "2", signatures=quick)
        left.copied_to(service)
        path = chance.choice(service.result_segments())
        places = harm(path, chance)
        said = started(service)
        printed = service.output()
        drained(service)
        damaged = set()
        for sample_id, sample in left.promises.acknowledged.items():
            answer = requests.get(f"{service.url}/api/getAsyncResults", params={"id": sample_id}, timeout=30)
            if answer.status_code == 200:
                assert answer.json()["status"] == COMPLETE
                right_result(sample_id, sample, answer.json()["result"])
                continue
            damaged.add(sample_id)
            if answer.status_code == 400:
                assert f"the result of sample {sample_id} is lost" in said, said
            else:
                assert answer.status_code == 500 and answer.json()["reason"], answer.text[:300]
                asked = service.since_last_start(printed)
                assert re.search(rf"cannot look up a sample.*\bsample_id={sample_id}\b", asked), asked
        assert damaged <= left.done and len(damaged) < len(left.done), damaged
        assert damaged or harm is flip
        print(f"seed {seed}, {path.name} at {places}: {len(damaged)} results hit")
        no_orphans(service)
        service.check_output()
        hit += len(damaged)
        service.kill()
    print(row(f"{SAID[harm]} a segment of results", turn + 1, f"{(turn + 1) * len(left.promises.acknowledged):,}",
              f"of those waiting; {hit} results in the damaged part, which is said"))


@pytest.mark.timeout(600)
@HARMS
def test_damaged_log_backlog(victim, tmp_path, clean_up, harm):
    """Lines that waited for a log's disk: those that are intact reach the log, and nothing stops."""
    chance = random.Random(int(time.time()))
    logs = memory_disk(tmp_path / "logs", 8, clean_up)
    promises = Promises()
    hit = set()
    service = victim("--threads", "2", log=logs / "findings.json").start()
    for turn in range(rounds(1, 10)):
        filler = fill(logs)
        known = len(promises.acknowledged)
        with MixedLoad(service, promises, senders=2, checkers=0, size=lambda chance: 1000, slow_share=0):
            wait_until(lambda: len(promises.acknowledged) >= known + 60, 60, "some samples")
        drained(service)
        service.kill()
        backlogs = {path: read for path, read in zip(service.log_backlogs(), (of_json, of_text), strict=True)}
        path = chance.choice(list(backlogs))
        whole = Logged(path, backlogs[path], ended=True).by_file().keys()
        harm(path, chance)
        hit |= whole - Logged(path, backlogs[path], ended=True).by_file().keys()
        filler.unlink()
        service.start()
        wait_until(lambda: not service.log_backlogs(), 30, "the lines that waited are in the logs")
        wanted = {file for sample in promises.acknowledged.values() for file in sample.found}
        for log in (service.logged(), service.logged_as_text()):
            missing = wanted - log.by_file().keys()
            assert missing <= hit, f"{len(missing)} findings are not in the log, {len(hit)} were hit"
    for sample_id, end in ended(service, promises.acknowledged, 60).items():
        right_result(sample_id, promises.acknowledged[sample_id], end["result"])
    service.check_output()
    print(row(f"{SAID[harm]} the lines that wait for a log", turn + 1, len(promises.acknowledged),
              f"{len(hit)} lines hit, whose results can be read"))


@pytest.mark.timeout(300)
def test_damaged_kept_samples(victim):
    """They and their facts are as they should be once the sample was seen again; nothing else notices."""
    chance = random.Random(3)
    service = victim("--threads", "2", "--server-store-samples", "malicious").start()
    contents = [MARKER + b" %d " % number + chance.randbytes(2000).hex().encode() for number in range(6)]
    first = [service.enqueue(content) for content in contents]
    for sample_id in first:
        assert len(service.result(sample_id)["result"]) == 1
    service.stop()
    paths = [service.kept(hashlib.sha256(content).hexdigest()) for content in contents]
    facts = [path.with_name(path.name + ".json") for path in paths]
    cut(paths[0], chance)
    paths[1].unlink()
    flip(facts[2], chance, 20)
    cut(facts[3], chance)
    facts[4].unlink()
    facts[5].write_bytes(b"")
    printed = service.output()
    service.start()
    wait_until(lambda: "samples kept" in service.since_last_start(printed), 10, "they are counted")
    for sample_id in first:
        assert len(service.result(sample_id)["result"]) == 1
    again = [service.enqueue(content) for content in contents]
    for content, path, beside, sample_id in zip(contents, paths, facts, again, strict=True):
        assert len(service.result(sample_id)["result"]) == 1
        assert path.read_bytes() == content
        seen = json.loads(beside.read_bytes())
        assert sample_id in [sighting["sample_id"] for sighting in seen["sightings"]]
    no_orphans(service)
    print(row("kept samples and their facts cut, removed, flipped", 1, 2 * len(contents), "whole when seen again"))


@pytest.mark.timeout(600)
def test_removed_database(victim, left, quick):
    """The advice of the error message is sound: without the database, all that waits comes back from the spool."""
    service = victim("--threads", "2", signatures=quick)
    left.copied_to(service)
    known = set(service.result_segments())
    assert known
    shutil.rmtree(service.queue / "db")
    said = started(service)
    count = judge(service, left, said, results_may_go=True)
    assert count["complete"] >= len(left.waiting) and count["failed"] == 0, count
    assert not known & set(service.result_segments()), "results that nobody knows of stay on the disk"
    print(row("the database removed", 1, len(left.promises.acknowledged),
              f"of {len(left.waiting)} waiting; {count['results lost']} results were in it"))


def test_garbage_instead_of_files(victim, left, quick):
    """Files and folders that are not what their name says stop nothing."""
    service = victim("--threads", "2", signatures=quick)
    left.copied_to(service)
    (service.queue / "claims").write_bytes(random.Random(1).randbytes(4096))
    (service.queue / "spool" / "incoming" / "junk").write_bytes(b"junk")
    (service.queue / "spool" / "files" / "not a number").write_bytes(b"junk")
    foreign = service.queue / "spool" / "segments" / "junk.seg"
    foreign.write_bytes(b"junk" * 1000)
    said = started(service)
    assert foreign.exists(), "what the service did not make is left alone"
    foreign.unlink()
    count = judge(service, left, said, results_may_go=False)
    assert count["failed"] == 0, count
    assert requests.get(f"{service.url}/api/info", timeout=10).status_code == 200
    print(row("foreign files put in", 1, len(left.promises.acknowledged)))


@pytest.mark.parametrize("stop", ["kill", "stop"])
@pytest.mark.parametrize("by", [7, -3])
def test_counters_that_do_not_add_up_are_repaired_and_reported(victim, by, stop):
    """What is stored is true, what was counted is not; the start says by how much they differed."""
    promises = Promises()
    service = victim("--threads", "1").start()
    with MixedLoad(service, promises, checkers=1, size=sizes, slow_share=0):
        wait_until(lambda: len(promises.acknowledged) >= 20, 60, "some samples")
    drained(service)
    before = service.v1_status()
    time.sleep(1.5)  # Counts of checks are written every second.
    getattr(service, stop)()
    miscount(service, by)
    printed = service.output()
    service.start()
    said = service.since_last_start(printed)
    assert f"counter_difference={by}" in said and "queue repaired" in said, said
    status = service.v1_status()
    assert adds_up(status), status
    assert status["accepted_samples"] == before["accepted_samples"], (status, before)
    ends = ended(service, promises.acknowledged, 60)
    assert all(end["status"] == COMPLETE for end in ends.values())
    # Once repaired, it stays so.
    service.stop()
    printed = service.output()
    service.start()
    assert "queue repaired" not in service.since_last_start(printed)
    after = {"kill": "SIGKILL", "stop": "SIGTERM"}[stop]
    print(row(f"counters off by {by} on the disk after {after}", 1, len(ends), "reported and repaired"))
