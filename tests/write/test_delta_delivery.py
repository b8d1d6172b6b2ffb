"""A Delta table as a delivery: whole, with the names that the warehouse asks for, and never between two states."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forceglue.landing.store import Store
from forceglue.write.delta_delivery import write_delta

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def test_it_is_replaced_as_a_whole_columns_too(spark: SparkSession, tmp_path: Path) -> None:
    store = Store.made(str(tmp_path))
    first = spark.sql("SELECT 'x' AS id, CAST(1.50 AS DECIMAL(18,2)) AS n")
    uri = write_delta(first, store, "a folder/t")
    assert [tuple(r) for r in spark.read.format("delta").load(uri).collect()] == [tuple(r) for r in first.collect()]
    write_delta(spark.sql("SELECT 'y' AS `Order ID (acc)`, 'Ü' AS `a,b;c=d`"), store, "a folder/t")
    found = spark.read.format("delta").load(uri)
    assert found.columns == ["Order ID (acc)", "a,b;c=d"]
    assert [tuple(r) for r in found.collect()] == [("y", "Ü")]
    old = spark.read.format("delta").option("versionAsOf", 0).load(uri)
    assert old.columns == ["id", "n"]


def test_rows_that_fail_leave_what_was_there(spark: SparkSession, tmp_path: Path) -> None:
    store = Store.made(str(tmp_path))
    uri = write_delta(spark.sql("SELECT 1 AS id"), store, "t")
    with pytest.raises(Exception, match="boom"):
        write_delta(spark.sql("SELECT IF(id = 5, raise_error('boom'), id) AS id FROM range(9)"), store, "t")
    assert [r[0] for r in spark.read.format("delta").load(uri).collect()] == [1]
