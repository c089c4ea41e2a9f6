"""The landing page, where the documentation is, and the API document."""

import json
import re
from urllib.parse import urljoin

import pytest

from support.curl import curl
from support.places import ORIGINAL_OPENAPI, REPOSITORY

# What a browser would fetch because of the page.
LOADED = re.compile(r"""(?:src|href|action)\s*=\s*["']([^"']+)["']""")
IMPORTED = re.compile(r"""(?:url\(|@import\s+|fetch\(|import\s+)["']?(https?:)?//""")
LOADING_TAGS = re.compile(r"<(script|link|img|iframe|form|source|video|audio|object|embed)\b[^>]*>", re.IGNORECASE)


def page(service, path: str):
    answer = curl("--location", service.url + path)
    assert answer.status == 200, path
    return answer


def assets(service, path: str, html: str) -> dict[str, str]:
    """Fetches everything the page loads; fails when any of it is on another host."""
    found = {}
    for tag in LOADING_TAGS.finditer(html):
        for reference in LOADED.findall(tag.group(0)):
            if reference.startswith("data:"):
                continue
            address = urljoin(service.url + path, reference)
            assert address.startswith(service.url + "/"), f"{path} loads {reference}"
            answer = curl(address)
            assert answer.status == 200, address
            found[address] = answer.body.decode("utf-8", errors="replace")
    return found


def test_landing_page(squall):
    answer = page(squall, "/")
    assert answer.headers["content-type"].startswith("text/html")
    assert "Squall" in answer.text
    loaded = assets(squall, "/", answer.text)
    for address, text in loaded.items():
        assert not IMPORTED.search(text), f"{address} loads from another host"
    everything = answer.text + "".join(loaded.values())
    assert "curl" in everything
    assert "/api/status" in everything and "/api/info" in everything
    assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>\s*\S", answer.text), "a script inside the page"
    assert not re.search(r"\son\w+\s*=", answer.text), "an event handler inside the page"


@pytest.mark.parametrize("path", ["/docs", "/docs/", "/docs/index.html"])
def test_documentation_is_a_page_of_the_console(squall, path):
    """What that page shows is looked at in a browser, by tests/console."""
    answer = curl(squall.url + path)
    assert answer.status == 303 and answer.headers["location"] == "/#/api"
    html = page(squall, path).text
    assert any('"/openapi.json"' in text for text in assets(squall, "/", html).values())


@pytest.mark.parametrize("path", ["/", "/docs/", "/api/info", "/openapi.json"])
def test_security_headers(squall, path):
    headers = page(squall, path).headers
    assert headers.get("x-content-type-options") == "nosniff"
    assert "referrer-policy" in headers
    policy = headers.get("content-security-policy", "")
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy and "http" not in policy


def test_the_document_is_the_committed_one(squall):
    served = page(squall, "/openapi.json").json()
    assert page(squall, "/static/api.json").json() == served
    committed = REPOSITORY / "openapi" / "squall.json"
    assert json.loads(committed.read_text()) == served


def test_the_document_describes_every_endpoint(squall):
    paths = page(squall, "/openapi.json").json()["paths"]
    for name in ("check", "checkAsync", "getAsyncResults", "queueHistory", "sampleHistory", "deniedHistory", "info",
                 "status", "collection"):
        for api in ("/api", "/api/v1"):
            assert f"{api}/{name}" in paths


@pytest.mark.skipif(not ORIGINAL_OPENAPI.is_file(), reason="no original API document: SQUALL_SHARED names none")
def test_the_document_keeps_what_the_original_has(squall):
    served = page(squall, "/openapi.json").json()["paths"]
    for path, methods in json.loads(ORIGINAL_OPENAPI.read_text())["paths"].items():
        for method, operation in methods.items():
            ours = served[path][method]
            named = {(each["name"], each["in"]) for each in ours.get("parameters", [])}
            wanted = {(each["name"], each["in"]) for each in operation.get("parameters", []) if "name" in each}
            assert wanted <= named, (path, wanted - named)
            assert set(operation["responses"]) <= set(ours["responses"]), path


def test_head_requests(squall):
    answer = curl("--head", f"{squall.url}/api/info")
    assert answer.status == 200 and not answer.body.strip().startswith(b"{")
