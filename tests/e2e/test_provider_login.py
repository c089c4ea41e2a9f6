"""Logging in at an OpenID provider: what is believed of it, and what is not. With a browser: tests/console."""

import json
import time
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from support.openid import Key, Provider, encode
from support.rules import MARKER
from support.service import Service, StartError, free_port, wait_until
from support.tokens import Guarded, bearer, squall

ANA = {"preferred_username": "ana", "groups": ["staff", "squall-admins"]}


class Place:
    """A service, and a provider that its people log in at."""

    def __init__(self, root, rules, *args, algorithm="RS256", roles=(), **options):
        self.provider = Provider(root / "provider", algorithm)
        port = free_port()
        flags = self.provider.settings(f"http://127.0.0.1:{port}", *roles)
        self.service = Guarded(root / "squall", "--signatures", str(rules), *flags, *args, port=port, **options)
        self.provider.people["ana"] = ANA
        self.provider.people["ben"] = {"preferred_username": "ben", "groups": ["staff"]}

    def browser(self, address=None) -> requests.Session:
        """A browser, which comes from `address` as far as a proxy tells."""
        browser = requests.Session()
        browser.trust_env = False
        if address:
            browser.headers["X-Forwarded-For"] = address
        return browser

    def begin(self, browser, path="/oidc/login") -> dict:
        """Sends a browser to the provider; returns what it was told to ask there."""
        there = browser.get(self.service.url + path, allow_redirects=False, timeout=30)
        assert there.status_code == 303, there.text
        address = there.headers["Location"]
        assert address.startswith(f"{self.provider.pages}/authorize?"), address
        return dict(parse_qsl(urlsplit(address).query))

    def back(self, browser, address):
        """Brings a browser back from the provider."""
        return browser.get(address, allow_redirects=False, timeout=30)

    def log_in(self, browser, user="ana"):
        """Logs somebody in; returns the answer to the browser that comes back."""
        return self.back(browser, self.provider.log_in(self.begin(browser), user))

    def session(self, browser) -> dict:
        """Who a browser is to the service."""
        return browser.get(f"{self.service.url}/api/v1/session", timeout=30).json()

    def refused(self, browser, answer, status, text):
        """Fails unless a browser was told why it is not logged in, and is not."""
        assert answer.status_code == status, answer.text
        assert text in answer.text and "<title>Not logged in" in answer.text
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "squall_session" not in browser.cookies and self.session(browser)["name"] is None


@pytest.fixture
def place(tmp_path, rules):
    """Makes places; each ends with the test."""
    places = []

    def make(*args, **options):
        places.append(Place(tmp_path / str(len(places)), rules, *args, **options))
        places[-1].service.start()
        return places[-1]

    yield make
    try:
        for made in places:
            if made.service.running():
                made.service.stop()
            made.service.check_output()
    finally:
        for made in places:
            made.service.kill()
            made.provider.close()


@pytest.mark.parametrize("algorithm", Key.KINDS)
def test_somebody_logs_in_and_out(place, algorithm):
    here = place(algorithm=algorithm)
    browser = here.browser()
    assert here.session(browser)["provider"] == "Log in with single sign-on"
    answer = here.log_in(browser)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/"), answer.text
    session = here.session(browser)
    assert (session["name"], session["subject"], session["role"]) == ("ana", "id-of-ana", "admin")
    # A change needs the console's header, as with a token.
    reload = f"{here.service.url}/api/v1/signatures/reload"
    assert browser.post(reload, timeout=60).status_code == 403
    console = {"X-Squall-Console": "1"}
    assert browser.post(reload, headers=console, timeout=60).status_code == 200
    kept = browser.cookies["squall_session"]
    assert browser.delete(f"{here.service.url}/api/v1/session", headers=console, timeout=30).status_code == 200
    over = requests.get(f"{here.service.url}/api/v1/log", cookies={"squall_session": kept}, timeout=30)
    assert over.status_code == 401
    acts = [(act["who"], act.get("subject"), act["what"], act["outcome"]) for act in here.service.audit()]
    # The change without the header was refused before it was looked at who sent it.
    assert acts[-3:] == [
        ("ana", "id-of-ana", "log in", "done"),
        ("ana", "id-of-ana", "POST /api/v1/signatures/reload", "done"),
        ("ana", "id-of-ana", "log out", "done"),
    ]


