"""Where things are: the binary under test, reference data, and how long to run."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]


def _binary() -> Path:
    named = os.environ.get("SQUALL_BIN")
    if named:
        return Path(named).resolve()
    target = Path(os.environ.get("CARGO_TARGET_DIR", "target"))
    return (REPOSITORY / target / "release" / "squall").resolve()


BINARY = _binary()

# Public rules and samples beside the repository; never part of it, so a
# checkout without them skips what needs them.
SHARED = Path(os.environ.get("SQUALL_SHARED", REPOSITORY / ".." / "shared")).resolve()
SIGNATURE_BASE = SHARED / "signature-base"
SAMPLES = SHARED / "reference" / "samples"
ORIGINAL_OPENAPI = SHARED / "reference" / "thunderstorm-openapi-v0.json"

SOAK = os.environ.get("SQUALL_SOAK") == "1"

needs_signature_base = pytest.mark.skipif(
    not SIGNATURE_BASE.is_dir(),
    reason="no signature-base: SQUALL_SHARED names no folder that has it",
)
needs_samples = pytest.mark.skipif(
    not SAMPLES.is_dir(),
    reason="no reference samples: SQUALL_SHARED names no folder that has them",
)


def rounds(short: int, long: int) -> int:
    """Returns how often to repeat something: `long` times under `tests/run --soak`."""
    return long if SOAK else short
