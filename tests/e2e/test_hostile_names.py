"""File names and sources are data: they come back as sent, and never become a path of ours."""

import json
import os
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from support.raw import body, exchange, head
from support.rules import CLEAN, MARKER
from support.service import wait_until
from support.shapes import check_v0

NAMES = {
    "parents": "../../../../../../etc/passwd",
    "absolute": "/etc/cron.d/squall-e2e",
    "windows": r"C:\Windows\System32\drivers\etc\hosts",
    "windows parents": r"..\..\..\boot.ini",
    "network share": r"\\server\share$\a b\c.exe",
    "single quote": "/tmp/it's.txt",
    "semicolon": '/tmp/a;b="c".txt',
    "comma": "/tmp/a,b.txt",
    "percent": "/tmp/100%.txt",
    "shell": "/tmp/$(touch squall-e2e)`id`|cat;&.txt",
    "html": "/tmp/<script>alert(1)</script>.html",
    "unicode": "/tmp/Grüße-東京-🐚.txt",
    "right to left": "/tmp/\u202egpj.exe",
    "leading dash": "--server-port=1",
    "dots": "..",
    "spaces": "   ",
    "device": "/dev/sda",
    "log forging": "/tmp/x SCORE: 0 LEVEL: Info MODULE: Nothing",
    "json": '/tmp/","score":0,"x":"',
}


def snapshot(service) -> set:
    """Returns every path the service could have made outside of its data directory."""
    found = set()
    for top, folders, files in os.walk(service.root):
        if Path(top) == service.root:
            folders.remove("data")
        found |= {os.path.join(top, name) for name in folders + files}
    return found


@pytest.fixture
def outside(squall):
    """Fails when the test made anything appear outside of the data directory."""
    before = snapshot(squall), sorted(os.listdir("/")), os.stat("/etc/passwd").st_mtime_ns
    inside = [path.name for path in squall.data.rglob("*")]
    yield
    assert (snapshot(squall), sorted(os.listdir("/")), os.stat("/etc/passwd").st_mtime_ns) == before
    assert not os.path.exists("/etc/cron.d/squall-e2e")
    new = {path.name for path in squall.data.rglob("*")} - set(inside)
    assert not [name for name in new if "passwd" in name or "hosts" in name or "squall-e2e" in name], new


def upload(service, disposition: str | bytes, content: bytes = MARKER, endpoint="check"):
    data = body(content, disposition)
    return exchange(service, head(f"/api/{endpoint}", f"Content-Length: {len(data)}") + data)


def plain(name: str) -> str:
    """Returns the header value that a current client makes of a name: quotes escaped, backslashes kept."""
    return 'form-data; name="file"; filename="' + name.replace('"', "%22") + '"'


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_name_survives_literally(squall, outside, name):
    answer = upload(squall, plain(name))
    assert answer.status == 200, answer.text
    [finding] = answer.json()
    check_v0(finding, MARKER, name)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_name_in_the_extended_notation(squall, outside, name):
    disposition = f"form-data; name=\"file\"; filename=\"fallback.txt\"; filename*=UTF-8''{quote(name, safe='')}"
    answer = upload(squall, disposition)
    assert answer.status == 200, answer.text
    assert answer.json()[0]["context"]["file"] == name


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_name_survives_the_queue(squall, outside, name):
    answer = upload(squall, plain(name), endpoint="checkAsync")
    assert answer.status == 200, answer.text
    [finding] = squall.result(answer.json()["id"])["result"]
    assert finding["context"]["file"] == name


@pytest.mark.parametrize("name", ["/tmp/a\nb.txt", "/tmp/a\r\nX-Forged: yes", '/tmp/a"b.txt', "/tmp/ü\nü"])
def test_name_as_the_real_library_sends_it(squall, outside, name):
    """`requests` escapes quotes and line breaks the way browsers do."""
    [finding] = squall.check(MARKER, name)
    assert finding["context"]["file"] == name


