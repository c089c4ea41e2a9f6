"""Fixtures: machines to install on, and the project as it is delivered."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from harness import root  # noqa: E402
from harness.machine import Machine  # noqa: E402
from support.needs import lacking  # noqa: E402
from support.places import BINARY  # noqa: E402


def pytest_report_header():
    return f"squall: {BINARY}{'' if BINARY.is_file() else ' (MISSING)'}"


@pytest.fixture(scope="session")
def machines():
    """Skips the tests that need machines where none can be made; fails them in the long form."""
    reason = root.why_not()
    if reason:
        lacking(reason)
    root.folder()


@pytest.fixture(scope="module")
def machine(machines, tmp_path_factory):
    """A running machine, shared by the tests of a module."""
    made = Machine(tmp_path_factory.mktemp("machine"))
    try:
        yield made.boot()
    finally:
        made.destroy()


@pytest.fixture
def new_machine(machines, tmp_path):
    """Makes machines that are not booted yet."""
    made = []

    def make() -> Machine:
        made.append(Machine(tmp_path / f"machine{len(made)}"))
        return made[-1]

    yield make
    for each in made:
        each.destroy()