def test_cookies_are_as_narrow_as_they_can_be(place):
    here = place()
    browser = here.browser()
    began = browser.get(f"{here.service.url}/oidc/login", allow_redirects=False, timeout=30)
    cookie = began.headers["Set-Cookie"].lower()
    assert cookie.startswith("squall_login=") and "; path=/oidc; max-age=600; httponly; samesite=lax" in cookie
    assert began.headers["Cache-Control"] == "no-store" and began.headers["Referrer-Policy"] == "no-referrer"
    asked = dict(parse_qsl(urlsplit(began.headers["Location"]).query))
    answer = here.back(browser, here.provider.log_in(asked, "ana"))
    set_session, end_login = (value.lower() for value in answer.raw.headers.getlist("Set-Cookie"))
    assert set_session.startswith("squall_session=") and "; path=/; max-age=43200; httponly; samesite=strict" in set_session
    assert end_login.startswith("squall_login=;") and "max-age=0" in end_login


def test_an_answer_is_good_once_and_for_the_browser_that_began(place):
    here = place()
    ana, other = here.browser(), here.browser()
    address = here.provider.log_in(here.begin(ana), "ana")
    # Somebody else has a browser follow the link: with no log-in under way, and with one of its own.
    here.refused(other, here.back(other, address), 400, "not begun in this browser")
    here.begin(other)
    here.refused(other, here.back(other, address), 400, "not begun in this browser")
    assert here.provider.count("/token") == 0
    # Without a state, with another.
    for changed in (address.replace("state=", "other="), address.replace("state=", "state=x"), address.partition("?")[0]):
        here.refused(ana, here.back(ana, changed), 400, "not begun in this browser")
    assert here.back(ana, address).status_code == 303
    again = here.back(ana, address)
    assert again.status_code == 400 and "completed already" in again.text
    assert here.provider.count("/token") == 1


def test_nobody_is_sent_anywhere_but_to_the_provider_and_the_console(place):
    here = place()
    browser = here.browser()
    evil = "https://evil.example/"
    asked = here.begin(browser, f"/oidc/login?next={evil}&redirect_uri={evil}&return={evil}")
    assert asked["redirect_uri"] == here.provider.redirect_url
    assert evil not in json.dumps(asked)
    address = here.provider.log_in(asked, "ana") + f"&next={evil}&redirect_uri={evil}"
    answer = browser.get(address, headers={"X-Forwarded-Host": "evil.example"}, allow_redirects=False, timeout=30)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


def test_a_token_that_is_not_good_lets_nobody_in(place):
    here = place("--trusted-proxy", "127.0.0.1")
    provider = here.provider
    other = Key(provider.folder, provider.algorithm)

    def with_claims(**changed):
        return lambda claims, key: key.token({**claims, **changed})

    def unsigned(claims, key):
        return f"{encode(json.dumps({'alg': 'none'}))}.{encode(json.dumps(claims))}."

    def changed_after(claims, key):
        head, _, signature = key.token(claims).split(".")
        return f"{head}.{encode(json.dumps({**claims, 'sub': 'id-of-root'}))}.{signature}"

    now = int(time.time())
    for number, (make_token, reason) in enumerate([
        (with_claims(nonce="another"), "it is of another log-in"),
        (with_claims(aud="another"), "it is for another client"),
        (with_claims(aud=["squall", "another"]), "it is for another client"),
        (with_claims(iss="https://another.example"), "it is of another issuer"),
        (with_claims(exp=now - 120), "its time is over"),
        (with_claims(iat=now + 3600), "its time has not come"),
        (with_claims(sub=""), "it has no subject"),
        (lambda claims, key: other.token(claims, kid=key.kid), "its signature is wrong"),
        (lambda claims, key: other.token(claims), "a key that the provider does not publish"),
        (lambda claims, key: key.token(claims, alg="HS256"), "an algorithm that is not good here"),
        (unsigned, "it is no signed token"),
        (changed_after, "its signature is wrong"),
        (lambda claims, key: "x" * 100_000, "it is no signed token"),
    ]):  # fmt: skip
        provider.make_token = make_token
        # From somewhere else each time: an address has ten tries. The log has one line a second of who is refused.
        browser = here.browser(f"192.0.2.{number}")
        time.sleep(1.05)
        here.refused(browser, here.log_in(browser), 502, "not to be believed")
        wait_until(lambda: here.service.output().count(reason), 5, reason)
    assert not [act for act in here.service.audit() if act["what"] == "log in"]


