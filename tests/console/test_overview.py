"""The overview: figures that follow what happens, in every tab."""

import json
import re
from datetime import datetime, timedelta, timezone

from playwright.sync_api import expect

from support.curl import curl
from support.rules import CLEAN, MARKER, slow
from support.service import Service, running, wait_until


def test_the_overview_follows_what_others_send(fresh, open_page, screenshots, tmp_path):
    sample = tmp_path / "sample"
    sample.write_bytes(MARKER)
    page = open_page(fresh)
    expect(page.locator('[data-state="live"]')).to_be_visible()
    expect(page.locator('[data-value="scanned"]')).to_have_text("0")
    for number in range(3):
        sent = curl("-F", f"file=@{sample};filename=/srv/www/shell.php", f"{fresh.url}/api/check?source=web-{number}")
        assert sent.status == 200
    expect(page.locator('[data-value="scanned"]')).to_have_text("3")
    expect(page.get_by_role("heading", name="No sample has come in yet")).to_have_count(0)
    expect(page.locator("table.findings tbody tr")).to_have_count(3)
    expect(page.get_by_role("img", name="Samples scanned per minute")).to_have_attribute("aria-label", re.compile("Samples: 3"))
    page.screenshot(path=screenshots / "overview.png", full_page=True)


def test_without_events_the_overview_asks(fresh, open_page):
    page = open_page(fresh, "#/submit", expected=("ERR_FAILED",))
    page.route("**/api/v1/events", lambda route: route.abort())
    page.goto(f"{fresh.url}/")
    page.reload()
    expect(page.locator('[data-state="polling"]')).to_be_visible()
    fresh.check(CLEAN)
    expect(page.locator('[data-value="scanned"]')).to_have_text("1")


def test_a_service_that_stops_is_told_and_ends_in_time(fresh, open_page):
    page = open_page(fresh, expected=("ERR_", "Failed to load"))
    expect(page.locator('[data-state="live"]')).to_be_visible()
    # An open stream of events holds nothing up.
    assert fresh.stop() < 10
    expect(page.locator('[data-state="lost"]')).to_be_visible()


def value(page, name):
    return page.locator(f'[data-value="{name}"]')


def test_the_tiles_say_what_goes_on(tmp_path, rules, open_page):
    """A busy service with a small queue: every figure is that of the service."""
    service = Service(tmp_path / "busy", "--signatures", str(rules), "--threads", "1", "--queue-max-samples", "3")
    with running(service):
        service.check(MARKER, name="/srv/a.php")
        # Until there is no room: one is being scanned, and three wait.
        number = 0
        while service.post("/api/checkAsync", files={"file": ("x", slow(number))}).status_code == 200:
            number += 1
        page = open_page(service)
        expect(value(page, "workers")).to_have_text("1 of 1")
        expect(value(page, "queued")).to_have_text(re.compile("^[123]$"))
        expect(page.locator(".tile", has_text="In the queue")).to_contain_text("oldest")
        denied = service.json("/api/v1/overview")["samples"]["denied"]
        expect(value(page, "denied")).to_have_text(str(denied))
        expect(page.locator(".tile", has_text="Refused")).to_contain_text("limit reached; told to come back")
        wait_until(lambda: service.json("/api/v1/overview")["samples"]["queued"] == 0 and service.json("/api/v1/overview")["workers_busy"] == 0,
                   60, "the queue to be empty")
        expect(value(page, "queued")).to_have_text("0")
        expect(value(page, "workers")).to_have_text("0 of 1")
        overview = service.json("/api/v1/overview")
        expect(value(page, "scanned")).to_have_text(str(overview["samples"]["scanned"]))
        expect(value(page, "stored")).to_have_text(str(overview["samples"]["scanned"]))
        for name, milliseconds in (("p95", overview["scan_time"]["p95_milliseconds"]), ("average", overview["scan_time"]["average_milliseconds"])):
            assert milliseconds > 10
            expect(value(page, name)).to_have_text(f"{milliseconds:.0f} ms" if milliseconds < 10_000 else f"{milliseconds / 1000:.1f} s")
        expect(page.locator(".tile", has_text="Scan time p95")).to_contain_text("last 1,000 scans; average of all")
        expect(value(page, "failed")).to_have_text("0")
        expect(value(page, "disk")).to_have_text(re.compile("^[0-9.]+ [KMGT]B$"))
        expect(value(page, "signatures")).to_have_text(f"{overview['signatures']['rules']} rules")
        expect(value(page, "version")).to_have_text(overview["signatures"]["version"])
        # The charts, as figures.
        for label, column, expected in [
            ("Samples scanned per minute", "Samples", overview["samples"]["scanned"]),
            ("Samples refused per minute", "Refused", denied),
            ("Findings per minute", "Notices", overview["samples"]["scanned"] - 1),
            ("Findings per minute", "Warnings", 1),
        ]:
            button = page.get_by_role("button", name=f"{label}: figures")
            if button.get_attribute("aria-expanded") == "false":
                button.click()
            table = page.get_by_role("region", name=f"{label} as figures").locator("table")
            at = [text.strip() for text in table.locator("thead th").all_inner_texts()].index(column)
            wait_until(lambda t=table, a=at, e=expected: sum(int(text) for text in t.locator(f"tbody tr > :nth-child({a + 1})").all_inner_texts()) == e,
                       15, f"{expected} in {label}, {column}")


