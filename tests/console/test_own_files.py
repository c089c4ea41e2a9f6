"""Files that several analysts write, and changes that take their time: nobody loses anything, and everybody sees what goes on."""

import pytest
from playwright.sync_api import expect
from steps import stored, until

from support.rules import CUSTOM, CUSTOM_RULE, MARKER

WORKING = "[data-working]"


def put(service, name, text, **headers):
    return service._session.put(f"{service.url}/api/v1/signatures/own/{name}", json={"text": text}, headers=headers, timeout=60)


def written(service, name, text):
    answer = put(service, name, text)
    assert answer.status_code == 200, answer.text


def text_of(service, name) -> str:
    return service.json(f"/api/v1/signatures/own/{name}")["text"]


def held(page, pattern, method):
    """Requests of a method that wait until they are let go."""
    routes = []
    page.route(pattern, lambda route: routes.append(route) if route.request.method == method else route.fallback())
    return routes


def let_go(page, routes):
    for route in until(page, lambda: routes, "the request"):
        route.continue_()
    routes.clear()


def test_what_takes_its_time_says_so(fresh, open_page, accessible, screenshots):
    fresh.check(MARKER, name="/srv/a.php")
    [row] = stored(fresh, 1)
    page = open_page(fresh, f"#/findings/{row['event_id']}")
    working = page.locator(WORKING)
    # A false positive.
    routes = held(page, "**/trust", "POST")
    page.get_by_label("Note").fill("ours")
    page.get_by_role("button", name="False positive…").click()
    page.get_by_role("button", name="It is a false positive").click()
    expect(working).to_contain_text("Working: the signatures are loaded again; this may take as long as a reload.")
    expect(working).to_have_attribute("role", "status")
    expect(working).to_contain_text("2 s")
    # The panel stays, and nothing of it can be sent twice.
    expect(page.get_by_role("button", name="It is a false positive")).to_be_disabled()
    expect(page.get_by_role("textbox", name="Note")).to_have_value("ours")
    accessible(page, "a change under way")
    page.screenshot(path=screenshots / "working.png", full_page=True)
    let_go(page, routes)
    expect(page.get_by_text("The content is trusted from now on.")).to_be_visible()
    expect(working).to_have_count(0)
    expect(page.locator(".sure")).to_have_count(0)
    # Not trusting it.
    routes = held(page, "**/trust", "DELETE")
    page.get_by_role("button", name="Stop trusting it").click()
    expect(working).to_contain_text("the signatures are loaded again")
    let_go(page, routes)
    expect(page.get_by_text("The content is not trusted any more")).to_be_visible()

    # Own files, written and removed.
    page.goto(f"{fresh.url}/#/signatures")
    routes = held(page, "**/signatures/own/*", "PUT")
    page.get_by_role("button", name="New file").click()
    page.get_by_label("Name: rules end in .yar").fill("mine.yar")
    page.locator("textarea.code").fill(CUSTOM_RULE)
    page.get_by_role("button", name="Check and put in force").click()
    expect(working).to_contain_text("the text is looked at, and the signatures are loaded again")
    expect(page.get_by_role("button", name="Cancel")).to_be_disabled()
    let_go(page, routes)
    expect(page.get_by_text("mine.yar is in force.")).to_be_visible()
    routes = held(page, "**/signatures/own/*", "DELETE")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Remove mine.yar").click()
    expect(working).to_contain_text("mine.yar is removed, and the signatures are loaded again")
    let_go(page, routes)
    expect(page.get_by_text("mine.yar is removed.", exact=True)).to_be_visible()

    # The whole set.
    for button, path in (("Reload", "reload"), ("Roll back to it", "rollback")):
        routes = held(page, f"**/signatures/{path}", "POST")
        page.get_by_role("button", name=button).click()
        expect(working).to_contain_text("the signatures are loaded again")
        let_go(page, routes)
        expect(working).to_have_count(0)


def test_a_failed_change_keeps_the_panel(fresh, open_page):
    fresh.check(MARKER, name="/srv/a.php")
    [row] = stored(fresh, 1)
    page = open_page(fresh, f"#/findings/{row['event_id']}", expected=("ERR_FAILED",))
    page.route("**/trust", lambda route: route.abort())
    page.get_by_label("Note").fill("ours")
    page.get_by_role("button", name="False positive…").click()
    page.get_by_role("button", name="It is a false positive").click()
    expect(page.get_by_role("alert")).to_contain_text("the service does not answer")
    expect(page.get_by_role("textbox", name="Note")).to_have_value("ours")
    expect(page.get_by_role("button", name="It is a false positive")).to_be_enabled()


