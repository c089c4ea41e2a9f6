"""What an analyst changes: trusted contents, own rules, failed samples."""

import io
import json
import re
import zipfile
from datetime import datetime, timezone

import pytest
from playwright.sync_api import expect
from steps import stored

from support.rules import CUSTOM, MARKER, SECOND
from support.service import Service, running, wait_until

RULE = """rule Own_Rule {
    meta:
        description = "Written in the console"
        score = 90
    strings:
        $own = "squall-e2e-custom"
    condition:
        $own
}
"""


def only_finding(service):
    return wait_until(lambda: service.json("/api/v1/findings")["findings"], 15, "a finding")[0]


def test_a_false_positive_is_not_found_again_until_it_is_none(fresh, open_page, screenshots, accessible):
    fresh.check(MARKER, name="/srv/tool.php", source="web-01")
    row = only_finding(fresh)
    fresh.check(MARKER, name="/opt/tool.php", source="web-02")
    fresh.check(MARKER + b"y", name="/opt/other.php", source="web-02")
    stored(fresh, 3)
    page = open_page(fresh, f"#/findings/{row['event_id']}")
    page.get_by_label("Note").fill("our tool; see #7")
    page.get_by_label("Your name").fill("ana")
    page.get_by_role("button", name="False positive…").click()
    expect(page.get_by_label("Mark the other findings of this content as well")).to_be_checked()
    expect(page.locator(".sure")).to_contain_text("1 from all sources")
    page.screenshot(path=screenshots / "false-positive.png", full_page=True)
    accessible(page, "a false positive, before it is one")
    page.get_by_role("button", name="It is a false positive").click()
    expect(page.locator('[data-review="false_positive"]')).to_contain_text("ana")
    expect(page.get_by_text("Marked as false positive: 2 findings.")).to_be_visible()
    expect(page.locator("[data-trusted]")).to_contain_text("nothing is reported on it any more")
    expect(page.locator("[data-trusted]")).to_contain_text("our tool, see")
    reviews = {found["name"]: found["review"] for found in fresh.json("/api/v1/findings")["findings"]}
    assert reviews == {"/srv/tool.php": "false_positive", "/opt/tool.php": "false_positive", "/opt/other.php": "open"}
    # Trusted from now on, and only that content.
    assert fresh.check(MARKER, name="/srv/tool.php") == []
    assert fresh.check(MARKER + b"x") != []
    page.get_by_role("link", name="Signatures", exact=True).click()
    page.get_by_role("button", name="Edit console-trusted-hashes.txt").click()
    text = page.locator("textarea.code").input_value()
    today = datetime.now(timezone.utc).strftime("%Y-%m-%d")
    assert re.fullmatch(rf"{row['sha256']};false positive, ana, {today}T\d\d:\d\d:\d\dZ: our tool, see ,7\n", text), text

    # Open again does not hide that the content is trusted; not trusting it has it found again.
    page.goto(f"{fresh.url}/#/findings/{row['event_id']}")
    page.get_by_role("button", name="Open again").click()
    expect(page.locator('[data-review="open"]')).to_be_visible()
    expect(page.locator("[data-trusted]")).to_be_visible()
    assert fresh.check(MARKER, name="/srv/tool.php") == []
    accessible(page, "a finding whose content is trusted")
    page.get_by_label("Note").fill("it is no tool of ours")
    page.get_by_role("button", name="Stop trusting it").click()
    expect(page.get_by_text("The content is not trusted any more")).to_be_visible()
    expect(page.locator("[data-trusted]")).to_have_count(0)
    expect(page.locator('[data-review="open"]')).to_contain_text("it is no tool of ours")
    assert fresh.check(MARKER, name="/srv/tool.php") != []


def test_trust_outlasts_the_process(fresh):
    fresh.check(MARKER)
    event_id = only_finding(fresh)["event_id"]
    assert fresh.post(f"/api/v1/findings/{event_id}/trust", json={"who": "ana"}).status_code == 200
    assert fresh.check(MARKER) == []
    fresh.stop()
    fresh.start()
    assert fresh.check(MARKER) == []
    assert fresh.json(f"/api/v1/findings/{event_id}")["trusted"].startswith("false positive, ana, ")