def test_who_has_no_role_is_told_so_and_written_down(place):
    here = place()
    browser = here.browser()
    here.provider.people["eve"] = {"preferred_username": "<b>eve</b>\u202e", "groups": "squall-admin"}
    answer = here.log_in(browser, "eve")
    here.refused(browser, answer, 403, "as &lt;b&gt;eve&lt;/b&gt;\\u{202e}, but nothing it says of you gives you a role here")
    act = here.service.audit()[-1]
    assert (act["subject"], act["what"], act["outcome"]) == ("id-of-eve", "log in", "refused")
    assert "role" not in act
    here.refused(browser, here.log_in(browser, None), 403, "The provider refuses the log-in: access_denied.")


def test_failed_tries_are_limited_as_with_tokens(place):
    here = place()
    for _ in range(10):
        browser = here.browser()
        here.refused(browser, here.log_in(browser, "ben"), 403, "gives you a role here")
    answer = here.browser().get(f"{here.service.url}/oidc/login", allow_redirects=False, timeout=30)
    assert answer.status_code == 503 and int(answer.headers["Retry-After"]) >= 1
    assert "Too many failed tries" in answer.text
    # A token that nobody has shown from here yet waits as well.
    wrong = requests.get(f"{here.service.url}/api/status", headers=bearer("sqt_00000000_" + "0" * 40), timeout=30)
    assert wrong.status_code == 503
    time.sleep(6.1)
    assert here.log_in(here.browser()).status_code == 303


def test_links_of_other_sites_use_up_no_tries(place):
    here = place()
    for _ in range(15):
        stranger = here.browser()
        here.refused(stranger, here.back(stranger, here.provider.redirect_url + "?code=a&state=b"), 400, "Begin again")
    assert here.log_in(here.browser()).status_code == 303


def test_a_role_is_let_in_from_its_networks_only(place):
    here = place("--role-network", "admin=192.0.2.0/24", "--role-network", "admin=127.0.0.0/8", "--trusted-proxy", "127.0.0.1")
    inside, outside = here.browser("192.0.2.7"), here.browser("198.51.100.7")
    here.refused(outside, here.log_in(outside), 403, "callers with this role are not let in from this address")
    assert here.service.audit()[-1]["outcome"] == "refused"
    assert here.log_in(inside).status_code == 303
    assert here.session(inside)["name"] == "ana"
    # A session that goes elsewhere.
    inside.headers["X-Forwarded-For"] = "198.51.100.7"
    assert inside.get(f"{here.service.url}/api/v1/overview", timeout=30).status_code == 403
    assert here.session(inside)["name"] is None


def test_what_somebody_sent_is_his_whatever_he_is_called(place):
    here = place(roles=("submit=staff", "read=soc"))
    console = {"X-Squall-Console": "1"}

    def logged_in(user):
        browser = here.browser()
        assert here.log_in(browser, user).status_code == 303
        return browser

    def result(browser, sample_id):
        return browser.get(f"{here.service.url}/api/v1/getAsyncResults?id={sample_id}", timeout=30).status_code

    ben = logged_in("ben")
    sent = ben.post(f"{here.service.url}/api/v1/checkAsync", files={"file": ("a", MARKER)}, headers=console, timeout=30)
    sample_id = sent.json()["id"]
    here.provider.people["carl"] = {"preferred_username": "ben", "groups": ["staff"]}
    assert result(logged_in("carl"), sample_id) == 400
    here.provider.people["ben"]["preferred_username"] = "benjamin"
    again = logged_in("ben")
    assert here.session(again)["name"] == "benjamin"
    assert result(again, sample_id) == 200


def test_new_keys_of_the_provider_are_asked_for(place):
    here = place()
    assert here.log_in(here.browser()).status_code == 303
    here.provider.key = Key(here.provider.folder, here.provider.algorithm)
    wait_until(lambda: here.log_in(here.browser()).status_code == 303, 30, "the new key is known", pause=2.5)
    assert here.provider.count("/keys") == 2


