"""Other signatures without a restart: by every trigger, under load; and compiled only once."""

import json
import os
import signal
import stat
import threading
import time
from pathlib import Path

import pytest
import requests

from support.places import SIGNATURE_BASE, needs_signature_base, rounds
from support.rules import CLEAN, MARKER, RULES, write_rules
from support.service import Service, running, wait_until

RULE = 'rule E2E_{name} {{ meta: score = 80 strings: $a = "reload-{name}" condition: $a }}\n'


def rule(name: str) -> str:
    return RULE.format(name=name)


def state(service: Service) -> dict:
    return service.json("/api/v1/signatures")


def found(service: Service, content: bytes) -> set:
    return {match["rulename"] for finding in service.check(content) for match in finding["matches"]}


def changed(service: Service, outcome: str, count: int, seconds: float = 20) -> dict:
    """Waits for the `count`th change since the start with that outcome."""
    key = "failed_changes" if outcome == "failed" else "changes"
    now = wait_until(lambda: (s := state(service))[key] >= count and s, seconds, f"{outcome} number {count}")
    assert now["last_change"]["outcome"] == outcome, now["last_change"]
    return now


def replace(path: Path, text: str):
    """Changes a file in one go, as a careful author does."""
    new = path.with_name(f".{path.name}")
    new.write_text(text)
    new.replace(path)


@pytest.fixture
def folder(tmp_path) -> Path:
    return write_rules(tmp_path / "signatures", first=rule("first"))


def test_what_is_told_of_the_signatures(start, folder):
    service = start("--signatures", folder, signatures=False)
    told = state(service)
    assert told["current"]["rules"] == 1
    assert told["current"]["version"] == service.json("/api/info")["signature_version"]
    assert len(told["current"]["fingerprint"]) == 64
    assert "previous" not in told
    assert told["problems"] == [] and told["failed_changes"] == 0
    assert told["last_change"]["trigger"] == "start"
    assert told["last_change"]["outcome"] == "replaced"


def test_what_changed_files_did_is_in_the_audit_log(start, folder):
    service = start("--signatures", folder, signatures=False)

    def acts():
        log = service.data / "audit.log"
        lines = log.read_text().splitlines() if log.exists() else []
        told = [json.loads(line) for line in lines]
        return [(act["who"], act["from"], act["what"], act["outcome"]) for act in told]

    done = ("watcher", "watch-signatures", "signatures reload", "done")
    assert acts() == []
    write_rules(folder, second=rule("second"))
    assert wait_until(acts, 20, "the change is written down") == [done]
    assert found(service, b"reload-second") == {"E2E_second"}
    # Nothing is in it that counts.
    looked = state(service)["last_change"]["at"]
    os.utime(folder / "yara/second.yar")
    wait_until(lambda: state(service)["last_change"]["at"] != looked, 20, "the files are read again")
    # The first set again, and then one that is not fit.
    (folder / "yara/second.yar").unlink()
    wait_until(lambda: len(acts()) > 1, 20, "the next one too")
    for path in (folder / "yara").iterdir():
        replace(path, "rule broken {")
    wait_until(lambda: len(acts()) > 2, 20, "and what failed")
    assert acts() == [done, done, done[:3] + ("failed",)]


def test_a_file_that_cannot_be_read_is_a_problem_that_is_told(start, folder):
    service = start("--signatures", folder, "--watch-signatures=false", signatures=False)
    (folder / "yara/gone.yar").symlink_to("nowhere.yar")
    # The set is the same as before.
    for outcome in ("unchanged", "replaced"):
        told = service.post("/api/v1/signatures/reload").json()
        assert told["last_change"]["outcome"] == outcome
        [problem] = told["problems"]
        assert "yara/gone.yar: cannot be read: " in problem and "No such file" in problem
        assert "nowhere" not in problem and "gone.yar" in service.output()
        write_rules(folder, second=rule("second"))
    (folder / "yara/gone.yar").unlink()
    assert service.post("/api/v1/signatures/reload").json()["problems"] == []


def test_a_request_reloads_and_rolls_back(start, folder):
    service = start("--signatures", folder, "--watch-signatures=false", signatures=False)
    before = state(service)["current"]
    assert found(service, b"reload-first reload-second") == {"E2E_first"}

    answer = service.post("/api/v1/signatures/reload")
    assert answer.status_code == 200
    assert answer.json()["last_change"]["outcome"] == "unchanged"
    assert answer.json()["current"] == before

    write_rules(folder, second=rule("second"))
    answer = service.post("/api/v1/signatures/reload").json()
    assert answer["last_change"] | {"at": "", "duration_milliseconds": 0} == {
        "at": "", "trigger": "request", "outcome": "replaced", "duration_milliseconds": 0,
    }
    assert answer["previous"] == before
    assert answer["current"]["rules"] == 2
    assert answer["current"]["version"] != before["version"]
    assert service.json("/api/info")["signature_version"] == answer["current"]["version"]
    assert service.json("/api/info")["rules"] == 2
    assert found(service, b"reload-first reload-second") == {"E2E_first", "E2E_second"}

    answer = service.post("/api/v1/signatures/rollback")
    assert answer.status_code == 200
    assert answer.json()["current"] == before
    assert found(service, b"reload-first reload-second") == {"E2E_first"}
    again = service.post("/api/v1/signatures/rollback")
    assert again.status_code == 409 and "no set before" in again.json()["message"]

    service.post("/api/v1/signatures/reload")
    assert found(service, b"reload-second") == {"E2E_second"}, "on request the files count again"


