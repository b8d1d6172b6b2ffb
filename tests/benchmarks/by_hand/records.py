"""Reading an object as a script does: every file that ever landed, as text, and the latest version of each record."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

from mappings.reference import object_facts

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

TRACE = ("filename", "function_name", "function_version", "aws_request_id", "appflow_id", "processed_ts")


def table_names() -> dict[str, str]:
    """`{squashed name of a landing folder: table}`."""
    return {
        squash(name): entry["table"]
        for entry in object_facts()
        for name in (entry["source"], entry["label"], *entry["alternatives"])
        if name
    }


def aliases() -> dict[str, str]:
    """`{alias in the datasets' facts: table}`."""
    return {entry["alias"]: entry["table"] for entry in object_facts() if entry["alias"]}


def squash(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def landed_files(landing: Path) -> dict[str, list[Path]]:
    """`{table: files}` of everything under `in/`."""
    known, found = table_names(), defaultdict(list)
    for flow in sorted((landing / "in").iterdir()):
        table = known.get(squash(flow.name.partition("-Salesforce-")[2]))
        if table:
            found[table] += sorted(path for path in flow.rglob("*") if path.is_file() and path.name[0] not in "._")
    return dict(found)


def records(spark: SparkSession, files: Sequence[Path]) -> DataFrame:
    """All rows of some files with every field as text; files of one execution and format are read together."""
    groups = defaultdict(list)
    for path in files:
        groups[path.parent, path.suffix].append(str(path))
    frames = [_as_text(_read(spark, paths, suffix)) for (_, suffix), paths in groups.items()]
    return reduce(lambda one, other: one.unionByName(other, allowMissingColumns=True), frames)


def _read(spark: SparkSession, paths: list[str], suffix: str) -> DataFrame:
    if suffix == ".csv":
        return spark.read.csv(paths, header=True, multiLine=True, escape='"')
    if suffix in (".json", ".jsonl"):
        return spark.read.json(paths, primitivesAsString=True)
    return spark.read.parquet(*paths)


def _as_text(frame: DataFrame) -> DataFrame:
    from pyspark.sql import functions as F

    texts = [F.col(f"`{name}`").cast("string").alias(name.lower()) for name in frame.columns]
    trace = {
        "filename": F.input_file_name(),
        "function_name": F.lit("by hand"),
        "function_version": F.lit("1"),
        "aws_request_id": F.lit("none"),
        "appflow_id": F.element_at(F.split(F.input_file_name(), "/"), -2),
        "processed_ts": F.current_timestamp().cast("string"),
    }
    return frame.select(*texts, *(value.alias(name) for name, value in trace.items()))


def latest(frame: DataFrame) -> DataFrame:
    """The latest version of each record; an object without versions as it is."""
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    if not {"id", "systemmodstamp"} <= set(frame.columns):
        return frame
    frame = frame.withColumn("__key", F.substring("id", 1, 15)).withColumn("__stamp", F.expr(stamp()))
    frame = frame.where("id is not null and (__stamp is not null or systemmodstamp is null)")
    newest = Window.partitionBy("__key").orderBy(F.col("__stamp").desc_nulls_last())
    return frame.withColumn("__rank", F.row_number().over(newest)).where("__rank = 1").drop("__rank")


def stamp() -> str:
    """SQL text: SystemModstamp in any of its forms, ISO text or milliseconds, as a moment."""
    return "coalesce(timestamp_millis(try_cast(systemmodstamp as bigint)), try_cast(systemmodstamp as timestamp))"


def without_deleted(frame: DataFrame) -> DataFrame:
    from pyspark.sql import functions as F

    if "isdeleted" not in frame.columns:
        return frame
    return frame.where(~F.lower(F.coalesce("isdeleted", F.lit("false"))).isin("true", "1"))
