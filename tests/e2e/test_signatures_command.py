"""`squall signatures check|list|test|compile`: text, JSON and exit statuses."""

import hashlib
import json
import subprocess
import zipfile

from support.places import BINARY
from support.rules import BROKEN_LINE, BROKEN_RULE, CLEAN, CUSTOM, CUSTOM_RULE, EICAR, MARKER, RULES, SLUGGISH, write_rules


def signatures(*arguments, status=0):
    """Runs the command; returns its standard output and error."""
    done = subprocess.run([BINARY, "signatures", *map(str, arguments)], capture_output=True, text=True, timeout=120)
    assert done.returncode == status, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "panicked" not in done.stderr
    return done.stdout, done.stderr


def answer(*arguments, status=0) -> dict:
    return json.loads(signatures(*arguments, "--json", status=status)[0])


def test_check_is_silent_on_good_rules(tmp_path):
    folder = write_rules(tmp_path / "s")
    text, errors = signatures("check", folder)
    assert "5 rules and 0 IOCs active, 0 skipped" in text and errors == ""
    found = answer("check", folder)
    assert (found["rules"], found["skipped"], found["errors"]) == (5, 0, [])


def test_check_names_every_problem(tmp_path):
    folder = write_rules(tmp_path / "s", good=RULES, broken=BROKEN_RULE)
    (folder / "hash-iocs.txt").write_text("0c2674c3a97c53082187d930efb645c2;bad\nnot a hash\n")
    text, _ = signatures("check", folder, status=1)
    assert f"broken.yar:{BROKEN_LINE}:9" in text
    found = answer("check", folder, status=1)
    assert found["skipped"] == 2 and found["iocs"] == 1
    [rule] = [one for one in found["problems"] if one["file"].endswith("broken.yar")]
    assert (rule["line"], rule["column"], rule["rule"]) == (BROKEN_LINE, 9, "E2E_Broken")
    assert rule["severity"] == "error" and "missing" in rule["reason"]
    [line] = [one for one in found["problems"] if one["file"].endswith("hash-iocs.txt")]
    assert line["line"] == 2 and line["reason"]


def test_check_says_what_cannot_be_read(tmp_path):
    _, errors = signatures("check", tmp_path / "nothing", status=2)
    assert str(tmp_path / "nothing") in errors
    found = answer("check", tmp_path / "nothing", status=2)
    assert found["rules"] == 0 and str(tmp_path / "nothing") in found["errors"][0]
    (tmp_path / "empty").mkdir()
    found = answer("check", write_rules(tmp_path / "s"), tmp_path / "empty", status=2)
    assert found["errors"] and found["rules"] == 5
    signatures("check", "--no-such-flag", status=2)


def test_list_shows_rules(tmp_path):
    folder = write_rules(tmp_path / "s")
    text, _ = signatures("list", folder)
    assert "E2E_Marker" in text and "WEBSHELL" in text
    found = answer("list", folder)
    [rule] = [one for one in found["rules"] if one["name"] == "E2E_Marker"]
    assert rule["score"] == 80 and rule["tags"] == ["TEST", "WEBSHELL"] and rule["origin"] == "internal"
    assert rule["references"] == ["https://example.com/e2e-marker"]
    assert rule["file"].endswith("e2e.yar") and [one["rules"] for one in found["files"]] == [5]


def test_list_without_a_directory_shows_the_settings_sets(tmp_path):
    assert answer("list")["rules"][0]["file"].startswith("builtin/")
    custom = write_rules(tmp_path / "c", own=CUSTOM_RULE)
    found = answer("list", "--custom-signatures", custom)
    assert {"custom", "internal"} == {rule["origin"] for rule in found["rules"]}


def test_test_says_what_matches_and_what_costs(tmp_path):
    folder = write_rules(tmp_path / "s", e2e=RULES, own=CUSTOM_RULE)
    samples = tmp_path / "samples"
    samples.mkdir()
    (samples / "marker").write_bytes(MARKER)
    (samples / "slow").write_bytes(SLUGGISH)
    (samples / "clean").write_bytes(CLEAN)
    found = answer("test", folder, "--samples", samples, status=1)
    matched = {one["path"].rsplit("/", 1)[1]: [m["name"] for m in one["matches"]] for one in found["samples"]}
    assert matched == {"marker": ["E2E_Marker"], "slow": ["E2E_Sluggish"], "clean": []}
    assert found["timed_samples"] == 3
    assert found["rules"][0]["rule"] == "E2E_Sluggish" and found["rules"][0]["microseconds"] > 1000
    assert found["rules"][0]["slow"] and not found["rules"][-1]["slow"]
    assert found["files"][0]["file"].endswith("e2e.yar") and len(found["rules"]) == 6
    _, warned = signatures("test", folder, "--samples", samples / "slow", status=1)
    assert "warning: rule E2E_Sluggish in" in warned and "more than 1000 µs" in warned
    _, warned = signatures("test", folder, "--slow-rule", 10**9, "--samples", samples / "slow", status=1)
    assert "warning" not in warned
    text, _ = signatures("test", folder, "--samples", samples / "clean")
    assert "most expensive rules" in text
    signatures("test", folder, "--samples", samples / "clean", tmp_path / "none", status=2)