def test_a_signal_reloads(start, folder):
    service = start("--signatures", folder, "--watch-signatures=false", signatures=False)
    write_rules(folder, second=rule("second"))
    service.signal(signal.SIGHUP)
    now = changed(service, "replaced", 2)
    assert now["last_change"]["trigger"] == "signal"
    assert found(service, b"reload-second") == {"E2E_second"}


def test_a_change_of_files_reloads_and_a_rolled_back_set_stays_out(start, folder):
    service = start("--signatures", folder, signatures=False)
    write_rules(folder, second=rule("second"))
    now = changed(service, "replaced", 2)
    assert now["last_change"]["trigger"] == "files"
    assert found(service, b"reload-second") == {"E2E_second"}
    service.post("/api/v1/signatures/rollback")
    os.utime(folder / "yara" / "second.yar")
    time.sleep(6)
    assert found(service, b"reload-second") == set()
    (folder / "yara" / "second.yar").unlink()
    (folder / "yara" / "first.yar").write_text(rule("third"))
    wait_until(lambda: found(service, b"reload-third"), 20, "the next change counts")


def test_a_change_of_an_included_file_counts(start, folder):
    (folder / "yara" / "first.yar").write_text('include "shared.inc"\n' + rule("first"))
    shared = folder / "yara" / "shared.inc"
    shared.write_text(rule("old"))
    service = start("--signatures", folder, signatures=False)
    before = state(service)["current"]
    assert found(service, b"reload-old reload-new") == {"E2E_old"}
    replace(shared, rule("new"))
    now = changed(service, "replaced", 2)["current"]
    assert found(service, b"reload-old reload-new") == {"E2E_new"}
    assert now["fingerprint"] != before["fingerprint"] and now["version"] != before["version"]
    service.post("/api/v1/signatures/rollback")
    assert found(service, b"reload-old reload-new") == {"E2E_old"}


def test_versions_of_two_sets_differ_even_where_times_go_back(start, folder):
    service = start("--signatures", folder, "--watch-signatures=false", signatures=False)
    os.utime(folder / "yara" / "first.yar", (1_700_000_000, 1_700_000_000))
    versions = [state(service)["current"]["version"]]
    for name in ("second", "third", "fourth"):
        path = folder / "yara" / "first.yar"
        path.write_text(rule(name))
        os.utime(path, (1_700_000_000, 1_700_000_000))
        versions.append(service.post("/api/v1/signatures/reload").json()["current"]["version"])
    assert len(set(versions)) == 4, versions


@pytest.mark.parametrize("spoil", ["empty", "broken", "mostly", "missing"])
def test_a_set_that_is_not_fit_changes_nothing(start, folder, spoil):
    service = start("--signatures", folder, "--watch-signatures=false", signatures=False)
    before = state(service)["current"]
    file = folder / "yara" / "first.yar"
    if spoil == "empty":
        file.unlink()
    elif spoil == "broken":
        file.write_text("rule Broken {")
    elif spoil == "mostly":
        file.write_text(rule("good") + "".join(f"rule Bad{i} {{ condition: $x{i} }}\n" for i in range(5)))
    else:
        file.unlink()
        file.parent.rmdir()
        folder.rmdir()
    answer = service.post("/api/v1/signatures/reload")
    assert answer.status_code == 409
    reason = answer.json()["message"]
    assert "signatures" in reason or "usable" in reason, reason
    now = state(service)
    assert now["current"] == before
    assert now["failed_changes"] == 1
    assert now["last_change"]["outcome"] == "failed"
    assert now["last_change"]["error"] == reason
    assert found(service, b"reload-first") == {"E2E_first"}
    assert "those before stay" in service.output()
    metrics = service.get("/metrics").text
    assert "squall_signature_change_failures_total 1" in metrics
    assert "squall_signature_changes_total 1" in metrics


