"""Rule directories: the starter set, a large public set, the operator's own, and broken ones."""

import hashlib
import re

import pytest

from support.curl import curl, form
from support.places import SAMPLES, SIGNATURE_BASE, needs_samples, needs_signature_base
from support.rules import BROKEN_LINE, BROKEN_RULE, CLEAN, CUSTOM, CUSTOM_RULE, EICAR, MARKER, RULES, write_rules
from support.service import Service, running
from support.shapes import check_v0, check_v3

SIGNATURE_BASE_RULES = 5883
ACTIVE_SHARE = 0.995
REFERENCE = ("sekurlsa.log", "test-mimi.txt", "webshell.txt")


@pytest.fixture(scope="module")
def starter(tmp_path_factory):
    with running(Service(tmp_path_factory.mktemp("starter"))) as service:
        yield service


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    service = Service(tmp_path_factory.mktemp("public"), "--signatures", str(SIGNATURE_BASE))
    with running(service):
        yield service


def test_starter_set_is_built_in(starter):
    assert starter.json("/api/info")["rules"] >= 40
    [finding] = starter.check(EICAR, "/tmp/eicar.com")
    assert finding["level"] == "Alert"
    check_v0(finding, EICAR, "/tmp/eicar.com")
    assert starter.check(CLEAN) == []


def test_starter_rules_carry_complete_meta(starter):
    [finding] = starter.check(EICAR, generation="/api/v1")
    check_v3(finding, EICAR, "/tmp/sample.txt")
    signature = finding["reasons"][0]["signature"]
    for key in ("rule_name", "description", "author", "date", "id", "reference", "tags"):
        assert signature[key], key
    assert signature["origin"] == "internal"


@needs_samples
@pytest.mark.parametrize("name", REFERENCE)
def test_starter_set_matches_the_reference_samples(starter, name):
    content = (SAMPLES / name).read_bytes()
    [finding] = starter.check(content, f"/samples/{name}")
    check_v0(finding, content, f"/samples/{name}")
    [finding] = starter.check(content, f"/samples/{name}", generation="/api/v1")
    check_v3(finding, content, f"/samples/{name}")


@needs_samples
def test_the_curl_line_of_the_issue(starter):
    """Rule, matched strings and hashes are there, in all three ways to ask."""
    path = SAMPLES / "webshell.txt"
    shown = curl(*form(path), f"{starter.url}/api/check?pretty=true")
    assert shown.status == 200
    [finding] = shown.json()
    assert finding["level"] in ("Alert", "Warning")
    assert finding["matches"][0]["rulename"] and finding["matches"][0]["matched"]
    check_v0(finding, path.read_bytes(), "webshell.txt")

    queued = curl(*form(path), f"{starter.url}/api/checkAsync").json()["id"]
    assert starter.result(queued)["result"][0]["level"] == finding["level"]

    [newer] = curl(*form(path), f"{starter.url}/api/v1/check?pretty=true").json()
    check_v3(newer, path.read_bytes(), "webshell.txt")
    assert newer["meta"]["level"] == finding["level"]
    assert newer["reasons"][0]["matched"]


@needs_signature_base
def test_signature_base_is_active(public):
    """At least 99.5 % of its rules; each one that is not is named with its file and reason."""
    rules = public.json("/api/info")["rules"]
    assert rules >= ACTIVE_SHARE * SIGNATURE_BASE_RULES, rules
    assert rules <= SIGNATURE_BASE_RULES
    printed = public.output()
    assert str(rules) in printed
    if rules < SIGNATURE_BASE_RULES:
        named = [line for line in printed.splitlines() if re.search(r"\.ya?ra?\b", line)]
        assert named, "rules are skipped and nothing says which"


@needs_signature_base
@needs_samples
@pytest.mark.parametrize("name", ["sekurlsa.log", "webshell.txt"])
def test_signature_base_matches(public, name):
    content = (SAMPLES / name).read_bytes()
    [finding] = public.check(content, f"/samples/{name}")
    check_v0(finding, content, f"/samples/{name}")
    check_v3(public.check(content, f"/samples/{name}", generation="/api/v1")[0], content, f"/samples/{name}")


@needs_signature_base
def test_signatures_replace_the_starter_set(public):
    assert public.check(b"squall-e2e-custom") == []
    names = {match["rulename"] for finding in public.check(EICAR) for match in finding["matches"]}
    assert not any(name.startswith("SQUALL_") for name in names)


