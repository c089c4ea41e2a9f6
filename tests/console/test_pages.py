"""What an analyst does, page by page."""

import re

from playwright.sync_api import expect
from steps import drop, seed, stored

from support.rules import CLEAN, CUSTOM_RULE, MARKER, SECOND, write_rules
from support.service import Service, running, wait_until


def test_a_newcomer_sends_a_file_and_understands_what_was_found(fresh, open_page, screenshots, accessible):
    page = open_page(fresh)
    expect(page.get_by_role("heading", name="No sample has come in yet")).to_be_visible()
    expect(page.get_by_text(f"curl -F file=@suspicious.exe '{fresh.url}/api/check?pretty=true'")).to_be_visible()
    page.screenshot(path=screenshots / "first-start.png", full_page=True)
    accessible(page, "the first start")

    page.get_by_role("link", name="Send a file from this browser").click()
    drop(page, ("evil.php", b"x" * 40 + MARKER), ("clean.txt", CLEAN))
    expect(page.locator('[data-upload="done"]')).to_have_count(2)
    expect(page.locator("li", has_text="clean.txt").get_by_text("Nothing found")).to_be_visible()
    found = page.locator("li", has_text="evil.php")
    expect(found.locator(".badge", has_text="Warning").or_(found.locator(".badge", has_text="Alert"))).to_be_visible()
    page.screenshot(path=screenshots / "submitted.png", full_page=True)
    accessible(page, "uploads that are done")

    found.get_by_role("link", name="E2E_Marker").click()
    expect(page.get_by_role("heading", name="How the score came about")).to_be_visible()
    expect(page.locator("mark").first).to_have_text(re.compile("73 71 75 61"))
    page.screenshot(path=screenshots / "finding.png", full_page=True)


def test_a_finding_tells_why_and_where_else(fresh, open_page, accessible):
    content = b"0123456789abcdef" + MARKER + b" and " + SECOND
    fresh.check(content, name="/srv/a.php", source="web-01")
    fresh.check(content, name="/home/b.php", source="web-02")
    # Another content with the same base name, and one that has no more than a rule with it.
    fresh.check(SECOND + b" else", name="C:\\temp\\a.php", source="pc-03")
    fresh.check(MARKER + b" else", name="/tmp/other.txt", source="mail-04")
    rows = stored(fresh, 4)
    first = next(row for row in rows if row["source"] == "web-01")
    page = open_page(fresh, f"#/findings/{first['event_id']}")

    score = page.get_by_role("region", name="How the score came about")
    details = fresh.json(f"/api/v1/findings/{first['event_id']}")
    for share in details["shares"]:
        expect(score.get_by_role("row", name=share["rule"])).to_contain_text(f"{share['points']:.1f}")
    expect(score.locator("tfoot")).to_contain_text(str(first["score"]))
    expect(score).to_contain_text(f"{first['score']} is an Alert: a Notice from 40, a Warning from 60, an Alert from 81 where at least one sub-score is above 75.")

    matched = page.get_by_role("region", name="What matched")
    expect(matched.get_by_role("link", name="https://example.com/e2e-marker")).to_have_attribute("rel", "noopener noreferrer")
    expect(matched.get_by_role("row", name="squall-e2e-marker")).to_contain_text("16")
    expect(page.locator(".hex th").first).to_have_text("00000000")
    assert "".join(page.locator(".hex-text mark").all_inner_texts()) == "squall-e2e-markersquall-e2e-second"
    # The offset of a match opens the bytes around it.
    matched.get_by_role("button", name="Bytes at offset 16").click()
    around = matched.get_by_role("region", name="Bytes around offset 16")
    expect(around.locator("mark").first).to_have_text(re.compile("^73 71 75 61"))
    expect(around).to_contain_text("0123456789abcdef")
    accessible(page, "a finding with open bytes")
    matched.get_by_role("button", name="Bytes at offset 16").click()
    expect(around).to_have_count(0)

    for what, value in [("md5", first["md5"]), ("sha1", first["sha1"]), ("sha256", first["sha256"]), ("the path", "/srv/a.php")]:
        page.get_by_role("button", name=f"Copy {what}", exact=True).click()
        wait_until(lambda v=value: page.evaluate("navigator.clipboard.readText()") == v, 5, f"{what} in the clipboard")
    facts = page.get_by_role("region", name="File", exact=True)
    expect(facts).to_contain_text(f"{len(content)} bytes")

    elsewhere = page.get_by_role("region", name="Seen elsewhere")
    for title, text, host, condition in [
        ("The same content", "1 other finding from 1 source", "web-02", {"hash": first["sha256"]}),
        ("The same file name: a.php", "1 other finding from 1 source", "pc-03", {"name": "a.php"}),
        ("The same rule: E2E_Marker", "2 other findings from 2 sources", "mail-04", {"rule": "E2E_Marker"}),
        ("The same rule: E2E_Second", "2 other findings from 2 sources", "pc-03", {"rule": "E2E_Second"}),
    ]:
        block = elsewhere.locator(".sighting", has_text=title)
        expect(block).to_contain_text(text)
        expect(block.get_by_role("link", name=host)).to_have_attribute("href", f"#/sources/{host}")
        [(name, value)] = condition.items()
        expect(block.get_by_role("link", name="Show all")).to_have_attribute("href", f"#/findings?{name}={value}")
    same = elsewhere.locator(".sighting", has_text="The same content")
    same.get_by_role("link", name="Show all").click()
    expect(page.locator("table.findings tbody tr")).to_have_count(2)
    assert f"hash={first['sha256']}" in page.url
    page.go_back()
    elsewhere.locator(".sighting", has_text="The same file name").get_by_role("link", name="pc-03").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("pc-03")


