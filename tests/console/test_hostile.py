"""What others write is shown as text on every page."""

import csv
import io
import json
import time
import zipfile
from contextlib import contextmanager
from urllib.parse import quote

import pytest
from conftest import command
from playwright.sync_api import expect

from support.rules import MARKER, slow
from support.service import Service, running, wait_until

HOSTILE = {
    "image": "<img src=x onerror=alert(1)>.php",
    "script": '"><script>alert(1)</script>.php',
    "right to left": "invoice\u202efdp.exe",
    "isolates": "a\u2066b\u2067c\u2069.exe",
    "controls": "a\x1b[31mred\x07.txt",
    "newlines": "a\r\nb\tc.txt",
    "separators": "a\u2028b\u2029c.txt",
    "long": "/" + "A" * 4095,
    "json": '","score":0,"x":"',
    "formula": "=cmd()|'/c calc'!A0",
    "minus": "-2+3+cmd|' /C calc'!A0",
    "spaces before": " \t=1+1",
    "reference": "&lt;b&gt; &amp; %3Cb%3E",
    "link": "javascript:alert(1)",
    "parent": "..",
    "here": ".",
}
# As the service keeps sources: without spaces around, and of a length.
SOURCES = {name: text.strip()[:1024] for name, text in HOSTILE.items()}
UNSEEN = "\u202e\u202d\u2066\u2067\u2069\u2028\u2029\x1b\x07"
PAGES = ["#/", "#/submit", "#/findings", "#/sources", "#/sources?show=runs", "#/signatures", "#/system", "#/api"]


def send(service, name, content, agent="collector/0.5", **params):
    """Has a sample scanned under exactly that name, line breaks included."""
    boundary = "hostile-0123456789"
    head = f"--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename*=UTF-8''{quote(name, safe='')}\r\n\r\n"
    answer = service.post(
        "/api/v1/check",
        params=params,
        data=head.encode() + content + f"\r\n--{boundary}--\r\n".encode(),
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}", "User-Agent": agent},
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def archive(names) -> bytes:
    out = io.BytesIO()
    # Packed, so that nothing is found in the archive itself.
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name in names:
            file.writestr(name, MARKER + name.encode())
    return out.getvalue()


@pytest.fixture(scope="module")
def squall(tmp_path_factory, rules):
    """A service with one scan thread, and one sample that ended the process twice and was put aside."""
    service = Service(tmp_path_factory.mktemp("squall"), "--signatures", str(rules), "--threads", "1")
    service.start()
    service.enqueue(slow(1), name=HOSTILE["image"], source=HOSTILE["script"])
    for _ in range(2):
        wait_until(lambda: service.json("/api/v1/overview")["workers_busy"] == 1, 20, "the scan to begin")
        time.sleep(0.1)
        service.kill()
        service.start()
    with running_already(service):
        wait_until(lambda: service.json("/api/v1/samples/failed")["total"] == 1, 20, "a failed sample")
        yield service


@contextmanager
def running_already(service):
    try:
        yield
        service.stop()
    finally:
        service.kill()


@pytest.fixture(scope="module")
def hostile(squall):
    """Everything that others write, hostile: names, sources, collectors, runs, members of archives, reviews, reasons to trust."""
    for name, text in HOSTILE.items():
        begun = squall.post("/api/v1/collection", json={
            "type": "begin", "source": SOURCES[name], "collector": text, "timestamp": "2026-11-24T08:00:00Z"}).json()
        agent = "".join(character for character in text if " " <= character <= "~").strip() or "-"
        send(squall, text, MARKER, agent=agent, source=SOURCES[name], scan_id=begun["scan_id"])
    # Members may be called anything that fits into an archive.
    members = [text for name, text in HOSTILE.items() if name not in ("long", "parent", "here")]
    send(squall, "members.zip", archive(members), source="members")
    count = len(HOSTILE) + len(members)
    rows = wait_until(
        lambda: (found := squall.json("/api/v1/findings?limit=100")["findings"]) and len(found) == count and found, 15, "all findings")
    of_sample = [row for row in rows if row["depth"] == 0]
    for row, text in zip(of_sample, HOSTILE.values(), strict=True):
        answer = squall.post(f"/api/v1/findings/{row['event_id']}/review", json={"state": "reviewed", "note": text[:4000], "who": text[:200]})
        assert answer.status_code == 200, answer.text
    trusted = next(row for row in rows if row["depth"] > 0)
    answer = squall.post(f"/api/v1/findings/{trusted['event_id']}/trust", json={"note": HOSTILE["image"] + HOSTILE["newlines"], "who": HOSTILE["script"]})
    assert answer.status_code == 200, answer.text
    return rows


