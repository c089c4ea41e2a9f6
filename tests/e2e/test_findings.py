"""The findings store: search, details, reviews, sources, runs, export, rebuild."""

import csv
import gzip
import io
import json
import shutil
import subprocess

import pytest

from support.places import BINARY
from support.rules import CLEAN, MARKER, SECOND
from support.service import wait_until

HOSTILE_NAMES = [
    "=cmd()|' /C calc'!A0",
    "\"><script>alert(1)</script>.exe",
    "<img src=x onerror=alert(1)>",
    "turned\u202egpj.exe",
    "line\r\nbreak\ttab",
    "C:\\Users\\ünïcödé\\x.exe",
    "x" * 4096,
]
HOSTILE_SOURCES = ["@SUM(1+1)", "\"><img src=x onerror=alert(1)>", "a/b?c=d&e#f", "\u202eecruos", "s" * 1000]


def search(service, **conditions) -> list[dict]:
    """Returns all findings that meet the conditions, page by page."""
    rows, cursor = [], None
    while True:
        page = service.get("/api/v1/findings", params={**conditions, "limit": 7, "cursor": cursor or ""})
        assert page.status_code == 200, page.text
        rows += page.json()["findings"]
        cursor = page.json()["cursor"]
        if cursor is None:
            return rows


def stored(service, count: int, **conditions) -> list[dict]:
    """Waits until that many findings are stored."""
    return wait_until(lambda: (rows := search(service, **conditions)) and len(rows) >= count and rows,
                      20, f"{count} findings")


def command(*args) -> subprocess.CompletedProcess:
    """Runs `squall findings`."""
    return subprocess.run([str(BINARY), "findings", *map(str, args)], capture_output=True, timeout=60, check=False)


def without_ids(rows: list[dict]) -> list[dict]:
    """What a log tells: everything but the samples' numbers."""
    return [{**row, "sample_id": None} for row in rows]


def test_what_is_found_can_be_searched(squall):
    squall.check(MARKER, name="/var/www/eins.php", source="web-01")
    squall.check(SECOND, name="/var/www/zwei.php", source="web-02")
    squall.check(CLEAN, name="/var/www/clean.php", source="web-03")
    stored(squall, 2)
    for conditions, names in [
        ({"source": "web-01"}, ["/var/www/eins.php"]),
        ({"rule": "E2E_Second"}, ["/var/www/zwei.php"]),
        ({"tag": "WEBSHELL"}, ["/var/www/eins.php"]),
        ({"name": "ZWEI"}, ["/var/www/zwei.php"]),
        ({"q": "squall e2e marker"}, ["/var/www/eins.php"]),
        ({"q": "seco*"}, ["/var/www/zwei.php"]),
        ({"score_min": 80}, ["/var/www/eins.php"]),
        ({"level": "Warning", "score_max": 79}, ["/var/www/zwei.php"]),
        ({"since": "1h", "source": "web-02"}, ["/var/www/zwei.php"]),
        ({"until": "1h"}, []),
        ({"name": "clean"}, []),
    ]:
        assert [row["name"] for row in search(squall, **conditions)] == names, conditions
    sources = wait_until(
        lambda: (found := {row["source"]: row for row in squall.json("/api/v1/sources")["sources"]})
        and "web-03" in found and found, 10, "the clean source")
    assert sources["web-03"]["samples"] == 1
    assert sources["web-03"]["findings"] == {"alert": 0, "warning": 0, "notice": 0}
    assert "python" in sources["web-03"]["agent"].lower()


def test_a_finding_its_sightings_and_its_review(squall):
    body = MARKER + b" seen twice"
    for source in ("seen-a", "seen-b"):
        squall.check(body, name=f"/tmp/{source}.bin", source=source)
    row = stored(squall, 1, source="seen-a")[0]
    stored(squall, 1, source="seen-b")
    details = squall.json(f"/api/v1/findings/{row['event_id']}")
    assert details["finding"]["subject"]["path"] == "/tmp/seen-a.bin"
    assert sum(share["points"] for share in details["shares"]) == pytest.approx(row["score"], abs=0.5)
    by_hash = next(s for s in details["sightings"] if s["by"] == "hash")
    assert [other["source"] for other in by_hash["latest"]] == ["seen-b"]
    review = {"state": "false_positive", "note": "=ours()", "who": "<b>ana</b>"}
    path = f"/api/v1/findings/{row['event_id']}/review"
    assert squall.post(path, data={"state": "reviewed"}).status_code == 400
    answer = squall.post(path, json=review)
    assert answer.status_code == 200, answer.text
    assert [r["event_id"] for r in search(squall, review="false_positive")] == [row["event_id"]]
    assert squall.json(f"/api/v1/findings/{row['event_id']}")["review"]["who"] == "<b>ana</b>"


