"""Compares what was promised with what came true."""

import hashlib
import json
import os
import shutil
from bisect import bisect_right
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from unittest import mock

import requests

from harness.load import Promises, adds_up
from support.service import wait_until

COMPLETE = "Sample analysis complete"
FAILED = "Sample analysis failed"


@dataclass(frozen=True)
class Balance:
    """How acknowledged samples ended."""

    complete: int
    failed: int
    findings: int
    logged_twice: int

    def seen(self) -> str:
        """Returns what is told beside the losses, of which there are none."""
        aside = [f"{self.failed} put aside"] if self.failed else []
        return ", ".join([*aside, f"{self.logged_twice} of {self.findings} findings logged twice"])

    def __str__(self) -> str:
        return (f"{self.complete} complete ({self.findings} findings, {self.logged_twice} logged twice), "
                f"{self.failed} failed, 0 lost")


def drained(service, seconds: float = 120) -> None:
    """Waits until nothing waits and nothing is scanned."""

    def idle():
        status = service.v1_status()
        return status["waiting_samples"] == 0 and status["scanning_samples"] == 0

    wait_until(idle, seconds, "an empty queue", pause=0.2)


def outcomes(service, ids) -> dict[int, dict | None]:
    """Returns the answer about every id, `None` for an unknown one."""

    def ask(sample_id: int):
        answer = requests.get(f"{service.url}/api/getAsyncResults", params={"id": sample_id}, timeout=30)
        if answer.status_code == 400:
            return sample_id, None
        assert answer.status_code == 200, f"{sample_id}: {answer.status_code} {answer.text[:300]}"
        return sample_id, answer.json()

    with ThreadPoolExecutor(4) as pool:
        return dict(pool.map(ask, ids))


def ended(service, ids, seconds: float) -> dict[int, dict | None]:
    """Waits until every id is complete, failed or unknown; returns the answers."""
    ends = {}

    def rest() -> list[int]:
        return [i for i in ids if i not in ends]

    def all_ended() -> bool:
        ends.update((i, end) for i, end in outcomes(service, rest()).items()
                    if end is None or end["status"] in (COMPLETE, FAILED))
        return not rest()

    wait_until(all_ended, seconds, "an end of every sample", pause=0.2)
    return ends


def reasons(service) -> dict[int, str]:
    """Returns why each failed sample failed."""
    found, after = {}, None
    while True:
        answer = service.get("/api/v1/samples/failed", params={} if after is None else {"after": after})
        assert answer.status_code == 200, f"{answer.status_code} {answer.text[:300]}"
        page = answer.json()
        found.update((sample["id"], sample["reason"]) for sample in page["samples"])
        after = page.get("next")
        if after is None:
            return found


def failed_for_a_reason(service, ids) -> None:
    """Fails when the service does not say why a sample failed."""
    why = reasons(service)
    silent = [i for i in ids if not why.get(i)]
    assert not silent, f"failed without a reason: {silent}"


def settle(service, promises: Promises, kills: int, seconds: float = 120, torn_max: int | None = None,
           once_per_life: bool = False) -> Balance:
    """Waits for the end of all work and fails unless every promise came true.

    `kills` is how often the process ended in the middle: a finding may be in
    the logs once more for each since its sample was sent, and a line be torn;
    `torn_max` allows for more torn lines, of a log that could not be written
    to. `once_per_life` wants that no process wrote one twice, as none does
    whose disk takes all it writes.
    """
    assert not promises.wrong, promises.wrong[:5]
    drained(service, seconds)
    status = service.v1_status()
    assert adds_up(status), status
    ends = ended(service, promises.acknowledged, seconds)
    lost = sorted(i for i, end in ends.items() if end is None)
    assert not lost, f"{len(lost)} acknowledged samples are lost: {lost[:10]}"
    failed = sorted(i for i, end in ends.items() if end["status"] == FAILED)
    failed_for_a_reason(service, failed)
    findings = 0
    for sample_id, end in ends.items():
        if end["status"] == COMPLETE:
            findings += right_result(sample_id, promises.acknowledged[sample_id], end["result"])
    check_kept(service, promises, ends)
    twice = check_logs(service, promises, ends, kills, kills if torn_max is None else torn_max, once_per_life)
    return Balance(len(ends) - len(failed), len(failed), findings, twice)


def right_result(sample_id: int, sample, findings: list[dict]) -> int:
    """Fails unless the findings are those of the sample; returns how many there are."""
    found = sorted((finding["context"]["sha256"], finding["context"]["sample_id"]) for finding in findings)
    expected = sorted((file, sample_id) for file in sample.found)
    assert found == expected, f"{sample_id}: {sample} has {findings}"
    return len(found)


