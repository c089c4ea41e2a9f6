"""Samples that are kept after their scan: which, where, how, and for how long."""

import hashlib
import json
import os
import stat
from pathlib import Path

import pytest

from support.rules import CLEAN, MARKER
from support.shapes import check_v3
from support.service import wait_until

WHERE = "samples"


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def kept(folder: Path) -> dict[str, Path]:
    """Returns the kept samples by their digests."""
    return {path.name: path for path in folder.rglob("*") if path.is_file() and len(path.name) == 64}


def facts_of(sample: Path) -> dict:
    return json.loads(sample.with_name(sample.name + ".json").read_bytes())


@pytest.mark.parametrize("which, expected", [("none", set()), ("malicious", {MARKER}), ("all", {MARKER, CLEAN})])
def test_which_samples_are_kept(start, which, expected):
    squall = start("--server-store-samples", which)
    squall.check(CLEAN)
    squall.check(MARKER)
    squall.result(squall.enqueue(CLEAN))
    squall.result(squall.enqueue(MARKER))
    folder = squall.data / WHERE
    assert set(kept(folder)) == {digest(content) for content in expected}
    assert folder.exists() == (which != "none"), "a directory that nothing is kept in is not made"


def test_a_low_score_can_be_kept_as_well(start):
    squall = start("--store-samples-score", "1")
    squall.check(CLEAN)
    squall.check(MARKER)
    assert set(kept(squall.data / WHERE)) == {digest(MARKER)}


def test_a_kept_sample_says_where_it_came_from(start, tmp_path):
    """Stored once under its digest, for the owner only, with every sighting in a JSON file beside it."""
    folder = tmp_path / "kept here"
    squall = start("--server-store-samples", "malicious", "--server-upload-dir", folder)
    hostile = "C:\\Users\\..\\..\\etc\\passwd\n\"<script>.exe"
    first = squall.enqueue(MARKER, name="/var/www/a.php", source="web-1")
    squall.result(first)
    second = squall.enqueue(MARKER, name="x.exe", source="web-2")
    squall.result(second)
    squall.check(MARKER, name=hostile, source="../../web-3")
    (sample,) = kept(folder).values()
    assert sample.name == digest(MARKER) and sample.parent == folder / sample.name[:2]
    assert sample.read_bytes() == MARKER

    facts = facts_of(sample)
    assert (facts["sha256"], facts["size"], facts["seen"]) == (digest(MARKER), len(MARKER), 3)
    assert facts["md5"] == hashlib.md5(MARKER).hexdigest()
    assert facts["sha1"] == hashlib.sha1(MARKER).hexdigest()
    sightings = facts["sightings"]
    assert [sighting["sample_id"] for sighting in sightings[:2]] == [first, second]
    assert [sighting["source"] for sighting in sightings] == ["web-1", "web-2", "../../web-3"]
    assert [sighting["name"] for sighting in sightings[:2]] == ["/var/www/a.php", "x.exe"]
    assert facts["first_seen"] == sightings[0]["time"] <= sightings[2]["time"] == facts["last_seen"]
    for sighting in sightings:
        assert sighting["level"] in ("Warning", "Alert") and sighting["score"] > 60
        (finding,) = sighting["findings"]
        if sighting["name"] != sightings[2]["name"]:
            check_v3(finding, MARKER, sighting["name"], sighting["source"])
        assert finding["subject"]["hashes"]["sha256"] == digest(MARKER)

    for path in folder.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), f"{path}: {mode:o}"
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 2, "nothing else, no temporary file"


def test_the_oldest_go_when_the_budget_is_used_up(start):
    squall = start("--server-store-samples", "all", "--store-samples-max-bytes", "1MB")
    folder = squall.data / WHERE
    contents = [b"%d " % number + os.urandom(150_000) for number in range(10)]
    foreign = folder / "notes.txt"
    foreign.write_bytes(b"x" * 2_000_000)
    for content in contents[:5]:
        squall.result(squall.enqueue(content))
    # Seen again: the others are older now.
    squall.result(squall.enqueue(contents[0]))
    for content in contents[5:]:
        squall.result(squall.enqueue(content))
    left = set(kept(folder))
    assert left == {digest(content) for content in (contents[0], *contents[5:])}
    assert foreign.exists(), "what the service did not store is left alone"

    squall.stop()
    squall.start()
    squall.result(squall.enqueue(os.urandom(150_000)))
    wait_until(lambda: digest(contents[0]) not in kept(folder), 10, "the budget holds across a restart")
    assert set(kept(folder)) >= {digest(content) for content in contents[5:]}


def test_old_samples_go_at_a_start(start):
    squall = start("--server-store-samples", "all", "--store-samples-max-age", "7")
    squall.check(MARKER)
    squall.check(CLEAN)
    folder = squall.data / WHERE
    squall.stop()
    old = kept(folder)[digest(CLEAN)]
    for path in (old, old.with_name(old.name + ".json")):
        week = path.stat().st_mtime - 8 * 86_400
        os.utime(path, (week, week))
    squall.start()
    wait_until(lambda: not old.exists(), 10, "the old sample goes")
    assert set(kept(folder)) == {digest(MARKER)}


def test_a_directory_that_cannot_be_written_costs_no_finding(start, tmp_path):
    """Keeping is an extra: it fails with a warning, the scan does not."""
    folder = tmp_path / "kept"
    squall = start("--server-store-samples", "all", "--server-upload-dir", folder)
    # Where the sample would go is something else.
    (folder / digest(MARKER)[:2]).write_bytes(b"in the way")
    assert squall.check(MARKER)
    assert squall.result(squall.enqueue(MARKER))["result"]
    assert "a sample was not kept" in squall.output()
    assert kept(folder) == {}


def test_kept_samples_survive_a_kill(start):
    squall = start("--server-store-samples", "all")
    ids = [squall.enqueue(MARKER + b"%d" % number) for number in range(40)]
    squall.result(ids[20])
    squall.kill()
    squall.start()
    for sample_id in ids:
        squall.result(sample_id)
    samples = kept(squall.data / WHERE)
    assert set(samples) == {digest(MARKER + b"%d" % number) for number in range(40)}
    for name, path in samples.items():
        assert digest(path.read_bytes()) == name
        assert facts_of(path)["seen"] == 1, "a scan that is repeated is one sighting"
