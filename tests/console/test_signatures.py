"""The signatures page: where rules come from, what they cost, and what is not applied."""

import json
import re

import pytest
from playwright.sync_api import expect

from support.rules import CUSTOM, CUSTOM_RULE, MARKER, SECOND, SLUGGISH
from support.service import Service, running, wait_until


def place(page, name):
    return page.locator("table.places tbody tr", has_text=name)


def test_sources_are_listed_and_updated(tmp_path, rules, open_page, screenshots, accessible):
    source = tmp_path / "feed" / "yara"
    source.mkdir(parents=True)
    (source / "custom.yar").write_text(CUSTOM_RULE)
    unreachable = "https://ana:geheim-7@127.0.0.1:1/set.zip"
    service = Service(tmp_path / "squall", "--signatures", str(rules), "--signature-sources", str(source.parent))
    with running(service):
        # The first service ends while its page is open.
        page = open_page(service, "#/signatures", expected=("409", "ERR_CONNECTION_REFUSED"))
        feed = place(page, str(source.parent))
        expect(feed).to_contain_text("not since the start")
        expect(place(page, str(rules))).to_contain_text("packaged")
        assert service.check(CUSTOM) == []

        page.get_by_role("button", name="Update now").click()
        expect(page.get_by_text("Every source was asked.")).to_be_visible()
        expect(feed).to_contain_text("updated")
        expect(feed.locator('[data-name="Rules"]')).to_have_text("1")
        assert service.check(CUSTOM) != []
        page.screenshot(path=screenshots / "sources-of-signatures.png", full_page=True)
        page.get_by_role("button", name="Update now").click()
        expect(feed).to_contain_text("unchanged")

        # What is not fit changes nothing, and it is said why.
        (source / "custom.yar").write_text("rule Broken { condition: $missing }")
        page.get_by_role("button", name="Update now").click()
        expect(feed).to_contain_text("failed")
        expect(page.get_by_role("alert")).to_contain_text("broken")
        accessible(page, "an update that failed")
        assert service.check(CUSTOM) != []

    # One that cannot be reached; its password is not shown.
    service = Service(tmp_path / "other", "--signatures", str(rules), "--signature-sources", unreachable)
    with running(service):
        page = open_page(service, "#/signatures", expected=("409",))
        page.get_by_role("button", name="Update now").click()
        expect(place(page, "https://(hidden)@127.0.0.1:1/set.zip")).to_contain_text("failed")
        expect(page.locator("main")).not_to_contain_text("geheim-7")


def test_without_sources_there_is_nothing_to_update(squall, open_page):
    page = open_page(squall, "#/signatures")
    expect(page.get_by_text("Nothing is fetched from the network")).to_be_visible()
    expect(page.get_by_role("button", name="Update now")).to_have_count(0)
    answer = squall.post("/api/v1/signatures/update")
    assert answer.status_code == 409 and "signature-sources" in answer.json()["message"]


OWN_RULES = 22


@pytest.fixture
def with_many_rules(fresh):
    """A service with 27 rules, 22 of them written here."""
    text = "\n".join(f"rule Own_{number:02} {{ meta: score = 45 strings: $a = \"own-{number:02}\" condition: $a }}" for number in range(OWN_RULES))
    write(fresh, "mine.yar", text)
    return fresh


def write(service, name, text):
    answer = service._session.put(f"{service.url}/api/v1/signatures/own/{name}", json={"text": text}, timeout=60)
    assert answer.status_code == 200, answer.text


def test_the_most_expensive_rules_are_found(with_many_rules, open_page, screenshots, accessible):
    service = with_many_rules
    page = open_page(service, "#/signatures", expected=("409",))
    card = page.get_by_role("region", name="Most expensive rules")
    card.get_by_role("button", name="Measure").click()
    expect(card.get_by_role("alert")).to_contain_text("no sample was scanned")
    for number in range(4):
        service.check(SLUGGISH + b" %d" % number, name=f"/tmp/{number}")
    service.check(MARKER)
    card.get_by_role("button", name="Measure").click()
    rows = card.locator("table.costs tbody tr")
    expect(rows.first).to_contain_text("E2E_Sluggish", timeout=60_000)
    expect(rows).to_have_count(10)
    expect(rows.first).to_contain_text("ms")
    expect(rows.first.locator('[data-name="Findings"]')).to_have_text("4")
    expect(card).to_contain_text("with 5 samples of lately")
    page.screenshot(path=screenshots / "expensive-rules.png", full_page=True)
    accessible(page, "the most expensive rules")
    rows.first.get_by_role("link", name="E2E_Sluggish").click()
    rule = page.locator("table.rules tbody tr")
    expect(rule).to_have_count(1)
    expect(rule.locator('[data-name="Findings"]')).to_have_text("4")
    expect(rule.locator('[data-name="Time per sample"]')).to_contain_text("ms")
    # Another set: these times are of the one before, until it is idle and they are taken anew, by itself.
    write(service, "more.yar", 'rule More { strings: $a = "more" condition: $a }')
    note = card.locator('[data-note="older-set"]')
    expect(note).to_be_visible()
    expect(rule.locator('[data-name="Time per sample"]')).to_have_text("–")
    expect(note).to_have_count(0, timeout=90_000)
    expect(rows.first).to_contain_text("E2E_Sluggish")
    assert service.json("/api/v1/signatures/costs")["measured"]["of_older_set"] is False


