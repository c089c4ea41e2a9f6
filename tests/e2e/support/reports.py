"""What pytest says beside the results, in every folder that tests the real binary."""

import os

import pytest

from support.places import BINARY
from support.service import Service

# Tests speak to this machine only; a proxy of the environment would break that.
for _name in ("http_proxy", "https_proxy", "all_proxy"):
    os.environ.pop(_name, None)
    os.environ.pop(_name.upper(), None)


def pytest_report_header():
    """Names the binary under test."""
    return f"squall: {BINARY}{'' if BINARY.is_file() else ' (MISSING)'}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Shows beside a failure what the services of the test printed."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for service in Service.live:
            report.sections.append((f"output of squall on {service.port}", service.output()[-4000:]))
