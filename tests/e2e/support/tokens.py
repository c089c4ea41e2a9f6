"""Tokens, made by the real command, and a service that asks for them."""

import json
import re
import subprocess

from support.places import BINARY
from support.service import Service

TOKEN = re.compile(r"^sqt_[0-9a-f]{8}_[0-9a-f]{40}$")


def squall(data, *args, check=True):
    """Runs a command of the binary on a data directory."""
    run = subprocess.run(
        [str(BINARY), *map(str, args), "--data-dir", str(data)], capture_output=True, text=True, timeout=60, check=False
    )
    assert not check or run.returncode == 0, run.stderr
    return run


def token(data, role, name, *args) -> str:
    """Makes a token."""
    made = squall(data, "token", "create", "--role", role, "--name", name, *args).stdout.strip()
    assert TOKEN.match(made), made
    return made


def bearer(secret):
    """The header that shows a token."""
    return {"Authorization": f"Bearer {secret}"}


class Guarded(Service):
    """A service that asks for tokens; its own requests show that of an administrator."""

    def __init__(self, root, *args, **options):
        super().__init__(root, *args, **options)
        self.tokens = {role: token(self.data, role, f"the-{role}") for role in ("submit", "read", "admin")}
        self._session.headers.update(bearer(self.tokens["admin"]))

    def audit(self):
        """Returns the lines of the audit log."""
        return [json.loads(line) for line in (self.data / "audit.log").read_text().splitlines()]
