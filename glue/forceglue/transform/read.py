"""From landed files to one frame of a batch: every form of the same object side by side.

AppFlow writes Parquet with everything as text or with types kept, JSON lines and CSV, and changes between two APIs by
volume; a data export writes CSV with a byte-order mark. Files of one format and one set of fields are read together,
with the schema that the ingest checks found: nothing is inferred, no file is opened twice.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forceglue.transform.cast import as_text, quoted

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from forceglue.landing.inventory import LandedFile

SEQ, ROW = "__seq", "__row"
"""Columns of a batch beside the fields: which file of the batch (landing order), and the row's place in it."""
RAW_ROW, ASIDE_AT = "__raw_row", "__aside_at"
"""Columns of a batch of rows that were set aside before: the raw row as it was kept, and since when."""

# characters that a file URI keeps as they are; the rest of ASCII is percent-encoded, other scripts are not
_URI_KEPT = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-!.~'()*,;:$&+=@/")
_MANY_FILES = 2000
_TASK_BYTES = 4 << 20
"""So much of small landed files is read by one task: where nothing is shuffled, each task writes a file of its own."""
_FILE_PATH = "_metadata.file_path"


@dataclass(frozen=True)
class Batch:
    """The rows of some landed files.

    Attributes:
        frame: one column a field, named in lower case, plus `__seq` and `__row`.
        fields: `{field in lower case: type}`; a field whose type differs between the files is text.
        spelled: `{field in lower case: the name as it landed}`.
        files: the files, in landing order; `__seq` counts them.
        again: the rows come from the quarantine: the frame also has `__raw_row` and `__aside_at`.
        left_out: rows of the quarantine that are not in it, since patches brought them, which bring no whole record.
    """

    frame: DataFrame
    fields: dict[str, str]
    spelled: dict[str, str]
    files: tuple[LandedFile, ...]
    again: bool = False
    left_out: int = 0


def read_batch(
    spark: SparkSession, files: Sequence[LandedFile], never_read: frozenset[str], *, few: bool = False
) -> Batch:
    """The batch of these files.

    Args:
        files: in landing order.
        never_read: fields (lower case) that are not read at all.
        few: one task reads all rows, so that nothing needs to be shuffled for the latest version of each record.
    """
    types: dict[str, set[str]] = {}
    spelled: dict[str, str] = {}
    groups: dict[tuple[str, tuple[tuple[str, str], ...]], list[int]] = {}
    for seq, file in enumerate(files):
        fields = tuple((name, kind) for name, kind in file.fields if name.lower() not in never_read)
        # a CSV is read by position: what nothing may read keeps its place, and no column is made of it
        groups.setdefault((file.format, file.fields if file.format == "csv" else fields), []).append(seq)
        for name, kind in fields:
            types.setdefault(name.lower(), set()).add(logical_type(kind))
            spelled.setdefault(name.lower(), name)
    settled = {name: next(iter(kinds)) if len(kinds) == 1 else "string" for name, kinds in types.items()}
    frames = [_group(spark, files, seqs, fmt, fields, settled) for (fmt, fields), seqs in groups.items()]
    frame = frames[0]
    for other in frames[1:]:
        frame = frame.unionByName(other)
    tasks = 1 if few else 1 + sum(file.size for file in files) // _TASK_BYTES
    return Batch(frame.coalesce(tasks) if tasks < len(files) else frame, settled, spelled, tuple(files))


def logical_type(kind: str) -> str:
    """The type that a landed type becomes in the batch: nested values are JSON text."""
    if kind.startswith("string") or kind == "void":
        return "string"
    return "timestamp" if kind.startswith("timestamp") else kind


