"""What others write is shown as text on every page."""

import csv
import io
import json
import subprocess
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from support.places import BINARY
from support.rules import MARKER
from support.service import Service, running, wait_until

HOSTILE = {
    "image": "<img src=x onerror=alert(1)>.php",
    "script": '"><script>alert(1)</script>.php',
    "right to left": "invoice\u202efdp.exe",
    "controls": "a\x1b[31mred\x07.txt",
    "long": "/" + "A" * 4095,
    "json": '","score":0,"x":"',
    "formula": "=cmd()|'/c calc'!A0",
    "reference": "&lt;b&gt; &amp; %3Cb%3E",
    "link": "javascript:alert(1)",
}
PAGES = ["#/", "#/findings", "#/sources", "#/system"]


@pytest.fixture(scope="module")
def hostile(squall):
    """A service that was sent hostile names by hostile sources."""
    for name in HOSTILE.values():
        squall.check(MARKER, name=name, source=name[:200])
    return wait_until(
        lambda: (found := squall.json("/api/v1/findings?limit=100")["findings"]) and len(found) == len(HOSTILE) and found,
        15,
        "all findings",
    )


def assert_harmless(page):
    assert page.locator("main img, main script, main iframe, main b:has-text('&')").count() == 0
    for link in page.locator("main a").all():
        assert not (link.get_attribute("href") or "").lower().startswith(("javascript:", "data:"))
    text = page.locator("body").inner_text()
    assert not any(mark in text for mark in "\u202e\u202d\u2066\u2067\x1b\x07"), "a mark that a reader does not see"