def test_an_open_finding_follows_what_comes_in(fresh, open_page, accessible):
    content = b"0123456789abcdef" + MARKER + b" and " + SECOND
    fresh.check(content, name="/srv/a.php", source="web-01")
    [row] = stored(fresh, 1)
    page = open_page(fresh, f"#/findings/{row['event_id']}")
    expect(page.get_by_role("region", name="Seen elsewhere")).to_contain_text("In no other finding.")
    head = page.locator("[data-same-content]")
    expect(head).to_have_count(0)
    page.get_by_label("Note").fill("half a sen")
    page.get_by_role("button", name="Bytes at offset 16").click()
    matched = page.get_by_role("region", name="What matched")
    around = matched.get_by_role("region", name="Bytes around offset 16")
    expect(around).to_be_visible()
    for host in ("web-02", "web-03"):
        fresh.check(content, name="/home/b.php", source=host)
    expect(head).to_contain_text("The same file on 2 other hosts", timeout=20_000)
    # Nothing that the reader did is undone.
    expect(page.get_by_label("Note")).to_have_value("half a sen")
    expect(around).to_be_visible()
    # The same rows are shown once: both rules are in the same findings.
    expect(page.locator(".sighting table")).to_have_count(1)
    expect(page.locator(".sighting", has_text="The same rule: E2E_Second")).to_contain_text("The latest of them are those above.")
    accessible(page, "a finding with others")
    head.get_by_role("button", name="show").click()
    expect(page.get_by_role("heading", name="Seen elsewhere")).to_be_focused()
    expect(page.get_by_role("heading", name="Seen elsewhere")).to_be_in_viewport()
    # And not below what stays on top.
    assert page.evaluate("document.getElementById('sightings').getBoundingClientRect().top") > page.locator("header.top").bounding_box()["height"]
    # What somebody else makes of it is seen as well, with the next that comes in.
    assert fresh.post(f"/api/v1/findings/{row['event_id']}/review", json={"state": "reviewed", "who": "eve"}).status_code == 200
    fresh.check(content, name="/srv/a.php", source="web-01")
    expect(page.locator('[data-review="reviewed"]')).to_contain_text("eve", timeout=20_000)
    expect(head).to_contain_text("The same file on 2 other hosts")


MANY = "\n".join(
    f"rule Many_{number} {{ meta: score = {80 - number} strings: $m = /m{number:02}-[0-9]!/ condition: $m }}" for number in range(40))


def test_a_match_without_an_extract_has_its_bytes_all_the_same(fresh, open_page):
    """A finding holds 256 extracts of the content; the bytes of what matches beyond that are in the match alone."""
    answer = fresh._session.put(f"{fresh.url}/api/v1/signatures/own/many.yar", json={"text": MANY}, timeout=60)
    assert answer.status_code == 200, answer.text
    fresh.check(b"".join(b"%s<m%02d-%d!>%s" % (b"." * 100, rule, number, b"," * 100) for rule in range(40) for number in range(8)))
    [row] = stored(fresh, 1)
    finding = fresh.json(f"/api/v1/findings/{row['event_id']}")["finding"]
    covered = [(one["offset"], one["offset"] + len(one["data"]["data"])) for one in finding["subject"]["content"]["elements"]]
    matches = [(one["offset"], one["data"]["data"]) for reason in finding["reasons"] for one in reason["matched"][:50]]
    offset, text = next((offset, text) for offset, text in matches if not any(begin <= offset < end for begin, end in covered))
    page = open_page(fresh, f"#/findings/{row['event_id']}")
    matched = page.get_by_role("region", name="What matched")
    matched.get_by_role("button", name=f"Bytes at offset {offset}", exact=True).click()
    around = matched.get_by_role("region", name=f"Bytes around offset {offset}", exact=True)
    expect(around.locator(".hex-text mark").first).to_be_visible()
    assert "".join(around.locator(".hex-text mark").all_inner_texts()) == text
    # With what is before and behind it.
    assert f".<{text}>," in "".join(around.locator(".hex-text").all_inner_texts())


