"""What an analyst does, page by page."""

import json
import re

from playwright.sync_api import expect

from support.curl import curl
from support.rules import CLEAN, MARKER, SECOND
from support.service import Service, running, wait_until

DROP = """([files]) => {
  const transfer = new DataTransfer();
  for (const [name, text] of files) transfer.items.add(new File([text], name));
  return transfer;
}"""


def drop(page, *files):
    """Drops files, as (name, content), on the page."""
    transfer = page.evaluate_handle(DROP, [[[name, content.decode()] for name, content in files]])
    page.dispatch_event("[data-drop]", "dragover", {"dataTransfer": transfer})
    page.dispatch_event("[data-drop]", "drop", {"dataTransfer": transfer})


def stored(service, count: int):
    """Waits until the store has so many findings; returns them, newest first."""
    return wait_until(
        lambda: (found := service.json("/api/v1/findings?limit=1000")["findings"]) and len(found) >= count and found,
        15,
        f"{count} findings",
    )


def test_a_newcomer_sends_a_file_and_understands_what_was_found(fresh, open_page, screenshots):
    page = open_page(fresh)
    expect(page.get_by_role("heading", name="No sample has come in yet")).to_be_visible()
    expect(page.get_by_text(f"curl -F file=@suspicious.exe '{fresh.url}/api/check?pretty=true'")).to_be_visible()
    page.screenshot(path=screenshots / "first-start.png", full_page=True)

    page.get_by_role("link", name="Send a file from this browser").click()
    drop(page, ("evil.php", b"x" * 40 + MARKER), ("clean.txt", CLEAN))
    expect(page.locator('[data-upload="done"]')).to_have_count(2)
    expect(page.locator("li", has_text="clean.txt").get_by_text("Nothing found")).to_be_visible()
    found = page.locator("li", has_text="evil.php")
    expect(found.locator(".badge", has_text="Warning").or_(found.locator(".badge", has_text="Alert"))).to_be_visible()
    page.screenshot(path=screenshots / "submitted.png", full_page=True)

    found.get_by_role("link", name="E2E_Marker").click()
    expect(page.get_by_role("heading", name="How the score came about")).to_be_visible()
    expect(page.locator("mark").first).to_have_text(re.compile("73 71 75 61"))
    page.screenshot(path=screenshots / "finding.png", full_page=True)


def test_files_are_queued_and_followed(fresh, open_page):
    page = open_page(fresh, "#/submit")
    page.get_by_label("Queue").check()
    page.get_by_label("Source").fill("host-7")
    page.set_input_files('input[aria-label="Files to send"]', [
        {"name": "a.php", "mimeType": "text/plain", "buffer": MARKER},
        {"name": "b.bin", "mimeType": "text/plain", "buffer": b"z" * 3_000_000},
    ])
    expect(page.locator('[data-upload="done"]')).to_have_count(2)
    [finding] = stored(fresh, 1)
    assert (finding["source"], finding["name"], finding["sample_id"]) == ("host-7", "a.php", finding["sample_id"])
    assert fresh.json("/api/v1/status")["accepted_samples"] == 2


