"""The page of the API: commands that a shell takes as they are, shapes of bodies, and what is tried out."""

import shlex
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

from conftest import with_token
from playwright.sync_api import expect
from steps import stored

from support.rules import MARKER
from support.service import Service, running


def open_operation(page, service, method, path):
    """Opens an operation, and none beside it."""
    page.goto("about:blank")
    page.goto(f"{service.url}/#/api?q={quote(path)}")
    operation = page.locator("details.operation", has=page.locator("code").get_by_text(path, exact=True)).filter(
        has=page.locator(".method").get_by_text(method, exact=True))
    expect(operation).to_have_count(1)
    operation.locator("> summary").click()
    return operation


def command(page, operation) -> str:
    return page.get_by_role("region", name=f"Command for {operation}", exact=True).inner_text().strip()


HOSTILE = "it's \"$(id)\" `id` {a,b} [1-3] $HOME & | > x \\ * ; é\u202e"


class Echo(BaseHTTPRequestHandler):
    """Says what it was asked for."""

    def do_GET(self):  # noqa: N802
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.path.encode())

    def log_message(self, *_):
        pass


def test_a_command_asks_for_what_was_typed(squall, open_page, tmp_path):
    """Whatever the value is: the shell and curl make of it what the service is to get."""
    page = open_page(squall, "#/api")
    open_operation(page, squall, "GET", "/api/v1/findings")
    page.get_by_label("q of findings", exact=True).fill(HOSTILE)
    text = command(page, "findings")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        asked = text.replace(squall.url, f"http://127.0.0.1:{server.server_port}")
        run = subprocess.run(["bash", "-c", asked], cwd=tmp_path, capture_output=True, text=True, timeout=30)
        expected = page.evaluate("q => '/api/v1/findings?' + new URLSearchParams({ q })", HOSTILE)
        assert run.returncode == 0 and run.stdout == expected, (asked, run)
        # In a path as well.
        operation = open_operation(page, squall, "GET", "/api/v1/signatures/rules/{name}")
        operation.locator("input").first.fill(HOSTILE)
        asked = operation.locator(".command pre").inner_text().strip().replace(squall.url, f"http://127.0.0.1:{server.server_port}")
        run = subprocess.run(["bash", "-c", asked], cwd=tmp_path, capture_output=True, text=True, timeout=30)
        expected = page.evaluate("name => '/api/v1/signatures/rules/' + encodeURIComponent(name)", HOSTILE)
        assert run.returncode == 0 and run.stdout == expected, (asked, run)
        assert not list(tmp_path.iterdir())
    finally:
        server.shutdown()


def test_a_command_without_values_is_one_for_curl(squall, open_page):
    """No braces and no brackets, which curl would take for several addresses; what is to be filled in is seen."""
    page = open_page(squall, "#/api")
    page.wait_for_selector("details.operation")
    page.evaluate("document.querySelectorAll('details.operation').forEach((one) => { one.open = true; })")
    expect(page.locator(".command")).to_have_count(page.locator("details.operation").count())
    commands = [text.strip() for text in page.locator(".command pre").all_inner_texts()]
    assert len(commands) > 40
    for text in commands:
        words = shlex.split(text)
        assert words[0] == "curl" and words[-1].startswith(squall.url), text
        assert not set(words[-1]) & set("{}[]"), text
        assert " -d " not in text and "Bearer" not in text, text
    assert f"curl '{squall.url}/api/v1/findings/EVENT_ID'" in commands
    assert f"curl '{squall.url}/api/v1/getAsyncResults?id=ID'" in commands
    assert f"curl -o SHA256.zip '{squall.url}/api/v1/samples/SHA256/zip'" in commands
    assert f"curl -N '{squall.url}/api/v1/events'" in commands
    assert f"curl -X PUT -H 'Content-Type: application/json' --data-binary @body.json '{squall.url}/api/v1/signatures/own/NAME'" in commands
    assert f"curl -F file=@sample.bin '{squall.url}/api/v1/check'" in commands
    # Where there is no certificate, there is nothing to say of one.
    expect(page.locator("[data-cacert]")).to_have_count(0)


def test_who_may_is_said(squall, open_page):
    page = open_page(squall, "#/api")
    analysts = "Where it asks for none, it is for analysts"
    own = open_operation(page, squall, "PUT", "/api/v1/signatures/own/{name}")
    expect(own).to_contain_text("Needs the role admin, where the service asks for tokens.")
    expect(own).to_contain_text(analysts)
    review = open_operation(page, squall, "POST", "/api/v1/findings/{event_id}/review")
    expect(review).to_contain_text("Needs the role admin")
    expect(review).not_to_contain_text(analysts)


