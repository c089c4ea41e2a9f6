"""Fixtures: the real binary, and a real browser that fails a test for any error on the page."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from support.places import BINARY, REPOSITORY  # noqa: E402
from support.rules import write_rules  # noqa: E402
from support.service import Service, running  # noqa: E402

CONSOLE = REPOSITORY / "crates" / "squall-server" / "console"
CHROMIUM = os.environ.get("SQUALL_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"

expect.set_options(timeout=15_000)

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
            args=["--no-sandbox", "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser):
    """Opens pages; each fails the test for an error on it, unless that is `expected`."""
    opened = []

    def begin(service, address="#/", expected=(), **options):
        options.setdefault("viewport", {"width": 1280, "height": 900})
        context = browser.new_context(**options)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.add_init_script(WATCH)
        page = context.new_page()
        errors = []
        page.on("console", lambda message: errors.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        opened.append((context, errors, expected))
        page.goto(f"{service.url}/{address}")
        expect(page.locator("header.top, main.login").first).to_be_visible()
        return page

    yield begin
    try:
        for _, errors, expected in opened:
            left = [error for error in errors if not any(word in error for word in expected)]
            assert not left, left
    finally:
        for context, _, _ in opened:
            context.close()


@pytest.fixture(scope="session")
def rules(tmp_path_factory):
    """A signature directory with the rules of these tests."""
    return write_rules(tmp_path_factory.mktemp("signatures"))


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
