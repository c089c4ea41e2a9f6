"""What to do where a test cannot be done."""

import pytest

from support.places import SOAK


def lacking(what: str):
    """Skips the test; fails it in the long form, which is to show everything."""
    if SOAK:
        pytest.fail(f"the long form leaves nothing out: {what}", pytrace=False)
    pytest.skip(what)