def test_a_rule_is_checked_before_it_is_live(fresh, open_page, screenshots, accessible):
    assert fresh.check(CUSTOM) == []
    page = open_page(fresh, "#/signatures", expected=("422",))
    page.get_by_role("button", name="New file").click()
    page.get_by_label("Name: rules end in .yar").fill("mine.yar")
    editor = page.locator("textarea.code")
    editor.fill(RULE.replace("$own\n}", "$missing\n}"))
    page.get_by_role("button", name="Check and put in force").click()
    expect(page.locator(".editor .problem")).to_contain_text("line 8")
    page.screenshot(path=screenshots / "rule-mistake.png", full_page=True)
    accessible(page, "a rule with a mistake")
    assert fresh.check(CUSTOM) == []
    assert fresh.json("/api/v1/signatures/own") == {"files": []}

    editor.fill(RULE)
    page.get_by_role("button", name="Check only").click()
    expect(page.get_by_text("No mistake was found.")).to_be_visible()
    assert fresh.check(CUSTOM) == []
    page.get_by_role("button", name="Check and put in force").click()
    expect(page.get_by_text("mine.yar is in force.")).to_be_visible()
    [finding] = fresh.check(CUSTOM)
    assert finding["matches"][0]["rulename"] == "Own_Rule" and finding["matches"][0]["sigtype"] == "custom"

    # Found among the rules, with its text and its findings.
    only_finding(fresh)
    page.get_by_label("Search rules").fill("written console")
    page.get_by_label("Search rules").press("Enter")
    expect(page.locator("table.rules .c-rule")).to_have_count(1)
    page.get_by_role("button", name="Show the source of Own_Rule").click()
    expect(page.locator("pre.source")).to_contain_text('$own = "squall-e2e-custom"')
    assert "q=written" in page.url
    page.screenshot(path=screenshots / "rule-source.png", full_page=True)
    accessible(page, "an open rule, and a table of own files")

    # Changed: what is written now counts, and a mistake changes nothing.
    page.get_by_role("button", name="Edit mine.yar").click()
    expect(page.get_by_label("Name: rules end in .yar")).to_be_disabled()
    expect(editor).to_have_value(RULE)
    changed = RULE.replace("squall-e2e-custom", "squall-e2e-changed").replace("90", "75")
    editor.fill(changed)
    page.get_by_role("button", name="Check and put in force").click()
    expect(page.get_by_text("mine.yar is in force.")).to_be_visible()
    assert fresh.check(CUSTOM) == []
    assert fresh.check(b"squall-e2e-changed")[0]["matches"][0]["rulename"] == "Own_Rule"
    page.get_by_role("button", name="Edit mine.yar").click()
    expect(editor).to_have_value(changed)
    editor.fill(changed.replace("condition:", "condition"))
    page.get_by_role("button", name="Check and put in force").click()
    expect(page.locator(".editor .problem")).to_contain_text("line 8")
    # What was written is not thrown away by a slip.
    questions = []
    page.once("dialog", lambda dialog: (questions.append(dialog.message), dialog.dismiss()))
    page.get_by_role("button", name="Cancel").click()
    expect(editor).to_be_visible()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Cancel").click()
    expect(editor).to_have_count(0)
    assert questions == ["Discard what you wrote?"]
    assert fresh.check(b"squall-e2e-changed") != []
    assert fresh.json("/api/v1/signatures/own/mine.yar")["text"] == changed

    # Taken from a file of this machine.
    page.get_by_role("button", name="New file").click()
    page.set_input_files('.editor input[type="file"]', [
        {"name": "taken.yar", "mimeType": "text/plain", "buffer": RULE.replace("Own_Rule", "Taken_Rule").encode()}])
    expect(page.get_by_label("Name: rules end in .yar")).to_have_value("taken.yar")
    page.get_by_role("button", name="Check and put in force").click()
    expect(page.get_by_text("taken.yar is in force.")).to_be_visible()
    assert fresh.check(CUSTOM)[0]["matches"][0]["rulename"] == "Taken_Rule"
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Remove taken.yar").click()
    expect(page.get_by_text("taken.yar is removed.")).to_be_visible()
    assert fresh.check(CUSTOM) == []

    # Removed again.
    page.get_by_role("button", name="Remove mine.yar").click()
    expect(page.get_by_text("mine.yar is removed.")).to_be_visible()
    assert fresh.check(b"squall-e2e-changed") == []


def test_a_change_is_rolled_back(fresh, open_page):
    answer = fresh._session.put(f"{fresh.url}/api/v1/signatures/own/mine.yar", json={"text": RULE}, timeout=60)
    assert answer.status_code == 200, answer.text
    assert fresh.check(CUSTOM) != []
    page = open_page(fresh, "#/signatures")
    page.get_by_role("button", name="Roll back to it").click()
    expect(page.locator('[data-outcome="rolled_back"]')).to_be_visible()
    assert fresh.check(CUSTOM) == []