def test_signatures_replace_and_custom_signatures_add(start, tmp_path):
    custom = write_rules(tmp_path / "custom", own=CUSTOM_RULE)
    added = start("--custom-signatures", custom, signatures=False, name="added")
    assert added.check(EICAR)[0]["level"] == "Alert", "the starter set is still there"
    [finding] = added.check(CUSTOM)
    assert finding["matches"][0]["rulename"] == "E2E_Custom"
    assert finding["matches"][0]["sigtype"] == "custom"
    [finding] = added.check(CUSTOM, generation="/api/v1")
    assert finding["reasons"][0]["signature"]["origin"] == "custom"

    replaced = start("--custom-signatures", custom, name="replaced")
    assert replaced.check(EICAR) == [], "the starter set is replaced"
    both = replaced.check(MARKER + CUSTOM)[0]["matches"]
    assert {match["rulename"]: match["sigtype"] for match in both} == {
        "E2E_Marker": "internal", "E2E_Custom": "custom",
    }


def test_several_directories(start, tmp_path):
    first = write_rules(tmp_path / "first", one=RULES)
    second = write_rules(tmp_path / "second", two=CUSTOM_RULE)
    service = start("--signatures", first, "--signatures", second, signatures=False)
    assert len(service.check(MARKER + CUSTOM)[0]["matches"]) == 2


def test_the_same_rule_name_in_two_files_is_no_clash(start, tmp_path):
    folder = write_rules(tmp_path / "twice", a=CUSTOM_RULE, b=CUSTOM_RULE.replace("-custom", "-other"))
    service = start("--signatures", folder, signatures=False)
    assert service.json("/api/info")["rules"] == 2
    assert len(service.check(CUSTOM + b" squall-e2e-other")[0]["matches"]) == 2


def test_broken_rule_file_is_reported_and_the_rest_works(start, tmp_path):
    folder = write_rules(tmp_path / "signatures", good=RULES, broken=BROKEN_RULE)
    (folder / "yara" / "binary.yar").write_bytes(bytes(range(256)) * 10)
    (folder / "yara" / "empty.yar").touch()
    service = start("--signatures", folder, signatures=False)
    assert len(service.check(MARKER)) == 1
    printed = service.output()
    place = re.search(rf"broken\.yar\D{{0,20}}{BROKEN_LINE}\b", printed)
    assert place, f"file and line of the broken rule:\n{printed}"
    assert "missing" in printed, "the reason"
    assert "binary.yar" in printed


def test_a_missing_or_empty_directory_is_said(start, tmp_path):
    folder = tmp_path / "nothing"
    (folder / "yara").mkdir(parents=True)
    service = start("--signatures", folder, "--custom-signatures", write_rules(tmp_path / "c", own=CUSTOM_RULE),
                    signatures=False)
    assert service.json("/api/info")["rules"] == 1
    assert str(folder) in service.output()


def test_rules_for_memory_are_not_applied_to_files(start, tmp_path):
    memory = CUSTOM_RULE.replace("score = 77", 'score = 77\n        type = "memory"')
    service = start("--signatures", write_rules(tmp_path / "s", own=memory, e2e=RULES), signatures=False)
    assert service.check(CUSTOM) == []


def test_every_external_variable_is_defined(start, tmp_path):
    names = ("filename", "filepath", "extension", "filetype", "md5", "owner", "group", "filemode", "timezone",
             "language", "osversion", "unpack_parent", "unpack_source")
    condition = " and ".join(f'{name} != "never-this"' for name in names)
    rule = f"rule E2E_Externals {{ meta: score = 60 condition: {condition} }}\n"
    content = b"what the digest is of"
    digest = hashlib.md5(content).hexdigest()
    values = (
        "rule E2E_Values { meta: score = 60 condition: "
        'filename == "x y.PHP" and extension == ".php" and filepath contains "/var/www" '
        f'and md5 == "{digest}" }}\n'
    )
    service = start("--signatures", write_rules(tmp_path / "s", externals=rule, values=values), signatures=False)
    [finding] = service.check(content, "/var/www/x y.PHP")
    assert {match["rulename"] for match in finding["matches"]} == {"E2E_Externals", "E2E_Values"}
    [finding] = service.check(content + b".", "/var/www/x y.PHP")
    assert {match["rulename"] for match in finding["matches"]} == {"E2E_Externals"}
