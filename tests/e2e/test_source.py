"""Who sent a sample: the parameter, a trusted proxy's word, else the address."""

import re
import time

import pytest

from support.rules import MARKER
from support.service import Service, running

FORWARDED = {
    "X-Forwarded-For": "203.0.113.7",
    "Forwarded": 'for="203.0.113.7:4711";proto=https',
}
LOCAL = {"127.0.0.1", "localhost"}


@pytest.fixture(scope="module")
def direct(tmp_path_factory, rules):
    root = tmp_path_factory.mktemp("direct")
    with running(Service(root, "--signatures", str(rules), "--reverse-dns=false")) as service:
        yield service


@pytest.fixture(scope="module")
def proxied(tmp_path_factory, rules):
    root = tmp_path_factory.mktemp("proxied")
    args = ["--trusted-proxy", "127.0.0.0/8", "--trusted-proxy", "10.0.0.1", "--reverse-dns=false"]
    with running(Service(root, "--signatures", str(rules), *args)) as service:
        yield service


def source(service, headers=None, **params) -> str:
    """Returns the source under which a sample sent this way is shown."""
    answer = service.post("/api/v1/check", params=params, headers=headers, files={"file": ("/tmp/a", MARKER)})
    assert answer.status_code == 200, answer.text
    return answer.json()[0]["meta"]["hostname"]


def test_parameter_wins(direct, proxied):
    assert source(direct, source="web01.example") == "web01.example"
    assert source(proxied, FORWARDED, source="web01.example") == "web01.example"
    assert source(direct, source="Büro 東京") == "Büro 東京"


def test_empty_parameter_is_none(direct):
    assert source(direct, source="") == source(direct) == "127.0.0.1"


def test_address_when_names_are_not_looked_up(direct):
    assert source(direct) == "127.0.0.1"


def test_name_lookup_never_delays_an_answer(squall):
    """Whatever the resolver does, the answer comes in time and names this machine."""
    source(squall)
    began = time.monotonic()
    found = source(squall)
    assert time.monotonic() - began < 1
    assert found == "127.0.0.1" or re.fullmatch(r"[A-Za-z0-9._-]+", found)


@pytest.mark.parametrize("name", FORWARDED)
def test_headers_of_strangers_are_ignored(direct, name):
    assert source(direct, {name: FORWARDED[name]}) in LOCAL


@pytest.mark.parametrize("name", FORWARDED)
def test_headers_of_a_trusted_proxy_are_believed(proxied, name):
    assert source(proxied, {name: FORWARDED[name]}) == "203.0.113.7"


@pytest.mark.parametrize(("value", "expected"), [
    ("198.51.100.1, 203.0.113.7", "203.0.113.7"),
    ("198.51.100.1, 203.0.113.7, 10.0.0.1", "203.0.113.7"),
    ("203.0.113.7, 127.0.0.5, 10.0.0.1", "203.0.113.7"),
    ("2001:db8::7", "2001:db8::7"),
    ("::ffff:203.0.113.7", "203.0.113.7"),
    ("198.51.100.1,203.0.113.7  ,\t10.0.0.1", "203.0.113.7"),
])
def test_the_last_address_that_is_not_a_proxy_counts(proxied, value, expected):
    """What stands left of it was written by the sender and may be a lie."""
    assert source(proxied, {"X-Forwarded-For": value}) == expected


@pytest.mark.parametrize(
    "value",
    ["nonsense", "", ",,,", "127.0.0.1", "999.1.1.1", "<b>", "x" * 5000, ", ".join(["1.2.3.4"] * 500)],
    ids=["a word", "empty", "commas", "the proxy itself", "no address", "html", "long", "many"],
)
def test_nonsense_in_the_header_is_survived(proxied, value):
    found = source(proxied, {"X-Forwarded-For": value})
    assert found in LOCAL | {"1.2.3.4"}
