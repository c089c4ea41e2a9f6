"""Sending files from the browser: one, many, a folder, large ones, and what can go wrong."""

import io
import json
import re
import zipfile
from pathlib import Path

from playwright.sync_api import expect
from steps import drop, stored, until

from support.rules import CLEAN, MARKER, SECOND
from support.service import Service, running, wait_until

INPUT = 'input[aria-label="Files to send"]'


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


def test_progress_of_an_upload_is_shown(fresh, open_page, accessible):
    page = open_page(fresh, "#/submit")
    # Slow enough to be seen.
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    client.send("Network.emulateNetworkConditions", {
        "offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 1_000_000})
    page.set_input_files('input[aria-label="Files to send"]', [
        {"name": "large.bin", "mimeType": "text/plain", "buffer": b"y" * 6_000_000}])
    bar = page.locator("progress")
    expect(bar).to_be_visible()
    assert 0 <= float(bar.get_attribute("value")) < 6_000_000
    accessible(page, "an upload under way")
    expect(page.locator('[data-upload="done"]')).to_have_count(1, timeout=60_000)


def test_a_refused_upload_says_why(tmp_path, rules, open_page):
    with running(Service(tmp_path / "small", "--signatures", str(rules), "--max-file-size", "1KB")) as service:
        page = open_page(service, "#/submit", expected=("413", "ERR_"))
        drop(page, ("large.bin", b"x" * 5000))
        expect(page.locator('[data-upload="failed"]')).to_contain_text("larger than the limit")


def test_an_upload_that_failed_is_sent_again(fresh, open_page, accessible):
    page = open_page(fresh, "#/submit", expected=("ERR_FAILED",))
    page.route("**/api/v1/check?*", lambda route: route.abort())
    page.route("**/api/v1/check", lambda route: route.abort())
    drop(page, ("evil.php", MARKER), ("clean.txt", CLEAN))
    failed = page.locator('[data-upload="failed"]')
    expect(failed).to_have_count(2)
    expect(failed.first).to_contain_text("could not be sent")
    accessible(page, "failed uploads")
    page.unroute_all()
    page.get_by_role("button", name="Send again: evil.php").click()
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
    expect(page.get_by_role("heading", name="123 sent, 0 failed, 2 with findings", exact=True)).to_be_visible(timeout=60_000)
    expect(page.locator("li", has_text="evidence/www/shell.php")).to_contain_text("E2E_Marker")
    assert {row["name"] for row in stored(fresh, 2)} == {"evidence/www/shell.php", "evidence/www/deep/second.bin"}
    assert fresh.json("/api/v1/status")["scanned_samples"] == 123


def test_more_files_than_a_browser_should_send_are_told(fresh, open_page, tmp_path):
    """A folder of more files than are taken, chosen with the button."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number}.txt").write_bytes(CLEAN + b"%d" % number)
    page = open_page(fresh, "#/submit")
    # Ten thousand files take a browser minutes; the bound is what is looked at.
    choosers = []
    # Before it is needed: the browser may be told later than the key is pressed.
    page.on("filechooser", lambda chooser: choosers.append(chooser))
    page.get_by_role("button", name="Choose a folder").click()
    until(page, lambda: choosers, "the chooser of folders")[0].set_files(folder)
    expect(page.get_by_role("heading", name="12 sent, 0 failed, 0 with findings", exact=True)).to_be_visible(timeout=60_000)
    expect(page.locator(".uploads")).to_contain_text("many/11.txt")
    expect(page.locator("[data-left-out]")).to_have_count(0)
    page.get_by_role("button", name="Clear those done").click()
    # As many entries as a folder of 10,001 files gives, without the files.
    page.evaluate("""() => {
      const file = (number) => ({ isFile: true, fullPath: `/big/${number}`, file: (ok) => ok(new File(["nothing to see here"], `${number}`)) });
      const broken = { isFile: true, fullPath: "/big/<b>gone</b>", file: (ok, fail) => fail(new DOMException("gone")) };
      const locked = { isFile: false, fullPath: "/big/locked", createReader: () => ({ readEntries: (ok, fail) => fail(new DOMException("no")) }) };
      let left = [broken, locked, ...Array.from({ length: 10_001 }, (_, number) => file(number))];
      const folder = { isFile: false, fullPath: "/big", createReader: () => ({ readEntries: (ok) => ok(left.splice(0, 100)) }) };
      const drop = new DragEvent("drop", { bubbles: true, cancelable: true });
      Object.defineProperty(drop, "dataTransfer", { value: { items: [{ webkitGetAsEntry: () => folder }], files: [] } });
      // None is sent: they are not what this is about.
      XMLHttpRequest.prototype.send = () => {};
      document.querySelector("[data-drop]").dispatchEvent(drop);
    }""")
    left = page.locator("[data-left-out]")
    expect(left).to_contain_text("Only the first 10,000 files are sent")
    expect(left).to_contain_text("2 could not be read and are not sent: big/<b>gone</b>, big/locked")
    expect(page.get_by_role("heading", name="0 sent, 0 failed, 0 with findings; 10,000 to go")).to_be_visible()
    expect(page.get_by_text("9,500 more are not shown: 9,500 still to be sent.")).to_be_visible()
    # Somebody who closes the page is asked.
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    # A browser asks for those only who did something on the page.
    page.get_by_text("Drop files or a folder here").click()
    other = page.context.new_page()
    page.close(run_before_unload=True)
    assert until(other, lambda: asked, "the question") == ["beforeunload"]


def test_results_of_many_are_asked_for_a_few_at_a_time(fresh, open_page):
    page = open_page(fresh, "#/submit")
    running_now, most = set(), [0]

    def begun(request):
        if "getAsyncResults" in request.url:
            running_now.add(request)
            most[0] = max(most[0], len(running_now))

    page.on("request", begun)
    page.on("requestfinished", lambda request: running_now.discard(request))
    page.get_by_label("Queue").check()
    page.set_input_files(INPUT, [{"name": f"{n}.txt", "mimeType": "text/plain", "buffer": CLEAN + b"%d" % n} for n in range(60)])
    expect(page.get_by_role("heading", name="60 sent, 0 failed, 0 with findings", exact=True)).to_be_visible(timeout=60_000)
    assert 1 <= most[0] <= 2
    assert fresh.json("/api/v1/status")["accepted_samples"] == 60


def test_what_matters_of_many_uploads_comes_first(fresh, open_page, accessible):
    """Six hundred files, of which the last failed and the one before has thirty findings."""
    page = open_page(fresh, "#/submit", expected=("413",))
    answers = {"found": fresh.post("/api/v1/check?source=web-01", files={"file": ("many.zip", archive(30))}).json(), "clean": []}
    drawn = page.evaluate_handle("""() => {
      const count = { draws: 0 };
      new MutationObserver(() => { count.draws += 1; }).observe(document.querySelector("main"), { childList: true, subtree: true });
      return count;
    }""")

    def answer(route):
        text = route.request.post_data_buffer or b""
        if b'filename="fail' in text:
            return route.fulfill(status=413, content_type="application/json", body='{"message": "too large <b>by far</b>"}')
        found = b'filename="many.zip' in text
        route.fulfill(content_type="application/json", body=json.dumps(answers["found" if found else "clean"]))

    page.route("**/api/v1/check", answer)
    files = [(f"{number:03}.txt", b"x") for number in range(598)] + [("many.zip", b"z"), ("fail.bin", b"f")]
    drop(page, *files)
    expect(page.get_by_role("heading", name="599 sent, 1 failed, 1 with findings", exact=True)).to_be_visible(timeout=90_000)
    rows = page.locator(".uploads > li")
    expect(rows).to_have_count(500)
    expect(rows.nth(0)).to_contain_text("too large <b>by far</b>")
    expect(rows.nth(1)).to_contain_text("many.zip")
    expect(page.get_by_text("100 more are not shown: 100 in which nothing was found.")).to_be_visible()
    # Each file is begun, sent, done: it is not all drawn again for each of that.
    assert drawn.evaluate("count => count.draws") < 3 * 600
    expect(rows.nth(1).locator(".upload-findings > li")).to_have_count(21)
    expect(rows.nth(1)).to_contain_text("10 more of this file: show all")
    accessible(page, "many uploads")
    page.get_by_role("link", name="show all").click()
    expect(page.locator("table.findings tbody tr")).to_have_count(30)


def archive(count) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for number in range(count):
            file.writestr(f"{number}.php", MARKER + b"%d" % number)
    return out.getvalue()


def renderer_peak_bytes() -> int:
    """The highest resident size of any renderer of the browser so far."""
    peak = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            if b"--type=renderer" in (status.parent / "cmdline").read_bytes():
                peak = max(peak, int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text()).group(1)) * 1024)
        except (OSError, AttributeError):
            continue
    return peak


def test_a_large_file_streams(tmp_path, rules, open_page):
    """A gigabyte of nothing: the page does not have it in memory."""
    large = tmp_path / "large.bin"
    with large.open("wb") as file:
        file.truncate(1_000_000_000)
    service = Service(tmp_path / "large", "--signatures", str(rules), "--max-file-size", "2GB")
    with running(service):
        page = open_page(service, "#/submit", expected=("ERR_",))
        page.get_by_label("Queue").check()
        before = renderer_peak_bytes()
        page.set_input_files(INPUT, large)
        wait_until(lambda: service.json("/api/v1/overview")["samples"]["accepted"] == 1, 120, "the file to be taken")
        assert renderer_peak_bytes() - before < 300_000_000
        # Scanning it is not what this is about.
        service.kill()