def test_a_run_without_an_end_is_incomplete(squall):
    begin = {"type": "begin", "source": "run-host", "collector": "e2e/1"}
    runs = [squall.post("/api/collection", json=begin).json()["scan_id"] for _ in range(2)]
    squall.check(MARKER + b" in a run", source="run-host", scan_id=runs[0])
    end = {**begin, "type": "end", "scan_id": runs[1], "stats": {"scanned": 5, "submitted": 0}}
    assert squall.post("/api/collection", json=end).json() == {"ok": True}

    def told():
        found = {run["scan_id"]: run for run in squall.json("/api/v1/collections?source=run-host")["collections"]}
        ready = len(found) == 2 and found[runs[0]]["samples"] == 1 and found[runs[1]]["state"] == "end"
        return ready and found[runs[0]]["findings"]["alert"] + found[runs[0]]["findings"]["warning"] == 1 and found

    found = wait_until(told, 10, "both runs")
    assert (found[runs[0]]["state"], found[runs[0]]["ended"]) == ("incomplete", None)
    assert found[runs[1]]["stats"]["scanned"] == 5
    incomplete = squall.json("/api/v1/collections?state=incomplete&source=run-host")["collections"]
    assert [run["scan_id"] for run in incomplete] == [runs[0]]
    assert [row["scan_id"] for row in search(squall, scan_id=runs[0])] == [runs[0]]


def test_only_so_many_are_kept(start):
    """The newest; also after a restart, which could bring others back from the results of samples."""
    service = start("--findings-max", "5", "--threads", "1")
    for number in range(12):
        service.enqueue(MARKER + b" %d" % number, name=f"/tmp/{number:02}.bin", source=f"host-{number:02}")
    wait_until(lambda: service.status()["scanned_samples"] == 12, 20, "every sample")

    def kept():
        return [row["name"] for row in search(service)]

    newest = [f"/tmp/{number:02}.bin" for number in range(11, 6, -1)]
    # It is looked for what is too much every ten seconds.
    wait_until(lambda: sorted(kept()) == sorted(newest), 30, "the five newest alone")
    assert service.json("/api/v1/overview")["findings"]["stored"] == 5
    assert search(service, name="00.bin") == [] and search(service, q="squall") != []
    # Who sent them is known for longer.
    assert len(service.json("/api/v1/sources")["sources"]) == 12
    service.stop()
    service.start()
    wait_until(lambda: not service.json("/api/v1/overview")["findings"]["behind"], 20, "the store to have caught up")
    assert sorted(kept()) == sorted(newest)


def test_what_is_hostile_comes_out_as_data(start):
    service = start()
    for name in HOSTILE_NAMES:
        service.post("/api/check", params={"source": "hostile"}, files={"file": (name, MARKER)})
    for source in HOSTILE_SOURCES:
        service.check(MARKER, name="/tmp/x", source=source)
    rows = stored(service, len(HOSTILE_NAMES) + len(HOSTILE_SOURCES))
    for source in HOSTILE_SOURCES:
        assert len(search(service, source=source)) == 1, source
        wait_until(lambda s=source: service.get("/api/v1/source", params={"name": s}).status_code == 200,
                   10, f"source {source[:30]!r}")
    table = service.get("/api/v1/findings/export?format=csv")
    assert table.headers["content-type"].startswith("text/csv")
    cells = list(csv.reader(io.StringIO(table.text, newline="")))
    assert len(cells) == 1 + len(rows)
    for cell in (cell for line in cells for cell in line):
        assert not cell.lstrip().startswith(("=", "+", "-", "@")), cell[:50]
        assert not any(ord(c) < 32 or c in "\u202e\u2028" for c in cell), cell[:50]
    lines = service.get("/api/v1/findings/export").text.splitlines()
    assert {json.loads(line)["meta"]["event_id"] for line in lines} == {row["event_id"] for row in rows}
    page = command("export", "--format", "html", "--data-dir", service.data)
    assert page.returncode == 0, page.stderr
    text = page.stdout.decode()
    assert "<img" not in text and "<script" not in text and "\u202e" not in text
    assert "&lt;script&gt;" in text


