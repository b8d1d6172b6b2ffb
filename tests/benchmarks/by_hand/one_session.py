"""The whole job by hand, well: one session with the main job's settings, four threads, a Delta table for each object,
rules counted inside the writes, changes merged, datasets built from the tables.

    python -m benchmarks.by_hand.one_session LANDING WAREHOUSE DELIVERY {quick,long}
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.by_hand.datasets import dataset
from benchmarks.by_hand.records import TRACE, aliases, landed_files, latest, records, stamp, without_deleted
from mappings.reference import DatasetFacts, dataset_facts

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

RULES = {
    "ad_order_item": ["adserverorderlineidentifier is null or adserverorderlineidentifier rlike '^[0-9]+$'"],
    "contact": ["email is null or email like '%_@_%'"],
    "opportunity": ["probability is null or try_cast(probability as decimal(9,3)) between 0 and 100"],
    "order": ["accountid is not null", "vlocity_cmt__quoteid__c is not null"],
    "order_ad_placement": ["vlocity_cmt__orderitemid__c is not null"],
    "order_product": ["quantity is null or try_cast(quantity as double) is not null", "orderid is not null"],
    "usage__c": ["gam_lineitemid__c is null or gam_lineitemid__c rlike '^[0-9]+$'"],
    "Publisher_System_Ad_Prod_Line_Item_Map": [
        "OP1_Production_System_ID is not null",
        "OP1_Production_Line_Item_ID is not null",
    ],
    "Sales_Order": ["accountid is null or `(acc) id` is not null", "`(usr) id` is not null"],
    "Sales_Order_Contacts_Map": ["Contact_Email is not null"],
    "Sales_Order_Line_Items": ["Quantity is null or try_cast(Quantity as double) is not null"],
}
LOST = f"id is null or (systemmodstamp is not null and {stamp()} is null)"


class Job:
    """One step of the load."""

    def __init__(self, spark: SparkSession, landing: Path, warehouse: Path, delivery: Path) -> None:
        self._spark, self._warehouse, self._delivery = spark, warehouse, delivery
        self._files = landed_files(landing)
        self._counts: dict[str, dict[str, int]] = {}

    def run(self) -> dict[str, dict[str, int]]:
        """Objects, then the datasets whose objects changed."""
        changed = [facts for facts in dataset_facts() if self._inputs(facts) & self._files.keys()]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self._object, self._files))
            list(pool.map(self._dataset, changed))
        return self._counts

    def _inputs(self, facts: DatasetFacts) -> set[str]:
        said = {facts.base, *(side.partition(".")[0] for join in facts.joins for side in join[1:])}
        said |= (
            {"ad_space_specification", "ad_space_creative_size_type", "ad_creative_size_type"}
            if facts.from_product
            else set()
        )
        return {aliases()[alias] for alias in said}

    def _object(self, table: str) -> None:
        frame = records(self._spark, self._files[table])
        place = str(self._warehouse / table)
        if {"id", "systemmodstamp"} <= set(frame.columns):
            lost = frame.where(LOST)
            lost.write.format("delta").mode("append").option("mergeSchema", "true").save(f"{place}__quarantine")
        rows, counted = self._judged(table, latest(frame))
        if (self._warehouse / table / "_delta_log").exists() and "__key" in rows.columns:
            self._merge(place, rows)
        else:
            rows.write.format("delta").mode("overwrite").save(place)
        self._counts[table] = counted.get

    def _judged(self, name: str, frame: DataFrame):  # the frame, and its counts once it is written
        from pyspark.sql import Observation
        from pyspark.sql import functions as F

        counted = Observation()
        broken = [F.sum(F.expr(f"int(not ({rule}))")).alias(f"r{n}") for n, rule in enumerate(RULES.get(name, ()))]
        return frame.observe(counted, F.count(F.lit(1)).alias("rows"), *broken), counted

    def _merge(self, place: str, rows: DataFrame) -> None:
        from delta.tables import DeltaTable

        had = self._spark.read.format("delta").load(place).columns
        compared = [f"s.`{c}` <=> t.`{c}`" for c in rows.columns if c in had and c not in TRACE]
        newer = f"s.__stamp > t.__stamp or (s.__stamp = t.__stamp and not ({' and '.join(compared)}))"
        target = DeltaTable.forPath(self._spark, place).alias("t")
        merge = target.merge(rows.alias("s"), "t.__key = s.__key").whenMatchedUpdate(
            condition=newer, set={f"`{c}`": f"s.`{c}`" for c in rows.columns}
        )
        merge.whenNotMatchedInsertAll().execute()

    def _dataset(self, facts: DatasetFacts) -> None:
        frame = dataset(facts, self._live)
        rows, counted = self._judged(facts.name, frame)
        place = str(self._delivery / facts.name)
        rows.coalesce(1).write.mode("overwrite").csv(place, header=True, escape='"')
        self._counts[facts.name] = counted.get

    def _live(self, alias: str) -> DataFrame:
        return without_deleted(self._spark.read.format("delta").load(str(self._warehouse / aliases()[alias])))


def main(landing: Path, warehouse: Path, delivery: Path, settings: str) -> None:
    from forceglue.runtime.session import start

    spark = start(quick=settings == "quick", extra={"spark.databricks.delta.schema.autoMerge.enabled": "true"})
    counts = Job(spark, landing, warehouse, delivery).run()
    print(json.dumps({name: found["rows"] for name, found in counts.items()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