def _group(
    spark: SparkSession,
    files: Sequence[LandedFile],
    seqs: list[int],
    fmt: str,
    fields: tuple[tuple[str, str], ...],
    settled: dict[str, str],
) -> DataFrame:
    uris = [files[seq].uri for seq in seqs]
    raw = _load(spark, uris, fmt, fields)
    row = "_metadata.row_index" if fmt == "parquet" else "monotonically_increasing_id()"
    numbers = {path: seq for seq in seqs for path in _spelled(files[seq].uri)}
    seq = str(seqs[0]) if len(seqs) == 1 else number_sql(_FILE_PATH, numbers)
    here = {name.lower(): (name, kind) for name, kind in fields}
    columns = []
    for field, kind in settled.items():
        value = _value(*here[field], kind) if field in here else f"CAST(NULL AS {kind})"
        columns.append(f"{value} AS {quoted(field)}")
    # SQL text in one call: a Column object a piece costs a round trip to the JVM each
    frame = raw.selectExpr(*columns, f"{seq or _FILE_PATH} AS {SEQ}", f"{row} AS {ROW}")
    return frame if seq else numbered(spark, frame, numbers)


def _value(name: str, landed: str, kind: str) -> str:
    """SQL text: the landed field as the batch has it."""
    if landed == "timestamp_ns":  # Spark reads nanoseconds as a number
        moment = f"timestamp_micros({quoted(name)} DIV 1000)"
        return moment if kind == "timestamp" else f"date_format({moment}, \"yyyy-MM-dd'T'HH:mm:ss.SSS'Z'\")"
    if landed == "void":
        return f"CAST(NULL AS {kind})"
    if landed.startswith("string:"):
        return f"to_json({quoted(name)})"
    return as_text(name, logical_type(landed)) if kind == "string" else quoted(name)


def _load(spark: SparkSession, uris: list[str], fmt: str, fields: tuple[tuple[str, str], ...]) -> DataFrame:
    from pyspark.sql.types import StringType, StructField, StructType

    texts = StructType([StructField(name, StringType()) for name, _ in fields])
    if fmt == "csv":
        options: dict[str, str | bool | int] = {"header": True, "multiLine": True, "escape": '"', "quote": '"'}
        blanks = {"ignoreLeadingWhiteSpace": False, "ignoreTrailingWhiteSpace": False, "maxCharsPerColumn": -1}
        # the ingest checks let a record of too few cells pass: the cells that are not there are null
        return spark.read.schema(texts).options(**options, **blanks, mode="PERMISSIVE").csv(uris)
    if fmt == "json":
        return spark.read.schema(texts).options(mode="FAILFAST").json(uris)
    if any(":" in kind for _, kind in fields):  # nested values: only Parquet itself knows their shape
        return spark.read.option("mergeSchema", False).parquet(*uris)
    ddl = ", ".join(f"{quoted(name)} {_read_type(kind)}" for name, kind in fields)
    return spark.read.schema(ddl).parquet(*uris)


def _read_type(kind: str) -> str:
    """The type to ask Parquet for; a column of nulls without a type can be read as anything but that."""
    return {"timestamp_ns": "bigint", "void": "int"}.get(kind, kind)


def number_sql(name: str, numbers: dict[str, int]) -> str | None:
    """SQL text: from a name of a file to its number, looked up row by row; None where files are very many."""
    sums = [zlib.crc32(path.encode()) for path in numbers]
    if len(numbers) > _MANY_FILES or len(set(sums)) < len(sums):
        return None
    place = f"array_position(array({', '.join(f'{s}L' for s in sums)}), crc32({name}))"
    return f"get(array({', '.join(map(str, numbers.values()))}), CAST({place} AS INT) - 1)"


def numbered(spark: SparkSession, frame: DataFrame, numbers: dict[str, int]) -> DataFrame:
    """`__seq` from a name of the file to its number, joined."""
    from pyspark.sql import functions as F

    table = spark.createDataFrame(list(numbers.items()), "`__path` string, `__number` int")
    joined = frame.join(F.broadcast(table), F.col(SEQ) == F.col("__path"), "left")
    return joined.withColumn(SEQ, F.col("__number")).drop("__path", "__number")


def _spelled(uri: str) -> tuple[str, ...]:
    """The path as Spark may spell it in `_metadata.file_path`: readers differ in how many slashes a local one gets."""
    scheme, sep, path = uri.rpartition("://")
    kept = "".join(c if c in _URI_KEPT or not c.isascii() else f"%{ord(c):02X}" for c in path)
    return (f"{scheme}{sep}{kept}",) if scheme not in ("", "file") else (f"file://{kept}", f"file:{kept}")
