"""The system page: whether everything is as it should be, and what to do about what is not."""

import hashlib
import re
import time
import zipfile
from io import BytesIO

from playwright.sync_api import expect

from support.rules import MARKER, slow
from support.service import Service, running, wait_until


def check(page, name):
    # With regard to capitals: others may mention it.
    return page.locator(".checks > li", has_text=re.compile(re.escape(name)))


def test_a_service_that_is_well_says_so(fresh, open_page, screenshots):
    fresh.check(MARKER)
    page = open_page(fresh, "#/system")
    for name, text in [("Intake", "samples are taken"), ("Disk", "bytes are free"), ("Signatures", "passed its self-test"),
                       ("Failed samples", "none"), ("Findings store", "stored"), ("Queue at the start", "0 samples waited")]:
        expect(check(page, name).first).to_contain_text(text)
    expect(page.locator('[data-check="bad"]')).to_have_count(0)
    page.screenshot(path=screenshots / "self-check.png", full_page=True)


def test_the_api_is_explained_and_tried_out(fresh, open_page):
    fresh.check(MARKER, name="shell.php", source="web-01.example.org")
    page = open_page(fresh, "#/system", expected=("status of 400",))
    page.get_by_role("link", name="API documentation").click()
    page.wait_for_url("**/#/api")
    operations = page.locator("details.operation")
    document = fresh.json("/openapi.json")
    expect(operations).to_have_count(sum(len(methods) for methods in document["paths"].values()))

    search = page.get_by_role("searchbox", name="Search the API")
    search.fill("no such operation")
    expect(page.get_by_text("No operation has all these words.")).to_be_visible()
    search.fill("searches found newest")
    expect(operations).to_have_count(1)
    page.wait_for_url("**/#/api?q=searches+found+newest")
    operations.first.locator("> summary").click()
    page.get_by_label("source of findings").fill("web-01.example.org")
    command = page.get_by_role("region", name="Command for findings")
    expect(command).to_have_text(f"curl '{fresh.url}/api/v1/findings?source=web-01.example.org'")
    page.get_by_role("button", name="Try it").click()
    answer = page.get_by_role("region", name="Answer of findings")
    expect(answer).to_contain_text('"name": "shell.php"')
    page.get_by_label("level of findings").fill("Nonsense")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_role("alert")).to_contain_text("level")
    operations.first.locator("summary", has_text="Body of 200").click()
    expect(page.get_by_role("region", name="Body of 200")).to_contain_text('"event_id": string')

    # What changes something, or brings a file, is for a shell.
    search.fill("checkAsync v1")
    operations.first.locator("> summary").click()
    expect(page.get_by_role("region", name="Command for").first).to_contain_text("-F file=@sample.bin")
    expect(page.get_by_role("button", name="Try it")).to_have_count(0)


def test_what_went_wrong_is_told(tmp_path, rules, open_page):
    """A process that was killed while it scanned, a damaged database, a log on a full disk, signatures that are not fit."""
    (tmp_path / "own").mkdir()
    service = Service(tmp_path / "squall", "--signatures", str(rules), "--custom-signatures", str(tmp_path / "own"),
                      "--logfile", "/dev/full", "--threads", "1")
    service.start()
    service.enqueue(slow(1))
    wait_until(lambda: service.json("/api/v1/overview")["workers_busy"] == 1, 20, "the scan to begin")
    service.kill()
    (service.data / "findings" / "findings.db").write_bytes(b"no database")
    for name in ("findings.db-wal", "findings.db-shm"):
        (service.data / "findings" / name).unlink(missing_ok=True)
    with running(service):
        page = open_page(service, "#/system", expected=("409",))
        expect(check(page, "Queue at the start")).to_contain_text("being scanned when the process ended: 1")
        expect(check(page, "Findings store at the start")).to_contain_text("damaged")
        assert check(page, "Findings store at the start").get_attribute("data-check") == "bad"
        # The log refuses what is found.
        service.check(MARKER)
        page.get_by_role("button", name="Check again").click()
        expect(check(page, "Log `logfile`")).to_contain_text("refuses lines")
        (tmp_path / "own" / "broken.yar").write_text("rule Broken { condition: $missing }")
        service.post("/api/v1/signatures/reload")
        page.get_by_role("button", name="Check again").click()
        expect(check(page, "Signatures")).to_contain_text("1 rules or lines could not be used")