def assert_harmless(page):
    assert page.locator("main img, main script, main iframe, main b:has-text('&'):not(.reviewed b)").count() == 0
    for link in page.locator("main a").all():
        assert not (link.get_attribute("href") or "").lower().startswith(("javascript:", "data:"))
    text = page.locator("body").inner_text()
    assert not any(mark in text for mark in UNSEEN), "a mark that a reader does not see"


def settled(page):
    expect(page.locator("main .muted", has_text="Loading")).to_have_count(0)
    expect(page.locator("main h2, main table, main form, main fieldset").first).to_be_visible()


# What of each page is from outside, as (where it is, what it must show).
SHOWN = {
    "#/": [("table.findings", "members.zip")],
    "#/findings": [("table.findings", HOSTILE["image"]), ("table.findings", "\\u{202e}"), ("table.findings", "\\u{2028}"), ("table.findings", "\\u{2066}")],
    "#/sources": [("table.sources", HOSTILE["image"]), ("table.sources", "a\\r\\nb\\tc.txt"), ("table.sources", "\\x1b[31mred\\x07")],
    "#/sources?show=runs": [("table.runs", HOSTILE["script"]), ("table.runs", "a\\r\\nb\\tc.txt")],
    "#/signatures": [(".editor", "")],
    "#/system": [("main", HOSTILE["image"]), ("main", HOSTILE["script"])],
}


