"""A function's settings: every problem at once."""

from __future__ import annotations

import pytest

from common.environment import Settings
from forceglue.errors import UsageError
from token_broker.settings import broker_settings


def test_every_problem_is_told_at_once() -> None:
    given = Settings({"A": " ", "N": "many", "M": "7"})
    given.text("A", "what A is")
    given.number("N", 1, least=0, most=5)
    given.number("M", 1, least=0, most=5)
    with pytest.raises(UsageError) as caught:
        given.done()
    assert str(caught.value).splitlines()[1:] == [
        "  A is not set: what A is",
        "  N is 'many', and is a number from 0 to 5",
        "  M is '7', and is a number from 0 to 5",
    ]


def test_what_is_not_said_has_its_usual_value() -> None:
    found = broker_settings({"APP_ID": "app", "ENV": "dev", "AUTH_KEY": "alias/tokens", "LEASE_SECONDS": "20"})
    assert (found.table, found.pk, found.memory, found.lease) == ("SfAuthToken", "app#dev", 300, 20)
