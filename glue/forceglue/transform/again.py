"""A batch from the quarantine: the raw rows that were set aside, as if they were landed once more.

Every field is text, as the raw row keeps it. File, row number, execution and time of ingest stay those of the landing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from forceglue.landing.inventory import LandedFile
from forceglue.landing.store import Store
from forceglue.quality.quarantine import quarantine_schema, quarantine_table
from forceglue.transform.cast import quoted
from forceglue.transform.prepared import PATCH, RAW, ROW_NUMBER, SET_ASIDE_AT
from forceglue.transform.read import ASIDE_AT, RAW_ROW, ROW, SEQ, Batch, number_sql, numbered
from forceglue.transform.trace import FILENAME, FLOW, INGESTED, literal

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ORIGIN = (FILENAME, "function_name", "function_version", "aws_request_id", FLOW)
_FILE = f"to_json(struct({', '.join(_ORIGIN)}, unix_micros({INGESTED}) AS micros))"
"""SQL text: one name for each landed file that rows come from."""


def read_again(
    spark: SparkSession,
    store: Store,
    mapping: str,
    paths: Sequence[str],
    never_read: frozenset[str],
    object_name: str,
) -> Batch:
    """The rows in these files of the mapping's quarantine; `files` of the batch are the landed files they came from.

    Args:
        paths: relative to the quarantine table.
        never_read: fields, in lower case, that are read no more and leave the raw rows too.
    """
    home = quarantine_table(store, mapping).uri
    kept = spark.read.schema(quarantine_schema()).parquet(*(f"{home}/{path}" for path in paths))
    found = _origins(kept)
    origins = [row for row in found if row["file"] is not None]
    left_out = sum(int(row["rows"]) for row in found if row["file"] is None)
    seen: dict[str, None] = dict.fromkeys(key for row in origins for key in row["keys"] or ())
    forms: dict[str, list[str]] = {}
    for key in seen:
        if key.lower() not in never_read:
            forms.setdefault(key.lower(), []).append(key)
    hidden = [key for key in seen if key.lower() in never_read]
    files = tuple(_file(row, object_name, never_read) for row in origins)
    frame = _numbered(spark, kept.where(f"{PATCH} IS NULL"), [row["file"] for row in origins])
    frame = _fields(frame, forms, hidden)
    spelled = {field: form[0] for field, form in forms.items()}
    return Batch(frame, dict.fromkeys(forms, "string"), spelled, files, again=True, left_out=left_out)


def _origins(kept: DataFrame) -> list[Row]:
    """One row a landed file, in landing order: what is known of it, its number of rows, the fields that they name.

    What patches brought is no whole record: all of it is one row, without a file.
    """
    from pyspark.sql.functions import expr

    told = [f"first({name}) AS {name}" for name in _ORIGIN]
    told += [f"unix_micros(first({INGESTED})) AS micros", "count(1) AS rows"]
    told.append(f"array_distinct(flatten(collect_set(json_object_keys({RAW})))) AS keys")
    named = kept.selectExpr("*", f"IF({PATCH} IS NULL, {_FILE}, NULL) AS file")
    rows = named.groupBy("file").agg(*map(expr, told)).collect()
    return sorted(rows, key=lambda row: (row["micros"] or 0, row[FILENAME] or "", row["file"] or ""))


def _file(row: Row, object_name: str, never_read: frozenset[str]) -> LandedFile:
    at = _EPOCH + timedelta(microseconds=row["micros"] or 0)
    path = row[FILENAME] or "unknown"
    return LandedFile(
        path=path,
        identity=row["file"],
        uri=path,
        source_uri=path,
        object=object_name,
        format="json",
        size=0,
        mtime=at,
        rows=int(row["rows"]),
        fields=tuple((key, "string") for key in row["keys"] or () if key.lower() not in never_read),
        flow_execution=row[FLOW],
        ingested_at=at,
        request_id=row["aws_request_id"],
        function_name=row["function_name"],
        function_version=row["function_version"],
    )


def _numbered(spark: SparkSession, kept: DataFrame, files: Sequence[str]) -> DataFrame:
    numbers = {name: i for i, name in enumerate(files)}
    seq = "0" if len(files) == 1 else number_sql(_FILE, numbers)
    frame = kept.selectExpr(
        RAW,
        f"{SET_ASIDE_AT} AS {ASIDE_AT}",
        f"coalesce({ROW_NUMBER}, monotonically_increasing_id()) AS {ROW}",
        f"{seq or _FILE} AS {SEQ}",
    )
    return frame if seq else numbered(spark, frame, numbers)


def _fields(frame: DataFrame, forms: dict[str, list[str]], hidden: Sequence[str]) -> DataFrame:
    """The raw text taken apart; a field that some files spell in another case is one field."""
    from pyspark.sql.functions import col, from_json
    from pyspark.sql.types import StringType, StructField, StructType

    depth = max((len(spellings) for spellings in forms.values()), default=0)
    parsed = []
    for i in range(depth):
        names = [spellings[i] for spellings in forms.values() if len(spellings) > i]
        schema = StructType([StructField(name, StringType()) for name in names])
        parsed.append(from_json(col(RAW), schema).alias(f"__json_{i}"))
    values = [
        f"coalesce({', '.join(f'__json_{i}.{quoted(name)}' for i, name in enumerate(spellings))}) AS {quoted(field)}"
        for field, spellings in forms.items()
    ]
    raw = RAW
    if hidden:
        out = ", ".join(map(literal, hidden))
        read = f"from_json({RAW}, 'map<string,string>')"
        raw = f"to_json(map_filter({read}, (name, value) -> name NOT IN ({out})), map('ignoreNullFields', 'false'))"
    return frame.select("*", *parsed).selectExpr(*values, f"{raw} AS {RAW_ROW}", ASIDE_AT, ROW, SEQ)
