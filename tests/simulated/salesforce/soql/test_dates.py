from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forceglue.simulated.salesforce.soql.dates import span

TODAY = date(2026, 11, 15)  # a Sunday


@pytest.mark.parametrize(
    ("word", "first", "after"),
    [
        ("TODAY", "2026-11-15", "2026-11-16"),
        ("YESTERDAY", "2026-11-14", "2026-11-15"),
        ("TOMORROW", "2026-11-16", "2026-11-17"),
        ("THIS_WEEK", "2026-11-15", "2026-11-22"),
        ("LAST_WEEK", "2026-11-08", "2026-11-15"),
        ("NEXT_MONTH", "2026-12-01", "2027-01-01"),
        ("LAST_MONTH", "2026-10-01", "2026-11-01"),
        ("THIS_QUARTER", "2026-10-01", "2027-01-01"),
        ("NEXT_QUARTER", "2027-01-01", "2027-04-01"),
        ("LAST_FISCAL_YEAR", "2025-01-01", "2026-01-01"),
        ("LAST_90_DAYS", "2026-08-17", "2026-11-16"),
        ("NEXT_90_DAYS", "2026-11-16", "2027-02-14"),
        ("LAST_N_DAYS:3", "2026-11-12", "2026-11-16"),
        ("NEXT_N_DAYS:3", "2026-11-16", "2026-11-19"),
        ("N_DAYS_AGO:3", "2026-11-12", "2026-11-13"),
        ("LAST_N_WEEKS:2", "2026-11-01", "2026-11-15"),
        ("LAST_N_MONTHS:2", "2026-09-01", "2026-11-01"),
        ("NEXT_N_QUARTERS:2", "2027-01-01", "2027-07-01"),
        ("N_YEARS_AGO:1", "2025-01-01", "2026-01-01"),
    ],
)
def test_days_of_a_literal(word, first, after):
    assert span(word, TODAY) == (date.fromisoformat(first), date.fromisoformat(after))


@pytest.mark.parametrize("word", ["SOON", "LAST_N_DAYS", "LAST_N_DAYS:x", "TODAY:1", "THIS_DAY", ""])
def test_what_is_no_literal(word):
    assert span(word, TODAY) is None


@given(st.dates(date(1800, 1, 1), date(3000, 1, 1)), st.sampled_from(["WEEK", "MONTH", "QUARTER", "YEAR"]))
def test_last_this_and_next_follow_each_other(today, unit):
    last, this, following = (span(f"{name}_{unit}", today) for name in ("LAST", "THIS", "NEXT"))
    assert last[1] == this[0] <= today < this[1] == following[0]
    assert span(f"LAST_N_{unit}S:1", today) == last
    assert this[1] - this[0] >= timedelta(days=7)
