from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forceglue.simulated.salesforce.wire import NotOfType, json_token, moment, number, parsed_moment, stored

JAVA = {
    0: "0.0", 1: "1.0", 15000: "15000.0", "0.25": "0.25", "-0.001": "-0.001", "0.00012": "1.2E-4", 9999999: "9999999.0",
    10000000: "1.0E7", 12500000: "1.25E7", "-350000000.5": "-3.500000005E8", 1e300: "1.0E300", "1e-7": "1.0E-7",
    "007": "7.0", "1.50": "1.5", "-0": "0.0", "+3": "3.0", ".5": "0.5", "5.": "5.0",
}  # fmt: skip


@pytest.mark.parametrize(("value", "text"), JAVA.items())
def test_numbers_look_as_java_writes_them(value, text):
    assert number(value) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
def test_numbers_keep_every_digit(value):
    assert Decimal(number(value)) == value
    assert number(number(value)) == number(value)


@pytest.mark.parametrize("value", ["n/a", "1.234,50", "NaN", float("inf"), True, "", "1e999", "0x1F"])
def test_what_is_no_number(value):
    with pytest.raises(NotOfType):
        number(value)


@given(st.datetimes(min_value=datetime(1700, 1, 1), max_value=datetime(4000, 1, 1)))
def test_moments_come_back_to_the_millisecond(at):
    at = at.replace(microsecond=at.microsecond // 1000 * 1000, tzinfo=UTC)
    assert parsed_moment(moment(at)) == at
    assert len(moment(at)) == 24


@pytest.mark.parametrize(
    "text",
    ["2026-11-15T08:00:00.000+0000", "2026-11-15T08:00:00Z", "2026-11-15T19:00:00.000+11:00", "2026-11-15T08:00Z"],
)
def test_all_forms_of_a_moment(text):
    assert stored("datetime", text) == "2026-11-15T08:00:00.000Z"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("datetime", "2026-02-30T00:00:00Z"), ("datetime", "today"), ("date", "2026-13-01"), ("date", "x"),
        ("boolean", "yes"), ("id", "001"), ("reference", "001Sm0000000001AAB"), ("time", "25"), ("int", "five"),
    ],
)  # fmt: skip
def test_what_does_not_fit(kind, value):
    with pytest.raises(NotOfType):
        stored(kind, value)


def test_kinds_as_they_are_stored():
    assert stored("int", 12.5) == "12.5"  # some fields that describe calls int hold doubles
    assert stored("int", "0012") == "12"
    assert stored("time", "10:20:30") == "10:20:30.000Z"
    assert stored("date", "2026-01-02T10:00:00Z") == "2026-01-02"
    assert stored("string", 5) == "5"
    assert stored("string", "") is None
    assert json_token("datetime")("2026-11-15T08:00:00.000Z") == '"2026-11-15T08:00:00.000+0000"'
