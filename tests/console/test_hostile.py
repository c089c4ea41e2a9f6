"""What others write is shown as text on every page."""

import csv
import io
import json
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from support.rules import MARKER
from support.service import wait_until

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
