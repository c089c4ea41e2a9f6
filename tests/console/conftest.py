"""Fixtures: the real binary, and a real browser that fails a test for any error on the page."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from support.places import BINARY, REPOSITORY  # noqa: E402
from support.rules import write_rules  # noqa: E402
from support.service import Service, running  # noqa: E402

CONSOLE = REPOSITORY / "crates" / "squall-server" / "console"
CHROMIUM = os.environ.get("SQUALL_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"

expect.set_options(timeout=15_000)

# What a browser calls this machine where it stands for a site of somebody else's.
OTHER_SITE = "sso.test"
HOSTS = f"MAP {OTHER_SITE} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"

# What the page may never cause; each is told as an error of the page.
WATCH = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
window.alert = (text) => console.error(`alert ${text}`);
"""


def pytest_report_header():
    return [f"squall: {BINARY}{'' if BINARY.is_file() else ' (MISSING)'}", f"browser: {CHROMIUM}"]


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory):
    """The folder of the screenshots."""
    folder = Path(os.environ.get("SQUALL_SCREENSHOTS") or tmp_path_factory.getbasetemp().parent / "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def pytest_terminal_summary(terminalreporter, config):
    folder = os.environ.get("SQUALL_SCREENSHOTS") or config.option.basetemp and Path(config.option.basetemp).parent / "screenshots"
    if folder:
        terminalreporter.write_line(f"screenshots: {folder}")


@pytest.fixture(scope="session")
def packages(tmp_path_factory):
    """A copy of the console with its packages installed."""
    folder = tmp_path_factory.mktemp("console")
    shutil.copytree(CONSOLE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules", "dist"))
    # No package may run anything while it is installed.
    subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        check=True,
        stdin=subprocess.DEVNULL,
        timeout=170,
    )
    return folder


@pytest.fixture(scope="session")
def axe(packages):
    """The script that looks for accessibility problems."""
    return (packages / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


@pytest.fixture(scope="session")
def browser():
    """The browser; nothing it may ask for is anywhere but on this machine."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-dev-shm-usage", f"--host-resolver-rules={HOSTS}"],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def documented():
    """What a page may ask for: (method, pattern of a path) of the files of the console and of the committed API document."""
    paths = json.loads((REPOSITORY / "openapi" / "squall.json").read_text())["paths"]
    known = [("GET", re.compile(r"/|/static/[a-z.]+|/openapi\.json"))]
    for template, item in paths.items():
        pattern = re.compile(re.sub(r"\\{[^/]*\\}", "[^/]+", re.escape(template)))
        known += [(method.upper(), pattern) for method in item]
    return known


def undocumented(requests, known) -> list:
    """Those of the requests, as (method, address), that are for nothing that is documented."""
    left = []
    for method, address in requests:
        parts = urlsplit(address)
        if parts.scheme in ("data", "blob", "about"):
            continue
        path = parts.path if parts.hostname == "127.0.0.1" else address
        if not any(method == one and pattern.fullmatch(path) for one, pattern in known):
            left.append((method, path))
    return left


@pytest.fixture
def open_page(browser, documented):
    """Opens pages; each fails the test for an error on it, unless that is `expected`, and for a request that is neither in
    the API document nor for a site of `beside`. What is true of a page is true of all that are opened beside it
    (`page.context.new_page()`)."""
    opened = []

    def begin(service, address="#/", expected=(), beside=(), **options):
        options.setdefault("viewport", {"width": 1280, "height": 900})
        # Nothing fades: a colour is looked at when it is what it will be.
        options.setdefault("reduced_motion", "reduce")
        context = browser.new_context(**options)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.add_init_script(WATCH)
        errors, requests = [], []
        context.on("console", lambda message: errors.append(message.text) if message.type in ("error", "warning") else None)
        context.on("weberror", lambda error: errors.append(str(error.error)))
        context.on("request", lambda request: requests.append((request.method, request.url)))
        page = context.new_page()
        opened.append((context, errors, expected, beside, requests))
        page.goto(f"{service.url}/{address}")
        expect(page.locator("header.top, main.login").first).to_be_visible()
        return page

    yield begin
    try:
        for _, errors, expected, beside, requests in opened:
            left = [error for error in errors if not any(word in error for word in expected)]
            assert not left, left
            assert requests, "no request was seen"
            own = [(method, url) for method, url in requests if not url.startswith(tuple(f"{site}/" for site in beside))]
            assert not undocumented(own, documented)
    finally:
        for context, *_ in opened:
            context.close()


@pytest.fixture
def accessible(axe):
    """Fails for a serious accessibility problem of a page as it is now: everything in the light theme, and in the dark one
    what the theme changes."""

    def look(page, what, **options):
        page.evaluate(axe)
        for scheme, run in (("light", {}), ("dark", {"runOnly": ["color-contrast"]})):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(50)
            found = page.evaluate("(options) => axe.run(document, options)", {"resultTypes": ["violations"], **run, **options})
            serious = [
                (v["id"], v["impact"], [node["html"][:200] for node in v["nodes"]][:3])
                for v in found["violations"]
                if v["impact"] in ("serious", "critical")
            ]
            assert not serious, f"{what}, {scheme}: {serious}"
        page.emulate_media(color_scheme="light")

    return look


@pytest.fixture(scope="session")
def rules(tmp_path_factory):
    """A signature directory with the rules of these tests."""
    return write_rules(tmp_path_factory.mktemp("signatures"))


def command(*args) -> str:
    """Runs the program; returns what it prints."""
    run = subprocess.run([str(BINARY), *map(str, args)], capture_output=True, text=True, check=True, timeout=60)
    return run.stdout.strip()


def with_token(service, role, name) -> str:
    """Makes a token for a service."""
    return command("token", "create", "--role", role, "--name", name, "--data-dir", service.data)


@pytest.fixture(scope="module")
def squall(tmp_path_factory, rules):
    """A running service shared by the tests of a module."""
    root = tmp_path_factory.mktemp("squall")
    with running(Service(root, "--signatures", str(rules))) as service:
        yield service


@pytest.fixture
def fresh(tmp_path, rules):
    """A running service that nobody used yet."""
    with running(Service(tmp_path / "squall", "--signatures", str(rules))) as service:
        yield service
