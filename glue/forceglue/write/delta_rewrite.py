"""An upsert into a small table: one plain Spark job writes it anew, and the table adopts the files.

It leaves the rows that `delta_merge.upsert` leaves. A MERGE plans and runs several jobs whatever the size: on a table
of some thousand rows this takes a third of its CPU time. One task does it all, so nothing is shuffled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from forceglue.transform.cast import quoted
from forceglue.write.delta_merge import Merged, MergeTerms, newer
from forceglue.write.delta_table import Table, TableState
from forceglue.write.staged import staged_files

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

SMALL = 16 << 20
"""Bytes of live files up to which one task writes a table sooner than a MERGE is planned."""
_ACT = "__act"


def suits(at: TableState, staged: int) -> bool:
    """Whether a batch of `staged` bytes is upserted into the table by writing it anew."""
    return at.plain and bool(at.files) and not at.change_feed and at.size + staged <= SMALL


def rewrite(
    spark: SparkSession,
    table: Table,
    at: TableState,
    paths: Sequence[str],
    terms: MergeTerms,
    *,
    schema: StructType,
    position: int,
    folder: str,
) -> Merged:
    """Upserts staged Parquet files; arguments as of `delta_merge.upsert`.

    Args:
        at: the table as it was planned for; one that was written since is a `ConcurrentRunError`.
        folder: below the table's, for the new files; what the table does not adopt stays there.
    """
    from pyspark.sql.types import StructType

    ddl = ", ".join(f"{quoted(name)} {kind}" for name, kind in at.columns.items())
    there = spark.read.schema(ddl).parquet(*(f"{table.uri}/{path}" for path in at.files))
    come = spark.read.schema(schema).parquet(*paths)
    rows = _met(there, come, terms)
    rows.write.mode("overwrite").partitionBy(_ACT).parquet(table.store.uri(folder))
    files = staged_files(table.store, folder)
    merged = Merged(*(sum(f.rows for f in files.get(act, ())) for act in ("inserted", "updated", "deleted")))
    # where rows are only added, the files that are there stay
    anew = merged.updated or merged.deleted
    taken = ("kept", "updated", "inserted") if anew else ("inserted",)
    table.adopt(
        [file for act in taken for file in files.get(act, ())],
        StructType(rows.schema.fields[:-1]),
        position=position,
        at=at,
        remove_below=at.files if anew else (),
    )
    table.confirm(position)
    return merged


def _met(there: DataFrame, come: DataFrame, terms: MergeTerms) -> DataFrame:
    """Every row of the table afterwards, and those that go, under what became of it."""
    from pyspark.sql import functions as F

    on = " AND ".join(f"t.{quoted(k)} = s.{quoted(k)}" for k in terms.keys.key)
    gone, wins = terms.gone, f"coalesce({newer(terms.keys, terms.compared)}, false)"
    act = (
        f"CASE WHEN s IS NULL THEN 'kept' WHEN t IS NULL THEN IF({gone}, 'none', 'inserted') "
        f"WHEN NOT {wins} THEN 'kept' WHEN {gone} THEN 'deleted' ELSE 'updated' END"
    )
    # a row is one struct in the join: what did not meet is null as a whole
    t, s = there.coalesce(1).selectExpr("struct(*) AS t"), come.coalesce(1).selectExpr("struct(*) AS s")
    carried, old, new = set(terms.data), set(there.columns), set(come.columns)

    def value(name: str) -> str:
        column = quoted(name)
        if name not in new:
            return f"t.{column} AS {column}"
        if name not in old:
            return f"IF({_ACT} = 'kept', NULL, s.{column}) AS {column}"
        taken = f"{_ACT} <> 'kept'" if name in carried else f"{_ACT} = 'inserted'"
        return f"IF({taken}, s.{column}, t.{column}) AS {column}"

    met = t.join(s, F.expr(on), "full").selectExpr("t", "s", f"{act} AS {_ACT}")
    return met.selectExpr(*map(value, dict.fromkeys([*there.columns, *come.columns])), _ACT)