def test_a_command_takes_the_token(tmp_path, rules, open_page):
    service = Service(tmp_path / "guarded", "--signatures", str(rules), "--access", "tokens")
    token = with_token(service, "admin", "ana")
    service._session.headers["Authorization"] = f"Bearer {token}"
    with running(service):
        service.check(MARKER, name="/srv/a.php")
        stored(service, 1)
        page = open_page(service, "#/api")
        page.get_by_label("Token").fill(token)
        page.keyboard.press("Enter")
        expect(page.locator("details.operation").first).to_be_visible()
        open_operation(page, service, "GET", "/api/v1/findings")
        text = command(page, "findings")
        assert text == f"""curl -H "Authorization: Bearer $TOKEN" '{service.url}/api/v1/findings'"""
        run = subprocess.run(["bash", "-c", text], env={"TOKEN": token, "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=30)
        assert '"/srv/a.php"' in run.stdout, run
        # Who has a name needs no field for one.
        event_id = service.json("/api/v1/findings")["findings"][0]["event_id"]
        page.goto(f"{service.url}/#/findings/{event_id}")
        expect(page.get_by_label("Note")).to_be_visible()
        expect(page.get_by_label("Your name")).to_have_count(0)
        page.get_by_role("button", name="Mark as reviewed").click()
        expect(page.locator('[data-review="reviewed"]')).to_contain_text("ana")
        service._session.headers.pop("Authorization")


def shape(page, title="Body of 200") -> str:
    page.locator("details.operation[open] summary", has_text=title).first.click()
    return page.get_by_role("region", name=title).first.inner_text()


def test_shapes_say_all_that_a_body_may_be(squall, open_page):
    page = open_page(squall, "#/api")
    # Of several shapes together, all properties of each.
    open_operation(page, squall, "GET", "/api/status")
    text = shape(page)
    answer = squall.json("/api/status")
    for name in answer:
        assert f'"{name}": ' in text, name
    assert '"uptime_s": integer (int64)  // ' in text
    # Null where it may be, and what is meant by it.
    open_operation(page, squall, "GET", "/api/v1/findings/{event_id}")
    text = shape(page)
    trusted = next(line for line in text.splitlines() if '"trusted": ' in line)
    assert "string | null" in trusted and "//" in trusted
    assert "What an analyst made of it; null if nobody ever did." in text
    # Of a few words each of them.
    assert '"by": "hash" | "name" | "rule"' in text
    assert '"sample_id": integer (int64) | null  // ' in text
    # A list that may be null.
    open_operation(page, squall, "GET", "/api/v1/getAsyncResults")
    assert "}, …] | null  // may be absent; What was found" in shape(page)


def test_only_the_beginning_of_a_long_answer_is_taken(squall, open_page, accessible):
    squall.check(MARKER, name="<img src=x onerror=alert(1)>\u202e.php")
    stored(squall, 1)
    page = open_page(squall, "#/api")
    open_operation(page, squall, "GET", "/api/v1/findings")
    field = page.get_by_label("q of findings", exact=True)
    field.fill("onerror")
    # The key that sends a form sends this one.
    field.press("Enter")
    answer = page.get_by_role("region", name="Answer of findings")
    expect(answer).to_contain_text("<img src=x onerror=alert(1)>\\u{202e}.php")
    assert page.locator("main img").count() == 0
    body = squall.get("/api/v1/findings?q=onerror").content
    expect(page.get_by_text(f"Status 200, {len(body)} B" if len(body) < 1000 else f"Status 200, {len(body) / 1000:.1f} KB")).to_be_visible()
    accessible(page, "an answer of the API")

    # Of one without an end a quarter of a megabyte is taken, and the rest not sent.
    open_operation(page, squall, "GET", "/api/v1/findings/export")
    page.evaluate(ENDLESS)
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_role("status").filter(has_text="no more was taken")).to_be_visible()
    shown = page.get_by_role("region", name="Answer of ")
    expect(shown).to_contain_text("xxx")
    assert len(shown.inner_text()) <= 20_100
    assert page.evaluate("window.cancelled") and page.evaluate("window.parts") <= 8


# An answer of many parts, of which it is told how many were taken.
ENDLESS = """() => {
  window.parts = 0;
  window.cancelled = false;
  window.fetch = async () => new Response(new ReadableStream({
    pull(controller) { window.parts += 1; controller.enqueue(new TextEncoder().encode("x".repeat(65_536))); },
    cancel() { window.cancelled = true; },
  }), { status: 200 });
}"""


def test_an_older_answer_never_takes_the_place_of_a_newer(squall, open_page):
    page = open_page(squall, "#/api")
    open_operation(page, squall, "GET", "/api/v1/findings")
    held = []
    page.route("**/api/v1/findings?q=first", lambda route: held.append(route))
    field = page.get_by_label("q of findings", exact=True)
    field.fill("first")
    button = page.locator("details.operation[open] button[type=submit]")
    button.click()
    expect(button).to_have_text("Asking…")
    expect(button).to_be_disabled()
    held[0].continue_()
    expect(button).to_have_text("Try it")
    expect(page.get_by_role("region", name="Answer of findings")).to_contain_text('"findings": []')
    # Closed while it is asked: nothing comes of it, and no error either.
    button.click()
    expect(button).to_be_disabled()
    page.locator("details.operation[open] > summary").click()
    expect(page.get_by_role("region", name="Answer of findings")).to_have_count(0)
    page.wait_for_timeout(300)
