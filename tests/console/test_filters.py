"""The list of findings: conditions and their address, full text, pages, exports."""

import csv
import io
import json
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect
from steps import BOTH, NAMED, RUN, SECOND_ONLY, SHELL, names, seed, stored

from support.rules import MARKER
from support.service import Service, running, wait_until

ALL = {SHELL, BOTH, SECOND_ONLY, RUN, NAMED}
# A zone that is neither that of the service nor UTC.
ZONE = "Asia/Tokyo"


@pytest.fixture(scope="module")
def seeded(squall):
    """A service with five findings, one of them reviewed; its collection run, and the findings by name."""
    squall.run = seed(squall)
    squall.rows = {row["name"]: row for row in stored(squall, 5)}
    answer = squall.post(f"/api/v1/findings/{squall.rows[BOTH]['event_id']}/review", json={"state": "reviewed", "who": "ana"})
    assert answer.status_code == 200
    return squall


def conditions(page) -> dict:
    """The conditions in the address."""
    return {name: value[0] for name, value in parse_qs(urlsplit(page.url).fragment.partition("?")[2]).items()}


def start_over(page, service, address="#/findings"):
    """Opens the findings as if for the first time."""
    page.goto("about:blank")
    page.goto(f"{service.url}/{address}")


def more_filters(page):
    button = page.get_by_role("button", name="More filters")
    if button.count():
        button.click()


def expect_names(page, expected):
    rows = page.locator("table.findings tbody tr")
    if expected:
        expect(rows).to_have_count(len(expected))
    else:
        expect(page.get_by_text("No finding meets all these conditions.")).to_be_visible()
    assert set(names(page)) == expected


def local(at: datetime) -> str:
    """As somebody in the other zone picks it."""
    return at.astimezone(ZoneInfo(ZONE)).strftime("%Y-%m-%dT%H:%M:%S")


def utc(at: datetime) -> str:
    return at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_every_filter_is_in_the_address(seeded, open_page, accessible, screenshots):
    both = seeded.rows[BOTH]
    hour = timedelta(hours=1)
    now = datetime.now(timezone.utc).replace(microsecond=0)
    page = open_page(seeded, "#/findings", timezone_id=ZONE)
    expect_names(page, ALL)
    more_filters(page)
    expect(page.get_by_text("Times are in your time zone: Asia/Tokyo, UTC+09:00.")).to_be_visible()
    page.screenshot(path=screenshots / "filters.png")
    accessible(page, "more filters")
    for field, parameter, typed, value, expected in [
        ("File name holds", "name", "INETPUB", "INETPUB", {SHELL}),
        ("File name holds", "name", "xq", "xq", set()),
        ("Hash", "hash", both["sha256"], both["sha256"], {BOTH}),
        ("Hash", "hash", both["sha1"].upper(), both["sha1"].upper(), {BOTH}),
        ("Hash", "hash", both["md5"], both["md5"], {BOTH}),
        ("Source", "source", "db-03", "db-03", {SECOND_ONLY}),
        ("Rule", "rule", "E2E_Marker", "E2E_Marker", {SHELL, BOTH}),
        ("Tag", "tag", "WEBSHELL", "WEBSHELL", {SHELL, BOTH}),
        ("Score from", "score_min", "85", "85", {BOTH}),
        ("Score to", "score_max", "65", "65", {SECOND_ONLY, RUN}),
        ("Since", "since", local(now - hour), utc(now - hour), ALL),
        ("Since", "since", local(now + hour), utc(now + hour), set()),
        ("Until", "until", local(now + hour), utc(now + hour), ALL),
        ("Until", "until", local(now - hour), utc(now - hour), set()),
        ("Collection run", "scan_id", seeded.run, seeded.run, {RUN}),
    ]:
        page.get_by_label(field, exact=True).fill(typed)
        page.get_by_label(field, exact=True).press("Enter")
        expect(page.locator(".chip")).to_contain_text(field)
        expect_names(page, expected)
        assert conditions(page) == {parameter: value}
        # The address alone shows the same, and what is chosen.
        address = urlsplit(page.url).fragment
        start_over(page, seeded, f"#{address}")
        expect(page.locator(".chip")).to_contain_text(field)
        expect(page.get_by_label(field, exact=True)).to_have_value(typed)
        expect_names(page, expected)
        page.get_by_role("button", name="Clear all").click()
        expect_names(page, ALL)


