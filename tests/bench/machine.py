"""What a measurement was made on."""

import os
import platform
import subprocess
from datetime import datetime, timezone
from pathlib import Path


def facts(root):
    """Pairs of a name and a value."""
    return [
        ("date", datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")),
        ("processor", f"{os.cpu_count()} × {processor()}"),
        ("memory", f"{memory_gib():.0f} GiB"),
        ("system", f"{distribution()}, Linux {platform.release()}"),
        ("disk", disk(root)),
        ("load before", " ".join(f"{load:.1f}" for load in os.getloadavg())),
        ("Squall", said(["git", "-C", str(root), "describe", "--always", "--dirty"])),
        ("compiler", said(["rustc", "--version"])),
    ]


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def memory_gib():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)


def distribution():
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.split("=", 1)[1].strip('"')
    return platform.system()


def disk(path):
    return said(["findmnt", "--noheadings", "--output", "FSTYPE", "--target", str(path)])


def said(command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
