"""What was staged is told by its footers: files by verdict, rows, and whether any row breaks a rule."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from forceglue.landing.store import Store
from forceglue.quality import rules as q
from forceglue.run import staging
from forceglue.run.staging import rule_counts, stage
from forceglue.transform.prepared import Aside, judged, no_flags
from forceglue.write.staged import discard, staged_files
from transform.kit import write

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ASIDE = Aside(raw="'raw'", key="id", row="7", at="TIMESTAMP '2024-01-01 00:00:00Z'")


def jobs(spark: SparkSession) -> int:
    """How many jobs this session was ever asked for; the status store forgets the old ones."""
    return int(spark.sparkContext._jsc.sc().dagScheduler().nextJobId())


def test_files_by_verdict_and_nothing_else(tmp_path: Path) -> None:
    table = pa.table({"id": [1, 2]})
    for name in (
        "forceglue_verdict=good/a.parquet",
        "forceglue_verdict=good/b.parquet",
        "forceglue_verdict=drop/c.parquet",
    ):
        write(tmp_path / "W/s t" / name, table)
    write(tmp_path / "W/s t/_SUCCESS", "")
    store = Store(str(tmp_path / "W"))
    found = staged_files(store, "s t")
    assert {verdict: sum(f.rows for f in files) for verdict, files in found.items()} == {"good": 4, "drop": 2}
    discard(store, "s t")
    discard(store, "s t")
    assert store.list() == []


@pytest.mark.parametrize("read_here", [0, 100])
@pytest.mark.parametrize("many", [1, 70])
def test_counts_of_rules_by_verdict(
    spark: SparkSession, tmp_path: Path, many: int, read_here: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "READ_HERE", read_here)
    checks = [q.Check(f"r{i}", "quarantine" if i % 2 else "warn", "s", f"id = {i}") for i in range(many)]
    store = Store.made(str(tmp_path / "W"))
    frame = spark.range(100, numPartitions=3)
    made = judged(frame, ["id"], checks, ASIDE, gone="id >= 90", kept=None, flags=no_flags, read=None)
    staged = stage(made, store, "s")
    odd = many // 2
    assert {v: staged.rows(v) for v in staged.files} == {
        k: n for k, n in (("good", 90 - odd), ("quarantine", odd), ("gone", 10)) if n
    }
    assert (staged.total, staged.clean, staged.read) == (100, False, None)
    wanted = {f"r{i}": {"quarantine" if i % 2 else "good": 1} for i in range(many)}
    before = jobs(spark)
    assert rule_counts(spark, made, staged, store) == wanted
    assert (jobs(spark) == before) == (read_here == 100)


def test_a_batch_that_breaks_nothing_is_clean_and_asks_no_job(spark: SparkSession, tmp_path: Path) -> None:
    check = q.Check("r", "fail", "s", "id = 1000")
    made = judged(spark.range(9).coalesce(1), ["id"], (check,), ASIDE, gone=None, kept=None, flags=no_flags, read=None)
    store = Store.made(str(tmp_path / "W"))
    staged = stage(made, store, "s")
    assert staged.clean
    before = jobs(spark)
    assert rule_counts(spark, made, staged, store) == {}
    assert jobs(spark) == before
