"""What to do where a fault cannot be done."""

import pytest

from support.places import SOAK


def lacking(what: str):
    """Skips the test; fails it in the long form, which is to show that every fault was survived."""
    if SOAK:
        pytest.fail(f"the long form leaves nothing out: {what}", pytrace=False)
    pytest.skip(what)
