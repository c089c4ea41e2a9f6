"""Signature files written through the API, and trusted contents: whole or not at all, whoever waits for the answer."""

import json
import os
import time
from datetime import UTC, datetime

import pytest

from support.raw import connect
from support.rules import MARKER, RULES, write_rules
from support.service import Service, wait_until
from support.tokens import Guarded, bearer, squall, token

# So many rules that putting a set in force takes a moment, in which a client can leave.
MANY = "\n".join(
    f'rule Many_{number} {{ strings: $a = "many {number} of them" $b = /m{number}[a-f]{{4,9}}x/ condition: any of them }}'
    for number in range(1500)
)
OWN = 'rule Own { strings: $own = "squall-e2e-own" condition: $own }'


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    folder = tmp_path_factory.mktemp("many")
    (folder / "rules.yar").write_text(RULES)
    (folder / "many.yar").write_text(MANY)
    return folder


@pytest.fixture
def guarded(tmp_path, many):
    """A service that asks for tokens, and takes a moment for a change of its rules."""
    service = Guarded(tmp_path / "guarded", "--signatures", str(many), "--access", "tokens")
    try:
        yield service.start()
        service.stop()
        service.check_output()
    finally:
        service.kill()


def leave(service, method: str, path: str, message: dict) -> None:
    """Sends a request, and hangs up as soon as it is under way."""
    body = json.dumps(message).encode()
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{service.port}\r\nAuthorization: Bearer {service.tokens['admin']}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with connect(service) as sock:
        sock.sendall(head.encode() + body)
        time.sleep(0.1)


def acts(service, what: str):
    return [act for act in service.audit() if act["what"] == what]


def finding(service, content: bytes = MARKER, **facts) -> str:
    """Has a sample scanned; returns the event id of its finding once it is stored."""
    service.post("/api/check", files={"file": ("/tmp/sample.txt", content)}, params=facts)
    return wait_until(lambda: service.json("/api/v1/findings")["findings"], 20, "a finding")[0]["event_id"]


def names(service) -> set:
    return {rule["name"] for rule in service.json("/api/v1/signatures/rules?limit=500&q=own.yar")["rules"]}


def test_what_an_administrator_began_is_done_and_written_down_though_he_leaves(guarded):
    path = "/api/v1/signatures/own/own.yar"
    leave(guarded, "PUT", path, {"text": OWN})
    wait_until(lambda: acts(guarded, f"PUT {path}"), 60, "the act is written down")
    assert acts(guarded, f"PUT {path}")[0]["outcome"] == "done"
    assert names(guarded) == {"Own"}
    assert "a signature file was written through the API" in guarded.output()

    event_id = finding(guarded)
    path = f"/api/v1/findings/{event_id}/trust"
    leave(guarded, "POST", path, {"note": "ours"})
    wait_until(lambda: acts(guarded, f"POST {path}"), 60, "the act is written down")
    details = guarded.json(f"/api/v1/findings/{event_id}")
    assert details["trusted_in_force"] and "ours" in details["trusted"]
    assert details["review"]["state"] == "false_positive" and details["review"]["who"] == "the-admin"
    assert "a content is trusted from now on" in guarded.output()

    for method, path in [("DELETE", path), ("DELETE", "/api/v1/signatures/own/own.yar"), ("POST", "/api/v1/signatures/reload")]:
        leave(guarded, method, path, {})
        wait_until(lambda method=method, path=path: acts(guarded, f"{method} {path}"), 60, f"{method} {path} is written down")
        assert acts(guarded, f"{method} {path}")[0]["outcome"] == "done"
    assert guarded.json(f"/api/v1/findings/{event_id}")["trusted"] is None
    assert names(guarded) == set()


