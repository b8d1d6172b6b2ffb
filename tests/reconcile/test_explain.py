"""Whatever is on either side: what is shown adds up, and nothing is explained that is the same."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from forceglue.reconcile.explain import Explaining, Line, lines, supersedes
from forceglue.reconcile.measures import ABOUT, EXACTLY
from forceglue.reconcile.report import totals
from forceglue.reconcile.sides import EXACT, Version, short_id, side_of

DAY, BASE = date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC)
MEASURES, TOLERANCES = ("records", "Amount", "Score"), (Decimal(0), EXACTLY, ABOUT["double"])
KEYS = [f"001{n:012d}" for n in range(8)]
amounts = st.none() | st.decimals(-(10**12), 10**12, places=4, allow_nan=False, allow_infinity=False)
stamps = st.none() | st.integers(0, 3).map(lambda hours: BASE + timedelta(hours=hours))
some_days = st.none() | st.integers(0, 2).map(lambda n: DAY + timedelta(days=n))


def versions() -> Any:
    made = st.builds(Version, st.just(""), st.booleans(), some_days, st.tuples(amounts, amounts), stamps)
    found = st.dictionaries(st.sampled_from(KEYS), made)
    return found.map(lambda by_key: {k: Version(k, v.counts, v.day, v.values, v.stamp) for k, v in by_key.items()})


@given(versions(), versions(), versions(), versions(), st.sets(st.sampled_from(KEYS)), st.integers(0, 5))
def test_the_difference_is_what_is_explained_and_what_is_not(
    org: Any, table: Any, in_flight: Any, landed: Any, purged: set[str], left_out: int
) -> None:
    reasons = {key: ("waiting" if int(key[-1]) % 2 else "quarantined", version) for key, version in landed.items()}
    explaining = Explaining(in_flight, reasons, frozenset(purged), table)
    found = lines(side_of(org.values(), 2), side_of(table.values(), 2), MEASURES, TOLERANCES, explaining, left_out)
    for line in (*found, *totals(found, MEASURES)):
        rest = EXACT.subtract(line.org, line.table)
        for amount in (*line.explained.values(), line.unexplained):
            rest = EXACT.subtract(rest, amount)
        assert rest == 0
    whole = totals(found, MEASURES)[0]
    assert whole.org == sum(v.counts for v in org.values())
    assert whole.explained.get("left_out", 0) <= left_out


@given(versions(), versions())
def test_what_is_the_same_on_both_sides_explains_nothing(same: Any, landed: Any) -> None:
    """However many records changed, or wait: they are in the table as they are."""
    older = {k: Version(k, not v.counts, v.day, (), v.stamp and v.stamp - timedelta(days=1)) for k, v in same.items()}
    reasons: Any = {key: ("waiting", version) for key, version in older.items()}
    side = side_of(same.values(), 2)
    found = lines(side, side, MEASURES, TOLERANCES, Explaining(same, reasons, frozenset(), same), 5)
    assert not any(line.differs or line.open for line in found) and landed is not None


@given(versions(), versions())
def test_all_of_the_difference_is_explained_where_every_record_is_known_to_have_changed(org: Any, table: Any) -> None:
    both = {key: org.get(key) or Version(key, counts=False, day=None) for key in {*org, *table}}
    sides = side_of(org.values(), 2), side_of(table.values(), 2)
    found = lines(*sides, MEASURES, TOLERANCES, Explaining(in_flight=both, table=table))
    assert not any(line.open for line in found)


def test_an_older_version_that_landed_has_been_overtaken() -> None:
    new, old = (Version(KEYS[0], True, DAY, (), BASE + timedelta(hours=h)) for h in (2, 1))
    assert supersedes(new, old) and supersedes(new, None)
    assert not supersedes(old, new) and not supersedes(new, new)


def test_a_record_with_several_reasons_counts_once() -> None:
    key = KEYS[0]
    now, held = Version(key, False, DAY), Version(key, True, DAY)
    explaining = Explaining({key: now}, {key: ("waiting", now)}, frozenset({key}), {key: held})
    (line,) = lines({}, side_of([held], 0), ("records",), (Decimal(0),), explaining)
    assert line.explained == {"in_flight": -1} and line.unexplained == 0


def test_sums_may_differ_by_the_digits_that_a_number_of_json_holds() -> None:
    def of(org: str, table: str) -> list[Line]:
        sides = ({DAY: (Decimal(1), Decimal(one), Decimal(one))} for one in (org, table))
        return [line for line in lines(*sides, MEASURES, TOLERANCES) if line.measure != "records"]

    assert [line.open for line in of("123456789012.34", "123456789012.35")] == [True, False]
    assert [line.open for line in of("12345678901234567.8", "12345678901234567.9")] == [False, False]
    assert [line.open for line in of("0.01", "0.02")] == [True, True]


def test_both_forms_of_an_id_are_the_same_record() -> None:
    assert short_id("001000000000001AAA") == short_id("001000000000001") == "001000000000001"
    assert short_id("not an Id of 18 ch") == "not an Id of 18 ch"
