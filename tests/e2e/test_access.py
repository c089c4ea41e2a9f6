"""Tokens: made on the command line, shown by real clients, refused where they are not good."""

import base64
import http.client
import json
import re
import signal
import subprocess
import time

import pytest
import requests
from thunderstormAPI.thunderstorm import ThunderstormAPI

from support.places import BINARY
from support.rules import MARKER
from support.service import Service, StartError, free_port, wait_until
from support.tokens import Guarded, bearer, squall, token


@pytest.fixture(scope="module")
def guarded(tmp_path_factory, rules):
    service = Guarded(tmp_path_factory.mktemp("guarded"), "--signatures", str(rules), "--access", "tokens")
    try:
        yield service.start()
        service.stop()
    finally:
        service.kill()


def test_it_does_not_open_to_others_by_accident(tmp_path, rules):
    service = Service(tmp_path / "s", "--signatures", str(rules), "--server-host", "0.0.0.0")
    with pytest.raises(StartError) as refused:
        service.start()
    said = str(refused.value)
    assert "squall token create --role admin --name NAME" in said and "--insecure-open" in said
    assert not (service.data / "queue").exists()


def test_it_opens_to_others_when_told_so(start):
    service = start("--server-host", "0.0.0.0", "--insecure-open")
    assert service.get("/api/status").status_code == 200
    assert "insecure-open" in service.output()


def test_with_a_token_it_listens_everywhere_and_asks_for_it(tmp_path, rules):
    service = Guarded(tmp_path / "s", "--signatures", str(rules), "--server-host", "0.0.0.0")
    try:
        service.start()
        assert requests.get(service.url + "/api/status", timeout=10).status_code == 401
        service.stop()
    finally:
        service.kill()


def test_curl_shows_a_token_in_each_of_its_ways(guarded, tmp_path):
    sample = tmp_path / "sample"
    sample.write_bytes(MARKER)
    secret = guarded.tokens["submit"]
    upload = ["-F", f"file=@{sample}"]
    plain = f"{guarded.url}/api/check"
    inside = plain.replace("://", f"://collector:{secret}@")

    def curl(*args):
        run = subprocess.run(
            ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", *upload, *args], capture_output=True, text=True,
            timeout=60, check=True,
        )  # fmt: skip
        return run.stdout

    assert curl(plain) == "401"
    assert curl(inside) == "200"
    assert curl("-u", f"anything:{secret}", plain) == "200"
    assert curl("-H", f"X-API-Key: {secret}", plain) == "200"
    assert curl("-H", f"Authorization: Bearer {secret}", plain) == "200"
    assert curl("--oauth2-bearer", secret, plain) == "200"
    assert curl(f"{plain}?token={secret}") == "401"
    # Asks first, so that nothing of the file goes over the wire in vain.
    assert curl("-H", "Expect: 100-continue", plain) == "401"


def test_wget_shows_a_token_when_it_is_asked(guarded, tmp_path):
    secret = guarded.tokens["submit"]
    url = f"{guarded.url}/api/status".replace("://", f"://collector:{secret}@")
    run = subprocess.run(["wget", "-q", "-O", "-", url], capture_output=True, timeout=60, check=True)
    assert b"scanned_samples" in run.stdout


def test_the_python_client_works_with_a_token_in_the_host(guarded, tmp_path):
    sample = tmp_path / "sample"
    sample.write_bytes(MARKER)
    host = f"collector:{guarded.tokens['submit']}@127.0.0.1"
    api = ThunderstormAPI(host=host, port=guarded.port, source="client.example")
    assert api.scan(str(sample))[0]["level"] == "Warning"
    sample_id = api.scan(str(sample), asyn=True)["id"]

    def done():
        answer = api.get_async_result(sample_id)
        return answer if "result" in answer else None

    assert wait_until(done, 30, "the result")["result"][0]["level"] == "Warning"
    assert api.get_status()["scanned_samples"] >= 2


def test_a_submitter_does_not_see_the_samples_of_others(guarded):
    mine = requests.post(
        f"{guarded.url}/api/checkAsync", files={"file": ("a", MARKER)}, headers=bearer(guarded.tokens["submit"]), timeout=30
    ).json()["id"]  # fmt: skip
    others = guarded.enqueue(MARKER)
    assert guarded.result(mine)["result"] and guarded.result(others)["result"]

    def seen(sample_id, base):
        path = f"{guarded.url}{base}/getAsyncResults"
        return requests.get(path, params={"id": sample_id}, headers=bearer(guarded.tokens["submit"]), timeout=30)

    for base in ("/api", "/api/v1"):
        assert seen(mine, base).status_code == 200
        hidden, unknown = seen(others, base), seen(others + 1000, base)
        assert hidden.status_code == unknown.status_code == 400
        assert hidden.text == unknown.text.replace(str(others + 1000), str(others))
    # Also after a restart.
    guarded.stop()
    guarded.start()
    assert seen(mine, "/api").json()["result"] and seen(others, "/api").status_code == 400


