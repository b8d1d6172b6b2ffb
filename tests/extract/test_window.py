"""Windows leave nothing out and share nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forceglue.extract.window import NARROWEST, Window, cursor_of, literal, soql

MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)).map(
    lambda m: m.replace(microsecond=m.microsecond // 1000 * 1000)
)


@given(st.none() | MOMENTS, MOMENTS, st.booleans(), st.booleans())
def test_halves_are_the_whole_and_share_nothing(
    since: datetime | None, until: datetime, nulls: bool, is_open: bool
) -> None:
    window = Window(since, None if is_open else until, nulls)
    found = window.halves(until)
    if found is None:
        assert until - (since or datetime(1999, 3, 1, tzinfo=UTC)) < 2 * NARROWEST
        return
    first, second = found
    assert (first.since, second.until) == (since, window.until) and first.until == second.since
    assert since is None or since < first.until
    assert first.until < until and first.until.microsecond % 1000 == 0
    assert (first.nulls, second.nulls) == (nulls, False)


@pytest.mark.parametrize("half", [0, 1])
@pytest.mark.parametrize("until", [None, datetime(2026, 1, 1, tzinfo=UTC)])
def test_halving_comes_to_an_end(half: int, until: datetime | None) -> None:
    window, steps = Window(None, until), 0
    while (found := window.halves(datetime(2026, 1, 1, tzinfo=UTC))) is not None:
        window, steps = found[half], steps + 1
        assert steps < 30


def test_queries() -> None:
    since, until = datetime(2026, 1, 2, 3, 4, 5, 678000, UTC), datetime(2026, 1, 3, tzinfo=UTC)
    fields = ["Id", "SystemModstamp"]
    begin = "SELECT Id, SystemModstamp FROM Account"
    assert soql("Account", fields, "SystemModstamp", Window(since, until)) == (
        f"{begin} WHERE SystemModstamp >= 2026-01-02T03:04:05.678Z AND SystemModstamp < 2026-01-03T00:00:00.000Z"
    )
    assert soql("Account", fields, "CreatedDate", Window(None, until, nulls=True)) == (
        f"{begin} WHERE (CreatedDate < 2026-01-03T00:00:00.000Z) OR CreatedDate = null"
    )
    assert soql("Account", fields, None, Window(None, None)) == begin


def test_literals_are_utc() -> None:
    assert literal(datetime.fromisoformat("2026-06-01T12:00:00+10:00")) == "2026-06-01T02:00:00.000Z"
    assert literal(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=999)) == "2026-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("fields", "cursor"),
    [
        ({"SystemModstamp": "datetime", "LastModifiedDate": "datetime"}, "SystemModstamp"),
        ({"CreatedDate": "datetime", "LastModifiedDate": "datetime"}, "LastModifiedDate"),
        ({"LoginTime": "datetime"}, "LoginTime"),
        ({"SystemModstamp": "date", "CreatedDate": "datetime"}, "CreatedDate"),
        ({"Id": "id"}, None),
    ],
)
def test_cursors(fields: dict[str, str], cursor: str | None) -> None:
    found = cursor_of({"fields": [{"name": name, "type": kind, "nillable": True} for name, kind in fields.items()]})
    assert found == (None if cursor is None else (cursor, True))