def check_logs(service, promises: Promises, ends: dict, kills: int, torn_max: int, once_per_life: bool) -> int:
    """Fails unless both logs have every finding of what ended complete; returns how many one of them has twice."""
    complete = {i: promises.acknowledged[i] for i, end in ends.items() if end["status"] == COMPLETE}
    twice, known = set(), {}
    logs = {
        service.log: (service.logged(), [start.json for start in service.starts]),
        service.text_log: (service.logged_as_text(), [start.text for start in service.starts]),
    }
    for path, (log, starts) in logs.items():
        assert log.torn <= torn_max, f"{path}: {log.torn} torn lines after {kills} kills"
        files = log.by_file()
        missing = [i for i, sample in complete.items() if not sample.found <= files.keys()]
        assert not missing, f"{len(missing)} samples' findings are not in {path}: {missing[:10]}"
        for file, lines in files.items():
            sample = promises.findings.get(file)
            assert sample is not None, f"in {path} is what nobody sent or is clean: {file}, was it scanned in part?"
            ids = {line.event_id for line in lines} | known.get(file, set())
            assert len(ids) == 1, f"two event ids for one finding: {sample} {ids}"
            known[file] = ids
            allowed = 1 + kills - sample.kills
            assert len(lines) <= allowed, f"{len(lines)} times in {path}, {allowed} allowed: {sample}"
            if once_per_life:
                lives = [bisect_right(starts, line.at) for line in lines]
                assert len(set(lives)) == len(lives), f"{path}: twice by one process: {sample} {lines} {starts}"
            if len(lines) > 1:
                twice.add(file)
    of_samples = defaultdict(set)
    for file, ids in known.items():
        of_samples[promises.findings[file].sha256] |= ids
    events = [event for ids in of_samples.values() for event in ids]
    assert len(events) == len(set(events)), "one event id for two findings"
    split = [ids for ids in of_samples.values() if len({event.rpartition("-")[0] for event in ids}) > 1]
    assert not split, f"the findings of one scan do not belong together: {split[:3]}"
    return len(twice)


def check_kept(service, promises: Promises, ends: dict) -> None:
    """Fails unless a service that keeps malicious samples has each of them, whole, with its facts beside it."""
    if not service.keeps():
        return
    for sample_id, end in ends.items():
        sample = promises.acknowledged[sample_id]
        if end["status"] != COMPLETE or all(finding["level"] == "Notice" for finding in end["result"]):
            continue
        path = service.kept(sample.sha256)
        if not path.is_file():
            # Want of room is a reason, and the service's messages tell it.
            room = shutil.disk_usage(service.data).free
            raise AssertionError(f"{sample_id} is not kept: {sample}; {room} bytes free; {service.not_kept()[-3:]}")
        assert hashlib.sha256(path.read_bytes()).hexdigest() == sample.sha256, f"{path} has other bytes"
        facts = json.loads(path.with_name(path.name + ".json").read_bytes())
        ids = [sighting["sample_id"] for sighting in facts["sightings"]]
        assert sample_id in ids, f"{sample_id} is not among the sightings of {path}: {ids}"
        assert len(ids) == facts["seen"] == len(set(ids)), f"one sighting twice: {ids}"


def no_orphans(service, failed: int = 0, put_aside: int | None = None) -> None:
    """Fails when bytes stay behind that no sample refers to; those of `failed` samples are kept.

    `put_aside` is how many failed since the process died in their scans, as
    far as it is not all of them: one that had just been kept is not scanned
    again, and has no facts beside it.
    """
    half_kept = failed if put_aside is None else put_aside
    wait_until(lambda: not service.incoming(), 10, "no incomplete uploads")
    wait_until(lambda: len(service.incompletely_kept()) <= half_kept, 10,
               "no kept samples cut short or without their facts")
    wait_until(lambda: len(service.spool_files()) <= failed, 15, "no files of samples that are done")
    wait_until(lambda: len(service.segments()) <= 1 + failed, 15, "no segments of samples that are done")
    wait_until(lambda: not service.log_backlogs(), 15, "no lines that wait for a log")


def nothing_without_results(service, put_aside: int) -> None:
    """Fails unless all results leave the disk when none is to be kept; of failed samples some always are."""
    service.stop()
    with mock.patch.object(service, "args", [*service.args, "--server-result-cache-size", "0"]):
        service.start()

        def gone() -> bool:
            # Results go when others come.
            service.enqueue(os.urandom(20))
            return len(service.result_segments()) <= 1

        wait_until(gone, 30, "no segments of results that are gone", pause=0.2)
        drained(service)
        no_orphans(service, len(reasons(service)), put_aside)
        service.stop()
    service.start()
