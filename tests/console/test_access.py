"""Who may do what: pages say it before somebody tries, and what to set."""

import pytest
from conftest import with_token
from playwright.sync_api import expect
from steps import drop, stored

from support.rules import CLEAN, MARKER
from support.service import Service, running

ELSEWHERE = {"X-Forwarded-For": "198.51.100.7"}
ANALYST = {"X-Forwarded-For": "203.0.113.9"}


@pytest.fixture(scope="module")
def proxied(tmp_path_factory, rules):
    """A service behind a proxy, with analysts in one network; and a finding."""
    service = Service(tmp_path_factory.mktemp("proxied"), "--signatures", str(rules), "--trusted-proxy", "127.0.0.1",
                      "--analyst", "203.0.113.0/24", "--server-store-samples", "malicious")
    with running(service):
        service.check(MARKER, name="/srv/evil.php", source="web-01")
        service.event_id = stored(service, 1)[0]["event_id"]
        yield service


@pytest.fixture(scope="module")
def guarded(tmp_path_factory, rules):
    """A service that asks for tokens, with one of each role; and a finding."""
    service = Service(tmp_path_factory.mktemp("guarded"), "--signatures", str(rules), "--access", "tokens")
    service.tokens = {role: with_token(service, role, f"{role}-token") for role in ("submit", "read", "admin")}
    service._session.headers["Authorization"] = f"Bearer {service.tokens['admin']}"
    with running(service):
        service.check(MARKER, name="/srv/evil.php", source="web-01")
        service.event_id = stored(service, 1)[0]["event_id"]
        yield service
        # Ended sessions of requests show no token.
        service._session.headers.pop("Authorization")


def log_in(page, token):
    page.get_by_label("Token").fill(token)
    page.keyboard.press("Enter")


def absent(page, *buttons):
    for name in buttons:
        expect(page.get_by_role("button", name=name)).to_have_count(0)


def test_who_is_no_analyst_is_told_what_to_set(proxied, open_page, accessible, screenshots):
    page = open_page(proxied, f"#/findings/{proxied.event_id}", extra_http_headers=ELSEWHERE)
    note = page.locator("[data-not-allowed]")
    expect(page.locator('[data-sample="forbidden"]')).to_contain_text("in the setting analyst. Yours is 198.51.100.7")
    absent(page, "Download the sample")
    # What everybody may: mark it, but not have it trusted.
    page.get_by_label("Note").fill("looks like ours")
    page.get_by_role("button", name="False positive…").click()
    expect(page.get_by_label("Trust this content from now on")).to_be_disabled()
    expect(page.locator(".sure [data-not-allowed]")).to_contain_text("Trusting a content is for analysts")
    page.screenshot(path=screenshots / "no-analyst.png", full_page=True)
    accessible(page, "a false positive of somebody who is no analyst")
    page.get_by_role("button", name="It is a false positive").click()
    expect(page.locator('[data-review="false_positive"]')).to_contain_text("looks like ours")
    assert proxied.check(MARKER) != []
    page.get_by_role("button", name="Open again").click()
    expect(page.locator('[data-review="open"]')).to_be_visible()

    page.get_by_role("link", name="Signatures", exact=True).click()
    expect(note).to_contain_text("Writing rules and lists is for analysts")
    expect(page.get_by_role("button", name="Reload")).to_be_visible()
    absent(page, "New file", "Measure")
    page.get_by_role("link", name="System", exact=True).click()
    expect(note).to_contain_text("198.51.100.7")
    expect(page.get_by_role("heading", name="Self-check, log and configuration")).to_be_visible()
    # No request was refused: the test fails for an error on the page.


def test_an_analyst_elsewhere_may(proxied, open_page):
    page = open_page(proxied, f"#/findings/{proxied.event_id}", extra_http_headers=ANALYST)
    expect(page.get_by_role("button", name="Download the sample")).to_be_visible()
    page.get_by_role("button", name="False positive…").click()
    expect(page.get_by_label("Trust this content from now on")).to_be_enabled()
    page.get_by_role("link", name="System", exact=True).click()
    expect(page.get_by_role("heading", name="Configuration in force")).to_be_visible()
    expect(page.locator("[data-not-allowed]")).to_have_count(0)


def test_a_token_that_reads_changes_nothing(guarded, open_page, accessible):
    page = open_page(guarded, f"#/findings/{guarded.event_id}")
    log_in(page, guarded.tokens["read"])
    expect(page.get_by_role("heading", name="How the score came about")).to_be_visible()
    review = page.get_by_role("region", name="Review")
    expect(review).to_contain_text("A review needs a token with the role admin; yours has the role read.")
    absent(page, "Mark as reviewed", "False positive…")
    accessible(page, "a finding for somebody who only reads")
    page.get_by_role("link", name="Signatures", exact=True).click()
    expect(page.get_by_role("region", name="In force")).to_contain_text("YARA rules")
    expect(page.locator("[data-not-allowed]").first).to_contain_text("yours has the role read")
    absent(page, "Reload", "New file", "Measure", "Roll back to it")
    page.get_by_role("link", name="System", exact=True).click()
    expect(page.get_by_role("heading", name="Samples that could not be scanned")).to_be_visible()
    expect(page.locator("[data-not-allowed]")).to_contain_text("yours has the role read")
    expect(page.locator(".state")).to_have_text("live")


def test_a_token_that_submits_sends_and_sees_its_results(guarded, open_page):
    page = open_page(guarded, "#/findings")
    log_in(page, guarded.tokens["submit"])
    expect(page.locator(".empty")).to_contain_text("may send samples and see what was found in them")
    navigation = page.get_by_role("navigation", name="Pages").get_by_role("link")
    expect(navigation).to_have_text(["Submit", "API"])
    expect(page.locator(".state")).to_have_count(0)
    navigation.first.click()
    drop(page, ("evil.php", MARKER + b" submitted"), ("clean.txt", CLEAN))
    expect(page.locator('[data-upload="done"]')).to_have_count(2)
    found = page.locator("li", has_text="evil.php")
    expect(found).to_contain_text("E2E_Marker")
    expect(found.get_by_role("link")).to_have_count(0)
    page.wait_for_timeout(500)


def test_who_logs_in_is_on_the_page_of_the_address(guarded, open_page):
    page = open_page(guarded, "#/findings")
    expect(page.get_by_label("Token")).to_be_visible()
    page.evaluate("location.hash = '#/system'")
    log_in(page, guarded.tokens["admin"])
    expect(page.get_by_role("heading", name="Configuration in force")).to_be_visible()
    expect(page.get_by_role("link", name="System", exact=True)).to_have_attribute("aria-current", "page")