def test_test_times_every_rule_and_warns_of_every_slow_one(tmp_path):
    slow = "condition: for all i in (0..400000) : (uint8(i % 7) != 300)"
    rules = "\n".join(f"rule Slow_{number} {{ {slow} }}" for number in range(12))
    folder = write_rules(tmp_path / "s", slow=rules)
    (tmp_path / "sample").write_bytes(CLEAN)
    text, warned = signatures("test", folder, tmp_path / "sample", "--slow-rule", "100", status=1)
    assert warned.count("warning: rule Slow_") == 12
    assert text.split("most expensive files")[0].count(" µs  Slow_") == 10
    found = answer("test", folder, tmp_path / "sample", "--slow-rule", "100", status=1)
    assert {rule["rule"] for rule in found["rules"] if rule["slow"]} == {f"Slow_{number}" for number in range(12)}


def test_test_takes_samples_behind_the_signatures_and_wants_one(tmp_path):
    folder = write_rules(tmp_path / "s", e2e=RULES)
    (tmp_path / "marker").write_bytes(MARKER)
    (tmp_path / "clean").write_bytes(CLEAN)
    found = answer("test", folder, tmp_path / "marker", tmp_path / "clean", status=1)
    assert [len(sample["matches"]) for sample in found["samples"]] == [1, 0]
    assert "no sample" in signatures("test", folder, status=2)[1]
    (tmp_path / "empty").mkdir()
    assert "no sample below" in signatures("test", folder, "--samples", tmp_path / "empty", status=2)[1]
    assert answer("test", folder, tmp_path / "empty", status=2)["errors"]


def test_compile_makes_a_bundle_that_the_service_loads(start, tmp_path):
    folder = write_rules(tmp_path / "s", e2e=RULES, own=CUSTOM_RULE)
    (folder / "keywords.txt").write_text("a-keyword-of-the-tests\n")
    (folder / "readme.md").write_text("not a signature")
    bundle = tmp_path / "set.zip"
    found = answer("compile", folder, "-o", bundle)
    assert found["rules"] == 6 and found["iocs"] == 1
    assert found["sha256"] == hashlib.sha256(bundle.read_bytes()).hexdigest()
    assert sorted(zipfile.ZipFile(bundle).namelist()) == ["keywords.txt", "yara/e2e.yar", "yara/own.yar"]
    again = tmp_path / "again.zip"
    signatures("compile", folder, "-o", again)
    assert again.read_bytes() == bundle.read_bytes()

    service = start("--signatures", bundle, signatures=False)
    assert service.json("/api/info")["rules"] == 6
    assert service.json("/api/info")["signature_version"] != "1970/01/01-000000"
    assert service.check(CUSTOM)[0]["matches"][0]["rulename"] == "E2E_Custom"
    assert service.check(EICAR) == []


def test_compile_packs_each_file_of_nested_directories_once(tmp_path):
    folder = write_rules(tmp_path / "s", good=RULES)
    (folder / "own").mkdir()
    (folder / "own" / "own.yar").write_text(CUSTOM_RULE)
    bundle = tmp_path / "set.zip"
    for named in ((folder, folder / "own"), (folder / "own", folder)):
        assert answer("compile", *named, "-o", bundle)["rules"] == 6
        assert len(zipfile.ZipFile(bundle).namelist()) == 2
        assert answer("check", bundle)["rules"] == 6


def test_compile_packs_what_the_settings_name(tmp_path):
    data = tmp_path / "data"
    own = data / "own-signatures"
    own.mkdir(parents=True)
    (own / "own.yar").write_text(CUSTOM_RULE)
    carried = tmp_path / "carried.zip"
    signatures("compile", write_rules(tmp_path / "s", good=RULES), "-o", carried)
    signatures("update", "--data-dir", data, "--from", carried)
    named = answer("list", "--data-dir", data)["rules"]
    bundle = tmp_path / "set.zip"
    answer("compile", "--data-dir", data, "-o", bundle)
    assert not [name for name in zipfile.ZipFile(bundle).namelist() if name.startswith("/") or ".." in name]
    packed = {rule["name"] for rule in answer("list", bundle)["rules"]}
    assert packed == {rule["name"] for rule in named} >= {"E2E_Custom", "E2E_Marker"}


def test_compile_writes_nothing_that_cannot_be_used(tmp_path):
    folder = write_rules(tmp_path / "s", broken=BROKEN_RULE)
    _, errors = signatures("compile", folder, "-o", tmp_path / "set.zip", status=2)
    assert "no usable rule" in errors
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s"]
    write_rules(folder, good=RULES)
    signatures("compile", folder, "-o", tmp_path / "set.zip", status=1)
    assert (tmp_path / "set.zip").exists()
