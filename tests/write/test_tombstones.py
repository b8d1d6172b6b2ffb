"""What is remembered of records that left a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forceglue.write.delta_merge import MergeKeys
from forceglue.write.tombstones import buried, bury, exhume
from write.shelf import KEYS, Shelf, moment, row

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MICROS = 1_000_000


@pytest.fixture
def shelf(spark: SparkSession, tmp_path: Path) -> Shelf:
    return Shelf(spark, tmp_path)


def told(shelf: Shelf) -> dict[str, int]:
    found = buried(shelf.spark, shelf.table.store, "t", 1)
    zero = moment(0)
    assert zero is not None
    start = int(zero.timestamp()) * MICROS
    return {} if found is None else {r["__key_0"]: (r["__ord"] - start) // MICROS for r in found.collect()}


def test_the_latest_deletion_of_each_record(shelf: Shelf) -> None:
    assert told(shelf) == {}
    store = shelf.table.store
    first = shelf.staged([row("a", 5, gone=True), row("b", 5), row("c", 5, gone=True), row("d", 5, gone=None)])
    bury(shelf.spark, store, "t", [first], KEYS, 1)
    bury(shelf.spark, store, "t", [shelf.staged([row("a", 7, gone=True), row("c", 3, gone=True)])], KEYS, 2)
    assert told(shelf) == {"a": 7, "c": 5}
    # the same batch again, after a run that was killed before its commit
    bury(shelf.spark, store, "t", [first], KEYS, 3)
    assert told(shelf) == {"a": 7, "c": 5}
    exhume(store, "t", lambda position: position != 3)
    assert told(shelf) == {"a": 5, "c": 5}


def test_a_batch_without_deletions_costs_no_job(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(_: object) -> None:
        raise AssertionError("Spark was asked")

    files = [shelf.staged([row("a", 5), row("b", 5, gone=None)])]
    monkeypatch.setattr(type(shelf.spark), "read", property(read))
    bury(shelf.spark, shelf.table.store, "t", files, KEYS, 1)
    bury(shelf.spark, shelf.table.store, "t", files, MergeKeys(("id",), None, "string", "gone"), 1)
    bury(shelf.spark, shelf.table.store, "t", files, MergeKeys(("id",), "at", "timestamp", None), 1)
    monkeypatch.undo()
    assert told(shelf) == {}