def test_progress_of_an_upload_is_shown(fresh, open_page):
    page = open_page(fresh, "#/submit")
    # Slow enough to be seen.
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    client.send("Network.emulateNetworkConditions", {
        "offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 2_000_000})
    page.set_input_files('input[aria-label="Files to send"]', [
        {"name": "large.bin", "mimeType": "text/plain", "buffer": b"y" * 6_000_000}])
    bar = page.locator("progress")
    expect(bar).to_be_visible()
    assert 0 <= float(bar.get_attribute("value")) < 6_000_000
    expect(page.locator('[data-upload="done"]')).to_have_count(1, timeout=60_000)


def test_a_refused_upload_says_why(tmp_path, rules, open_page):
    with running(Service(tmp_path / "small", "--signatures", str(rules), "--max-file-size", "1KB")) as service:
        page = open_page(service, "#/submit", expected=("413", "ERR_"))
        drop(page, ("large.bin", b"x" * 5000))
        expect(page.locator('[data-upload="failed"]')).to_contain_text("larger than the limit")


def test_an_upload_that_failed_is_sent_again(fresh, open_page):
    page = open_page(fresh, "#/submit", expected=("ERR_FAILED",))
    page.route("**/api/v1/check?*", lambda route: route.abort())
    page.route("**/api/v1/check", lambda route: route.abort())
    drop(page, ("evil.php", MARKER), ("clean.txt", CLEAN))
    failed = page.locator('[data-upload="failed"]')
    expect(failed).to_have_count(2)
    expect(failed.first).to_contain_text("could not be sent")
    page.unroute_all()
    page.get_by_role("button", name="Send evil.php again").click()
    expect(page.locator('[data-upload="done"]')).to_contain_text("E2E_Marker")
    expect(failed).to_have_count(1)


def test_an_upload_that_finds_no_room_is_sent_again_by_itself(fresh, open_page):
    page = open_page(fresh, "#/submit", expected=("503",))
    refused = []

    def refuse_once(route):
        if refused:
            return route.continue_()
        refused.append(route)
        route.fulfill(status=503, headers={"Retry-After": "2", "Content-Type": "application/json"},
                      body='{"message": "the queue is full: 10 of 10 samples are used"}')

    page.route("**/api/v1/check", refuse_once)
    drop(page, ("evil.php", MARKER))
    expect(page.locator('[data-upload="waiting"]')).to_contain_text("the queue is full: 10 of 10 samples are used; again in 2 s")
    expect(page.locator('[data-upload="done"]')).to_contain_text("E2E_Marker")
    assert len(refused) == 1


def test_a_folder_is_dropped_with_all_that_is_in_it(fresh, open_page, tmp_path):
    folder = tmp_path / "evidence"
    (folder / "www" / "deep").mkdir(parents=True)
    (folder / "www" / "shell.php").write_bytes(MARKER)
    (folder / "www" / "deep" / "second.bin").write_bytes(SECOND)
    (folder / "readme.txt").write_bytes(CLEAN)
    # More than a directory gives at once.
    for number in range(120):
        (folder / "www" / f"page{number}.html").write_bytes(CLEAN + b"%d" % number)
    page = open_page(fresh, "#/submit")
    # As the system would: a script cannot make a folder to drop.
    box = page.locator("[data-drop]").bounding_box()
    client = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        client.send("Input.dispatchDragEvent", {
            "type": kind, "x": box["x"] + 20, "y": box["y"] + 20,
            "data": {"items": [], "files": [str(folder)], "dragOperationsMask": 1}})
    expect(page.get_by_role("heading", name="123 of 123 done")).to_be_visible(timeout=60_000)
    expect(page.locator("li", has_text="evidence/www/shell.php")).to_contain_text("E2E_Marker")
    assert {row["name"] for row in stored(fresh, 2)} == {"evidence/www/shell.php", "evidence/www/deep/second.bin"}
    assert fresh.json("/api/v1/status")["scanned_samples"] == 123


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
    expect(page.locator('[aria-label*="Samples scanned per minute"]')).to_have_attribute("aria-label", re.compile("Samples: 3"))
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


def seed(service):
    service.check(MARKER, name="C:\\inetpub\\shell.php", source="web-01")
    service.check(MARKER + SECOND, name="/tmp/both.txt", source="web-02")
    service.check(SECOND, name="/opt/second.bin", source="db-03")
    begun = service.post("/api/v1/collection", json={
        "type": "begin", "source": "web-04", "collector": "collector/0.5", "timestamp": "2026-11-24T08:00:00Z"}).json()
    service.check(SECOND, name="/opt/run.bin", source="web-04", scan_id=begun["scan_id"])
    stored(service, 4)
    return begun["scan_id"]


def names(page) -> set:
    return {text.strip() for text in page.locator("table.findings .c-name a").all_inner_texts()}


def start_over(page, service):
    """Opens the findings as if for the first time."""
    page.goto("about:blank")
    page.goto(f"{service.url}/#/findings")


def test_every_filter_is_in_the_address(fresh, open_page):
    scan_id = seed(fresh)
    shell, both, second, run = "C:\\inetpub\\shell.php", "/tmp/both.txt", "/opt/second.bin", "/opt/run.bin"
    sha256 = next(f["sha256"] for f in fresh.json("/api/v1/findings")["findings"] if f["name"] == both)
    page = open_page(fresh, "#/findings")
    rows = page.locator("table.findings tbody tr")
    expect(rows).to_have_count(4)

    for field, value, expected in [
        ("File name holds", "INETPUB", {shell}),
        ("Hash", sha256, {both}),
        ("Source", "db-03", {second}),
        ("Rule", "E2E_Marker", {shell, both}),
        ("Tag", "WEBSHELL", {shell, both}),
        ("Score from", "85", {both}),
        ("Score to", "65", {second, run}),
        ("Since", "1h", {shell, both, second, run}),
        ("Until", "1h", set()),
        ("Collection run", scan_id, {run}),
    ]:
        start_over(page, fresh)
        page.get_by_role("button", name="More filters").click()
        page.get_by_label(field, exact=True).fill(value)
        page.get_by_label(field, exact=True).press("Enter")
        expect(page.locator(".chip")).to_contain_text(field)
        if expected:
            expect(rows).to_have_count(len(expected))
        else:
            expect(page.get_by_text("No finding meets all these conditions.")).to_be_visible()
        assert names(page) == expected, field
        # The address alone shows the same.
        address = page.url
        again = page.context.new_page()
        again.goto(address)
        if expected:
            expect(again.locator("table.findings tbody tr")).to_have_count(len(expected))
            assert names(again) == expected, field
        again.close()

    start_over(page, fresh)
    page.get_by_role("button", name="More filters").click()
    page.get_by_label("Review").select_option("reviewed")
    expect(page.get_by_text("No finding meets all these conditions.")).to_be_visible()
    assert "review=reviewed" in page.url

    start_over(page, fresh)
    page.get_by_role("searchbox").fill("inetpub")
    page.get_by_role("button", name="Search").click()
    expect(rows).to_have_count(1)
    assert "q=inetpub" in page.url
    page.go_back()
    expect(rows).to_have_count(4)
    expect(page.get_by_role("searchbox")).to_have_value("")

    levels = {row["level"] for row in fresh.json("/api/v1/findings")["findings"]}
    for level in levels:
        wanted = {row["name"] for row in fresh.json(f"/api/v1/findings?level={level}")["findings"]}
        page.goto(f"{fresh.url}/#/findings")
        page.get_by_role("group", name="Levels").get_by_role("button", name=level).click()
        expect(rows).to_have_count(len(wanted))
        assert f"level={level}" in page.url and names(page) == wanted


def test_what_is_shown_can_be_exported(fresh, open_page):
    seed(fresh)
    page = open_page(fresh, "#/findings?rule=E2E_Marker")
    expect(page.locator("table.findings tbody tr")).to_have_count(2)
    for link, check in [
        ("Export JSON lines", lambda text: [json.loads(line)["subject"]["path"] for line in text.splitlines()]),
        ("Export CSV", lambda text: text.splitlines()[1:]),
    ]:
        with page.expect_download() as download:
            page.get_by_role("link", name=link).click()
        text = download.value.path().read_text("utf-8")
        assert len(check(text)) == 2
        assert "second.bin" not in text


def test_a_finding_tells_why_and_where_else(fresh, open_page):
    fresh.check(b"0123456789abcdef" + MARKER + b" and " + SECOND, name="/srv/a.php", source="web-01")
    fresh.check(b"0123456789abcdef" + MARKER + b" and " + SECOND, name="/home/b.php", source="web-02")
    rows = stored(fresh, 2)
    first = next(row for row in rows if row["source"] == "web-01")
    page = open_page(fresh, f"#/findings/{first['event_id']}")

    score = page.get_by_role("region", name="How the score came about")
    details = fresh.json(f"/api/v1/findings/{first['event_id']}")
    for share in details["shares"]:
        expect(score.get_by_role("row", name=share["rule"])).to_contain_text(f"{share['points']:.1f}")
    expect(score.locator("tfoot")).to_contain_text(str(first["score"]))

    matched = page.get_by_role("region", name="What matched")
    expect(matched.get_by_role("link", name="https://example.com/e2e-marker")).to_have_attribute("rel", "noopener noreferrer")
    expect(matched.get_by_role("row", name="squall-e2e-marker")).to_contain_text("16")
    expect(page.locator(".hex th").first).to_have_text("00000000")
    assert "".join(page.locator(".hex-text mark").all_inner_texts()) == "squall-e2e-markersquall-e2e-second"

    page.get_by_role("button", name="Copy sha256").click()
    assert page.evaluate("navigator.clipboard.readText()") == first["sha256"]

    elsewhere = page.get_by_role("region", name="Seen elsewhere")
    same = elsewhere.locator(".sighting", has_text="The same content")
    expect(same).to_contain_text("1 other finding from 1 source")
    same.get_by_role("link", name="Show all").click()
    expect(page.locator("table.findings tbody tr")).to_have_count(2)
    assert f"hash={first['sha256']}" in page.url


def test_a_file_is_looked_up_elsewhere_where_that_is_set(tmp_path, rules, fresh, open_page):
    service = Service(tmp_path / "links", "--signatures", str(rules),
                      "--lookup-link", "Virus<b>Total</b>=https://lookup.example/file/{sha256}",
                      "--lookup-link", "Ours=http://10.0.0.1:8080/?q={md5}&r={sha1}")
    with running(service):
        service.check(MARKER, name="/srv/a.php")
        [row] = stored(service, 1)
        # The first service ends while its page is open.
        page = open_page(service, f"#/findings/{row['event_id']}", expected=("ERR_CONNECTION_REFUSED",))
        facts = page.get_by_role("region", name="File", exact=True)
        link = facts.get_by_role("link", name="Virus<b>Total</b>")
        expect(link).to_have_attribute("href", f"https://lookup.example/file/{row['sha256']}")
        expect(link).to_have_attribute("rel", "noopener noreferrer")
        expect(facts.get_by_role("link", name="Ours")).to_have_attribute("href", f"http://10.0.0.1:8080/?q={row['md5']}&r={row['sha1']}")
    # Off until it is set.
    fresh.check(MARKER, name="/srv/a.php")
    [row] = stored(fresh, 1)
    page = open_page(fresh, f"#/findings/{row['event_id']}")
    expect(page.get_by_role("region", name="File", exact=True)).to_contain_text(row["sha256"])
    expect(page.get_by_text("Look up elsewhere")).to_have_count(0)


def test_a_finding_is_reviewed(fresh, open_page):
    fresh.check(MARKER, name="/srv/a.php")
    [row] = stored(fresh, 1)
    page = open_page(fresh, f"#/findings/{row['event_id']}")
    page.get_by_label("Note").fill("known, <b>ticket</b> 7")
    page.get_by_label("Your name").fill("ana")
    page.get_by_role("button", name="Mark as reviewed").click()
    expect(page.locator('[data-review="reviewed"]')).to_contain_text("known, <b>ticket</b> 7")
    review = fresh.json(f"/api/v1/findings/{row['event_id']}")["review"]
    assert (review["state"], review["who"], review["note"]) == ("reviewed", "ana", "known, <b>ticket</b> 7")
    page.get_by_role("button", name="Open again").click()
    expect(page.locator('[data-review="open"]')).to_be_visible()
    # The name is remembered.
    expect(page.get_by_label("Your name")).to_have_value("ana")


def test_sources_and_a_run_that_never_ended(fresh, open_page):
    seed(fresh)
    wait_until(lambda: len(fresh.json("/api/v1/sources")["sources"]) == 4, 10, "4 sources")
    page = open_page(fresh, "#/sources")
    expect(page.locator("table.sources tbody tr")).to_have_count(4)
    page.get_by_role("link", name="Collection runs").click()
    row = page.locator("table.runs tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("incomplete")
    page.get_by_label("Only those that never ended").check()
    expect(row).to_have_count(1)
    row.get_by_role("link", name="web-04").click()
    expect(page.get_by_role("heading", name="web-04")).to_be_visible()
    page.get_by_role("link", name="Show them").click()
    expect(page.locator("table.findings tbody tr")).to_have_count(1)


def test_signatures_are_reloaded_and_rolled_back(tmp_path, open_page):
    from support.rules import CUSTOM_RULE, write_rules

    rules = write_rules(tmp_path / "rules")
    service = Service(tmp_path / "squall", "--signatures", str(rules), "--watch-signatures", "false")
    with running(service):
        before = service.json("/api/info")["rules"]
        page = open_page(service, "#/signatures")
        current = page.get_by_role("region", name="In force")
        expect(current).to_contain_text(f"YARA rules{before}")
        (rules / "yara" / "custom.yar").write_text(CUSTOM_RULE)
        page.get_by_role("button", name="Reload").click()
        expect(current).to_contain_text(f"YARA rules{before + 1}")
        page.get_by_role("button", name="Roll back to it").click()
        expect(current).to_contain_text(f"YARA rules{before}")
        assert service.json("/api/info")["rules"] == before