def test_a_new_token_is_good_and_a_revoked_one_is_not_without_a_restart(guarded):
    def status(secret):
        return requests.get(f"{guarded.url}/api/status", headers=bearer(secret), timeout=30).status_code

    secret = token(guarded.data, "submit", "for-a-while", "--from", "127.0.0.0/8", "--expires", "90d")
    wait_until(lambda: status(secret) == 200, 5, "the new token is good")
    elsewhere = token(guarded.data, "submit", "elsewhere", "--from", "192.0.2.1")
    wait_until(lambda: status(elsewhere) == 403, 5, "it is known, and not good from here")
    squall(guarded.data, "token", "revoke", "for-a-while")
    wait_until(lambda: status(secret) == 401, 5, "the revoked token is good for nothing")
    assert squall(guarded.data, "token", "revoke", "for-a-while", check=False).returncode == 1


def test_tokens_are_listed_without_their_secrets_and_kept_private(guarded):
    secret = token(guarded.data, "read", "listed")
    said = squall(guarded.data, "token", "list").stdout
    assert re.search(r"[0-9a-f]{8}  read    in force  listed  made .* expires never, from anywhere, last used never", said)
    listed = [json.loads(line) for line in squall(guarded.data, "token", "list", "--json").stdout.splitlines()]
    assert {entry["name"] for entry in listed} >= {"the-submit", "the-read", "the-admin", "listed"}
    access = guarded.data / "access"
    assert access.stat().st_mode & 0o777 == 0o700
    for file in access.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600, file
    for where in (said, json.dumps(listed), (access / "tokens.json").read_text(), guarded.output()):
        assert secret[13:] not in where and guarded.tokens["admin"][13:] not in where


def test_a_data_directory_that_nobody_named_is_told(tmp_path):
    def create(name, *args, **env):
        command = [str(BINARY), "token", "create", "--role", "read", "--name", name, *args]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, env=env, cwd=tmp_path, check=True).stderr

    template = tmp_path / "squall.yml"
    template.write_text("server-port: 8081\n")
    own = tmp_path / "squall-data"
    for name, args in (("a", []), ("b", ["-t", str(template)])):
        assert f"No data directory was named (by -t FILE, --data-dir or SQUALL_DATA_DIR): this is about `{own}`." in create(name, *args)
    assert (own / "access/tokens.json").exists()
    template.write_text(f"data-dir: {own}\n")
    for name, args, env in (("c", ["-t", str(template)], {}), ("d", ["--data-dir", str(own)], {}), ("e", [], {"SQUALL_DATA_DIR": str(own)})):
        assert "No data directory" not in create(name, *args, **env)


def test_the_last_use_is_written_down_when_the_service_stops(tmp_path, rules):
    service = Guarded(tmp_path / "s", "--signatures", str(rules), "--access", "tokens")
    try:
        service.start()
        service.stop()
    finally:
        service.kill()
    listed = map(json.loads, squall(service.data, "token", "list", "--json").stdout.splitlines())
    used = {entry["name"]: entry["last_use"] for entry in listed}
    assert used["the-admin"]["from"] == "127.0.0.1" and used["the-read"] is None


def test_guessing_is_slow_and_stops_no_collector(guarded):
    status = f"{guarded.url}/api/status"
    assert requests.get(status, headers=bearer(guarded.tokens["read"]), timeout=30).status_code == 200
    seen = set()
    for number in range(14):
        answer = requests.get(status, headers=bearer(f"sqt_{number:08x}_{'ab' * 20}"), timeout=30)
        seen.add(answer.status_code)
    assert seen == {401, 503} and int(answer.headers["Retry-After"]) >= 1
    assert requests.get(status, headers=bearer(guarded.tokens["read"]), timeout=30).status_code == 200
    assert "refused a caller" in guarded.output()
    # The flood hides nobody, and goes on being told when nothing is looked at any more.
    other = http.client.HTTPConnection("127.0.0.1", guarded.port, timeout=30, source_address=("127.0.0.2", 0))
    other.request("GET", "/api/status", headers=bearer(f"sqt_{7:08x}_{'ab' * 20}"))
    assert other.getresponse().status == 401
    other.close()
    assert re.search("refused a caller from=127.0.0.2 ", guarded.output())
    time.sleep(1.1)
    assert requests.get(status, headers=bearer(f"sqt_{7:08x}_{'ab' * 20}"), timeout=30).status_code == 503
    assert re.search(r"did not look at a token: .* from=127.0.0.1 .*suppressed=\d+", guarded.output())
    # The tests behind this one are let in again.
    time.sleep(7)


