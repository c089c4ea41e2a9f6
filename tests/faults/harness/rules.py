"""The rules of the end-to-end tests, and one that takes longer than any test."""

from pathlib import Path

from support.rules import CLEAN, MARKER, RULES, SLUGGISH, slow, write_rules

__all__ = ["CLEAN", "ENDLESS", "MARKER", "SLUGGISH", "slow", "write_fault_rules", "write_quick_rules"]

# Keeps a worker busy until its scan is timed out, or its process killed.
ENDLESS = b"squall-faults-endless"

_ENDLESS_RULE = r"""
rule FAULTS_Endless {
    meta:
        description = "Takes longer than any test"
        score = 90
    strings:
        $endless = "squall-faults-endless"
    condition:
        $endless and for all i in (0..100000000000) : (uint8(i % filesize) != 300)
}
"""

_QUICK_RULE = r"""
rule FAULTS_Quick {
    meta:
        description = "What was endless before, at once"
        score = 90
    strings:
        $endless = "squall-faults-endless"
    condition:
        $endless
}
"""


def write_fault_rules(folder: Path) -> Path:
    """Makes the signature directory of the fault tests; returns it."""
    return write_rules(folder, e2e=RULES, endless=_ENDLESS_RULE)


def write_quick_rules(folder: Path) -> Path:
    """The same without the endless rule, which matches at once instead."""
    return write_rules(folder, e2e=RULES, endless=_QUICK_RULE)
