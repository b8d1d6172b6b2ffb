from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from forceglue.errors import UsageError
from forceglue.write.names import complaint, expand

NOW = datetime(2024, 2, 29, 13, 45, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("Orders.csv", "Orders.csv"),
        ("Synth-Sales_Order_Type_{now:%Y-%m-%d %H%M%S}.csv", "Synth-Sales_Order_Type_2024-02-29 134507.csv"),
        ("a/{now:%Y}/{now:%m}/b.csv", "a/2024/02/b.csv"),
        ("{{literal}}_{now:%Y%%}.csv", "{literal}_2024%.csv"),
    ],
)
def test_a_pattern_becomes_a_name(pattern: str, name: str) -> None:
    assert expand(pattern, NOW) == name


def test_the_start_is_written_in_utc() -> None:
    assert expand("{now:%d %H}", NOW.astimezone(timezone(timedelta(hours=12)))) == "29 13"


def test_a_start_without_zone_is_refused() -> None:
    with pytest.raises(UsageError, match="time zone"):
        expand("{now:%Y}.csv", NOW.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("../x.csv", "below the delivery root"),
        ("/x.csv", "below the delivery root"),
        ("a//x.csv", "below the delivery root"),
        ("", "below the delivery root"),
        ("{now:../%Y}.csv", "below the delivery root"),
        (".x.csv", "hidden"),
        ("a/_x", "hidden"),
        ("a\nb.csv", "control character"),
        ("a\\b.csv", "backslash"),
        ("x.csv ", "blank"),
        ("{name}.csv", "uses {name}"),
        ("{now.year}.csv", "uses {now.year}"),
        ("{now!r}.csv", "uses {now}"),
        ("{now}.csv", "without a form"),
        ("{now:%Q}.csv", "%Q"),
        ("{now:%B}.csv", "%B"),
        ("{now:%Y.csv", "braces"),
        ("a}b.csv", "braces"),
    ],
)
def test_a_pattern_that_cannot_work_is_refused_with_the_reason(pattern: str, told: str) -> None:
    assert told in (complaint(pattern) or "")
    with pytest.raises(UsageError):
        expand(pattern, NOW)