def test_pages_of_other_sites_cannot_change_signatures(start, folder):
    service = start("--signatures", folder, signatures=False)
    for path in ("reload", "rollback"):
        for site, status in (("cross-site", 403), ("same-site", 403)):
            answer = service.post(f"/api/v1/signatures/{path}", headers={"Sec-Fetch-Site": site})
            assert answer.status_code == status, answer.text
    answer = service.post("/api/v1/signatures/reload", headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 200
    assert service.get("/api/v1/signatures/reload").status_code == 405


def test_no_sample_is_missed_or_refused_while_sets_are_replaced(start, tmp_path):
    """Each answer is what one of the sets says; each queued sample gets its result."""
    folder = write_rules(tmp_path / "signatures", base=RULES, turn=rule("0"))
    service = start("--signatures", folder, "--threads", "2", signatures=False)
    stop = threading.Event()
    problems: list = []
    checked = [0, 0]
    queued: list = []
    content = MARKER + b" " + b" ".join(b"reload-%d" % i for i in range(50))

    def send(sender: int):
        with requests.Session() as session:
            session.trust_env = False
            while not stop.is_set():
                path = "/api/check" if sender % 2 == 0 else "/api/checkAsync"
                answer = session.post(service.url + path, files={"file": ("/a.txt", content)}, timeout=60)
                if answer.status_code != 200:
                    problems.append((answer.status_code, answer.text))
                elif sender % 2:
                    queued.append(answer.json()["id"])
                else:
                    names = {m["rulename"] for f in answer.json() for m in f["matches"]}
                    turns = [name for name in names if name != "E2E_Marker"]
                    if "E2E_Marker" not in names or len(turns) != 1:
                        problems.append(names)
                checked[sender % 2] += 1

    threads = [threading.Thread(target=send, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    try:
        count = rounds(12, 45)
        for turn in range(1, count):
            replace(folder / "yara" / "turn.yar", rule(str(turn)))
            trigger = turn % 3
            if trigger == 0:
                assert service.post("/api/v1/signatures/reload").status_code == 200
            elif trigger == 1:
                service.signal(signal.SIGHUP)
            else:
                wait_until(lambda: f"E2E_{turn}" in found(service, content), 30, "the change is seen")
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert not problems, problems[:5]
    assert min(checked) > 20, checked
    for number in queued:
        [finding] = service.result(number)["result"]
        names = {match["rulename"] for match in finding["matches"]}
        assert "E2E_Marker" in names and len(names) == 2, names
    assert state(service)["failed_changes"] == 0
    assert service.status()["scanned_samples"] >= len(queued)


def from_cache(service: Service) -> bool:
    return state(service)["current"]["from_cache"]


def test_a_set_is_compiled_once(start, folder, tmp_path):
    cache = tmp_path / "cache"
    arguments = ("--signatures", folder, "--signature-cache-dir", cache)
    first = start(*arguments, signatures=False)
    assert not from_cache(first)
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    [stored] = cache.iterdir()
    first.stop()

    second = start(*arguments, signatures=False)
    assert from_cache(second)
    assert found(second, b"reload-first") == {"E2E_first"}
    second.stop()

    good = stored.read_bytes()
    for damaged in (b"", good[:100], good[: len(good) // 2], bytes([good[0] ^ 1]) + good[1:],
                    good[:-1] + bytes([good[-1] ^ 1])):
        stored.write_bytes(damaged)
        again = start(*arguments, signatures=False)
        assert not from_cache(again), "a damaged file is not used"
        assert found(again, b"reload-first") == {"E2E_first"}
        assert stored.read_bytes()[:8] == good[:8]
        again.stop()
    assert from_cache(start(*arguments, signatures=False))


def test_a_cache_that_others_can_write_to_is_not_used(start, folder, tmp_path):
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o777)
    cache.chmod(0o777)
    service = start("--signatures", folder, "--signature-cache-dir", cache, signatures=False)
    assert not from_cache(service)
    assert list(cache.iterdir()) == []
    assert "others can write to it" in service.output()


@needs_signature_base
def test_the_cached_start_with_a_large_set_is_quick(tmp_path):
    """Prints what `docs/signatures.md` says of start and memory."""
    service = Service(tmp_path, "--signatures", str(SIGNATURE_BASE), "--threads", "2")
    times = []
    for turn in range(2):
        began = time.monotonic()
        with running(service):
            times.append(time.monotonic() - began)
            current = state(service)["current"]
            print(f"start {times[-1]:.2f} s, loaded in {current['load_time_milliseconds']} ms, "
                  f"from cache {current['from_cache']}, peak {service.memory_peak_bytes() >> 20} MiB")
            assert current["from_cache"] == (turn == 1)
            assert service.check(CLEAN) == []
    assert times[1] < times[0] / 2, times


def test_answers_name_the_set_they_were_made_with(start, folder):
    service = start("--signatures", folder, "--watch-signatures=false", signatures=False)
    versions = []
    for turn in ("second", "third"):
        version = state(service)["current"]["version"]
        versions.append(version)
        queued = [service.enqueue(content) for content in (b"reload-first", CLEAN)]
        for number in queued:
            service.result(number)
        for content in (b"reload-first", CLEAN):
            answer = service.post("/api/check", files={"file": ("/a", content)})
            assert answer.headers["X-Signature-Version"] == version
        write_rules(folder, **{turn: rule(turn)})
        assert service.post("/api/v1/signatures/reload").status_code == 200
        for number in queued:
            for generation in ("/api", "/api/v1"):
                answer = service.get(f"{generation}/getAsyncResults?id={number}")
                assert answer.headers["X-Signature-Version"] == version, "of its scan, not of now"
    assert len(set(versions)) == 2
