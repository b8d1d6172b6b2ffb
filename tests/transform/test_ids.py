"""15 and 18 characters of one Id are one key; two Ids that differ in case are two."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forceglue.transform.ids import long_id, same_key

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PAIRS = {
    "001A0000006Vm9r": "001A0000006Vm9rIAC",
    "00530000003xqAb": "00530000003xqAbAAI",
    "0036A000024GuMq": "0036A000024GuMqQAK",
    "aaaaaaaaaaaaaaa": "aaaaaaaaaaaaaaaAAA",
    "AAAAAAAAAAAAAAA": "AAAAAAAAAAAAAAA555",
    "000000000000000": "000000000000000AAA",
}
LETTERS = string.ascii_letters + string.digits
ids = st.text(LETTERS, min_size=15, max_size=15)


def checksum(value: str) -> str:
    """Said another way: five bits a block, the first character the lowest."""
    out = ""
    for block in (value[:5], value[5:10], value[10:]):
        bits = "".join("1" if c in string.ascii_uppercase else "0" for c in reversed(block))
        number = int(bits, 2)
        out += chr(ord("A") + number) if number < 26 else str(number - 26)
    return out


@pytest.mark.parametrize(("short", "long"), PAIRS.items())
def test_known_pairs(short: str, long: str) -> None:
    assert long_id(short) == long
    assert long_id(long) == long


@given(ids)
def test_the_checksum_is_the_documented_one(value: str) -> None:
    assert long_id(value) == value + checksum(value)


@given(ids, ids)
def test_two_ids_never_become_one(one: str, other: str) -> None:
    assert (long_id(one).lower() == long_id(other).lower()) == (one == other)


@pytest.mark.parametrize(
    "value", ["", "001", "001A0000006Vm9rIAC", "x" * 16, "001A0000006Vm9-", "ÄÖÜÄÖÜÄÖÜÄÖÜÄÖ1", "٣" * 15]
)
def test_anything_else_stays_as_it_is(value: str) -> None:
    assert long_id(value) == value


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ids | st.text(max_size=20) | st.text("AaZz09", min_size=14, max_size=18), min_size=60, max_size=100))
def test_the_sql_form_says_the_same(spark: SparkSession, values: list[str]) -> None:
    values = [v.encode("utf-8", "replace").decode() for v in values] + [
        "001A0000006Vm9R",
        "001A0000006Vm9r",
        " 001A0000006Vm9r ",
    ]
    frame = spark.createDataFrame(list(enumerate(values)), "i int, v string").coalesce(1)
    got = [row[0] for row in frame.orderBy("i").selectExpr(same_key("v")).collect()]
    assert got == [long_id(v.strip(" ")) or None for v in values]
    assert got[-2] != got[-3]


def test_a_key_of_another_type_is_text_and_blank_is_none(spark: SparkSession) -> None:
    row = (
        spark.range(1)
        .selectExpr(same_key("7L"), same_key("1.50BD"), same_key("''"), same_key("'  '"), same_key("NULL"))
        .first()
    )
    assert row is not None
    assert tuple(row) == ("7", "1.50", None, None, None)