def test_reviews_levels_and_the_last_hour_are_filters(seeded, open_page):
    page = open_page(seeded, "#/findings")
    more_filters(page)
    for state, expected in [("reviewed", {BOTH}), ("open", ALL - {BOTH}), ("false_positive", set())]:
        page.get_by_role("combobox", name="Review").select_option(state)
        expect_names(page, expected)
        assert conditions(page) == {"review": state}
    page.get_by_role("button", name="Clear all").click()
    expect_names(page, ALL)
    for level in ("Alert", "Warning"):
        wanted = {name for name, row in seeded.rows.items() if row["level"] == level}
        assert wanted and wanted != ALL
        page.get_by_role("group", name="Levels").get_by_role("button", name=level).click()
        expect_names(page, wanted)
        assert conditions(page) == {"level": level}
        page.get_by_role("group", name="Levels").get_by_role("button", name=level).click()
        expect_names(page, ALL)
    page.get_by_label("Time", exact=True).select_option("the last hour")
    expect(page.locator(".chip")).to_contain_text("Since: 1h")
    assert conditions(page) == {"since": "1h"}
    expect_names(page, ALL)
    # It goes on being chosen when something else is.
    page.get_by_label("Source", exact=True).fill("db-03")
    page.get_by_label("Source", exact=True).press("Enter")
    expect_names(page, {SECOND_ONLY})
    assert conditions(page) == {"since": "1h", "source": "db-03"}
    page.get_by_label("Time", exact=True).select_option("any time")
    expect(page.locator(".chip")).to_have_count(1)


def test_two_filters_and_one_of_them_again(seeded, open_page):
    page = open_page(seeded, "#/findings")
    more_filters(page)
    page.get_by_label("Source", exact=True).fill("web-01")
    page.get_by_label("Rule", exact=True).fill("E2E_Marker")
    page.get_by_label("Rule", exact=True).press("Enter")
    expect(page.locator(".chip")).to_have_count(2)
    expect_names(page, {SHELL})
    assert conditions(page) == {"source": "web-01", "rule": "E2E_Marker"}
    page.get_by_role("button", name="Remove the condition Rule").click()
    expect(page.locator(".chip")).to_have_count(1)
    expect_names(page, {SHELL, NAMED})
    assert conditions(page) == {"source": "web-01"}
    page.go_back()
    expect_names(page, {SHELL})


def test_what_is_typed_counts_when_something_else_is_chosen(seeded, open_page):
    page = open_page(seeded, "#/findings")
    words = page.get_by_role("searchbox")
    words.fill("squall")
    page.get_by_role("group", name="Levels").get_by_role("button", name="Alert").click()
    expect_names(page, {BOTH})
    assert conditions(page) == {"q": "squall", "level": "Alert"}
    # Showing more filters, or fewer, changes nothing of what is typed.
    words.fill("inetpub")
    more_filters(page)
    page.get_by_label("Source", exact=True).fill("web-01")
    page.get_by_role("button", name="Fewer filters").click()
    expect(page.get_by_label("Source", exact=True)).to_be_hidden()
    more_filters(page)
    expect(words).to_have_value("inetpub")
    page.get_by_role("group", name="Levels").get_by_role("button", name="Alert").click()
    expect_names(page, {SHELL})
    assert conditions(page) == {"q": "inetpub", "source": "web-01"}
    page.get_by_label("File name holds", exact=True).fill("shell")
    page.get_by_label("Time", exact=True).select_option("the last day")
    expect(page.locator(".chip")).to_have_count(3)
    assert conditions(page) == {"q": "inetpub", "source": "web-01", "name": "shell", "since": "24h"}
    expect(page.get_by_label("Time", exact=True)).to_have_value("24h")
    page.get_by_label("Tag", exact=True).fill("WEBSHELL")
    page.get_by_role("button", name="Remove the condition File name holds").click()
    expect(page.locator(".chip")).to_have_count(3)
    assert conditions(page) == {"q": "inetpub", "source": "web-01", "tag": "WEBSHELL", "since": "24h"}
    page.goto(f"{seeded.url}/#/signatures")
    page.get_by_label("Search rules").fill("marker")
    page.get_by_label("Origin").select_option("internal")
    expect(page.locator("table.rules .c-rule")).to_have_count(1)