def test_nobody_writes_over_what_somebody_else_wrote(fresh, open_page, accessible, screenshots):
    written(fresh, "mine.yar", CUSTOM_RULE)
    page = open_page(fresh, "#/signatures", expected=("412", "404"))
    editor = page.locator("textarea.code")
    conflict = page.locator("[data-conflict]")
    save = page.get_by_role("button", name="Check and put in force")

    # Changed meanwhile.
    page.get_by_role("button", name="Edit mine.yar").click()
    mine = CUSTOM_RULE.replace("77", "71")
    editor.fill(mine)
    theirs = CUSTOM_RULE.replace("77", "72")
    written(fresh, "mine.yar", theirs)
    save.click()
    expect(conflict).to_contain_text("Somebody changed or removed mine.yar since you opened it")
    accessible(page, "a file that somebody else changed")
    page.screenshot(path=screenshots / "conflict.png", full_page=True)
    expect(editor).to_have_value(mine)
    assert text_of(fresh, "mine.yar") == theirs
    # A look at it alone is in nobody's way.
    page.get_by_role("button", name="Check only").click()
    expect(page.get_by_text("No mistake was found.")).to_be_visible()
    save.click()
    conflict.get_by_role("button", name="Load theirs").click()
    expect(editor).to_have_value(theirs)
    page.get_by_role("button", name="Back to what I wrote").click()
    expect(editor).to_have_value(mine)
    save.click()
    expect(page.get_by_text("mine.yar is in force.")).to_be_visible()
    assert text_of(fresh, "mine.yar") == mine

    # A new file of a name that there is.
    page.get_by_role("button", name="New file").click()
    page.get_by_label("Name: rules end in .yar").fill("mine.yar")
    editor.fill(theirs)
    save.click()
    expect(conflict).to_contain_text("There is a file mine.yar already")
    assert text_of(fresh, "mine.yar") == mine
    expect(editor).to_have_value(theirs)
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Cancel").click()

    # Removed meanwhile.
    page.get_by_role("button", name="Edit mine.yar").click()
    editor.fill(theirs)
    answer = fresh._session.delete(f"{fresh.url}/api/v1/signatures/own/mine.yar", timeout=60)
    assert answer.status_code in (200, 204), answer.text
    save.click()
    conflict.get_by_role("button", name="Load theirs").click()
    expect(page.get_by_role("alert")).to_contain_text("mine.yar was removed meanwhile")
    expect(editor).to_have_value(theirs)
    save.click()
    expect(page.get_by_text("mine.yar is in force.")).to_be_visible()
    assert text_of(fresh, "mine.yar") == theirs

    # Removing what somebody changed after it was listed.
    written(fresh, "mine.yar", mine)
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Remove mine.yar").click()
    expect(page.get_by_role("alert")).to_contain_text("mine.yar is not removed: somebody changed it meanwhile")
    assert text_of(fresh, "mine.yar") == mine
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Remove mine.yar").click()
    expect(page.get_by_text("mine.yar is removed.", exact=True)).to_be_visible()


def test_a_draft_outlasts_a_look_at_another_page(fresh, open_page):
    page = open_page(fresh, "#/signatures")
    editor = page.locator("textarea.code")
    page.get_by_role("button", name="New file").click()
    # Nobody is asked for what was not touched.
    assert asked_at_the_end(page) == []
    page.get_by_label("Name: rules end in .yar").fill("mine.yar")
    editor.fill(CUSTOM_RULE)
    page.get_by_role("link", name="Findings", exact=True).click()
    expect(page.get_by_role("searchbox")).to_be_visible()
    page.go_back()
    expect(editor).to_have_value(CUSTOM_RULE)
    expect(page.get_by_label("Name: rules end in .yar")).to_have_value("mine.yar")
    assert asked_at_the_end(page) == ["beforeunload"]
    page.get_by_role("button", name="Check and put in force").click()
    expect(page.get_by_text("mine.yar is in force.")).to_be_visible()
    assert asked_at_the_end(page) == []


def asked_at_the_end(page) -> list:
    """Whether a browser would ask before the page goes."""
    return page.evaluate("""() => {
      const event = new Event("beforeunload", { cancelable: true });
      dispatchEvent(event);
      return event.defaultPrevented ? ["beforeunload"] : [];
    }""")


def test_after_a_roll_back_trust_is_on_the_list_only(fresh, open_page, accessible):
    fresh.check(MARKER, name="/srv/a.php")
    [row] = stored(fresh, 1)
    written(fresh, "mine.yar", CUSTOM_RULE)
    assert fresh.post(f"/api/v1/findings/{row['event_id']}/trust", json={"who": "ana", "note": "ours"}).status_code == 200
    page = open_page(fresh, f"#/findings/{row['event_id']}")
    trusted = page.locator("[data-trusted]")
    expect(trusted).to_contain_text("This content is trusted: nothing is reported on it any more.")
    assert fresh.post("/api/v1/signatures/rollback").status_code == 200
    assert fresh.check(CUSTOM) == []
    in_force = fresh.json(f"/api/v1/findings/{row['event_id']}")["trusted_in_force"]
    assert (fresh.check(MARKER) == []) == in_force
    page.reload()
    if in_force:
        expect(trusted).to_contain_text("nothing is reported on it any more")
    else:
        expect(trusted).to_contain_text("on the list of trusted ones, but the set in force does not have it (rolled back)")
        accessible(page, "a content that is on the list only")
    page.goto(f"{fresh.url}/#/signatures")
    note = page.locator('[data-note="own-rolled-back"]')
    expect(note).to_contain_text("what is listed here is not in force as it is")
    accessible(page, "own files after a roll-back")
    page.get_by_role("button", name="Reload").click()
    expect(note).to_have_count(0)
    page.goto(f"{fresh.url}/#/findings/{row['event_id']}")
    expect(trusted).to_contain_text("nothing is reported on it any more")
    assert fresh.check(MARKER) == []


@pytest.mark.parametrize("name", ["trusted", "not in force"])
def test_what_the_service_says_of_trust_is_shown(squall, open_page, name):
    squall.check(MARKER, name="/srv/a.php")
    row = stored(squall, 1)[0]
    page = open_page(squall, "#/")

    def answer(route):
        details = route.fetch().json()
        route.fulfill(json=details | {"trusted": "false positive, ana", "trusted_in_force": name == "trusted"})

    page.route(f"**/api/v1/findings/{row['event_id']}*", answer)
    page.goto(f"{squall.url}/#/findings/{row['event_id']}")
    expected = {"trusted": "This content is trusted: nothing", "not in force": "it is still reported"}[name]
    expect(page.locator("[data-trusted]")).to_contain_text(expected)