def test_lists_show_text(squall, hostile, open_page):
    page = open_page(squall)
    for address in PAGES:
        page.goto(f"{squall.url}/{address}")
        settled(page)
        if address == "#/signatures":
            page.get_by_role("button", name="Edit console-trusted-hashes.txt").click()
            text = page.locator("textarea.code").input_value()
            # One line, whatever was written for a reason.
            assert len(text.splitlines()) == 1 and "onerror=alert(1)" in text
        for place, text in SHOWN.get(address, []):
            expect(page.locator(place).first).to_contain_text(text)
        page.wait_for_timeout(100)
        assert_harmless(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{address} is wider than the window"


def test_a_hostile_file_that_is_submitted_shows_text(squall, hostile, open_page):
    page = open_page(squall, "#/submit")
    for name in ("image", "script", "right to left", "formula", "newlines"):
        transfer = page.evaluate_handle(
            "([name, text]) => { const drop = new DataTransfer(); drop.items.add(new File([text], name)); return drop; }",
            [HOSTILE[name], MARKER.decode() + name])
        page.dispatch_event("[data-drop]", "drop", {"dataTransfer": transfer})
    expect(page.locator('[data-upload="done"]')).to_have_count(5)
    expect(page.locator(".uploads")).to_contain_text(HOSTILE["image"])
    expect(page.locator(".uploads")).to_contain_text("\\u{202e}")
    assert_harmless(page)


def test_findings_and_sources_show_text(squall, hostile, open_page):
    page = open_page(squall)
    reviewed = {row["event_id"] for row in hostile if row["depth"] == 0}
    for row in hostile:
        page.goto(f"{squall.url}/#/findings/{row['event_id']}")
        expect(page.get_by_role("heading", name="How the score came about")).to_be_visible()
        if row["event_id"] in reviewed:
            expect(page.locator(".reviewed")).to_be_visible()
        assert_harmless(page)
    expect(page.locator(".foreign").first).to_be_visible()
    # From the list, as somebody would; a browser takes `..` in a path for another path.
    for name, source in SOURCES.items():
        page.goto(f"{squall.url}/#/sources/{quote(source, safe='')}")
        heading = page.get_by_role("heading", level=1)
        expect(heading).to_have_text(shown(source, 300))
        expect(page.get_by_role("heading", name="Collection runs")).to_be_visible()
        # A run says of its source 256 characters, a sample of its own 1024.
        expect(page.locator("table.runs tbody tr"), name).to_have_count(0 if name == "long" else 1)
        assert_harmless(page)


def test_hostile_addresses_show_text(squall, hostile, open_page):
    page = open_page(squall, expected=("400", "404"))
    for address in ["#/<img src=x onerror=alert(1)>", "#/findings/<img src=x onerror=alert(1)>", "#/findings?q=<b>x&rule=%3Cimg%20src=x%3E&x=1",
                    "#/sources/%E2%80%AE", "#/findings/%", "#/findings?since=<script>"]:
        page.goto(f"{squall.url}/{address}")
        expect(page.locator("main")).not_to_be_empty()
        page.wait_for_timeout(300)
        assert_harmless(page)


def assert_no_formula(text, rows_expected):
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert len(rows) == rows_expected + 1
    for row in rows:
        assert len(row) == len(rows[0])
        for cell in row:
            assert not cell.lstrip().startswith(("=", "+", "-", "@")), cell[:80]
            assert not any(ord(character) < 32 or character in UNSEEN for character in cell), cell[:80]
    return rows


def test_exports_hold_no_formula(squall, hostile):
    # What was submitted in the browser is among them.
    findings = squall.json("/api/v1/findings?limit=100")["findings"]
    assert len(findings) >= len(hostile)
    rows = assert_no_formula(squall.get("/api/v1/findings/export?format=csv").text, len(findings))
    # The notes of reviews are among the cells, formulas too.
    note = rows[0].index("note")
    assert any("cmd()|" in row[note] for row in rows[1:]) and any("2+3+cmd" in row[note] for row in rows[1:])
    lines = squall.get("/api/v1/findings/export").text.splitlines()
    assert {json.loads(line)["meta"]["event_id"] for line in lines} == {row["event_id"] for row in findings}


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
        command("findings", "export", "--data-dir", squall.data, "--format", form, "-o", path)
        files[f"command {form}"] = path.read_text("utf-8")
    return files


def test_exports_of_the_command_hold_no_formula_either(exported):
    assert list(csv.reader(io.StringIO(exported["command csv"]))) == list(csv.reader(io.StringIO(exported["csv"])))
    assert exported["command jsonl"] == exported["jsonl"]


def test_a_table_shows_names_on_one_line_without_marks(exported):
    table = list(csv.reader(io.StringIO(exported["csv"], newline="")))
    paths = {json.loads(line)["subject"]["path"] for line in exported["jsonl"].splitlines()}
    for name, text in HOSTILE.items():
        # JSON says exactly what was sent.
        assert text in paths, name
        assert any(as_in_tables(text)[:200] in cell for row in table for cell in row), name


def as_in_tables(text: str) -> str:
    """A text as tables have it: with what nobody sees as an escape."""
    return "".join(
        f"\\x{ord(one):02x}" if ord(one) < 32 else f"\\u{{{ord(one):x}}}" if one in UNSEEN else one for one in text)


def shown(text: str, length: int) -> str:
    """A text as pages have it: cut, and with what nobody sees as an escape."""
    special = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\x1b": "\\x1b", "\x07": "\\x07"}
    special |= {mark: f"\\u{{{ord(mark):x}}}" for mark in UNSEEN if ord(mark) > 32}
    cut = text if len(text) <= length else text[:length] + "…"
    return "".join(special.get(character, character) for character in cut)


def test_a_report_as_a_page_shows_text(exported, browser):
    assert_page_is_text(browser, exported["command html"], HOSTILE["image"])


def test_a_report_as_a_page_is_accessible(exported, browser, accessible):
    context = browser.new_context()
    try:
        page = context.new_page()
        page.set_content(exported["command html"], wait_until="load")
        accessible(page, "a report of findings as a page")
    finally:
        context.close()


def assert_page_is_text(browser, html, expected):
    """Opens a report as from a file, where no header protects it."""
    context = browser.new_context()
    try:
        page = context.new_page()
        errors = []
        page.on("dialog", lambda dialog: (errors.append(dialog.message), dialog.dismiss()))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        requests = []
        page.on("request", lambda request: requests.append(request.url))
        page.set_content(html, wait_until="load")
        assert page.locator("body img, body iframe").count() == 0
        for link in page.locator("a").all():
            assert not (link.get_attribute("href") or "").lower().startswith(("javascript:", "data:"))
        text = page.locator("body").inner_text()
        assert expected in text
        assert not any(mark in text for mark in UNSEEN)
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


def test_hostile_rules_are_text_on_every_page(hostile_rules, open_page):
    service, row = hostile_rules
    page = open_page(service)
    for address in ("#/", "#/submit", "#/findings", "#/finding", "#/sources", "#/sources/web-01", "#/signatures", "#/system", "#/api"):
        page.goto(f"{service.url}/" + (f"#/findings/{row['event_id']}" if address == "#/finding" else address))
        settled(page)
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
            expect(page.get_by_role("region", name="Not usable")).to_contain_text("broken.yar")
            page.get_by_role("button", name="Measure").click()
            expect(page.locator("table.costs tbody tr").first).to_be_visible()
        page.wait_for_timeout(200)
        assert_harmless(page)
        assert page.locator("main svg[onload], main i, main [onerror], main [onmouseover]").count() == 0


def test_exports_of_hostile_rules_hold_no_formula_and_no_markup(hostile_rules, browser, tmp_path):
    service, row = hostile_rules
    answer = service.post(f"/api/v1/findings/{row['event_id']}/review", json={"state": "reviewed", "note": "=cmd()|'/c calc'!A0 <img src=x onerror=alert(1)>", "who": "@eve"})
    assert answer.status_code == 200
    assert_no_formula(service.get("/api/v1/findings/export?format=csv").text, 1)
    path = tmp_path / "findings.html"
    command("findings", "export", "--data-dir", service.data, "--format", "html", "-o", path)
    assert_page_is_text(browser, path.read_text("utf-8"), "<img src=x onerror=alert(1)>")
