"""A source of signatures: an HTTPS server whose answers a test chooses, and minisign signatures."""

import base64
import hashlib
import io
import os
import ssl
import subprocess
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def _openssl(*arguments, data: bytes | None = None) -> bytes:
    done = subprocess.run(["openssl", *map(str, arguments)], input=data, capture_output=True, timeout=60, check=True)
    return done.stdout


def bundle(**files: str) -> bytes:
    """Returns a zip archive of rule files (name without suffix = text)."""
    return archive({f"set-main/yara/{name}.yar": text for name, text in files.items()})


def archive(files: dict) -> bytes:
    """Returns a zip archive of files by their names."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in files.items():
            packed.writestr(name, text)
    return out.getvalue()


class Source:
    """Serves what is in `files` by path; counts requests; can be slow or cut off."""

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.files: dict = {}
        self.asked: list = []
        self.cut_at = None
        self.stalled = threading.Event()
        self.release = threading.Event()
        self.stall = False
        ca, ca_key = self._certificate("ca", "basicConstraints=critical,CA:TRUE")
        cert, key = self._certificate("leaf", "basicConstraints=critical,CA:FALSE", ca, ca_key)
        self.ca = ca
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def _certificate(self, name: str, extension: str, ca=None, ca_key=None):
        cert, key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        issuer = ["-CA", ca, "-CAkey", ca_key] if ca else []
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                 "-subj", f"/CN=squall {name}", "-addext", "subjectAltName=IP:127.0.0.1", "-addext", extension,
                 *issuer, "-keyout", key, "-out", cert)
        return cert, key

    def _handler(source):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                source.asked.append((self.path, {key.lower(): value for key, value in self.headers.items()}))
                content = source.files.get(self.path)
                if source.stall:
                    source.stalled.set()
                    source.release.wait(60)
                if content is None:
                    self.send_error(404)
                    return
                etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
                if self.headers.get("If-None-Match") == etag:
                    self.send_response(304)
                    self.end_headers()
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.send_header("ETag", etag)
                self.end_headers()
                self.wfile.write(content if source.cut_at is None else content[: source.cut_at])

            def log_message(self, *_):
                pass

        return Handler

    def env(self) -> dict:
        """What makes a process trust this server."""
        return {"SSL_CERT_FILE": str(self.ca)}

    def close(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()


class Signer:
    """A minisign key pair."""

    def __init__(self, folder: Path, name: str = "minisign"):
        folder.mkdir(parents=True, exist_ok=True)
        self._key = folder / f"{name}.pem"
        _openssl("genpkey", "-algorithm", "ed25519", "-out", self._key)
        self._id = os.urandom(8)
        public = _openssl("pkey", "-in", self._key, "-pubout", "-outform", "DER")[-32:]
        self.public = folder / f"{name}.pub"
        text = base64.b64encode(b"Ed" + self._id + public).decode()
        self.public.write_text(f"untrusted comment: minisign public key\n{text}\n")

    def _sign(self, data: bytes) -> bytes:
        message = self._key.with_suffix(".message")
        message.write_bytes(data)
        return _openssl("pkeyutl", "-sign", "-rawin", "-inkey", self._key, "-in", message)

    def signature(self, content: bytes) -> bytes:
        """Returns the text of the `.minisig` file of `content`."""
        signature = self._sign(hashlib.blake2b(content).digest())
        comment = b"signed by a test"
        whole = self._sign(signature + comment)
        lines = [b"untrusted comment: signature", base64.b64encode(b"ED" + self._id + signature),
                 b"trusted comment: " + comment, base64.b64encode(whole), b""]
        return b"\n".join(lines)
