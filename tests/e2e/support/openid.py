"""A small OpenID provider: pages to log in at, codes, and ID tokens that the real openssl signs."""

import base64
import hashlib
import html
import json
import secrets
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Provider</title><link rel="icon" href="data:,"></head>
<body><main><h1>Provider</h1><form method="post" action="/login">
<input type="hidden" name="asked" value="{asked}">
<label>User <input name="user" autofocus></label>
<button>Continue</button> <button name="cancel" value="1">Cancel</button></form></main></body></html>"""


def openssl(*args, data: bytes | None = None) -> bytes:
    """Runs openssl; returns what it writes."""
    run = subprocess.run(["openssl", *map(str, args)], input=data, capture_output=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


def encode(data: bytes | str) -> str:
    """Writes bytes as tokens have them."""
    data = data.encode() if isinstance(data, str) else data
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    """A key that ID tokens are signed with."""

    KINDS = {
        "RS256": ("RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
        "ES256": ("EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
        "EdDSA": ("ED25519",),
    }

    def __init__(self, folder: Path, algorithm: str):
        self.algorithm, self.kid = algorithm, secrets.token_hex(4)
        self.path = folder / f"{self.kid}.pem"
        openssl("genpkey", "-algorithm", *self.KINDS[algorithm], "-out", self.path)

    def public(self) -> dict:
        """The key as the provider publishes it."""
        about = {"kid": self.kid, "use": "sig", "alg": self.algorithm}
        if self.algorithm == "RS256":
            modulus = openssl("rsa", "-in", self.path, "-noout", "-modulus").decode().strip().partition("=")[2]
            return {**about, "kty": "RSA", "n": encode(bytes.fromhex(modulus)), "e": "AQAB"}
        public = openssl("pkey", "-in", self.path, "-pubout", "-outform", "DER")
        if self.algorithm == "EdDSA":
            return {**about, "kty": "OKP", "crv": "Ed25519", "x": encode(public[-32:])}
        return {**about, "kty": "EC", "crv": "P-256", "x": encode(public[-64:-32]), "y": encode(public[-32:])}

    def sign(self, message: bytes) -> bytes:
        """Signs a message."""
        if self.algorithm == "EdDSA":
            file = self.path.with_suffix(".message")
            file.write_bytes(message)
            return openssl("pkeyutl", "-sign", "-rawin", "-inkey", self.path, "-in", file)
        signature = openssl("dgst", "-sha256", "-sign", self.path, data=message)
        return signature if self.algorithm == "RS256" else flat(signature)

    def token(self, claims: dict, **header) -> str:
        """Makes an ID token."""
        header = {"alg": self.algorithm, "kid": self.kid, "typ": "JWT", **header}
        message = f"{encode(json.dumps(header))}.{encode(json.dumps(claims))}"
        return f"{message}.{encode(self.sign(message.encode()))}"


def flat(signature: bytes) -> bytes:
    """Turns a signature of two numbers in DER into the two numbers (RFC 7518, section 3.4)."""
    numbers, at = [], 2
    for _ in range(2):
        length = signature[at + 1]
        numbers.append(int.from_bytes(signature[at + 2 : at + 2 + length], "big").to_bytes(32, "big"))
        at += 2 + length
    return b"".join(numbers)


def certificate(folder: Path, names: str):
    """An authority of its own and what it issues for `names`; returns the paths of its certificate, and of that and its key."""
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    ca, ca_key, cert, key, asked = (folder / name for name in ("ca.crt", "ca.key", "sso.crt", "sso.key", "sso.csr"))
    openssl("req", "-x509", *new, "-days", "2", "-subj", "/CN=own", "-keyout", ca_key, "-out", ca)
    openssl("req", "-new", *new, "-subj", "/CN=sso", "-addext", f"subjectAltName={names}", "-keyout", key, "-out", asked)
    openssl("x509", "-req", "-in", asked, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "2", "-copy_extensions",
            "copy", "-out", cert)  # fmt: skip
    return ca, cert, key


class Provider:
    """A provider with people and one client. `pages` is the host that browsers see, where that is another than 127.0.0.1."""

    CLIENT, SECRET = "squall", "s:ecret/ä"

    def __init__(self, folder: Path, algorithm="RS256", tls=False, pages="127.0.0.1"):
        folder.mkdir(parents=True)
        self.folder, self.algorithm = folder, algorithm
        self.key = Key(folder, algorithm)
        self.people, self.redirect_url = {}, ""
        # What a test does to a token: given the claims and the key, returns the token.
        self.make_token = lambda claims, key: key.token(claims)
        self.asked, self.codes = [], {}
        self.secret_file = folder / "secret"
        self.secret_file.write_text(self.SECRET + "\n")
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port = self.server.server_address[1]
        self.ca = None
        scheme = "http"
        if tls:
            scheme = "https"
            self.ca, cert, key = certificate(folder, f"IP:127.0.0.1,DNS:{pages}" if pages[0].isalpha() else "IP:127.0.0.1")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(cert, key)
            # With the handshake in the thread of its connection, so that one that ends early stops nobody else.
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.issuer = f"{scheme}://127.0.0.1:{self.port}"
        self.pages = f"{scheme}://{pages}:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self):
        """Ends it; nobody listens there any more."""
        self.server.shutdown()
        self.server.server_close()

    def settings(self, service_url: str, *roles: str):
        """The flags of a service whose people log in here."""
        self.redirect_url = f"{service_url}/oidc/callback"
        flags = ["--oidc-issuer", self.issuer, "--oidc-client-id", self.CLIENT, "--oidc-redirect-url", self.redirect_url,
                 "--oidc-client-secret-file", str(self.secret_file)]  # fmt: skip
        for role in roles or ("admin=squall-admins", "read=soc"):
            flags += ["--oidc-role", role]
        return [*flags, "--oidc-ca", str(self.ca)] if self.ca else flags

    def count(self, path: str) -> int:
        """How often it was asked for something."""
        return self.asked.count(path)

    # ---- what it answers

    def _discovery(self):
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.pages}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "authorization_response_iss_parameter_supported": True,
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }

    def log_in(self, asked: dict, user: str | None) -> str:
        """Lets `user` log in, or cancel; returns where the browser is sent."""
        assert asked["client_id"] == self.CLIENT and asked["redirect_uri"] == self.redirect_url, asked
        assert asked["response_type"] == "code" and "openid" in asked["scope"].split(), asked
        assert asked["code_challenge_method"] == "S256", asked
        back = {"state": asked["state"], "iss": self.issuer}
        if user is None:
            return f"{self.redirect_url}?{urlencode({**back, 'error': 'access_denied'})}"
        code = secrets.token_urlsafe(16) + "+/="
        self.codes[code] = (user, asked)
        return f"{self.redirect_url}?{urlencode({**back, 'code': code})}"

    def _token(self, form: dict, authorization: str):
        given = base64.b64decode(authorization.removeprefix("Basic ")).decode().split(":")
        if [unquote(part) for part in given] != [self.CLIENT, self.SECRET]:
            return 401, {"error": "invalid_client"}
        user, asked = self.codes.pop(form.get("code"), (None, None))
        if user is None or form["redirect_uri"] != self.redirect_url or form["grant_type"] != "authorization_code":
            return 400, {"error": "invalid_grant"}
        if encode(hashlib.sha256(form["code_verifier"].encode()).digest()) != asked["code_challenge"]:
            return 400, {"error": "invalid_grant", "error_description": "PKCE"}
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": self.CLIENT, "sub": f"id-of-{user}", "iat": now, "exp": now + 300,
                  "nonce": asked["nonce"], **self.people[user]}  # fmt: skip
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": self.make_token(claims, self.key)}

    def _handler(provider):  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            timeout = 20

            def log_message(self, *_):
                pass

            def answer(self, status, body, kind="application/json", **headers):
                body = body if isinstance(body, str) else json.dumps(body)
                self.send_response(status)
                for name, value in {"Content-Type": kind, "Content-Length": len(body.encode()), **headers}.items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(body.encode())

            def do_GET(self):  # noqa: N802
                parts = urlsplit(self.path)
                provider.asked.append(parts.path)
                if parts.path == "/.well-known/openid-configuration":
                    self.answer(200, provider._discovery())
                elif parts.path == "/keys":
                    self.answer(200, {"keys": [provider.key.public()]})
                elif parts.path == "/authorize":
                    self.answer(200, PAGE.format(asked=html.escape(parts.query)), "text/html; charset=utf-8")
                else:
                    self.answer(404, {})

            def do_POST(self):  # noqa: N802
                provider.asked.append(self.path)
                form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                if self.path == "/token":
                    self.answer(*provider._token(form, self.headers.get("Authorization", "")))
                elif self.path == "/login":
                    user = None if "cancel" in form else form["user"]
                    location = provider.log_in(dict(parse_qsl(form["asked"])), user)
                    self.answer(303, "", "text/plain", Location=location)
                else:
                    self.answer(404, {})

        return Handler
