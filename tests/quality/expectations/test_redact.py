from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

values = st.recursive(
    st.text(min_size=12) | st.dates() | st.binary(min_size=12),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["quantiles", "values"]), inner),
)


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in _leaves(inner)]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in _leaves(inner)]
    return [value]


@given(values)
def test_no_text_or_date_of_a_row_is_left(value: Any) -> None:
    from forceglue.quality.expectations.redact import observed

    shown = str(observed(value))
    assert not any(str(leaf) in shown for leaf in _leaves(value) if leaf != "a value (not shown)")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        (3, 3),
        (2.5, 2.5),
        (True, True),
        (Decimal("1.5"), 1.5),
        (["Ann", "Bob"], "2 values (not shown)"),
        ("Ann", "a value (not shown)"),
        ({"quantiles": [0.5], "values": [7]}, {"quantiles": [0.5], "values": [7]}),
    ],
)
def test_numbers_stay(value: Any, shown: Any) -> None:
    from forceglue.quality.expectations.redact import observed

    assert observed(value) == shown


def test_numpy_numbers_become_plain_ones() -> None:
    import numpy as np

    from forceglue.quality.expectations.redact import observed

    assert [type(observed(n)) for n in (np.float64(1.5), np.int64(2))] == [float, int]


def _result(message: str, **told: Any) -> Any:
    info = {"raised_exception": True, "exception_message": message, "exception_traceback": "..."}
    config = SimpleNamespace(type="expect_column_max_to_be_between", kwargs={"column": "amount"})
    return SimpleNamespace(exception_info=told.get("nested", info), expectation_config=config, result={})


def test_a_cause_quotes_its_arguments_and_nothing_else() -> None:
    from forceglue.quality.expectations.redact import cause

    told = cause(_result("The value 'Ann Example' of column 'amount' cannot be cast\nTraceback: 'Ann Example'"))
    assert told == "The value '...' of column 'amount' cannot be cast"


def test_a_cause_is_found_in_both_forms_of_exception_info() -> None:
    from forceglue.quality.expectations.redact import cause

    nested = {"('m', 'x')": {"raised_exception": True, "exception_message": "no such metric"}}
    assert cause(_result("", nested=nested)) == "no such metric"
    assert cause(_result("", nested={"raised_exception": False, "exception_message": None})) is None
    assert cause(_result("", nested={})) is None