@pytest.mark.parametrize("encoded", ["a%00b.txt", "a%0Ab.txt", "%0D%0A%0D%0A--e2e-boundary", "%7f%1b%5b2J", "%c2%85"])
def test_control_characters_are_data_or_refused(squall, outside, encoded):
    answer = upload(squall, f"form-data; name=\"file\"; filename*=UTF-8''{encoded}")
    if answer.status == 200:
        assert answer.json()[0]["context"]["file"] == unquote(encoded)
    else:
        assert answer.status == 400
        assert answer.json()["reason"]


@pytest.mark.parametrize("raw", [b"a\x00b.txt", b"caf\xe9.txt", b"\xff\xfe\xfd", b"a\x1bb\x7f.txt", b"\xed\xa0\x80"],
                         ids=["nul", "latin 1", "not utf-8", "escape", "surrogate"])
def test_raw_bytes_in_a_name(squall, outside, raw):
    """Old collectors send the bytes of their own character set."""
    answer = upload(squall, b'form-data; name="file"; filename="' + raw + b'"')
    assert answer is not None
    assert answer.status in (200, 400), answer.text
    if answer.status == 200:
        assert len(answer.json()) == 1, "a strange name hides nothing"
        json.dumps(answer.json(), ensure_ascii=False).encode()


@pytest.mark.parametrize("disposition", [
    'form-data; name="file"; filename="',
    'form-data; name="file"; filename="a"b"c"',
    "form-data; name=file; filename=/tmp/a.txt",
    "form-data; filename=\"/tmp/a.txt\"; name=\"file\"",
    "form-data; name=\"file\"; filename*=UTF-8''%zz%",
    "form-data; name=\"file\"; filename*=nonsense",
    "form-data; name=\"file\"; filename*=UTF-16''%00a",
    "form-data;;; ; name=\"file\";; filename=\"a\"",
    'FORM-DATA; NAME="file"; FILENAME="a"',
    'form-data; name="file"; filename=""',
    'form-data; name="file"',
    "attachment; name=\"file\"; filename=\"a\"",
    "",
    ";",
])
def test_strange_disposition_is_taken_or_refused_in_words(squall, outside, disposition):
    answer = upload(squall, disposition)
    assert answer is not None
    assert answer.status in (200, 400), answer.text
    if answer.status == 200:
        assert len(answer.json()) == 1
    else:
        assert answer.json()["reason"]


@pytest.mark.parametrize("length", [300, 4096, 5000, 65536, 1_000_000])
def test_long_names(squall, outside, length):
    name = "/" + "x" * (length - 5) + ".php"
    answer = upload(squall, plain(name))
    if length <= 4096:
        assert answer.status == 200
    if answer is not None and answer.status == 200:
        shown = answer.json()[0]["context"]["file"]
        assert shown and (shown == name or len(shown) < length)
    else:
        assert answer is None or answer.status in (400, 413, 431), answer.status
    assert squall.check(CLEAN) == []


@pytest.mark.parametrize(
    "source",
    ["../../etc", "a\nb", "x" * 100_000, "<b>", "\x00", "ü 東京", "  ", "a/b\\c"],
    ids=["parents", "line break", "long", "html", "nul", "unicode", "spaces", "slashes"],
)
def test_hostile_sources(squall, outside, source):
    if len(source) > 50_000:
        answer = squall.post("/api/v1/check", params={"source": source}, files={"file": ("a", MARKER)})
        assert answer.status_code in (200, 400, 414, 431)
        return
    [finding] = squall.check(MARKER, generation="/api/v1", source=source)
    shown = finding["meta"]["hostname"]
    assert shown and (shown == source or source.strip("\x00 ") == "" or source.startswith(shown))


def test_nothing_is_left_behind(squall):
    assert not list(squall.cwd.iterdir())
    assert not list(squall.home.iterdir())
    assert not list(squall.tmp.iterdir())
    wait_until(lambda: not list(squall.data.rglob("incoming/*")), 10, "an empty folder of incoming files")
    assert oct(squall.data.stat().st_mode & 0o007) == "0o0", "other users can read the data directory"
