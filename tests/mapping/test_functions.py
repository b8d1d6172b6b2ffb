from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forceglue.mapping.functions import _known, nearest_function, unknown_functions

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("upper(Name)", ()),
        ("UPPER(Name) || lower ( x )", ()),
        ("uper(lenght(Name)) + uper(x)", ("uper", "lenght")),
        ("case when (a) then (b) else coalesce(c, 1) end", ()),
        ("try_cast(a as decimal(18, 2)) in (1, 2) and not (b)", ()),
        ("if(a, left(b, 2), right(c, 1))", ()),
        ("aggregate(xs, 0, (acc, x) -> acc + x)", ()),
        ("date_add(d, 1) between date('2024-01-01') and timestamp(x)", ()),
        ("'uper(x)' like y and `uper` (x) is null", ()),
        ("cast(a as string) rlike ('x')", ()),
    ],
)
def test_functions_that_spark_does_not_know(text: str, unknown: tuple[str, ...]) -> None:
    assert unknown_functions(text) == unknown


def test_the_nearest_name() -> None:
    assert nearest_function("LengHt") == "length"
    assert nearest_function("qqqqqqqq") is None


def test_the_list_is_what_spark_knows(spark: SparkSession) -> None:
    there = {row[0] for row in spark.sql("SHOW SYSTEM FUNCTIONS").collect()}
    assert _known() <= there
    if spark.version.startswith("3.5"):
        assert {name for name in there if name.isidentifier()} == _known()
