"""A run over many users, one in a hundred of whom fails in each way that Salesforce can."""

from __future__ import annotations

import pytest

from lambdas.crowd import Ways, refreshed


def test_a_thousand_users_and_every_way_to_fail() -> None:
    assert refreshed(1_000, Ways())["statistics"]["failures"] == 11


@pytest.mark.slow
def test_ten_thousand_users_within_a_minute() -> None:
    told = refreshed(10_000, Ways.hundred())
    assert told["statistics"]["failures"] >= 90 and told["seconds"] < 60
