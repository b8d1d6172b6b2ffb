from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from forceglue.demo.objects import OBJECTS
from forceglue.demo.versions import HOUR, STAMP_FIELD, Change, Row, count_rows, full_rows, hour_rows

ROWS = st.lists(
    st.builds(
        Row,
        record=st.integers(0, 5),
        stamp=st.integers(-3, 3),
        deleted=st.booleans(),
        key=st.sampled_from(["full", "short", "none"]),
        bad=st.sampled_from([None, ("Amount", "n/a"), (STAMP_FIELD, "2026-02-30")]),
    )
)
STAMPS = [-(n + 1) * HOUR for n in range(400)]


@given(ROWS, ROWS)
def test_every_row_is_counted_once(before: list[Row], now: list[Row]) -> None:
    counts = count_rows(before, now)
    assert counts.rows == counts.written + counts.superseded + counts.null_keys + counts.bad_stamps
    assert counts.written <= counts.records_after
    assert counts.deleted_after <= counts.records_after


@given(ROWS, ROWS)
def test_what_lands_twice_writes_once(before: list[Row], now: list[Row]) -> None:
    again = count_rows([*before, *now], now)
    assert again.written == 0
    assert again.records_after == count_rows(before, now).records_after


@given(ROWS, ROWS)
def test_two_steps_end_where_one_would(before: list[Row], now: list[Row]) -> None:
    assert count_rows(before, now).records_after == count_rows([], [*before, *now]).records_after


def test_the_full_load_has_each_record_and_each_kind_of_mess() -> None:
    rows = full_rows(OBJECTS["Order"], STAMPS, Random(7), spoilt=True)
    counts = count_rows([], rows)
    assert counts.records_after == len(STAMPS)
    assert set(counts.bad_casts) == {"TotalAmount", "EffectiveDate", "EndDate"}
    assert min(counts.superseded, counts.null_keys, counts.bad_stamps, counts.short_ids, counts.ties) > 0
    assert 0 < counts.deleted_after < len(STAMPS) * 0.05


def test_a_typed_file_has_no_value_that_does_not_cast_and_users_are_never_deleted() -> None:
    assert not any(row.bad for row in full_rows(OBJECTS["Order"], STAMPS, Random(7), spoilt=False))
    assert not any(row.deleted for row in full_rows(OBJECTS["User"], STAMPS, Random(7), spoilt=True))


def test_an_event_has_one_version() -> None:
    assert full_rows(OBJECTS["BillingExtractReady__e"], [-2, -1], Random(7), spoilt=True) == [Row(0, -2), Row(1, -1)]


def test_the_hour_is_newer_but_for_what_is_late() -> None:
    before = full_rows(OBJECTS["Order"], STAMPS, Random(7), spoilt=True)
    rows = hour_rows(Change(new=True, newer=0.1, deleted=0.02, late=0.05), before, range(400, 404), Random(7))
    late = [row for row in rows if row.stamp < 0]
    counts = count_rows(before, rows)
    assert len(late) == counts.superseded > 0
    assert all(row.stamp < HOUR for row in rows)
    assert counts.records_after == 404
    assert counts.written == len(rows) - len(late)
    assert counts.deleted_after > count_rows([], before).deleted_after