def test_acts_are_in_the_audit_log(guarded):
    assert guarded.post("/api/v1/signatures/reload").status_code == 200
    weak = requests.post(f"{guarded.url}/api/v1/signatures/reload", headers=bearer(guarded.tokens["read"]), timeout=30)
    assert weak.status_code == 403
    token(guarded.data, "submit", "audited")
    last = [(act["who"], act["what"], act["outcome"]) for act in guarded.audit()[-3:]]
    assert last == [
        ("the-admin", "POST /api/v1/signatures/reload", "done"),
        ("the-read", "POST /api/v1/signatures/reload", "refused"),
        (last[2][0], "token create audited (submit)", "done"),
    ]
    assert last[2][0].startswith("uid ")
    assert (guarded.data / "audit.log").stat().st_mode & 0o777 == 0o600


def test_a_review_bears_the_name_of_the_token(guarded):
    guarded.check(MARKER, name="/tmp/reviewed.txt")

    def found():
        return guarded.json("/api/v1/findings?name=reviewed.txt")["findings"]

    event = wait_until(found, 20, "the finding is stored")[0]["event_id"]
    body = {"state": "reviewed", "note": "seen", "who": "somebody else"}
    review = guarded.post(f"/api/v1/findings/{event}/review", json=body)
    assert review.status_code == 200, review.text
    assert review.json()["who"] == "the-admin"


def test_commands_find_their_token(guarded):
    def failed(url, **env):
        run = subprocess.run(
            [str(BINARY), "failed", "list", "--url", url], capture_output=True, text=True, timeout=60, env=env, check=False
        )
        assert guarded.tokens["admin"][13:] not in run.stdout + run.stderr
        return run

    refused = failed(guarded.url)
    assert refused.returncode == 1 and "a token is needed (status 401)" in refused.stderr
    assert failed(guarded.url, SQUALL_TOKEN=guarded.tokens["admin"]).returncode == 0
    inside = guarded.url.replace("://", f"://me:{guarded.tokens['admin']}@")
    assert failed(inside).returncode == 0
    nobody = f"http://me:{guarded.tokens['admin']}@127.0.0.1:{free_port()}"
    assert failed(nobody).returncode == 1


def test_nothing_is_stored_for_strangers(guarded):
    before = guarded.status()
    for headers in ({}, bearer("sqt_x"), {"Authorization": "Basic " + base64.b64encode(b"a:b").decode()}):
        answer = requests.post(
            f"{guarded.url}/api/checkAsync", files={"file": ("a", MARKER)}, headers=headers, timeout=30
        )  # fmt: skip
        assert answer.status_code in (401, 503)
        assert set(answer.json()) == {"reason", "message"}
    guarded.unchanged(before)


def test_a_signal_is_an_act(guarded):
    before = len(guarded.audit())
    guarded.signal(signal.SIGHUP)
    act = wait_until(lambda: guarded.audit()[before:], 20, "the act is written down")[0]
    assert (act["from"], act["outcome"]) == ("SIGHUP", "done") and "signatures reload" in act["what"]


def test_an_act_that_cannot_be_written_down_is_told(tmp_path, rules):
    # With the sandbox it would be refused for another reason.
    service = Guarded(tmp_path / "s", "--signatures", str(rules), "--access", "tokens", "--sandbox", "off")
    (service.data / "audit.log").unlink()
    # A disk that is full.
    (service.data / "audit.log").symlink_to("/dev/full")
    try:
        service.start()
        assert service.post("/api/v1/signatures/reload").status_code == 200
        assert "squall_audit_failures_total 1\n" in service.get("/metrics").text
        checks = {check["name"]: check for check in service.json("/api/v1/self-check")["checks"]}
        assert checks["Audit log"]["state"] == "bad" and "1 acts" in checks["Audit log"]["message"]
        told = next(line for line in service.output().splitlines() if "is not in the audit log" in line)
        assert 'who="the-admin"' in told and 'what="POST /api/v1/signatures/reload"' in told and "No space left" in told
        service.stop()
    finally:
        service.kill()
