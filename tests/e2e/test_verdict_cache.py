"""Verdicts that are used again: the same as those of a scan, told for each sender, over a restart too."""

import os
import re
from pathlib import Path

import pytest

from support.places import SIGNATURE_BASE, needs_signature_base, rounds
from support.rules import MARKER
from support.service import Service, wait_until

# Names that rules, lists and heuristics of the sets in use look at.
NAMES = (
    "{base}",
    "/tmp/{base}",
    "C:\\Windows\\Temp\\{base}.exe",
    "/home/u/.ssh/id_rsa",
    "/var/www/html/{base}.jpg",
    "C:\\Users\\x\\svchost.exe",
)


def lookups(service: Service) -> dict:
    text = service.get("/metrics").text
    found = re.findall(r'^squall_verdict_cache_lookups_total\{result="(\w+)"\} (\d+)$', text, re.M)
    return {result: int(count) for result, count in found}


def real_files(count: int, size_max: int = 200_000) -> list[Path]:
    """Returns files of this machine, of all kinds, the same in every run."""
    files = []
    for top in ("/usr/bin", "/etc", "/usr/share/doc", "/usr/lib/python3", "/usr/share/man/man1"):
        for folder, folders, names in os.walk(top):
            folders.sort()
            paths = (Path(folder, name) for name in sorted(names))
            files += [path for path in paths if path.is_file() and not path.is_symlink()]
    files = [path for path in files if os.access(path, os.R_OK) and 0 < path.stat().st_size < size_max]
    return files[:: max(1, len(files) // count)]


def stripped(findings: list) -> list:
    """Returns findings without what differs from one scan to the next."""
    for finding in findings:
        finding["context"].pop("sample_id", None)
    return findings


def test_repeated_content_is_told_for_each_sender(squall):
    before = lookups(squall)
    content = MARKER + b" seen often"
    first = squall.check(content, name="/a/one.txt", source="host-one")
    second = squall.check(content, name="/b/two.txt", source="host-two")
    third = squall.result(squall.enqueue(content, name="/c/three.txt", source="host-three"))["result"]
    for findings, name in ((first, "/a/one.txt"), (second, "/b/two.txt"), (third, "/c/three.txt")):
        assert [finding["context"]["file"] for finding in findings] == [name]
        assert findings[0]["matches"] == first[0]["matches"]
        for digest in ("md5", "sha1", "sha256"):
            assert findings[0]["context"][digest] == first[0]["context"][digest]
            assert set(findings[0]["context"][digest]) != {"0"}
    after = lookups(squall)
    assert after["hit"] - before["hit"] == 2
    assert after["miss"] - before["miss"] == 1


def test_verdicts_survive_a_restart(start):
    service = start()
    content = MARKER + b" before the restart"
    first = service.check(content)
    clean = b"nothing, before the restart"
    assert service.check(clean) == []
    service.stop()
    service.start()
    wait_until(lambda: "verdicts of earlier scans read" in service.output(), 10, "the verdicts to be read")
    assert stripped(service.check(content)) == stripped(first)
    assert service.check(clean) == []
    assert lookups(service) == {"hit": 2, "miss": 0}


def test_a_damaged_file_is_dropped_with_a_word(start):
    service = start()
    content = MARKER + b" before the damage"
    first = service.check(content)
    service.stop()
    path = service.data / "verdicts"
    damaged = bytearray(path.read_bytes())
    damaged[-3] ^= 1
    path.write_bytes(damaged)
    service.start()
    wait_until(lambda: "kept verdicts are damaged" in service.output(), 10, "a word on the damage")
    assert stripped(service.check(content)) == stripped(first)
    assert lookups(service) == {"hit": 0, "miss": 1}


def test_it_can_be_turned_off(start):
    service = start("--verdict-cache-size", "0")
    content = MARKER + b" again and again"
    assert stripped(service.check(content)) == stripped(service.check(content))
    assert lookups(service) == {}
    service.stop()
    assert not (service.data / "verdicts").exists()


@needs_signature_base
@pytest.mark.parametrize("mode", [(), ("--pure-yara",)], ids=["all", "pure-yara"])
def test_no_verdict_differs_with_the_cache_off(start, mode):
    """Every file under several names, to a service with the cache and to one without."""
    options = ("--signatures", "built-in", "--signatures", SIGNATURE_BASE, *mode)
    cached = start(*options, signatures=False, name="cached")
    plain = start(*options, "--verdict-cache-size", "0", signatures=False, name="plain")
    files = real_files(rounds(60, 600))
    assert len(files) >= 50
    compared = 0
    for number, path in enumerate(files):
        content = path.read_bytes()
        # The first name twice, then two others.
        chosen = [NAMES[0], NAMES[0], *(NAMES[1 + (number + step) % (len(NAMES) - 1)] for step in (0, 1))]
        for name in chosen:
            name = name.format(base=path.name)
            with_cache = stripped(cached.check(content, name=name))
            without = stripped(plain.check(content, name=name))
            assert with_cache == without, f"{path} as {name}"
            compared += 1
    assert lookups(cached)["hit"] > compared / 5
    assert lookups(plain) == {}
