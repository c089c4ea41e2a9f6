"""Every row of the contract's list of errors, in both generations, and that nothing was kept."""

import pytest

from support.curl import curl, form
from support.raw import BOUNDARY, body, closing, exchange, head, part
from support.rules import CLEAN, MARKER
from support.shapes import check_error

GENERATIONS = pytest.mark.parametrize("api", ["/api", "/api/v1"])
UPLOADS = pytest.mark.parametrize("endpoint", ["check", "checkAsync"])


@pytest.fixture
def sample(tmp_path):
    path = tmp_path / "sample"
    path.write_bytes(MARKER)
    return path


@GENERATIONS
@UPLOADS
def test_no_file_part(squall, api, endpoint):
    before = squall.status()
    said = check_error(curl("-F", "other=value", f"{squall.url}{api}/{endpoint}"), 400, api)
    assert "file" in said
    squall.unchanged(before, 0.1)


@GENERATIONS
@UPLOADS
def test_several_file_parts(squall, api, endpoint, sample):
    before = squall.status()
    check_error(curl(*form(sample), *form(sample), f"{squall.url}{api}/{endpoint}"), 400, api)
    squall.unchanged(before, 0.2)


@GENERATIONS
@UPLOADS
@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "text/plain", ""])
def test_not_multipart(squall, api, endpoint, kind):
    answer = curl("-H", f"Content-Type: {kind}" if kind else "Content-Type:", "--data-binary", MARKER.decode(),
                  f"{squall.url}{api}/{endpoint}")
    check_error(answer, (400, 415), api)


@GENERATIONS
@UPLOADS
def test_no_body(squall, api, endpoint):
    check_error(curl("-X", "POST", f"{squall.url}{api}/{endpoint}"), (400, 415), api)


@GENERATIONS
@UPLOADS
def test_multipart_without_a_boundary(squall, api, endpoint):
    answer = curl("-H", "Content-Type: multipart/form-data", "--data-binary", "x", f"{squall.url}{api}/{endpoint}")
    check_error(answer, (400, 415), api)


@GENERATIONS
@UPLOADS
def test_wrong_boundary(squall, api, endpoint):
    before = squall.status()
    data = body(MARKER)
    request = head(f"{api}/{endpoint}", f"Content-Length: {len(data)}", boundary="another")
    check_error(exchange(squall, request + data), 400, api)
    squall.unchanged(before, 0.1)


@GENERATIONS
@UPLOADS
def test_body_that_stops_before_its_closing_boundary(squall, api, endpoint):
    """The length is kept, so only the missing delimiter tells that a part of it is missing."""
    before = squall.status()
    data = part(MARKER * 100)[:-2]
    check_error(exchange(squall, head(f"{api}/{endpoint}", f"Content-Length: {len(data)}") + data), 400, api)
    squall.unchanged(before)


@UPLOADS
def test_part_without_headers_of_its_own(squall, endpoint):
    data = f"--{BOUNDARY}\r\n\r\nx\r\n".encode() + closing()
    check_error(exchange(squall, head(f"/api/{endpoint}", f"Content-Length: {len(data)}") + data), 400)


@GENERATIONS
def test_a_second_file_after_the_first_is_found_wherever_it_stands(squall, api):
    """The first part must not be taken before the rest of the body was read."""
    before = squall.status()
    filler = part(b"x" * 50_000, 'form-data; name="note"')
    data = part(MARKER) + filler + part(MARKER) + closing()
    check_error(exchange(squall, head(f"{api}/checkAsync", f"Content-Length: {len(data)}") + data), 400, api)
    squall.unchanged(before)


@GENERATIONS
@pytest.mark.parametrize("query", ["", "?id=", "?id=abc", "?id=0", "?id=-1", "?id=1.0", "?id=9007199254740991",
                                   "?id=99999999999999999999999", "?id=%00", "?id=1%20OR%201"])
def test_unknown_result(squall, api, query):
    check_error(curl(f"{squall.url}{api}/getAsyncResults{query}"), 400, api)


@GENERATIONS
@pytest.mark.parametrize("name", ["queueHistory", "sampleHistory", "deniedHistory"])
@pytest.mark.parametrize("query", ["aggregate=0", "aggregate=-1", "aggregate=x", "aggregate=1.5", "limit=x", "limit=-5",
                                   "aggregate=99999999999999999999"])
def test_bad_history_parameter(squall, api, name, query):
    check_error(curl(f"{squall.url}{api}/{name}?{query}"), 400, api)


@pytest.mark.parametrize("path", ["/api/nothing", "/api/", "/api/v1/nothing", "/api/check/more", "/nothing",
                                  "/api/v2/check", "/../../etc/passwd", "/static/../../etc/passwd", "/%2e%2e/%2e%2e"])
def test_unknown_path(squall, path):
    answer = curl("--path-as-is", squall.url + path)
    assert answer.status == 404
    if path.startswith("/api/"):
        check_error(answer, 404, "/api/v1" if path.startswith("/api/v1/") else "/api")
    assert b"root:" not in answer.body


@GENERATIONS
@pytest.mark.parametrize(("endpoint", "method"), [
    ("check", "GET"), ("check", "PUT"), ("check", "DELETE"), ("checkAsync", "GET"), ("getAsyncResults", "POST"),
    ("info", "POST"), ("status", "DELETE"), ("sampleHistory", "PUT"), ("collection", "GET"),
])
def test_wrong_method(squall, api, endpoint, method):
    answer = curl("-X", method, f"{squall.url}{api}/{endpoint}")
    check_error(answer, 405, api)
    assert answer.headers.get("allow"), "405 says what is allowed"


@GENERATIONS
def test_overlong_request_line(squall, api):
    answer = exchange(squall, f"GET {api}/info?{'x' * 2_000_000} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    assert answer is None or 400 <= answer.status < 500


def test_too_many_headers(squall):
    lines = "".join(f"X-{n}: {'y' * 100}\r\n" for n in range(5000))
    answer = exchange(squall, f"GET /api/info HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}\r\n".encode())
    assert answer is None or 400 <= answer.status < 500


def test_many_small_parts_are_bounded(squall):
    """A body of parts nobody asked for costs neither memory nor an endless time."""
    before = squall.memory_peak_bytes()
    data = b"".join(part(b"", f'form-data; name="p{n}"') for n in range(50_000)) + part(CLEAN) + closing()
    answer = exchange(squall, head("/api/check", f"Content-Length: {len(data)}") + data)
    assert answer is None or answer.status in (200, 400, 413)
    assert squall.memory_peak_bytes() - before < 100_000_000


def test_large_part_beside_the_file_is_bounded(squall):
    before = squall.memory_peak_bytes()
    data = part(b"z" * 30_000_000, 'form-data; name="note"') + part(CLEAN) + closing()
    answer = exchange(squall, head("/api/check", f"Content-Length: {len(data)}") + data)
    assert answer is None or answer.status in (200, 400, 413)
    assert squall.memory_peak_bytes() - before < 25_000_000


def test_errors_reveal_no_path_of_the_server(squall):
    for answer in (curl("-F", "a=b", f"{squall.url}/api/check"), curl(f"{squall.url}/api/nothing"),
                   curl(f"{squall.url}/api/getAsyncResults?id=77777777")):
        assert str(squall.root) not in answer.text


def test_it_still_works_after_all_that(squall):
    assert squall.check(CLEAN) == []
    assert len(squall.check(MARKER)) == 1
    assert not list(squall.data.rglob("incoming/*")), "half an upload was left behind"
