"""Fixtures: services that faults are done to, and what cleans up after them."""

import resource
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

# The service as a process, and its clients, are those of the end-to-end tests.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from harness.figures import rows_in, table  # noqa: E402
from harness.rules import write_fault_rules  # noqa: E402
from harness.victim import Victim  # noqa: E402
from support.reports import pytest_report_header, pytest_runtest_makereport  # noqa: E402, F401
from support.service import Service  # noqa: E402


def pytest_terminal_summary(terminalreporter):
    """Ends the run with a table: what was done, how long it took, and how the books balanced."""
    rows, figures = [], []
    for outcome in ("passed", "failed", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            said = [line for line in report.capstdout.splitlines() if line.strip()]
            figures += [(report.nodeid, figure) for figure in rows_in(report.capstdout) if outcome == "passed"]
            name = report.nodeid.split("::", 1)[-1]
            rows.append((report.nodeid, f"{outcome:8} {report.duration:6.0f} s  {name}: {said[-1] if said else ''}"))
    terminalreporter.section("faults")
    for _, row in sorted(rows):
        terminalreporter.write_line(row)
    terminalreporter.section("the table of docs/durability.md")
    for line in table([figure for _, figure in sorted(figures, key=lambda figure: figure[0])]):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session", autouse=True)
def many_descriptors():
    """Lets the tests themselves hold the connections that they open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if soft < 8192 else soft, hard))


@pytest.fixture(scope="session")
def rules(tmp_path_factory):
    """A signature directory with the rules of these tests."""
    return write_fault_rules(tmp_path_factory.mktemp("signatures"))


@pytest.fixture
def clean_up():
    """Undoes, last first, what a test did to the machine, however the test ends."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def victim(tmp_path, rules, clean_up):
    """Makes services that are not started yet; each is ended, and its output examined, at the end."""
    made = []

    def make(*args, root=None, signatures=None, **options) -> Victim:
        own = ["--signatures", str(signatures or rules)]
        service = Victim(root or tmp_path / f"squall-{len(made)}", *own, *map(str, args), **options)
        made.append(service)
        clean_up.callback(service.kill)
        return service

    yield make
    for service in made:
        service.kill()
        service.check_output()