@pytest.mark.parametrize("address", PAGES)
def test_lists_show_text(squall, hostile, open_page, address):
    page = open_page(squall, address)
    if address in ("#/", "#/findings"):
        expect(page.locator("table.findings tbody tr").first).to_be_visible()
    if address == "#/findings":
        expect(page.get_by_role("link", name="<img src=x onerror=alert(1)>.php").first).to_be_visible()
        expect(page.get_by_text("\\u{202e}").first).to_be_visible()
        expect(page.get_by_text("\\x1b").first).to_be_visible()
    assert_harmless(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the window"


def test_findings_and_sources_show_text(squall, hostile, open_page):
    page = open_page(squall)
    for row in hostile:
        page.goto(f"{squall.url}/#/findings/{row['event_id']}")
        expect(page.get_by_role("heading", name="How the score came about")).to_be_visible()
        assert_harmless(page)
        page.goto(f"{squall.url}/#/sources/{quote(row['source'], safe='')}")
        expect(page.get_by_role("heading", name="Collection runs")).to_be_visible()
        assert_harmless(page)


def test_hostile_addresses_show_text(squall, hostile, open_page):
    page = open_page(squall, expected=("400", "404"))
    for address in ["#/<img src=x onerror=alert(1)>", "#/findings/<img src=x onerror=alert(1)>", "#/findings?q=<b>x&rule=%3Cimg%20src=x%3E&x=1",
                    "#/sources/%E2%80%AE", "#/findings/%", "#/findings?since=<script>"]:
        page.goto(f"{squall.url}/{address}")
        expect(page.locator("main")).not_to_be_empty()
        page.wait_for_timeout(300)
        assert_harmless(page)


def test_exports_hold_no_formula(squall, hostile):
    rows = list(csv.reader(io.StringIO(squall.get("/api/v1/findings/export?format=csv").text)))
    assert len(rows) == len(HOSTILE) + 1
    for row in rows[1:]:
        assert len(row) == len(rows[0])
        assert not any(cell.startswith(("=", "+", "@", "\t", "\r")) for cell in row)
    lines = squall.get("/api/v1/findings/export").text.splitlines()
    assert {json.loads(line)["subject"]["path"] for line in lines} == {row["name"] for row in hostile}


def test_a_page_of_another_site_changes_nothing(squall, hostile):
    event_id = hostile[0]["event_id"]
    body = {"state": "reviewed"}
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = squall.post(f"/api/v1/findings/{event_id}/review", json=body, headers=headers)
        assert answer.status_code == 403
        answer = squall.post("/api/check", files={"file": ("x", MARKER)}, headers=headers)
        assert answer.status_code == 403 and "reason" in answer.json()
        assert squall.post("/api/v1/signatures/reload", headers=headers).status_code == 403
    own = {"Origin": squall.url}
    assert squall.post(f"/api/v1/findings/{event_id}/review", json=body, headers=own).status_code == 200


@pytest.fixture(scope="module")
def exported(squall, hostile, tmp_path_factory):
    """Everything that exports findings: by the service, and by command."""
    files = {"jsonl": squall.get("/api/v1/findings/export").text, "csv": squall.get("/api/v1/findings/export?format=csv").text}
    folder = tmp_path_factory.mktemp("exports")
    for form in ("jsonl", "csv", "html"):
        path = folder / f"findings.{form}"
        subprocess.run([BINARY, "findings", "export", "--data-dir", squall.data, "--format", form, "-o", path], check=True, timeout=60)
        files[f"command {form}"] = path.read_text("utf-8")
    return files


def test_exports_of_the_command_hold_no_formula_either(exported):
    assert list(csv.reader(io.StringIO(exported["command csv"]))) == list(csv.reader(io.StringIO(exported["csv"])))
    assert exported["command jsonl"] == exported["jsonl"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_table_shows_the_name_on_one_line_without_marks(exported, name):
    row = next(row for row in csv.reader(io.StringIO(exported["csv"])) if any(shown(HOSTILE[name]) in cell for cell in row))
    text = "".join(row)
    assert not any(mark in text for mark in "\u202e\x1b\x07\n\r")
    # JSON says exactly what was sent; of a file's name, control characters as pictures of them.
    sent = HOSTILE[name].translate({0x1B: "\u241b", 0x07: "\u2407"})
    assert any(json.loads(line)["subject"]["path"] == sent for line in exported["jsonl"].splitlines())


def shown(name: str) -> str:
    """A name as a table has it."""
    return "".join({"\u202e": "\\u{202e}", "\x1b": "\\x1b", "\x07": "\\x07"}.get(character, character) for character in name)[:200]


def test_a_report_as_a_page_shows_text(exported, browser):
    """Opened from a file, where no header protects it."""
    context = browser.new_context()
    try:
        page = context.new_page()
        errors = []
        page.on("dialog", lambda dialog: (errors.append(dialog.message), dialog.dismiss()))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        requests = []
        page.on("request", lambda request: requests.append(request.url))
        page.set_content(exported["command html"], wait_until="load")
        assert page.locator("body img, body iframe").count() == 0
        for link in page.locator("a").all():
            assert not (link.get_attribute("href") or "").lower().startswith(("javascript:", "data:"))
        text = page.locator("body").inner_text()
        assert "<img src=x onerror=alert(1)>.php" in text
        assert not any(mark in text for mark in "\u202e\x1b\x07")
        assert not errors and not requests, (errors, requests)
    finally:
        context.close()


# Everything of a rule that is free text, and what it looks for.
HOSTILE_RULE = r"""
rule Hostile_Rule : TAG {
    meta:
        description = "<img src=x onerror=alert(1)> \"><script>alert(2)</script>"
        author = "<b onmouseover=alert(3)>\xe2\x80\xaeeve</b>"
        reference = "javascript:alert(4)"
        reference2 = "https://example.com/\"><script>alert(5)</script>"
        date = "<i>2026-11-24</i>"
        id = "'><svg onload=alert(6)>"
        falsepositive = "=cmd()|'/c calc'!A0 <img src=x onerror=alert(7)>"
        score = 80
    strings:
        $a = "<script>alert(8)</script>"
        $b = "<img src=x onerror=alert(9)>\x1b[31m"
    condition:
        any of them
}
"""
HOSTILE_CONTENT = b"<html><script>alert(8)</script><img src=x onerror=alert(9)>\x1b[31m</html>"


@pytest.fixture(scope="module")
def hostile_rules(tmp_path_factory):
    """A service with a rule whose every text is hostile, a finding of it, a list that holds markup, and a rule that is broken."""
    root = tmp_path_factory.mktemp("hostile-rules")
    folder = root / "rules" / "yara"
    folder.mkdir(parents=True)
    (folder / "<img src=x onerror=alert(1)>.yar").write_text(HOSTILE_RULE)
    (folder / "broken.yar").write_text('rule Broken { meta: a = "<img src=x onerror=alert(1)>" condition: $missing }')
    (folder.parent / "x-filename-iocs.txt").write_text("# <img src=x onerror=alert(1)>\n/hostile/<b>;50\n(((;1\n")
    service = Service(root / "squall", "--signatures", str(folder.parent), "--lookup-link", "<b>look</b>=https://lookup.example/{sha256}")
    with running(service):
        text = HOSTILE_RULE.replace("Hostile_Rule", "Own_Hostile")
        answer = service._session.put(f"{service.url}/api/v1/signatures/own/own.yar", json={"text": text}, timeout=60)
        assert answer.status_code == 200, answer.text
        service.check(HOSTILE_CONTENT, name="/hostile/<b>x</b>.html", source="web-01")
        [row] = wait_until(lambda: service.json("/api/v1/findings")["findings"], 15, "a finding")
        yield service, row


@pytest.mark.parametrize("address", ["#/", "#/submit", "#/findings", "#/finding", "#/sources", "#/sources/web-01", "#/signatures", "#/system"])
def test_hostile_rules_are_text_on_every_page(hostile_rules, open_page, address):
    service, row = hostile_rules
    page = open_page(service, address.replace("#/finding", f"#/findings/{row['event_id']}") if address == "#/finding" else address)
    expect(page.locator("main .muted", has_text="Loading")).to_have_count(0)
    if address == "#/finding":
        matched = page.get_by_role("region", name="What matched")
        expect(matched).to_contain_text('<img src=x onerror=alert(1)> "><script>alert(2)</script>')
        expect(matched).to_contain_text("javascript:alert(4)")
        expect(matched).to_contain_text("\\u{202e}")
        expect(page.get_by_role("link", name="<b>look</b>")).to_have_attribute("href", f"https://lookup.example/{row['sha256']}")
    if address == "#/signatures":
        for rule in ("Hostile_Rule", "Own_Hostile"):
            page.get_by_role("button", name=f"Show the source of {rule}").click()
            expect(page.locator("pre.source")).to_contain_text("<script>alert(8)</script>")
        page.get_by_role("button", name="Edit own.yar").click()
        expect(page.locator("textarea.code")).to_have_value(HOSTILE_RULE.replace("Hostile_Rule", "Own_Hostile"))
        expect(page.get_by_role("region", name="Problems")).to_contain_text("broken.yar")
        page.get_by_role("button", name="Measure").click()
        expect(page.locator("table.costs tbody tr").first).to_be_visible()
    page.wait_for_timeout(200)
    assert_harmless(page)
    assert page.locator("main svg[onload], main i, main [onerror], main [onmouseover]").count() == 0


def test_exports_of_hostile_rules_hold_no_formula(hostile_rules):
    service, _ = hostile_rules
    rows = list(csv.reader(io.StringIO(service.get("/api/v1/findings/export?format=csv").text)))
    assert len(rows) == 2 and len(rows[0]) == len(rows[1])
    assert not any(cell.startswith(("=", "+", "@", "\t", "\r")) for cell in rows[1])
    assert "\x1b" not in "".join(rows[1])
