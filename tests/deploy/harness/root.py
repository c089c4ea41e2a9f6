"""The Debian root that machines start from, made once with the system's own package tool."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from support.places import REPOSITORY

# What a small server has: nothing of it is for Squall alone.
PACKAGES = ("adduser", "ca-certificates", "curl", "dbus", "logrotate", "procps", "systemd", "systemd-sysv")
TOOLS = REPOSITORY / os.environ.get("CARGO_TARGET_DIR", "target") / "tools"


def why_not() -> str | None:
    """Says why no machine can be made here, or `None`."""
    if os.geteuid() != 0:
        return "root is needed to make machines"
    for tool in ("mmdebstrap", "unshare", "nsenter", "pivot_root", "mount"):
        if not shutil.which(tool):
            return f"`{tool}` is not installed"
    probe = subprocess.run(
        ["unshare", "-mpfCnui", "--mount-proc", "true"], capture_output=True, text=True, timeout=30
    )
    return None if probe.returncode == 0 else f"no namespaces here: {probe.stderr.strip()}"


def _suite() -> str:
    """The release of this machine, so that the program finds the libraries it was built with."""
    release = dict(
        line.rstrip().split("=", 1) for line in Path("/etc/os-release").open() if "=" in line
    )
    return release.get("VERSION_CODENAME", "stable").strip('"')


def folder() -> Path:
    """Returns the root's directory, which nobody changes; makes it when it is not there yet.

    Raises `CalledProcessError` when the packages cannot be had.
    """
    recipe = f"{_suite()} {','.join(PACKAGES)}"
    path = TOOLS / f"root-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    if not path.exists():
        TOOLS.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        subprocess.run(
            ["mmdebstrap", "--quiet", "--variant=minbase", "--dpkgopt=force-unsafe-io",
             f"--include={','.join(PACKAGES)}", _suite(), str(part)],
            check=True,
            timeout=280,
            stdin=subprocess.DEVNULL,
        )
        part.rename(path)
    return path
