"""Rows of a frame into a staging table, by COPY from Spark's tasks.

Spark makes the lines (its own row-to-line function), Arrow carries them to the Python workers, and a worker hands a
whole batch to Postgres as one piece of memory: no Python object a row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from pyspark.errors import PythonException
from pyspark.sql import types as T

from forceglue.errors import DeliveryError
from forceglue.transform.trace import literal
from forceglue.write.cells import numbered, plain, wall_clock
from forceglue.write.postgres_table import TASK, Column, Table

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

_CSV = {
    "quote": '"',
    "escape": '"',
    "ignoreLeadingWhiteSpace": "false",
    "ignoreTrailingWhiteSpace": "false",
    "emptyValue": '""',  # empty text; null is nothing between the commas
    "nullValue": "",
    "lineSep": "\n",
}
_MARK = "forceglue could not copy: "


def copy_rows(
    df: DataFrame,
    settings: Mapping[str, Any],
    target: Table,
    staging: Table,
    columns: Sequence[Column],
    connections: int,
    control: psycopg.Connection,
) -> int:
    """Fills `staging` and returns the number of rows; each row is there once, however often Spark ran a task.

    Every attempt of a task copies in a transaction of its own and hands back the transaction's number; rows of an
    attempt that Spark did not take (its answer was lost, a twin was faster) are deleted here.

    Raises:
        DeliveryError: a worker could not reach the server, or a value cannot be stored.
    """
    cells = ", ".join(f"{cell(f'c{i}', column)} AS c{i}" for i, column in enumerate(columns))
    options = ", ".join(literal(part) for pair in _CSV.items() for part in pair)
    # The number before the first cell also keeps `\.` from ever starting a line, which COPY would take for the end.
    line = f"to_csv(struct(spark_partition_id() AS p, {cells}), map({options}))"
    lines = numbered(df).selectExpr(f"concat({line}, char(10)) AS line").coalesce(connections)
    into = sql.SQL(", ").join([sql.Identifier(TASK), *(column.id for column in columns)])
    statement = sql.SQL("COPY {} ({}) FROM STDIN WITH (FORMAT csv, ENCODING 'UTF8')").format(staging.id, into)
    sender = _sender(dict(settings), statement.as_string(control))
    try:
        sent = lines.mapInArrow(sender, "xid string, rows long").collect()
    except PythonException as error:
        found = re.search(rf"{_MARK}(.*)", str(error))
        if found is None:
            raise
        raise DeliveryError(str(target), found[1].strip(), _remedy(found[1])) from None
    keep = [row.xid for row in sent]
    control.execute(sql.SQL("DELETE FROM {} WHERE xmin::text <> ALL(%s)").format(staging.id), [keep])
    return sum(row.rows for row in sent)


def cell(value: str, column: Column) -> str:
    """SQL text: a value in the form that Postgres reads without regard to its settings."""
    if isinstance(column.kind, T.TimestampType):
        return f"concat({wall_clock(value, column.kind)}, '+00')"
    if isinstance(column.kind, T.TimestampNTZType):
        return wall_clock(value, column.kind)
    if isinstance(column.kind, T.BinaryType):
        return f"concat(char(92), 'x', hex({value}))"
    return plain(value, column.kind, column.name)


def _remedy(said: str) -> str:
    if "22021" in said:
        return "Postgres stores no NUL sign in text: take it out in the mapping"
    return "check the connection and the values of the mapping, then run again"


def _sender(settings: dict[str, Any], statement: str) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """What a task does. Self-contained: an executor needs psycopg and pyarrow, not this package."""
    mark = _MARK

    def send(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import psycopg
        import pyarrow as pa

        rows, xid = 0, ""
        try:
            with psycopg.connect(**settings) as connection, connection.cursor() as cursor:
                # A row keeps the lower 32 bits of the number as its xmin.
                cursor.execute("SELECT (txid_current() % 4294967296)::text")
                xid = str((cursor.fetchone() or ("",))[0])
                with cursor.copy(statement) as copy:
                    for batch in batches:
                        lines = batch.column(0)
                        if len(lines):
                            rows += len(lines)
                            wide = pa.types.is_large_string(lines.type)
                            _, offsets, data = lines.buffers()
                            ends = memoryview(offsets).cast("q" if wide else "i")
                            start, end = ends[lines.offset], ends[lines.offset + len(lines)]
                            copy.write(memoryview(data)[start:end])
        except psycopg.Error as error:
            # Its full text would quote the row.
            said = error.diag.message_primary or (str(error).strip().splitlines() or [type(error).__name__])[-1]
            state = f" (SQLSTATE {error.sqlstate})" if error.sqlstate else ""
            raise RuntimeError(f"{mark}{said}{state}") from None
        yield pa.RecordBatch.from_pydict({"xid": pa.array([xid], pa.string()), "rows": pa.array([rows], pa.int64())})

    return send