def test_a_part_of_a_name_leads_to_where_parts_are_looked_for(seeded, open_page, accessible):
    page = open_page(seeded, "#/findings")
    more_filters(page)
    expect(page.get_by_text("Source, rule and tag are whole names")).to_be_visible()
    page.get_by_label("Rule", exact=True).fill("E2E_Marke")
    page.get_by_label("Rule", exact=True).press("Enter")
    expect_names(page, set())
    expect(page.locator('[data-whole="rule"]')).to_contain_text("The rule E2E_Marke is looked for by its whole name.")
    accessible(page, "a part of the name of a rule")
    page.get_by_role("link", name="look among the rules").click()
    expect(page.locator("table.rules .c-rule")).to_contain_text(["E2E_Marker"])
    page.go_back()
    page.get_by_role("link", name="Search for words that begin like that").click()
    expect_names(page, {SHELL, BOTH})
    assert conditions(page) == {"q": "E2E* Marke*"}
    page.goto(f"{seeded.url}/#/findings?source=web&tag=WEB")
    expect_names(page, set())
    expect(page.locator('[data-whole="tag"]')).to_contain_text("The tag WEB is looked for by its whole name.")
    page.get_by_role("link", name="Look among the sources").click()
    expect(page.locator("table.sources tbody tr")).to_have_count(3)


def test_rules_are_offered_by_a_part_of_their_name(seeded, open_page):
    page = open_page(seeded, "#/findings")
    more_filters(page)
    page.get_by_label("Rule", exact=True).press_sequentially("mark")
    expect(page.locator("#rule-names option[value=E2E_Marker]")).to_have_count(1)
    expect(page.locator("#rule-names option[value=E2E_Sluggish]")).to_have_count(0)


def test_full_text_is_over_names_rules_and_what_matched(seeded, open_page):
    page = open_page(seeded, "#/findings")
    for words, expected in [
        ("inetpub", {SHELL}),
        # Of the rule E2E_Name, of which no file and no match has a word.
        ("name", {NAMED}),
        ("e2e name", {NAMED}),
        # Only what matched has it.
        ("squall", {SHELL, BOTH, SECOND_ONLY, RUN}),
        ("squall seco*", {BOTH, SECOND_ONLY, RUN}),
        ("nowhere", set()),
    ]:
        page.get_by_role("searchbox").fill(words)
        page.get_by_role("button", name="Search").click()
        expect_names(page, expected)
        assert conditions(page) == {"q": words}
    page.goto(f"{seeded.url}/#/findings?q=inetpub")
    expect_names(page, {SHELL})
    page.get_by_role("link", name="Findings", exact=True).click()
    expect_names(page, ALL)
    page.go_back()
    expect(page.get_by_role("searchbox")).to_have_value("inetpub")
    expect_names(page, {SHELL})


def test_what_is_shown_can_be_exported(seeded, open_page):
    page = open_page(seeded, "#/findings?rule=E2E_Marker&source=web-02")
    expect_names(page, {BOTH})
    for address in ("#/findings?rule=E2E_Marker&source=web-02", "#/findings?tag=WEBSHELL", "#/findings"):
        page.goto(f"{seeded.url}/{address}")
        page.wait_for_function("count => document.querySelectorAll('table.findings tbody tr').length === count",
                               arg={"#/findings": 5, "#/findings?tag=WEBSHELL": 2}.get(address, 1))
        shown = names(page)
        for link, read in [
            ("Export JSON lines", lambda text: [json.loads(line)["subject"]["path"] for line in text.splitlines()]),
            ("Export CSV", lambda text: [row["file"] for row in csv.DictReader(io.StringIO(text, newline=""))]),
        ]:
            with page.expect_download() as download:
                page.get_by_role("link", name=link).click()
            assert read(download.value.path().read_text("utf-8")) == shown, (link, address)


COUNT = 120