def test_failed_samples_are_scanned_again(tmp_path, rules, open_page, accessible):
    """Samples that twice ended the process are put aside; an analyst has one scanned again, then all."""
    service = Service(tmp_path / "squall", "--signatures", str(rules), "--threads", "3")
    service.start()
    sample_id = service.enqueue(slow(1) + b"\n" + MARKER, name="/tmp/<b>poison</b>.bin", source="web-01")
    others = [service.enqueue(slow(number), name=f"/tmp/other{number}.bin", source="web-02") for number in (2, 3)]
    wait_until(lambda: service.json("/api/v1/overview")["workers_busy"] == 3, 20, "the scans to begin")
    time.sleep(0.1)
    service.kill()
    service.start()
    # From now on each is scanned alone, so that the others are not blamed.
    for left in (2, 1, 0):
        wait_until(lambda: service.json("/api/v1/overview")["workers_busy"] == 1, 20, "a scan to begin")
        time.sleep(0.1)
        service.kill()
        service.start()
        wait_until(lambda n=left: service.json("/api/v1/samples/failed")["total"] == 3 - n, 20, "a failed sample")
    # `running` starts it again, and nobody would end this process then.
    service.kill()
    with running(service):
        page = open_page(service, "#/system")
        failed = page.get_by_role("region", name="Samples that could not be scanned")
        row = failed.get_by_role("row", name="<b>poison</b>.bin")
        expect(row).to_contain_text("web-01")
        expect(check(page, "Failed samples")).to_contain_text("3 could not be scanned")
        accessible(page, "samples that could not be scanned")
        row.get_by_role("button", name="Scan again").click()
        expect(failed).to_contain_text(f"Sample {sample_id} is scanned again.")
        assert service.result(sample_id, 60)["status"] == "Sample analysis complete"
        expect(failed.locator("tbody tr")).to_have_count(2)
        failed.get_by_role("button", name="Scan all again").click()
        expect(failed).to_contain_text("Every one is scanned again.")
        expect(failed).to_contain_text("None: every sample got a result.")
        for other in others:
            assert service.result(other, 60)["status"] == "Sample analysis complete"
        expect(check(page, "Failed samples")).to_contain_text("none")


def test_more_failed_samples_than_are_listed_are_told(squall, open_page):
    page = open_page(squall, "#/")
    samples = [{"id": number, "reason": "made up", "source": "web-01", "file_name": f"/tmp/{number}", "sha256": None, "size_bytes": 1,
                "received_at": "2026-11-24T08:00:00Z", "attempts": 2} for number in range(1, 101)]
    page.route("**/api/v1/samples/failed?*", lambda route: route.fulfill(json={"total": 1234, "samples": samples}))
    page.get_by_role("link", name="System", exact=True).click()
    failed = page.get_by_role("region", name="Samples that could not be scanned (1,234)")
    expect(failed.locator("tbody tr")).to_have_count(100)
    expect(failed).to_contain_text("1,134 more are not shown")


def nested(*names) -> bytes:
    """An archive in an archive in …, the innermost file being the marker."""
    content = MARKER
    for name in names:
        out = BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr(name, content)
        content = out.getvalue()
    return content


def test_the_sample_of_a_member_deep_inside_is_downloaded(tmp_path, rules, open_page):
    service = Service(tmp_path / "kept", "--signatures", str(rules), "--server-store-samples", "malicious")
    with running(service):
        for depth, names in enumerate([["a.php"], ["a.php", "b.zip"], ["a.php", "b.zip", "c.zip"]], start=1):
            sample = nested(*names)
            service.check(sample, name=f"/srv/outer{depth}.zip")
            rows = wait_until(
                lambda: service.json(f"/api/v1/findings?name=outer{depth}")["findings"], 15, "a finding")
            assert rows[0]["depth"] == depth
            page = open_page(service, f"#/findings/{rows[0]['event_id']}")
            with page.expect_download() as download:
                page.get_by_role("button", name="Download the sample").click()
            archive = zipfile.ZipFile(BytesIO(download.value.path().read_bytes()))
            [name] = archive.namelist()
            assert archive.read(name, pwd=b"infected") == sample
            expect(page.locator(".download")).to_contain_text("the file that this one is in")
            # Where it was, what it is, and its own digests, not those of the archive.
            facts = {name.strip(): " ".join(text.split()) for name, text in zip(
                page.locator("section:has(#file) dt").all_inner_texts(), page.locator("section:has(#file) dd").all_inner_texts(), strict=True)}
            assert facts["Path"].startswith(f"/srv/outer{depth}.zip") and "a.php" in facts["Path"], facts
            assert facts["Unpacked from"].split(" › ") == ["zip"] * depth or facts["Unpacked from"].count("›") == depth - 1, facts
            assert facts["Member of"].endswith(names[1] if depth > 1 else f"outer{depth}.zip"), facts
            assert facts["Size"] == f"{len(MARKER)} B ({len(MARKER)} bytes)", facts
            assert facts["SHA-256"].startswith(hashlib.sha256(MARKER).hexdigest()), facts
            assert facts["Type"] != "" and "named .php" in facts["Type"], facts
