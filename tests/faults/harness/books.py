"""Compares what was promised with what came true."""

import hashlib
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

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
    marked: int
    logged_twice: int

    def seen(self) -> str:
        """Returns what is told beside the losses, of which there are none."""
        aside = [f"{self.failed} put aside"] if self.failed else []
        return ", ".join([*aside, f"{self.logged_twice} of {self.marked} findings logged twice"])

    def __str__(self) -> str:
        return (f"{self.complete} complete ({self.marked} with a finding, {self.logged_twice} logged twice), "
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


def settle(service, promises: Promises, kills: int, seconds: float = 120, torn_max: int | None = None) -> Balance:
    """Waits for the end of all work and fails unless every promise came true.

    `kills` is how often the process ended in the middle: a finding may be in
    the log once more for each, and a line be torn; `torn_max` allows for more
    torn lines, of a log that could not be written to.
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
    marked = 0
    for sample_id, end in ends.items():
        if end["status"] == COMPLETE:
            marked += right_result(sample_id, promises.acknowledged[sample_id], end["result"])
    check_kept(service, promises, ends)
    twice = check_log(service, promises, ends, kills, kills if torn_max is None else torn_max)
    return Balance(len(ends) - len(failed), len(failed), marked, twice)


def right_result(sample_id: int, sample, findings: list[dict]) -> bool:
    """Fails unless the findings are those of the sample; returns whether there are any."""
    found = [(finding["context"]["sha256"], finding["context"]["sample_id"]) for finding in findings]
    expected = [(sample.sha256, sample_id)] if sample.marked else []
    assert found == expected, f"{sample_id}: {sample} has {findings}"
    return sample.marked


def check_log(service, promises: Promises, ends: dict, kills: int, torn_max: int) -> int:
    """Fails unless the log has every finding of what ended complete; returns how many it has twice."""
    events, torn = service.logged()
    assert torn <= torn_max, f"{torn} torn lines after {kills} kills"
    missing = [i for i, end in ends.items()
               if end["status"] == COMPLETE and promises.acknowledged[i].marked
               and promises.acknowledged[i].sha256 not in events]
    assert not missing, f"{len(missing)} findings are not in the log: {missing[:10]}"
    twice = 0
    for sha256, ids in events.items():
        sample = promises.sent.get(sha256)
        assert sample is not None, f"a file was logged that nobody sent: {sha256}, was it scanned in part?"
        assert sample.marked, f"logged without a reason: {sample}"
        assert len(set(ids)) == 1, f"two event ids for one scan: {sample} {ids}"
        assert len(ids) <= 1 + kills, f"logged {len(ids)} times after {kills} kills: {sample}"
        twice += len(ids) > 1
    return twice


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


def no_orphans(service, failed: int = 0) -> None:
    """Fails when bytes stay behind that no sample refers to; those of `failed` samples are kept."""
    wait_until(lambda: not service.incoming(), 10, "no incomplete uploads")
    wait_until(lambda: not service.incompletely_kept(), 10, "no kept samples cut short")
    wait_until(lambda: len(service.spool_files()) <= failed, 15, "no files of samples that are done")
    wait_until(lambda: len(service.segments()) <= 1 + failed, 15, "no segments of samples that are done")