def test_a_provider_that_is_gone_keeps_nobody_from_using_a_token(place):
    here = place()
    asked = here.begin(here.browser())
    here.provider.close()
    browser = here.browser()
    # What it said is known; that it does not change the code is told.
    mine = here.begin(browser)
    answer = here.back(browser, here.provider.log_in(mine, "ana"))
    here.refused(browser, answer, 503, "The provider does not answer. Try again later, or log in with a token.")
    assert answer.headers["Retry-After"] == "5" and asked["state"] != mine["state"]
    wait_until(lambda: "people may log in at the provider" in here.service.output(), 15, "a line in the log")
    here.service.stop()
    here.service.start()
    wait_until(lambda: "nobody could log in at the provider now" in here.service.output(), 15, "a line in the log")
    answer = here.browser().get(f"{here.service.url}/oidc/login", allow_redirects=False, timeout=30)
    assert answer.status_code == 503 and "The provider does not answer" in answer.text
    token = here.service.tokens["admin"]
    session = f"{here.service.url}/api/v1/session"
    begun = browser.post(session, json={"token": token}, headers={"X-Squall-Console": "1"}, timeout=30)
    assert begun.status_code == 200 and here.session(browser)["name"] == "the-admin"


def test_the_listener_for_collectors_has_nothing_of_it(place):
    port = free_port()
    here = place("--admin-listen", f"127.0.0.1:{port}")
    for path in ("/oidc/login", "/oidc/callback"):
        assert here.service.get(path, allow_redirects=False).status_code == 404
    there = requests.get(f"http://127.0.0.1:{port}/oidc/login", allow_redirects=False, timeout=30)
    assert there.status_code == 303


def test_the_secret_is_told_to_nobody_but_the_provider(place):
    here = place()
    assert here.log_in(here.browser()).status_code == 303
    secret = here.provider.SECRET
    for path in ("/api/v1/info", "/api/info", "/api/v1/configuration", "/api/v1/log", "/api/v1/self-check"):
        assert secret not in here.service.get(path).text, path
    assert secret not in here.service.output()
    shown = squall(here.service.data, "check-config", *here.provider.settings(here.service.url)).stdout
    assert secret not in shown and f"oidc-client-secret-file: {here.provider.secret_file}" in shown


def test_without_a_provider_there_is_nothing_of_it(tmp_path, rules):
    service = Guarded(tmp_path / "s", "--signatures", str(rules), "--access", "tokens")
    try:
        service.start()
        for path in ("/oidc/login", "/oidc/callback?code=a&state=b"):
            answer = requests.get(service.url + path, allow_redirects=False, timeout=30)
            assert (answer.status_code, answer.json()["reason"]) == (404, "there is nothing at this path")
        assert "provider" not in requests.get(f"{service.url}/api/v1/session", timeout=30).json()
        service.stop()
    finally:
        service.kill()


def test_it_asks_for_a_login_and_starts_without_a_token_on_every_address(tmp_path, rules):
    provider = Provider(tmp_path / "provider")
    port = free_port()
    flags = provider.settings(f"http://127.0.0.1:{port}")
    service = Service(tmp_path / "s", "--signatures", str(rules), "--server-host", "0.0.0.0", *flags, port=port)
    try:
        service.spawn()
        wait_until(lambda: _status(service, "/api/status"), 30, "it answers")
        assert _status(service, "/api/status") == 401
        assert _status(service, "/oidc/login") == 303
        service.stop()
    finally:
        service.kill()
        provider.close()


def _status(service, path):
    try:
        return requests.get(service.url + path, allow_redirects=False, timeout=10).status_code
    except requests.ConnectionError:
        return None


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--oidc-client-id", "squall"], "`oidc-client-id` is set but `oidc-issuer` is not"),
        (["--oidc-issuer", "http://sso.example"], "cannot use `http://sso.example` for `oidc-issuer`"),
        (["--oidc-issuer", "https://sso.example"], "`oidc-issuer` is set but `oidc-client-id` is not"),
        (["--oidc-client-secret-file", "/nonexistent/secret"], "cannot read `/nonexistent/secret`"),
        (["--oidc-ca", "/nonexistent/ca"], "cannot read `/nonexistent/ca`"),
        (["--insecure-open"], "`oidc-issuer` says who may but `insecure-open` lets everybody in"),
    ],
)
def test_what_cannot_work_is_said_at_the_start(tmp_path, rules, flags, said):
    whole = ["--oidc-issuer", "https://sso.example", "--oidc-client-id", "squall", "--oidc-role", "read=soc",
             "--oidc-redirect-url", "https://squall.example/oidc/callback"]  # fmt: skip
    alone = flags[0] in ("--oidc-client-id", "--oidc-issuer")
    service = Service(tmp_path / "s", "--signatures", str(rules), *flags, *([] if alone else whole))
    with pytest.raises(StartError) as refused:
        service.start()
    assert said in str(refused.value)
