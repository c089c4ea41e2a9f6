"""Every page in both themes and widths: nothing sticks out, no accessibility problem, reachable by keyboard."""

import pytest
from playwright.sync_api import expect

from support.rules import MARKER, SECOND
from support.service import wait_until


@pytest.fixture(scope="module")
def pages(squall):
    """Addresses of all pages, with something on each."""
    for number in range(6):
        squall.check(b"0123456789" * 4 + MARKER + b" " + SECOND, name=f"C:\\inetpub\\wwwroot\\upload\\shell{number}.php", source=f"web-0{number}.example.org")
    squall.check(SECOND, name="/opt/tools/second.bin", source="db-01.example.org")
    squall.post("/api/v1/collection", json={
        "type": "begin", "source": "web-01.example.org", "collector": "collector/0.5", "timestamp": "2026-11-24T08:00:00Z"})
    found = wait_until(
        lambda: (found := squall.json("/api/v1/findings")["findings"]) and len(found) == 7 and found, 15, "all findings")
    event_id = found[-1]["event_id"]
    return {
        "overview": "#/",
        "submit": "#/submit",
        "findings": "#/findings?rule=E2E_Second",
        "finding": f"#/findings/{event_id}",
        "sources": "#/sources",
        "runs": "#/sources?show=runs",
        "source": "#/sources/web-01.example.org",
        "signatures": "#/signatures",
        "system": "#/system",
        "api": "#/api",
        "operation": "#/api?q=getAsyncResults",
        "nothing": "#/nothing",
    }


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page(squall, pages, open_page, axe, screenshots, theme, width):
    page = open_page(squall, viewport={"width": width, "height": 900}, color_scheme=theme)
    for name, address in pages.items():
        page.goto(f"{squall.url}/{address}")
        expect(page.locator("main .muted", has_text="Loading")).to_have_count(0)
        expect(page.locator("main").locator("h2, table, form, fieldset, .empty").first).to_be_visible()
        while name == "operation" and (closed := page.locator("details:not([open]) > summary")).count():
            closed.first.click()
        page.wait_for_timeout(250)
        page.screenshot(path=screenshots / f"{name}-{theme}-{width}.png", full_page=True)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{name} is {wide} px wide"
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (background == "rgb(15, 21, 29)") == (theme == "dark")
        page.evaluate(axe)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        serious = [
            (v["id"], v["impact"], [node["html"][:200] for node in v["nodes"]][:3])
            for v in found["violations"]
            if v["impact"] in ("serious", "critical")
        ]
        assert not serious, f"{name}: {serious}"


def test_the_theme_can_be_chosen(squall, pages, open_page):
    page = open_page(squall, color_scheme="light")
    dark = "getComputedStyle(document.body).backgroundColor === 'rgb(15, 21, 29)'"
    assert not page.evaluate(dark)
    button = page.get_by_role("button", name="Theme")
    button.click()
    button.click()
    expect(button).to_contain_text("Dark")
    assert page.evaluate(dark)
    page.reload()
    assert page.evaluate(dark)


def test_the_keyboard_is_enough(squall, pages, open_page):
    page = open_page(squall)
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.get_by_role("link", name="Findings", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    row = page.locator("table.findings .c-name a").first
    expect(row).to_be_visible()
    for _ in range(40):
        page.keyboard.press("Tab")
        if row.evaluate("element => element === document.activeElement"):
            break
    expect(row).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="How the score came about")).to_be_visible()


def test_without_scripts_it_says_where_the_api_is(squall, browser):
    context = browser.new_context(java_script_enabled=False)
    try:
        page = context.new_page()
        page.goto(squall.url)
        expect(page.get_by_role("heading", level=1)).to_have_text("Squall")
        for link in page.locator("main a").all():
            address = link.get_attribute("href")
            assert squall.get(address).status_code == 200 and "/docs" not in address, address
        expect(page.get_by_role("link", name="/openapi.json")).to_be_visible()
    finally:
        context.close()
