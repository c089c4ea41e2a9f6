"""The real `curl`, and what it got as an answer."""

import json
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Answer:
    """An HTTP answer; `headers` has lower-case names and is that of the last block."""

    status: int
    body: bytes
    headers: dict = field(default_factory=dict)
    http_version: str = ""
    exit_status: int = 0
    errors: str = ""

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8")

    def json(self):
        """The body as JSON, which its header must promise."""
        kind = self.headers.get("content-type", "")
        assert kind.split(";")[0].strip() == "application/json", f"content type {kind!r}: {self.body[:300]}"
        return json.loads(self.body)


def parse_headers(block: str) -> dict:
    """Returns the header fields of one block, names in lower case."""
    fields = {}
    for line in block.splitlines()[1:]:
        name, _, value = line.partition(":")
        fields[name.strip().lower()] = value.strip()
    return fields


def curl(*args: str, seconds: int = 60, must_succeed: bool = True) -> Answer:
    """Runs curl with `args`; an HTTP error is an answer, a failure of curl is not."""
    with tempfile.TemporaryDirectory() as folder:
        body, head = Path(folder, "body"), Path(folder, "head")
        body.touch()
        head.touch()
        command = ["curl", "--disable", "--silent", "--show-error", "--noproxy", "*",
                   "--max-time", str(seconds), "--output", str(body), "--dump-header", str(head),
                   "--write-out", "%{http_code} %{http_version}", *map(str, args)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30, check=False)
        if must_succeed:
            assert run.returncode == 0, f"curl ended with {run.returncode}: {run.stderr}"
        code, version = run.stdout.split(" ")
        blocks = [b for b in head.read_text("latin-1").replace("\r", "").split("\n\n") if b.strip()]
        return Answer(int(code), body.read_bytes(), parse_headers(blocks[-1]) if blocks else {},
                      version, run.returncode, run.stderr)


def form(path: Path, name: str | None = None) -> list[str]:
    """Returns the curl arguments that upload `path` under the sender's `name`."""
    if name is None:
        return ["-F", f"file=@{path}"]
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return ["-F", f'file=@{path};filename="{quoted}"']