def test_rules_are_listed_by_origin_and_page_by_page(with_many_rules, open_page):
    service = with_many_rules
    service.check(b"own-07 own-08", name="/tmp/a")
    service.check(b"own-07", name="/tmp/b")
    wait_until(lambda: len(service.json("/api/v1/findings")["findings"]) == 2, 15, "the findings")
    page = open_page(service, "#/signatures")
    card = page.get_by_role("region", name=f"Rules ({5 + OWN_RULES})")
    rules = page.locator("table.rules .c-rule .strong")
    expect(rules).to_have_count(25)
    first = rules.all_inner_texts()
    card.get_by_role("link", name="Next").click()
    expect(rules).to_have_count(5 + OWN_RULES - 25)
    assert "from=25" in page.url
    rest = rules.all_inner_texts()
    names = [rule["name"] for rule in service.json("/api/v1/signatures/rules?limit=500")["rules"]]
    assert [text.strip() for text in first + rest] == names
    card.get_by_role("link", name="Before").click()
    expect(rules).to_have_count(25)
    page.get_by_label("Origin").select_option("internal")
    expect(rules).to_have_count(5)
    assert "origin=internal" in page.url
    expect(page.locator("table.rules [data-name=Origin]")).to_have_text(["internal"] * 5)
    page.get_by_label("Origin").select_option("custom")
    expect(page.get_by_role("heading", name=f"Rules ({OWN_RULES})")).to_be_visible()
    row = page.locator("table.rules tbody tr", has_text="Own_07")
    expect(row.locator('[data-name="Findings"]')).to_have_text("2")
    expect(page.locator("table.rules tbody tr", has_text="Own_09").locator('[data-name="Findings"]')).to_have_text("0")
    row.get_by_role("link", name="2", exact=True).click()
    expect(page.locator("table.findings tbody tr")).to_have_count(2)
    assert "rule=Own_07" in page.url


def test_a_roll_back_is_told_until_it_is_over(fresh, open_page, accessible):
    answer = fresh._session.put(f"{fresh.url}/api/v1/signatures/own/mine.yar", json={"text": CUSTOM_RULE}, timeout=60)
    assert answer.status_code == 200, answer.text
    version = fresh.json("/api/v1/signatures")["current"]["version"]
    page = open_page(fresh, "#/signatures")
    note = page.locator('[data-note="rolled-back"]')
    expect(place(page, "own-signatures").locator('[data-name="Rules"]')).to_have_text("1")
    expect(note).to_have_count(0)
    page.get_by_role("button", name="Roll back to it").click()
    expect(note).to_contain_text(version)
    accessible(page, "a set that was rolled back")
    expect(place(page, "own-signatures").locator('[data-name="Rules"]')).to_have_text("0")
    assert fresh.check(CUSTOM) == []
    page.get_by_role("button", name="Reload").click()
    expect(note).to_have_count(0)
    assert fresh.check(CUSTOM) != []


def test_with_yara_rules_only_nothing_else_pretends_to_work(tmp_path, rules, open_page, accessible):
    service = Service(tmp_path / "pure", "--signatures", str(rules), "--pure-yara")
    with running(service):
        service.check(MARKER + SECOND)
        row = wait_until(lambda: service.json("/api/v1/findings")["findings"], 15, "a finding")[0]
        page = open_page(service, "#/signatures", expected=("409",))
        expect(page.locator('[data-note="pure-yara"]')).to_contain_text("Only YARA rules are applied")
        accessible(page, "YARA rules only")
        page.get_by_role("button", name="New file").click()
        page.get_by_label("Name: rules end in .yar").fill("mine-trusted-hashes.txt")
        page.locator("textarea.code").fill(f"{row['sha256']};ours")
        page.get_by_role("button", name="Check and put in force").click()
        expect(page.get_by_text("but not in force: `pure-yara` is set")).to_be_visible()
        assert service.check(MARKER + SECOND) != []

        page.goto(f"{service.url}/#/findings/{row['event_id']}")
        page.get_by_label("Your name").fill("ana")
        page.get_by_role("button", name="False positive…").click()
        page.get_by_role("button", name="It is a false positive").click()
        expect(page.get_by_role("alert")).to_contain_text("pure-yara")
        assert service.json(f"/api/v1/findings/{row['event_id']}")["review"] is None


def test_a_list_with_a_mistake_is_rejected_with_its_line(fresh, open_page):
    page = open_page(fresh, "#/signatures", expected=("422",))
    page.get_by_role("button", name="New file").click()
    page.set_input_files('.editor input[type="file"]', [
        {"name": "mine-hash-iocs.txt", "mimeType": "text/plain", "buffer": b"# ours\n" + b"ab" * 32 + b";80;ours\nno hash;1;x\n"}])
    page.get_by_role("button", name="Check and put in force").click()
    expect(page.locator(".editor .problem")).to_contain_text("line 3")
    assert fresh.json("/api/v1/signatures/own") == {"files": []}
    page.locator("textarea.code").fill("# ours\n" + "ab" * 32 + ";80;ours\n")
    page.get_by_role("button", name="Check and put in force").click()
    expect(page.get_by_text("mine-hash-iocs.txt is in force.")).to_be_visible()
    assert json.loads(fresh.get("/api/info").text)["iocs"] == 1


def test_warnings_are_no_problems(squall, open_page, accessible):
    """What costs no signature is told apart from what does, and folded: here, that a rule takes long."""
    state = squall.json("/api/v1/signatures")
    assert state["current"]["skipped"] == 0
    page = open_page(squall, "#/signatures")
    expect(page.get_by_role("region", name="Not usable (0)")).to_contain_text("Every rule and every line could be used.")
    warnings = page.get_by_role("region", name=re.compile(r"^Warnings \([1-9]"))
    line = warnings.locator("li", has_text="loop has too many iterations").first
    expect(line).to_be_hidden()
    warnings.locator("summary").click()
    expect(line).to_be_visible()
    accessible(page, "warnings")