def test_a_trusted_content_compiles_nothing_and_leaves_the_set_to_roll_back_to(guarded):
    session, own = guarded._session, f"{guarded.url}/api/v1/signatures/own"
    before = guarded.json("/api/v1/signatures")["current"]["version"]
    assert session.put(f"{own}/own.yar", json={"text": OWN}, timeout=60).status_code == 200
    assert not guarded.json("/api/v1/signatures")["current"]["from_cache"]
    event_id = finding(guarded)
    assert guarded.post(f"/api/v1/findings/{event_id}/trust", json={}).status_code == 200
    state = guarded.json("/api/v1/signatures")
    assert state["current"]["from_cache"], "the rules are the same"
    assert state["previous"]["version"] == before
    assert guarded.check(MARKER) == []

    assert guarded.post("/api/v1/signatures/rollback").status_code == 200
    assert guarded.json("/api/v1/signatures")["current"]["version"] == before
    details = guarded.json(f"/api/v1/findings/{event_id}")
    assert details["trusted"] is not None and not details["trusted_in_force"], "on the list, and not in force"
    assert len(guarded.check(MARKER)) == 1


def test_nobody_writes_over_what_somebody_else_wrote(start):
    service = start()
    own = f"{service.url}/api/v1/signatures/own/mine.yar"

    def put(text, **conditions):
        headers = {name.replace("_", "-"): value for name, value in conditions.items()}
        return service._session.put(own, json={"text": text}, headers=headers, timeout=60)

    assert put(OWN, If_Match="*").status_code == 412
    assert put(OWN, If_None_Match="*").status_code == 200
    taken = put(OWN + " ", If_None_Match="*")
    assert taken.status_code == 412 and "there is a file of that name" in taken.json()["message"]
    digest = service.json("/api/v1/signatures/own/mine.yar")["digest"]
    assert [file["digest"] for file in service.json("/api/v1/signatures/own")["files"]] == [digest]
    changed = OWN.replace("Own", "Mine")
    assert put(changed, If_Match=f'"{digest}"').status_code == 200
    late = put(OWN, If_Match=f'"{digest}"')
    assert late.status_code == 412 and "somebody changed the file meanwhile" in late.json()["message"]
    assert service.json("/api/v1/signatures/own/mine.yar")["text"] == changed
    for wrong in ({"If_None_Match": '"x"'}, {"If_Match": "*", "If_None_Match": "*"}):
        assert put(OWN, **wrong).status_code == 400
    assert service._session.delete(own, headers={"If-Match": f'"{digest}"'}, timeout=60).status_code == 412
    assert put(OWN).status_code == 200, "programs that ask for nothing go on as before"
    assert service._session.delete(own, headers={"If-Match": "*"}, timeout=60).status_code == 200


def test_a_hash_of_our_own_makes_no_old_set_new(tmp_path):
    published = write_rules(tmp_path / "published")
    old = datetime(2026, 1, 2, tzinfo=UTC).timestamp()
    for path in [published, *published.rglob("*")]:
        os.utime(path, (old, old))
    service = Service(tmp_path / "squall", "--signatures", str(published))
    try:
        service.start()
        days = (time.time() - old) / 86_400
        for _ in range(2):
            assert service.json("/api/v1/overview")["signatures"]["age_seconds"] / 86_400 == pytest.approx(days, abs=0.1)
            age = next(line for line in service.get("/metrics").text.splitlines() if line.startswith("squall_signature_age_seconds "))
            assert float(age.split()[1]) / 86_400 == pytest.approx(days, abs=0.1)
            answer = service._session.put(f"{service.url}/api/v1/signatures/own/own.yar", json={"text": OWN}, timeout=60)
            assert answer.status_code == 200
        assert service.json("/api/v1/signatures")["current"]["version"] > "2026/01/03", "the set is another"
        service.stop()
    finally:
        service.kill()


def test_who_may_not_listen_any_more_does_not(guarded):
    secret = token(guarded.data, "read", "listener")
    with guarded._session.get(f"{guarded.url}/api/v1/events", headers=bearer(secret), stream=True, timeout=30) as answer:
        lines = answer.iter_lines()
        assert next(lines) == b"event: overview"
        begun = time.monotonic()
        squall(guarded.data, "token", "revoke", "listener")
        for _ in lines:
            assert time.monotonic() - begun < 20, "it goes on"
    assert guarded.get("/api/v1/overview", headers=bearer(secret)).status_code == 401
