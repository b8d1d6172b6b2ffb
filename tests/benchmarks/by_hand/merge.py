"""The best MERGE that we could tune by hand: deletion vectors, a table kept in the order of its keys, a bound on the
keys, the source read once, the main job's own session settings.

    python -m benchmarks.by_hand.merge prepare LANDING TABLE
    python -m benchmarks.by_hand.merge change  LANDING TABLE
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

TYPED = {1: "decimal(18,2)", 2: "int", 3: "date", 7: "decimal(18,2)", 8: "int", 9: "date"}
FIELDS = 10


def rows(spark: SparkSession, landing: Path) -> DataFrame:
    """The latest version of each landed record, with its types."""
    fields = [f"try_cast(Field{n}__c as {TYPED.get(n, 'string')}) as field{n}" for n in range(1, FIELDS + 1)]
    frame = spark.read.parquet(*(str(path) for path in sorted(landing.rglob("*.parquet")))).selectExpr(
        "Id as record_id",
        "try_cast(SystemModstamp as timestamp) as modified",
        "try_cast(IsDeleted as boolean) as isdeleted",
        *fields,
        "_metadata.file_path as filename",
        "current_timestamp() as processed_ts",
    )
    rank = "row_number() over (partition by record_id order by modified desc) as rank"
    return frame.selectExpr("*", rank).where("rank = 1").drop("rank")


def prepare(spark: SparkSession, landing: Path, table: str) -> None:
    """The table as a careful owner keeps it."""
    kept = rows(spark, landing).repartitionByRange(32, "record_id").sortWithinPartitions("record_id")
    kept.write.format("delta").option("delta.enableDeletionVectors", "true").save(table)


def change(spark: SparkSession, landing: Path, table: str) -> int:
    """Merges what landed; the number of rows that the table took."""
    from delta.tables import DeltaTable

    spark.conf.set("spark.databricks.delta.merge.materializeSource", "none")
    changes = rows(spark, landing)
    low, high = changes.selectExpr("min(record_id)", "max(record_id)").first()
    target = DeltaTable.forPath(spark, table)
    merge = target.alias("t").merge(
        changes.alias("s"), f"t.record_id = s.record_id and t.record_id between '{low}' and '{high}'"
    )
    merge.whenMatchedUpdateAll("s.modified > t.modified").whenNotMatchedInsertAll().execute()
    told = target.history(1).first()["operationMetrics"]
    return int(told["numTargetRowsUpdated"]) + int(told["numTargetRowsInserted"])


def main(step: str, landing: Path, table: str) -> None:
    from forceglue.runtime.session import start

    spark = start()
    if step == "prepare":
        prepare(spark, landing, table)
    else:
        print(json.dumps({"rows": change(spark, landing, table)}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