@pytest.mark.parametrize("name", ["..%2Fevil.yar", "evil.exe", ".hidden.yar", "%2Fetc%2Fcron.d%2Fx.yar"])
def test_no_other_file_is_written(squall, name):
    answer = squall._session.put(f"{squall.url}/api/v1/signatures/own/{name}", json={"text": RULE}, timeout=60)
    assert answer.status_code == 400, answer.text
    assert squall.json("/api/v1/signatures/own") == {"files": []}


def test_rules_may_not_include_files_of_the_machine(squall):
    answer = squall._session.put(
        f"{squall.url}/api/v1/signatures/own/mine.yar", json={"text": 'include "/etc/passwd"\n' + RULE}, timeout=60)
    assert answer.status_code == 422 and "include" in answer.json()["problems"][0]["reason"]
    assert "root:" not in answer.text


def test_a_kept_sample_is_downloaded(tmp_path, rules, open_page):
    service = Service(tmp_path / "kept", "--signatures", str(rules), "--server-store-samples", "malicious")
    with running(service):
        service.check(MARKER + SECOND, name="/srv/a.php")
        page = open_page(service, f"#/findings/{only_finding(service)['event_id']}")
        with page.expect_download() as download:
            page.get_by_role("button", name="Download the sample").click()
        archive = zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes()))
        [name] = archive.namelist()
        with pytest.raises(RuntimeError):
            archive.read(name)
        assert archive.read(name, pwd=b"infected") == MARKER + SECOND


def test_without_kept_samples_it_says_so(fresh, open_page):
    fresh.check(MARKER, name="/srv/a.php")
    page = open_page(fresh, f"#/findings/{only_finding(fresh)['event_id']}")
    expect(page.locator('[data-sample="none"]')).to_have_text("The sample was not kept; which ones are is set with server-store-samples.")
    expect(page.get_by_role("button", name="Download the sample")).to_have_count(0)


def test_the_system_page_tells_configuration_and_log(tmp_path, rules, open_page):
    service = Service(tmp_path / "system", "--signatures", str(rules), "--archive-password", "geheim-7")
    with running(service):
        page = open_page(service, "#/system")
        settings = page.get_by_role("region", name="Configuration in force")
        expect(settings.get_by_role("row", name="archive-password")).to_contain_text("(hidden)")
        expect(settings.get_by_role("row", name="server-port")).to_contain_text(str(service.port))
        expect(page.get_by_role("region", name="The last lines of the log")).to_contain_text("signatures in force")
        assert "geheim-7" not in json.dumps(service.json("/api/v1/configuration")) + json.dumps(service.json("/api/v1/log?lines=1000"))
        page.get_by_role("button", name="Defaults as well").click()
        expect(settings.get_by_role("row", name="scan-timeout")).to_contain_text("default")
        # The log goes on by itself, until it is told to stand still.
        log = page.get_by_role("region", name="The last lines of the log")
        lines = log.locator("li", has_text="a finding was reviewed")
        service.check(MARKER)
        event_id = only_finding(service)["event_id"]
        review = lambda: service.post(f"/api/v1/findings/{event_id}/review", json={"state": "reviewed"})  # noqa: E731
        assert review().status_code == 200
        expect(lines).to_have_count(1)
        page.get_by_role("button", name="Pause").click()
        page.wait_for_timeout(300)
        assert review().status_code == 200
        page.wait_for_timeout(4000)
        expect(lines).to_have_count(1)
        page.get_by_role("button", name="Go on").click()
        expect(lines).to_have_count(2)


def test_only_analysts_change_what_is_found(tmp_path, rules):
    """Who can send a sample must not be able to have it trusted."""
    service = Service(tmp_path / "analysts", "--signatures", str(rules), "--trusted-proxy", "127.0.0.1", "--analyst", "203.0.113.0/24")
    with running(service):
        service.check(MARKER)
        event_id = only_finding(service)["event_id"]
        trust = f"/api/v1/findings/{event_id}/trust"
        for address in ("198.51.100.7", "203.0.114.1", "unknown", None):
            headers = {} if address is None else {"X-Forwarded-For": address}
            assert service.post(trust, json={}, headers=headers).status_code == 403
            answer = service._session.put(f"{service.url}/api/v1/signatures/own/a.yar", json={"text": RULE}, headers=headers, timeout=60)
            assert answer.status_code == 403 and "analyst" in answer.json()["message"]
            for path in ("configuration", "log", "signatures/own", f"samples/{'ab' * 32}/zip"):
                assert service.get(f"/api/v1/{path}", headers=headers).status_code == 403, path
            # Findings are for everybody who reaches the port.
            assert service.get("/api/v1/findings", headers=headers).status_code == 200
        assert service.check(MARKER) != []
        assert service.post(trust, json={}, headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 200
        assert service.check(MARKER) == []
