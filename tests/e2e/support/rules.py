"""Rules made for these tests, so that what must match does not depend on the starter set."""

import base64
from pathlib import Path

MARKER = b"squall-e2e-marker"
SECOND = b"squall-e2e-second"
# Keeps one worker busy for about a second.
SLOW = b"squall-e2e-slow"
# Keeps one worker busy for about twenty milliseconds.
SLUGGISH = b"squall-e2e-sluggish"
CLEAN = b"nothing to see here\n"


def slow(number: int) -> bytes:
    """A slow sample like no other number's: the same content is scanned once."""
    return SLOW + b" %d" % number


RULES = r"""
rule E2E_Marker : WEBSHELL TEST {
    meta:
        description = "Marks a sample of the end-to-end tests"
        author = "Squall tests"
        reference = "https://example.com/e2e-marker"
        date = "2026-11-24"
        score = 80
        id = "6d0ff1a2-3b14-4f0c-9a53-0d7b7f6c1e01"
    strings:
        $marker = "squall-e2e-marker"
    condition:
        $marker
}

rule E2E_Second {
    meta:
        description = "The second mark"
        author = "Squall tests"
        date = "2026-11-23"
        score = 60
    strings:
        $second = "squall-e2e-second"
    condition:
        $second
}

rule E2E_Name {
    meta:
        description = "Matches by the name on the sender alone"
        score = 70
    condition:
        filename == "named.php" and extension == ".php" and filepath contains "www"
}

rule E2E_Slow {
    meta:
        description = "Takes about a second"
        score = 50
    strings:
        $slow = "squall-e2e-slow"
    condition:
        $slow and for all i in (0..100000000) : (uint8(i % filesize) != 300)
}

rule E2E_Sluggish {
    meta:
        description = "Takes about twenty milliseconds"
        score = 50
    strings:
        $sluggish = "squall-e2e-sluggish"
    condition:
        $sluggish and for all i in (0..2000000) : (uint8(i % filesize) != 300)
}
"""

RULE_COUNT = 5

CUSTOM_RULE = r"""
rule E2E_Custom {
    meta:
        description = "A rule of the operator's own"
        score = 77
    strings:
        $custom = "squall-e2e-custom"
    condition:
        $custom
}
"""

CUSTOM = b"squall-e2e-custom"

# Line 5 names a string that is not defined.
BROKEN_RULE = "rule E2E_Broken {\n    meta:\n        score = 80\n    condition:\n        $missing\n}\n"
BROKEN_LINE = 5

# The standard anti-malware test file, encoded so that a scanner on the
# developer's machine leaves this file alone.
EICAR = base64.b64decode(
    "WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNUQU5EQVJELUFOVElWSVJVUy1URVNULUZJTEUhJEgrSCo="
)


def write_rules(folder: Path, **files: str) -> Path:
    """Makes a signature directory holding `files` (name without suffix = text); returns it."""
    yara = folder / "yara"
    yara.mkdir(parents=True, exist_ok=True)
    for name, text in (files or {"e2e": RULES}).items():
        (yara / f"{name}.yar").write_text(text)
    return folder
