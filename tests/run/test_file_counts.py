"""A load writes few files, however many tasks there are: what a cluster's 200 shuffle partitions must not become."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from forceglue.landing.store import Store
from forceglue.quality.rules import GOOD, VERDICT
from forceglue.run import context
from forceglue.run.staging import stage
from forceglue.transform.prepared import Prepared
from run.lab import Lab, stamp

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

STAGES = [f"s{n}" for n in range(8)]
SHUFFLED = "spark.sql.shuffle.partitions"


@pytest.fixture
def wide(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> Iterator[SparkSession]:
    """As on a cluster: 200 shuffle partitions, in sessions opened beside this one too; and no load is a small one."""
    monkeypatch.setattr(context, "FEW_ROWS", 0)
    of_jvm = spark.sparkContext._jsc.sc().conf()  # type: ignore[union-attr]
    before = spark.conf.get(SHUFFLED)
    of_jvm.set(SHUFFLED, "200")
    spark.conf.set(SHUFFLED, "200")
    yield spark
    of_jvm.set(SHUFFLED, before)
    spark.conf.set(SHUFFLED, str(before))


def landed(first: int, last: int, at: int) -> pa.Table:
    """Nine of ten rows are of one stage."""
    keys = range(first, last)
    return pa.table(
        {
            "Id": [f"K{n}" for n in keys],
            "Stage": [STAGES[n // 10 % 7 + 1] if n % 10 == 0 else STAGES[0] for n in keys],
            "SystemModstamp": [stamp(at)] * len(keys),
            "IsDeleted": ["false"] * len(keys),
        }
    )


def files(lab: Lab, name: str = "deal") -> int:
    return len(DeltaTable(str(lab.home / "W" / name)).file_uris())


def loaded(lab: Lab, target: str, *, parts: int = 12) -> list[int]:
    """Files of the table after a first load of many small files, and after each of two increments."""
    lab.mapping(f"mapping: deal\nsource: Opportunity\ncolumns: {{id: Id, stage: Stage}}\ntarget: {{{target}}}")
    counts = []
    for at, (first, last) in enumerate([(0, 12_000), (6_000, 7_200), (12_000, 13_200)]):
        size = (last - first) // parts
        for part in range(parts):
            lab.land("Opportunity", landed(first + part * size, first + (part + 1) * size, at), "parquet")
        assert lab.one("deal").error is None
        counts.append(files(lab))
    return counts


@pytest.mark.parametrize("write", ["upsert", "append", "scd2"])
def test_a_load_adds_a_file(wide: SparkSession, tmp_path: Path, write: str) -> None:
    first, *later = loaded(Lab(tmp_path), f"write: {write}")
    assert first == 1
    assert max(later) <= 3 + 2 * (write == "scd2")


@pytest.mark.parametrize("write", ["upsert", "append"])
def test_a_load_adds_a_file_a_partition(wide: SparkSession, tmp_path: Path, write: str) -> None:
    first, second, third = loaded(Lab(tmp_path), f"write: {write}, partition_by: [stage]")
    assert first == len(STAGES)
    assert second <= first + len(STAGES)
    assert third <= second + len(STAGES)


def test_a_partition_with_most_rows_is_written_by_several_tasks(wide: SparkSession, tmp_path: Path) -> None:
    wide.conf.set("spark.sql.adaptive.advisoryPartitionSizeInBytes", "65536")
    try:
        rows = wide.range(0, 200_000, 1, 20).selectExpr(
            "uuid() AS id", "IF(id % 10 = 0, id % 7, -1) AS part", f"'{GOOD}' AS {VERDICT}"
        )  # fmt: skip
        staged = stage(Prepared(rows, ("id", "part"), (), None), Store(str(tmp_path)), "s", ("part",))
    finally:
        wide.conf.unset("spark.sql.adaptive.advisoryPartitionSizeInBytes")
    of: dict[Any, list[int]] = {}
    for file in staged.files[GOOD]:
        of.setdefault(file.partition["part"], []).append(file.rows)
    assert sum(map(sum, of.values())) == 200_000
    assert max(len(sizes) for part, sizes in of.items() if part != "-1") <= 2
    assert len(of["-1"]) > 10
    assert max(of["-1"]) < 20_000
