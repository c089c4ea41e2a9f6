"""Logging in at a provider of another site, with a real browser."""

import json

import pytest
from conftest import OTHER_SITE, with_token
from playwright.sync_api import expect

from support.openid import Provider
from support.rules import MARKER
from support.service import Service, free_port, running, wait_until

LABEL = "Log in at Example"


@pytest.fixture
def provider(tmp_path):
    """A provider with a certificate of its own authority, at another site than the service."""
    provider = Provider(tmp_path / "provider", tls=True, pages=OTHER_SITE)
    provider.people["ana"] = {"preferred_username": "ana <b>", "groups": ["squall-admins"]}
    provider.people["ben"] = {"preferred_username": "ben", "groups": ["soc"]}
    provider.people["eve"] = {"preferred_username": "eve", "groups": ["others"]}
    yield provider
    provider.close()


@pytest.fixture
def guarded(tmp_path, rules, provider):
    """A service that asks for a log-in, over TLS."""
    port = free_port()
    flags = [*provider.settings(f"https://127.0.0.1:{port}"), "--oidc-label", LABEL, "--server-cert", "auto"]
    service = Service(tmp_path / "squall", "--signatures", str(rules), *flags, tls=True, port=port)
    service.token = with_token(service, "admin", "of-the-test")
    service._session.headers["Authorization"] = f"Bearer {service.token}"
    with running(service):
        yield service


@pytest.fixture
def begin(guarded, provider, open_page):
    """Opens the log-in. The browser is told that both certificates are good."""

    def begin(address="#/", expected=("401",)):
        return open_page(guarded, address, expected=expected, beside=(provider.pages,), ignore_https_errors=True)

    return begin


def log_in(page, user):
    page.get_by_role("link", name=LABEL).click()
    page.get_by_label("User").fill(user)
    page.get_by_role("button", name="Continue").click()


def acts(service):
    """Who logged in and out, as the audit log has it."""
    lines = [json.loads(line) for line in (service.data / "audit.log").read_text().splitlines()]
    return [(act["who"], act.get("subject"), act["what"], act["outcome"]) for act in lines if act["what"].startswith("log ")]


def test_somebody_logs_in_at_the_provider_and_out_here(guarded, begin, screenshots, accessible):
    guarded.check(MARKER, name="/srv/evil.php")
    wait_until(lambda: guarded.json("/api/v1/findings")["findings"], 15, "the finding is stored")
    page = begin("#/findings")
    expect(page.get_by_role("link", name=LABEL)).to_be_visible()
    accessible(page, "the log-in with a provider")
    page.screenshot(path=screenshots / "login-provider.png")
    log_in(page, "ana")
    # Where he was before.
    expect(page.get_by_role("link", name="evil.php")).to_be_visible()
    assert page.url == f"{guarded.url}/#/findings"
    expect(page.get_by_text("ana <b>")).to_be_visible()
    expect(page.locator(".state")).to_have_text("live")
    # The browser keeps one cookie, which no page of another site has it send.
    [cookie] = page.context.cookies()
    assert cookie["name"] == "squall_session" and cookie["httpOnly"] and cookie["secure"] and cookie["sameSite"] == "Strict"
    page.get_by_role("link", name="evil.php").click()
    page.get_by_role("button", name="Mark as reviewed").click()
    reviewed = wait_until(
        lambda: [row for row in guarded.json("/api/v1/findings")["findings"] if row["review"] == "reviewed"], 15, "a review"
    )
    details = guarded.json(f"/api/v1/findings/{reviewed[0]['event_id']}")
    assert details["review"]["who"] == "ana <b>"
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("link", name=LABEL)).to_be_visible()
    assert page.context.cookies(guarded.url) == []
    assert acts(guarded) == [("ana <b>", "id-of-ana", "log in", "done"), ("ana <b>", "id-of-ana", "log out", "done")]


def test_who_only_reads_is_told_what_he_may_not_do(begin, accessible):
    page = begin("#/signatures")
    log_in(page, "ben")
    expect(page.locator("[data-not-allowed]").first).to_contain_text("needs the role admin; yours is read.")
    accessible(page, "signatures for somebody who only reads")
    expect(page.get_by_role("button", name="Reload")).to_have_count(0)


def test_who_has_no_role_is_refused_with_a_page_that_says_why(guarded, begin, screenshots, accessible):
    page = begin(expected=("401", "403"))
    log_in(page, "eve")
    expect(page.get_by_role("heading", name="Not logged in")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("knows you as eve, but nothing it says of you gives you a role here")
    accessible(page, "the page for who has no role")
    page.screenshot(path=screenshots / "login-refused.png")
    assert "squall_session" not in [cookie["name"] for cookie in page.context.cookies()]
    page.get_by_role("link", name="Back to the log-in").click()
    expect(page.get_by_role("link", name=LABEL)).to_be_visible()
    # As somebody else he may.
    log_in(page, "ben")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    assert acts(guarded) == [("eve", "id-of-eve", "log in", "refused"), ("ben", "id-of-ben", "log in", "done")]


def test_who_cancels_or_comes_back_twice_is_not_logged_in(begin):
    page = begin(expected=("400", "401", "403"))
    page.get_by_role("link", name=LABEL).click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("alert")).to_have_text("The provider refuses the log-in: access_denied.")
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("completed already. Begin again.")


def test_a_token_is_good_where_the_provider_is_gone(guarded, provider, begin, accessible):
    # What was known of it would lead a browser there all the same.
    guarded.stop()
    provider.close()
    guarded.start()
    page = begin(expected=("401", "503"))
    page.get_by_role("link", name=LABEL).click()
    expect(page.get_by_role("alert")).to_have_text("The provider does not answer. Try again later, or log in with a token.")
    accessible(page, "the page where the provider is gone")
    page.get_by_role("link", name="Back to the log-in").click()
    page.get_by_label("Token").fill(guarded.token)
    page.keyboard.press("Enter")
    expect(page.get_by_text("of-the-test")).to_be_visible()