def test_a_file_is_looked_up_elsewhere_where_that_is_set(tmp_path, rules, fresh, open_page, accessible):
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
        accessible(page, "links to look a file up")
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


def cells(row) -> dict:
    """The cells of a row of a table, by the head of their column."""
    heads = [text.strip() for text in row.locator("xpath=ancestor::table").locator("thead th").all_inner_texts()]
    return dict(zip(heads, [" ".join(text.split()) for text in row.locator("td").all_inner_texts()], strict=True))


def shown_time(page, text) -> str:
    """A time as the page shows it."""
    return page.evaluate("""text => {
      const at = new Date(text), two = (n) => String(n).padStart(2, "0");
      return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
    }""", text)


def test_sources_and_their_runs(fresh, open_page):
    """One run that ended, with what the collector counted, and one that never did."""
    seed(fresh)
    wait_until(lambda: fresh.json("/api/v1/source?name=web-01")["source"]["samples"] == 2, 10, "what is counted once a second")
    page = open_page(fresh, "#/sources")
    rows = page.locator("table.sources tbody tr")
    expect(rows).to_have_count(4)
    web = fresh.json("/api/v1/source?name=web-01")["source"]
    row = cells(page.locator("table.sources tbody tr", has_text="web-01"))
    assert row["Source"] == "web-01" and row["Samples"] == "2" and row["Bytes"] == f"{web['bytes']} B"
    assert row["First seen"] == shown_time(page, web["first_seen"]) and row["Last seen"].endswith(("just now", "ago"))
    assert row["Findings"] == "2 warnings" and row["Collector"].startswith("python-requests/")

    # What comes in while the page is open is seen.
    begin = {"type": "begin", "source": "pc-05", "collector": "collector/0.6", "timestamp": "2026-11-24T08:00:00Z"}
    scan_id = fresh.post("/api/v1/collection", json=begin).json()["scan_id"]
    fresh.check(MARKER, name="/opt/x.bin", source="pc-05", scan_id=scan_id)
    expect(rows).to_have_count(5)
    page.get_by_role("link", name="Collection runs").click()
    runs = page.locator("table.runs tbody tr")
    expect(runs).to_have_count(2)
    mine = page.locator("table.runs tbody tr", has_text="pc-05")
    expect(mine).to_contain_text("incomplete")
    stats = {"scanned": 12345, "submitted": 7, "skipped": 12330, "failed": 8, "elapsed_seconds": 61}
    answer = fresh.post("/api/v1/collection", json={**begin, "type": "end", "scan_id": scan_id, "stats": stats})
    assert answer.status_code == 200, answer.text
    expect(mine).to_contain_text("complete", timeout=20_000)
    expect(mine).not_to_contain_text("incomplete")
    [run] = [run for run in fresh.json("/api/v1/collections")["collections"] if run["scan_id"] == scan_id]
    expect(mine).to_contain_text("1 (17 B)")
    row = cells(mine)
    assert row["State"] == "complete" and row["Source"] == "pc-05" and row["Run"] == scan_id
    assert row["Began"] == shown_time(page, run["began"])
    assert row["Ended"].startswith(shown_time(page, run["ended"]) + " after ")
    assert row["As the collector says"] == "7 sent of 12,345, 8 failed"
    assert row["Samples"] == "1 (17 B)" and row["Findings"] == "1 warning show" and row["Collector"] == "collector/0.6"
    other = cells(page.locator("table.runs tbody tr", has_text="web-04"))
    assert (other["State"], other["As the collector says"]) == ("incomplete", "–")
    # Whether it goes on.
    assert other["Ended"].startswith("– source last seen ")

    page.get_by_label("Only those that never ended").check()
    expect(runs).to_have_count(1)
    assert "state=incomplete" in page.url
    runs.get_by_role("link", name="web-04").click()
    expect(page.get_by_role("heading", name="web-04")).to_be_visible()
    expect(page.locator("table.runs tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Show them").click()
    expect(page.locator("table.findings tbody tr")).to_have_count(1)


def test_signatures_are_reloaded_and_rolled_back(tmp_path, open_page, accessible):
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
