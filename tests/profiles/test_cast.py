"""A profile's casts take and refuse what the main job's take and refuse: the table that Spark is asked about, without it."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forceglue.profiles.cast import CastError, as_json, caster
from forceglue.profiles.formats import FormatError
from transform.test_cast import TEXTS

HELD = {kind: {text: value for text, value in texts.items() if text and text.strip()} for kind, texts in TEXTS.items()}


@pytest.mark.parametrize("kind", [kind for kind in HELD if kind != "binary"])
def test_each_text_is_what_spark_makes_of_it(kind: str) -> None:
    for text, value in HELD[kind].items():
        try:
            found = caster(kind)(text)
        except CastError:
            found = None
        naive = isinstance(value, datetime) and value.tzinfo is None
        wanted = value.replace(tzinfo=UTC) if naive else value
        close = isinstance(wanted, float) and isinstance(found, float) and math.isclose(found, wanted, rel_tol=1e-6)
        assert found == wanted or close, text


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20))
def test_a_decimal_is_exact_or_does_not_fit(value: Decimal) -> None:
    try:
        found = caster("decimal(12,4)")(str(value))
    except CastError:
        assert value != value.quantize(Decimal("0.0001")) or abs(value) >= 10**8
    else:
        assert found == value


@pytest.mark.parametrize(
    ("pattern", "text", "value"),
    [
        ("MM/dd/yyyy", "12/31/2025", date(2025, 12, 31)),
        ("M/d/yyyy", "1/2/2025", date(2025, 1, 2)),
        ("d.M.yy", "2.1.25", date(2025, 1, 2)),
        ("yyyyMMdd", "20250102", date(2025, 1, 2)),
        ("yyyy-MM-dd'T'HH:mm", "2025-01-02T10:30", date(2025, 1, 2)),
        ("MM/dd/yyyy", "13/31/2025", None),
        ("MM/dd/yyyy", "02/30/2025", None),
        ("MM/dd/yyyy", "1/2/2025", None),
        ("MM/dd/yyyy", "2025-01-02", None),
    ],
)
def test_a_date_is_read_as_its_format_says(pattern: str, text: str, value: date | None) -> None:
    try:
        assert caster("date", pattern)(text) == value
    except CastError:
        assert value is None


def test_a_moment_of_a_format_is_utc() -> None:
    found = caster("timestamp", "dd.MM.yyyy HH:mm:ss")("02.01.2025 10:30:05")
    assert found == datetime(2025, 1, 2, 10, 30, 5, tzinfo=UTC) and as_json(found) == "2025-01-02T10:30:05Z"


@pytest.mark.parametrize(
    ("kind", "pattern", "why"),
    [
        ("date", "QQ/yyyy", "`QQ` means nothing here"),
        ("date", "MM/dd/MM/yyyy", "twice"),
        ("date", "HH:mm", "no year and no month and no day"),
        ("date", "MM/dd/'yyyy", "not closed"),
        ("int", "yyyy", "no year|a int has no format|has no"),
    ],
)
def test_what_is_no_format_is_refused(kind: str, pattern: str, why: str) -> None:
    with pytest.raises(FormatError, match=why):
        caster(kind, pattern)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (Decimal("7.00"), "7.00"),
        (Decimal("0E-8"), "0.00000000"),
        (date(2025, 1, 2), "2025-01-02"),
        (datetime(2025, 1, 2, 10, 0, 0, 120000, tzinfo=UTC), "2025-01-02T10:00:00.12Z"),
        (True, True),
        (9007199254740993, 9007199254740993),
        (None, None),
    ],
)
def test_values_go_on_without_loss(value: object, told: object) -> None:
    assert as_json(value) == told  # type: ignore[arg-type]