def test_kill_and_restart_neither_lose_nor_double(start):
    service = start()
    ids = [service.enqueue(MARKER + str(n).encode(), name=f"/tmp/{n}", source=f"s{n % 3}") for n in range(20)]
    for sample in ids:
        service.result(sample)
    service.kill()
    service.start()
    rows = stored(service, 20)
    service.stop()
    service.start()
    assert search(service) == rows
    assert len({row["event_id"] for row in rows}) == 20
    assert sorted(row["sample_id"] for row in rows) == sorted(ids)


def test_a_rebuilt_store_gives_the_same_answers(start, tmp_path):
    log = tmp_path / "findings.json"
    service = start("--jsonfile", log)
    for n, name in enumerate(HOSTILE_NAMES * 3):
        service.post("/api/check", params={"source": f"s{n % 4}"}, files={"file": (name, MARKER + str(n).encode())})
    before = stored(service, len(HOSTILE_NAMES) * 3)
    where = ["--data-dir", service.data, "--jsonfile", log]
    running = command("rebuild", *where)
    assert running.returncode != 0 and b"in use by another process" in running.stderr
    service.stop()
    # The log is rotated, compressed, and the database gone.
    lines = log.read_bytes().splitlines(keepends=True)
    with gzip.open(f"{log}.1.gz", "wb") as rotated:
        rotated.write(b"".join(lines[:10]))
    log.write_bytes(b"".join(lines[5:]))
    shutil.rmtree(service.data / "findings")
    rebuilt = command("rebuild", *where)
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert f"{len(before)} findings from 2 log(s)".encode() in rebuilt.stdout
    service.start()
    assert without_ids(search(service)) == without_ids(before)
    for conditions in ({"source": "s1"}, {"q": "cmd"}, {"name": "SCRIPT"}, {"rule": "E2E_Marker"}):
        expected = [row["event_id"] for row in before if row in before and _meets(row, conditions)]
        assert [row["event_id"] for row in search(service, **conditions)] == expected, conditions


def _meets(row: dict, conditions: dict) -> bool:
    """The conditions of the test above, said plainly."""
    return all([
        "source" not in conditions or row["source"] == conditions["source"],
        "q" not in conditions or conditions["q"] in row["name"],
        "name" not in conditions or conditions["name"].lower() in row["name"].lower(),
        "rule" not in conditions or conditions["rule"] in [rule["name"] for rule in row["rules"]],
    ])


def test_a_damaged_store_is_made_anew(start, tmp_path):
    service = start("--jsonfile", tmp_path / "findings.json")
    for n in range(5):
        service.check(MARKER + str(n).encode(), name=f"/tmp/{n}")
    rows = stored(service, 5)
    path = f"/api/v1/findings/{rows[2]['event_id']}/review"
    assert service.post(path, json={"state": "reviewed", "note": "n"}).status_code == 200
    service.stop()
    database = service.data / "findings" / "findings.db"
    database.write_bytes(b"no database at all " * 1000)
    service.start()
    again = stored(service, 5)
    assert [row["event_id"] for row in again] == [row["event_id"] for row in rows]
    assert [row["event_id"] for row in search(service, review="reviewed")] == [rows[2]["event_id"]]
    assert "moved_to" in service.output()
    assert any(".damaged-" in entry.name for entry in database.parent.iterdir())


def test_no_store_when_none_is_wanted(start):
    service = start("--findings-db", "none")
    assert service.check(MARKER)
    answer = service.get("/api/v1/findings")
    assert answer.status_code == 404 and "findings-db" in answer.json()["message"]
    assert not (service.data / "findings").exists()