@pytest.fixture(scope="module")
def many(tmp_path_factory, rules):
    """A service with 120 findings, sources and runs."""
    with running(Service(tmp_path_factory.mktemp("many"), "--signatures", str(rules))) as service:
        for number in range(COUNT):
            source = f"host-{number:03}"
            begun = service.post("/api/v1/collection", json={
                "type": "begin", "source": source, "collector": "collector/0.5", "timestamp": "2026-11-24T08:00:00Z"}).json()
            service.check(MARKER, name=f"/srv/file-{number:03}.php", source=source, scan_id=begun["scan_id"])
        stored(service, COUNT)
        wait_until(lambda: len(service.json("/api/v1/sources?limit=500")["sources"]) == COUNT, 10, "all sources")
        yield service


@pytest.mark.parametrize("address, cells, first, wanted", [
    ("#/findings", "table.findings .c-name a", 50, "/srv/file-{:03}.php"),
    ("#/sources", "table.sources td.strong", 100, "host-{:03}"),
    ("#/sources?show=runs", "table.runs td.strong", 100, "host-{:03}"),
])
def test_a_long_list_comes_page_by_page(many, open_page, address, cells, first, wanted):
    page = open_page(many, address)
    shown = page.locator(cells)
    expect(shown).to_have_count(first)
    while page.get_by_role("button", name="Show more").count():
        before = shown.count()
        page.get_by_role("button", name="Show more").click()
        expect(shown).to_have_count(min(before + first, COUNT))
    texts = [text.strip() for text in shown.all_inner_texts()]
    assert sorted(texts) == [wanted.format(number) for number in range(COUNT)]


def test_who_comes_back_to_a_long_list_is_where_he_was(many, open_page):
    page = open_page(many, "#/findings")
    shown = page.locator("table.findings tbody tr")
    for count in (50, 100, COUNT):
        expect(shown).to_have_count(count)
        if count < COUNT:
            page.get_by_role("button", name="Show more").click()
    row = shown.nth(80)
    name = row.locator(".c-name a").inner_text().strip()
    row.scroll_into_view_if_needed()
    place = page.evaluate("scrollY")
    assert place > 1000
    row.locator(".c-name a").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    assert page.evaluate("scrollY") == 0
    page.get_by_label("Note").fill("seen")
    page.get_by_role("button", name="Mark as reviewed").click()
    expect(page.locator('[data-review="reviewed"]')).to_be_visible()
    page.go_back()
    expect(shown).to_have_count(COUNT)
    page.wait_for_function("place => Math.abs(scrollY - place) < 2", arg=place)
    # What was done there is seen here.
    expect(row).to_contain_text(name)
    expect(row).to_contain_text("Reviewed")
    page.go_forward()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    page.go_back()
    expect(shown).to_have_count(COUNT)
    page.wait_for_function("place => Math.abs(scrollY - place) < 2", arg=place)
    # Who follows a link begins at the beginning.
    page.get_by_role("link", name="Findings", exact=True).click()
    page.get_by_role("link", name="Overview", exact=True).click()
    page.get_by_role("link", name="Findings", exact=True).click()
    expect(shown).to_have_count(50)
    assert page.evaluate("scrollY") == 0


@pytest.mark.parametrize("address, cells, kind", [("#/findings", "table.findings .c-name a", "findings"), ("#/sources", "table.sources td.strong", "sources")])
def test_what_is_new_is_told_of_a_list_that_stands_still(many, open_page, address, cells, kind, accessible):
    page = open_page(many, address)
    shown = page.locator(cells)
    size = {"findings": 50, "sources": 100}[kind]
    expect(shown).to_have_count(size)
    page.get_by_role("button", name="Show more").click()
    expect(shown).not_to_have_count(size)
    first = shown.first.inner_text()
    many.check(MARKER, name=f"/new/{kind}.php", source=f"new-{kind}")
    button = page.get_by_role("button", name="1 new: show")
    expect(button).to_be_visible(timeout=40_000)
    assert shown.first.inner_text() == first
    accessible(page, "a list that stands still")
    button.click()
    expect(shown.first).to_have_text({"findings": "/new/findings.php", "sources": "new-sources"}[kind])
    expect(button).to_have_count(0)
