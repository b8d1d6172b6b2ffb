"""The old way: a Spark process for one dataset. It reads all that ever landed of its objects and writes one CSV file.

python -m benchmarks.by_hand.old_way DATASET LANDING OUT
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.by_hand.datasets import dataset
from benchmarks.by_hand.plain import plain_session
from benchmarks.by_hand.records import aliases, landed_files, latest, records, without_deleted
from mappings.reference import dataset_facts


def main(name: str, landing: Path, out: Path) -> None:
    facts = next(facts for facts in dataset_facts() if facts.name == name)
    spark = plain_session(name)
    files, tables = landed_files(landing), aliases()

    def live(alias: str):
        return without_deleted(latest(records(spark, files[tables[alias]])))

    dataset(facts, live).coalesce(1).write.mode("overwrite").csv(str(out / name), header=True, escape='"')
    spark.stop()
    print(json.dumps({"files": len(list((out / name).glob("*.csv")))}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
