"""Signatures fetched from sources: by the service, by hand, without a network; and all that can go wrong."""

import hashlib
import json
import os
import subprocess

import pytest

from support.places import BINARY
from support.rules import CUSTOM, CUSTOM_RULE
from support.service import wait_until
from support.source import Signer, Source, archive, bundle

RULE = 'rule E2E_{name} {{ meta: score = 80 strings: $a = "update-{name}" condition: $a }}\n'
ALL = b"update-one update-two update-three"


def rule(name: str) -> str:
    return RULE.format(name=name)


@pytest.fixture
def source(tmp_path):
    source = Source(tmp_path / "source")
    source.files["/set.zip"] = bundle(one=rule("one"))
    yield source
    source.close()


class Command:
    """`squall signatures update` with a data directory."""

    def __init__(self, source, data, url=None, *arguments):
        self.env = {"PATH": os.environ["PATH"], **source.env()}
        sources = ["--signature-sources", url or f"{source.url}/set.zip"]
        self.arguments = ["--data-dir", str(data), *sources, *map(str, arguments)]

    def run(self, *arguments, status=0) -> dict:
        command = [BINARY, "signatures", "update", "--json", *self.arguments, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=self.env)
        assert done.returncode == status, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "panicked" not in done.stderr
        answer = json.loads(done.stdout) if done.stdout else {}
        return answer | {"stderr": done.stderr}


def names(service) -> set:
    return {match["rulename"] for finding in service.check(ALL) for match in finding["matches"]}


def state(service) -> dict:
    return service.json("/api/v1/signatures")


def acts(service) -> list:
    """What the audit log has: who, from where, what, and how it ended."""
    told = [json.loads(line) for line in (service.data / "audit.log").read_text().splitlines()]
    return [(act["who"], act["from"], act["what"], act["outcome"]) for act in told]


def test_an_update_by_hand_is_taken_by_the_running_service(start, source):
    service = start("--signature-sources", f"{source.url}/set.zip", env=source.env())
    update = Command(source, service.data)
    assert names(service) == set()
    answer = update.run()
    assert answer["updated"] == [f"{source.url}/set.zip"] and answer["version"]
    wait_until(lambda: names(service) == {"E2E_one"}, 20, "the service takes the update")

    by_hand = (f"uid {os.getuid()}", "command line", "signatures update", "done")
    by_watcher = ("watcher", "watch-signatures", "signatures reload", "done")
    wait_until(lambda: acts(service) == [by_hand, by_watcher], 10, f"both acts are written down: {acts(service)}")

    again = update.run()
    assert again["updated"] == [] and again["version"] is None
    assert "if-none-match" in source.asked[-1][1], "it asks only for what is new"

    source.files["/set.zip"] = bundle(two=rule("two"))
    update.run()
    wait_until(lambda: names(service) == {"E2E_two"}, 20, "the next one too")
    service.stop()
    service.start()
    assert names(service) == {"E2E_two"}, "and keeps it over a restart"


def test_an_update_by_hand_that_fails_is_an_act_too(start, source):
    service = start("--signature-sources", f"{source.url}/set.zip", env=source.env())
    del source.files["/set.zip"]
    Command(source, service.data).run(status=2)
    Command(source, service.data).run("--from", "/no/such/bundle.zip", status=2)
    Command(source, service.data, None, "--audit-log", service.root / "elsewhere.log").run(status=2)
    who = (f"uid {os.getuid()}", "command line")
    assert acts(service) == [
        (*who, "signatures update", "failed"),
        (*who, "signatures update --from /no/such/bundle.zip", "failed"),
    ]
    assert len((service.root / "elsewhere.log").read_text().splitlines()) == 1


def test_the_service_updates_by_itself_and_rolls_back(start, source):
    arguments = ("--signature-sources", f"{source.url}/set.zip", "--signature-update-interval", "1")
    service = start(*arguments, env=source.env())
    wait_until(lambda: names(service) == {"E2E_one"}, 30, "the first update")
    told = state(service)
    assert told["last_change"]["outcome"] in ("replaced", "unchanged")
    assert told["failed_changes"] == 0
    act = json.loads((service.data / "audit.log").read_text().splitlines()[-1])
    assert (act["who"], act["what"], act["outcome"]) == ("timer", "signatures update", "done")
    assert service.post("/api/v1/signatures/rollback").status_code == 200
    assert names(service) == set()


def test_a_rolled_back_update_stays_out_after_a_restart(start, source):
    service = start("--signature-sources", f"{source.url}/set.zip", "--signature-update-interval", "1",
                    env=source.env())
    wait_until(lambda: names(service) == {"E2E_one"}, 30, "the first update")
    service.stop()
    source.files["/set.zip"] = bundle(two=rule("two"))
    service.start()
    wait_until(lambda: names(service) == {"E2E_two"}, 30, "the update after a restart")
    assert service.post("/api/v1/signatures/rollback").status_code == 200
    assert names(service) == {"E2E_one"}
    service.stop()
    asked = len(source.asked)
    service.start()
    assert names(service) == {"E2E_one"}
    wait_until(lambda: len(source.asked) > asked, 30, "the update at the start")
    assert names(service) == {"E2E_one"}, "the source has nothing new"


