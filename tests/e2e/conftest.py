"""Fixtures: the binary with rules of our own, started once per module or to a test's wish."""

import pytest

from support.reports import pytest_report_header, pytest_runtest_makereport  # noqa: F401
from support.rules import write_rules
from support.service import Service, ended_well, running

pytest_plugins = ["support.local_scan"]


@pytest.fixture(scope="session")
def rules(tmp_path_factory):
    """A signature directory with the rules of these tests."""
    return write_rules(tmp_path_factory.mktemp("signatures"))


@pytest.fixture(scope="module")
def squall(tmp_path_factory, rules):
    """A running service with the tests' rules, shared by the tests of a module."""
    root = tmp_path_factory.mktemp("squall")
    with running(Service(root, "--signatures", str(rules))) as service:
        yield service


@pytest.fixture
def start(tmp_path, rules):
    """Starts services with options of the test's choice; each is stopped and checked at the end."""
    with ended_well() as services:

        def begin(*args, signatures=True, name="squall", **options) -> Service:
            own = ["--signatures", str(rules)] if signatures else []
            service = Service(tmp_path / name, *own, *map(str, args), **options)
            services.append(service)
            return service.start()

        yield begin