def test_many_tabs_share_one_stream(fresh, open_page):
    """A browser opens six connections to a service: a stream for each tab would keep the seventh from loading."""
    page = open_page(fresh)
    context = page.context
    streams = []
    context.on("request", lambda request: streams.append(request) if request.url.endswith("/api/v1/events") else None)
    expect(page.locator('[data-state="live"]')).to_be_visible()
    pages = [page]
    for _ in range(7):
        pages.append(context.new_page())
        pages[-1].goto(f"{fresh.url}/#/")
        expect(pages[-1].locator("header.top")).to_be_visible()
    for one in pages:
        expect(one.locator('[data-state="live"]')).to_be_visible()
    assert len(streams) <= 1, "other tabs listen as well"
    fresh.check(MARKER)
    for one in pages:
        expect(value(one, "scanned")).to_have_text("1")
    # When the tab that listens is closed, another one does, and the rest go on being told.
    page.close()
    fresh.check(CLEAN)
    for one in pages[1:]:
        expect(value(one, "scanned")).to_have_text("2", timeout=20_000)
        expect(one.locator('[data-state="live"]')).to_be_visible()
    assert 1 <= len(streams) <= 3


def test_no_figure_sticks_out_of_its_tile(fresh, open_page):
    """At the width at which all tiles are in one row, with the figures of a large service."""
    overview = fresh.json("/api/v1/overview")
    overview["samples"] |= {"accepted": 123_456_789, "scanned": 123_456_789, "denied": 1_234_567, "failed": 12_345, "queued": 1_000_000}
    overview["signatures"] |= {"rules": 60_033, "iocs": 1_234_567}
    overview["findings"] |= {"stored": 10_000_000}
    overview |= {"workers": 128, "workers_busy": 128}
    page = open_page(fresh, "#/submit", expected=("ERR_FAILED",))
    page.route("**/api/v1/events", lambda route: route.abort())
    page.route("**/api/v1/overview", lambda route: route.fulfill(content_type="application/json", body=json.dumps(overview)))
    page.goto("about:blank")
    page.goto(f"{fresh.url}/#/")
    expect(value(page, "signatures")).to_have_text("60,033 rules")
    for width in (1280, 1024, 390):
        page.set_viewport_size({"width": width, "height": 900})
        out = page.evaluate("""() => [...document.querySelectorAll(".tile, .tile *")]
          .filter((one) => one.clientWidth > 0 && one.scrollWidth > one.clientWidth).map((one) => one.textContent)""")
        assert not out, (width, out)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    # The figures that most have stay on one line.
    overview["signatures"]["rules"] = 6_033
    page.set_viewport_size({"width": 1280, "height": 900})
    expect(value(page, "signatures")).to_have_text("6,033 rules")
    assert value(page, "signatures").evaluate("one => one.clientHeight") < 40


def test_charts_have_each_value_in_its_minute(tmp_path, rules, open_page):
    """Whatever zone the service is in, and if its answer is of a while ago or lacks minutes."""
    service = Service(tmp_path / "zone", "--signatures", str(rules), env={"TZ": "Asia/Kathmandu"})
    with running(service):
        service.check(MARKER)
        page = open_page(service, "#/submit", timezone_id="UTC")

        def older(route):
            """As if the answer had been on its way for two minutes, and a minute were not in it."""
            history = route.fetch().json()
            [last] = [key for key in list(history)[-1:]]
            day, clock = last.split(" ")
            minute = datetime.fromisoformat(f"{day}T{clock}")
            keys = [(minute - timedelta(minutes=back)).strftime("%Y-%m-%d %H:%M") for back in (5, 2)]
            route.fulfill(content_type="application/json", body=json.dumps({keys[0]: 7, keys[1]: 3}))

        page.route("**/api/v1/queueHistory?*", older)
        page.goto(f"{service.url}/#/")
        for label in ("Samples scanned per minute", "Samples in the queue"):
            page.get_by_role("button", name=f"{label}: figures").click()
        rows = page.get_by_role("region", name="Samples scanned per minute as figures").locator("tbody tr")
        expect(rows).to_have_count(1)
        scanned = rows.first.locator("th").inner_text()
        now = datetime.now(timezone.utc)
        assert scanned in {(now - timedelta(minutes=back)).strftime("%H:%M") for back in (0, 1)}
        queue = page.get_by_role("region", name="Samples in the queue as figures").locator("tbody tr")
        expect(queue).to_have_count(2)
        minutes = [datetime.strptime(text, "%H:%M") for text in queue.locator("th").all_inner_texts()]
        assert (minutes[0] - minutes[1]) % timedelta(days=1) == timedelta(minutes=3)
        assert queue.locator("td").all_inner_texts() == ["3", "7"]
        behind = (datetime.strptime(now.strftime("%H:%M"), "%H:%M") - minutes[0]) % timedelta(days=1)
        assert timedelta(minutes=1) <= behind <= timedelta(minutes=3)