@pytest.mark.parametrize("fault", [
    "not there", "truncated", "cut off", "no archive", "leads out", "no signatures", "broken rules", "other key",
    "only a comment", "pages for lines",
])
def test_what_is_not_fit_changes_nothing(start, source, fault):
    service = start("--signature-sources", f"{source.url}/set.zip", env=source.env())
    update = Command(source, service.data)
    update.run()
    wait_until(lambda: names(service) == {"E2E_one"}, 20, "the good one")
    whole = bundle(two=rule("two"), more=rule("three") * 1)
    if fault == "not there":
        del source.files["/set.zip"]
    elif fault == "truncated":
        source.files["/set.zip"] = whole[: len(whole) // 2]
    elif fault == "cut off":
        source.files["/set.zip"], source.cut_at = whole, len(whole) // 2
    elif fault == "no archive":
        source.files["/set.zip"] = b"<html>sign in first</html>"
    elif fault == "leads out":
        source.files["/set.zip"] = archive({"a.yar": rule("two"), "../../evil.yar": rule("three")})
    elif fault == "no signatures":
        source.files["/set.zip"] = archive({"readme.txt": "nothing"})
    elif fault == "broken rules":
        source.files["/set.zip"] = bundle(**{f"bad{i}": "rule Bad { condition: $x }" for i in range(20)})
    elif fault == "only a comment":
        source.files["/set.zip"] = bundle(nothing="// moved to another place\n")
    elif fault == "pages for lines":
        source.files["/set.zip"] = archive({"hash-iocs.txt": "<html>\n<head>\n<title>404</title>\n</head>\n</html>\n"})
    else:
        source.files["/set.zip"] = whole
        signer, other = Signer(source.folder, "one"), Signer(source.folder, "two")
        source.files["/set.zip.minisig"] = other.signature(whole)
        update.arguments += ["--signature-public-key", str(signer.public)]
    failed = update.run(status=2)
    assert failed["stderr"].strip()
    assert names(service) == {"E2E_one"}
    assert not [path for path in service.root.rglob("*evil*")]
    service.stop()
    service.start()
    assert names(service) == {"E2E_one"}


def test_a_damaged_bundle_keeps_no_service_from_starting_and_is_fetched_again(start, source):
    service = start("--signature-sources", f"{source.url}/set.zip", env=source.env())
    update = Command(source, service.data)
    update.run()
    wait_until(lambda: names(service) == {"E2E_one"}, 20, "the first")
    service.stop()

    def damage():
        [link] = service.data.glob("signatures/*/current.zip")
        link.resolve().write_bytes(b"junk")
        return str(link)

    def told():
        return [line for line in state(service)["problems"] if line.startswith(link)]

    # With none before it.
    link = damage()
    listed = subprocess.run([BINARY, "signatures", "list", *update.arguments], capture_output=True, text=True, timeout=60)
    assert listed.returncode == 2 and "`squall signatures update`" in listed.stderr
    service.start()
    assert names(service) == set()
    assert "nothing of it is used" in told()[0] and "`squall signatures update`" in told()[0]
    assert service.post("/api/v1/signatures/reload").status_code == 200, "what is told already hinders nothing"
    assert update.run()["updated"], "the source has the same, and it is fetched"
    wait_until(lambda: names(service) == {"E2E_one"}, 20, "it is whole again")
    assert not told()

    # With one before it.
    source.files["/set.zip"] = bundle(two=rule("two"))
    update.run()
    wait_until(lambda: names(service) == {"E2E_two"}, 20, "the second")
    damage()
    wait_until(lambda: state(service)["last_change"]["outcome"] == "failed", 20, "it is seen")
    assert names(service) == {"E2E_two"}, "the set in force stays"
    service.stop()
    service.start()
    assert names(service) == {"E2E_one"}
    assert "the one before is used" in told()[0]
    assert service.post("/api/v1/signatures/update").status_code == 200
    wait_until(lambda: names(service) == {"E2E_two"}, 20, "whole again")
    assert service.post("/api/v1/signatures/rollback").status_code == 200
    service.stop()
    service.start()
    assert names(service) == {"E2E_one"}, "a roll-back leads to the whole one, and stays"


def test_a_checksum_pins_the_content(source, tmp_path):
    content = source.files["/set.zip"]
    good = hashlib.sha256(content).hexdigest()
    wrong = Command(source, tmp_path / "wrong", f"{source.url}/set.zip#sha256={'0' * 64}").run(status=2)
    assert good in wrong["stderr"] and "expected" in wrong["stderr"]
    pinned = Command(source, tmp_path / "pinned", f"{source.url}/set.zip#sha256={good.upper()}")
    assert pinned.run()["updated"]
    asked = len(source.asked)
    assert pinned.run()["updated"] == []
    assert len(source.asked) == asked, "what is pinned and there is not asked for"


def test_a_signature_is_required_where_a_key_is_set(source, tmp_path):
    signer = Signer(tmp_path / "keys")
    update = Command(source, tmp_path / "data", None, "--signature-public-key", signer.public)
    missing = update.run(status=2)
    assert ".minisig" in missing["stderr"]
    source.files["/set.zip.minisig"] = signer.signature(source.files["/set.zip"] + b".")
    assert "signature" in update.run(status=2)["stderr"]
    source.files["/set.zip.minisig"] = b"no signature at all"
    assert "signature" in update.run(status=2)["stderr"]
    source.files["/set.zip.minisig"] = signer.signature(source.files["/set.zip"])
    assert update.run()["updated"]


def test_a_server_that_nobody_vouches_for_is_refused(source, tmp_path):
    update = Command(source, tmp_path / "data")
    del update.env["SSL_CERT_FILE"]
    assert "certificate" in update.run(status=2)["stderr"].lower()
    plain = Command(source, tmp_path / "data", source.url.replace("https", "http") + "/set.zip")
    assert "https" in plain.run(status=2)["stderr"]


def test_a_source_that_hangs_keeps_nobody(start, source):
    source.stall = True
    service = start("--signature-sources", f"{source.url}/set.zip", "--signature-update-interval", "1",
                    env=source.env())
    assert source.stalled.wait(30)
    assert names(service) == set()
    assert service.post("/api/v1/signatures/reload").status_code == 200
    busy = Command(source, service.data).run(status=2)
    assert "another process" in busy["stderr"]
    service.stop()


def test_a_bundle_is_taken_without_a_network(start, source, tmp_path):
    service = start()
    carried = tmp_path / "carried.zip"
    carried.write_bytes(bundle(two=rule("two"), own=CUSTOM_RULE))
    update = Command(source, service.data)
    answer = update.run("--from", carried)
    assert answer["updated"] == [str(carried)] and source.asked == []
    carried.unlink()
    wait_until(lambda: names(service) == {"E2E_two"}, 20, "the service takes it")
    assert service.check(CUSTOM)
    missing = update.run("--from", tmp_path / "missing.zip", status=2)
    assert "missing.zip" in missing["stderr"]


def test_a_source_of_lists_alone_is_fit(source, tmp_path):
    update = Command(source, tmp_path / "data")
    for name in ("trusted-hashes.txt", "hash-iocs.txt"):
        source.files["/set.zip"] = archive({name: "0c2674c3a97c53082187d930efb645c2;x\n"})
        assert update.run()["updated"], name


def test_a_directory_is_a_source_too(source, tmp_path):
    folder = tmp_path / "folder" / "yara"
    folder.mkdir(parents=True)
    (folder / "one.yar").write_text(rule("one"))
    update = Command(source, tmp_path / "data", str(folder.parent))
    assert update.run()["updated"] == [str(folder.parent)]
    assert update.run()["updated"] == []
    (folder / "two.yar").write_text(rule("two"))
    assert update.run()["updated"]


def test_a_directory_is_signed_as_the_bundle_that_is_made_of_it(source, tmp_path):
    folder, made, signer = tmp_path / "folder", tmp_path / "made.zip", Signer(tmp_path / "keys")
    (folder / "yara").mkdir(parents=True)
    (folder / "yara" / "one.yar").write_text(rule("one"))
    update = Command(source, tmp_path / "data", f"{folder}/", "--signature-public-key", signer.public)
    assert ".minisig" in update.run(status=2)["stderr"]
    subprocess.run([BINARY, "signatures", "compile", folder, "-o", made], check=True, timeout=60)
    (tmp_path / "folder.minisig").write_bytes(signer.signature(made.read_bytes()))
    assert update.run()["updated"]


def test_a_source_that_fails_keeps_what_it_brought_and_the_others_go_on(source, tmp_path):
    source.files["/other.zip"] = bundle(other=rule("other"))
    update = Command(source, tmp_path / "data", None, "--signature-sources", f"{source.url}/other.zip")
    update.run()
    del source.files["/set.zip"]
    source.files["/other.zip"] = bundle(newer=rule("newer"))
    answer = update.run(status=2)
    assert answer["updated"] == [f"{source.url}/other.zip"] and len(answer["errors"]) == 1
    listed = subprocess.run([BINARY, "signatures", "list", "--json", *update.arguments], capture_output=True, timeout=60)
    found = {one["name"] for one in json.loads(listed.stdout)["rules"] if one["name"].startswith("E2E_")}
    assert found == {"E2E_one", "E2E_newer"}
