"""Logging in to a service that asks for tokens, with a real browser."""

import json

import pytest
from conftest import command, with_token
from playwright.sync_api import expect

from support.rules import MARKER
from support.service import Service, running, wait_until


@pytest.fixture
def guarded(tmp_path, rules):
    service = Service(tmp_path / "squall", "--signatures", str(rules), "--access", "tokens")
    service.token = with_token(service, "admin", "ana <b>")
    service._session.headers["Authorization"] = f"Bearer {service.token}"
    with running(service):
        yield service


def test_a_token_lets_in_and_logging_out_lets_nobody_in(guarded, open_page, screenshots, accessible):
    page = open_page(guarded, expected=("401",))
    token = page.get_by_label("Token")
    expect(token).to_be_focused()
    expect(page.get_by_role("navigation", name="Pages")).to_have_count(0)
    page.screenshot(path=screenshots / "login.png")
    token.fill("sqt_00000000_" + "0" * 40)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("the token is not known")
    accessible(page, "the log-in, with a wrong token")
    token.fill(guarded.token)
    page.keyboard.press("Enter")
    expect(page.get_by_text("ana <b>")).to_be_visible()
    expect(page.get_by_role("navigation", name="Pages")).to_be_visible()
    expect(page.locator(".state")).to_have_text("live")
    [cookie] = page.context.cookies()
    assert cookie["name"] == "squall_session" and cookie["httpOnly"] and cookie["sameSite"] == "Strict"
    # No script has either of them.
    kept = page.evaluate("() => JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}])")
    assert "squall_session" not in kept and guarded.token[13:] not in kept
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Token")).to_be_visible()
    assert page.context.cookies() == []


def test_what_is_done_bears_the_name_of_the_token(guarded, open_page):
    page = open_page(guarded, "#/findings", expected=("401",))
    guarded.check(MARKER, name="/srv/evil.php")
    wait_until(lambda: guarded.json("/api/v1/findings")["findings"], 15, "the finding is stored")
    page.get_by_label("Token").fill(guarded.token)
    page.keyboard.press("Enter")
    page.get_by_role("link", name="evil.php").click()
    page.get_by_role("button", name="Mark as reviewed").click()
    reviewed = wait_until(
        lambda: [row for row in guarded.json("/api/v1/findings")["findings"] if row["review"] == "reviewed"], 15, "a review"
    )
    details = guarded.json(f"/api/v1/findings/{reviewed[0]['event_id']}")
    assert details["review"]["who"] == "ana <b>"
    acts = [json.loads(line) for line in (guarded.data / "audit.log").read_text().splitlines()]
    assert [act["who"] for act in acts if act["what"].endswith("/review")] == ["ana <b>"]


def test_a_session_ends_with_its_token(guarded, open_page):
    page = open_page(guarded, "#/system", expected=("401",))
    page.get_by_label("Token").fill(guarded.token)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    command("token", "revoke", "ana <b>", "--data-dir", guarded.data)
    wait_until(lambda: guarded.get("/api/v1/overview").status_code == 401, 5, "the token is good for nothing")
    page.get_by_role("link", name="Signatures").click()
    expect(page.get_by_label("Token")).to_be_visible()
    guarded._session.headers.pop("Authorization")
