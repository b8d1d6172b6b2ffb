"""MERGE of staged rows into a table: upsert, and SCD2. The position rides in the same Delta transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forceglue.errors import ConcurrentRunError
from forceglue.runtime.session import beside
from forceglue.transform.cast import order_sql, quoted
from forceglue.write.delta_table import Table, app_id

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType


@dataclass(frozen=True)
class Merged:
    """What a merge did, in rows. `applied` is how many of the staged rows the table took."""

    inserted: int
    updated: int
    deleted: int

    @property
    def applied(self) -> int:
        return self.inserted + self.updated + self.deleted


@dataclass(frozen=True)
class MergeKeys:
    """Names of the table's own columns: key, order (None: what lands later is newer), deleted, and the order's type.

    `landed` is the column with the time of landing where rows come again (a replay): of two versions with one order, or
    with none, the one that landed later stands, and no longer the one that is merged last.
    `fresh` are columns that this batch brings and the table does not have yet.
    """

    key: Sequence[str]
    order: str | None
    order_type: str
    deleted: str | None
    landed: str | None = None
    fresh: Sequence[str] = ()


def session_for(spark: SparkSession, mapping: str, position: int) -> SparkSession:
    """A session of its own, so that mappings that run at the same time do not share the transaction's settings."""
    settings = {
        "spark.databricks.delta.write.txnAppId": app_id(mapping),
        "spark.databricks.delta.write.txnVersion": str(position),
        "spark.databricks.delta.schema.autoMerge.enabled": "true",
        # the source is Parquet files that nobody changes: it can be read twice, a third copy would only cost
        "spark.databricks.delta.merge.materializeSource": "none",
    }
    return beside(spark, settings)


def newer(keys: MergeKeys, columns: Sequence[str] | None) -> str:
    """SQL text: the staged row `s` replaces the table's row `t`.

    A greater order does; an equal one does if anything differs (a load again with a new field, a formula's refresh): of
    two versions with one stamp the one that landed last stands. An older one never does. Without `columns` an equal one
    always does, which leaves the same rows.
    """
    later = f"s.{quoted(keys.landed)} > t.{quoted(keys.landed)}" if keys.landed else None
    if keys.order is None:
        return later or "true"
    s, t = (
        order_sql(keys.order, keys.order_type).replace(quoted(keys.order), f"{side}.{quoted(keys.order)}")
        for side in "st"
    )
    equal = [f"s.{quoted(c)} <=> t.{quoted(c)}" for c in columns or ()] + [f"s.{quoted(c)} IS NULL" for c in keys.fresh]
    same = "false" if columns is None else " AND ".join(equal) or "true"
    wins = f"(({s}) > ({t}) OR ({t}) IS NULL OR (({s}) = ({t}) AND NOT ({same})))"
    first = f"coalesce(({s}) > ({t}), ({s}) IS NOT NULL AND ({t}) IS NULL)"
    return f"({wins} AND ({first} OR {later}))" if later else wins


def upsert(
    spark: SparkSession,
    table: Table,
    paths: Sequence[str],
    keys: MergeKeys,
    *,
    data: Sequence[str],
    schema: StructType,
    compared: Sequence[str],
    delete: bool,
    position: int,
) -> Merged:
    """Merges staged Parquet files into the table.

    Args:
        data: the columns that this batch carries; an update leaves the others as they are.
        schema: of all columns, for an insert; told, so that no file is opened to find it.
        compared: data columns that the table already has.
        delete: a row whose latest version is deleted goes; else it stays and says so.
    """
    own = session_for(spark, table.mapping, position)
    source, columns = own.read.schema(schema).parquet(*paths), schema.names
    on = " AND ".join(f"t.{quoted(k)} = s.{quoted(k)}" for k in keys.key)
    gone = f"coalesce(s.{quoted(keys.deleted)}, false)" if delete and keys.deleted else "false"
    merge = _target(own, table).merge(source.alias("s"), on)
    wins = newer(keys, compared)
    if gone != "false":
        merge = merge.whenMatchedDelete(condition=f"{gone} AND {wins}")
    merge = merge.whenMatchedUpdate(condition=wins, set={quoted(c): f"s.{quoted(c)}" for c in data})
    merge = merge.whenNotMatchedInsert(condition=f"NOT {gone}", values={quoted(c): f"s.{quoted(c)}" for c in columns})
    _execute(merge, table, position)
    found = table.metrics()
    return Merged(
        found.get("numTargetRowsInserted", 0),
        found.get("numTargetRowsUpdated", 0),
        found.get("numTargetRowsDeleted", 0),
    )


def _target(own: SparkSession, table: Table) -> Any:  # delta-spark's own class, imported late
    from delta.tables import DeltaTable

    return DeltaTable.forPath(own, table.uri).alias("t")


def _execute(merge: Any, table: Table, position: int) -> None:
    with told_overtaken(table):
        merge.execute()
    table.confirm(position)


@contextmanager
def told_overtaken(table: Table) -> Iterator[None]:
    """Delta's refusal of a commit that another one overtook, as a `ConcurrentRunError`."""
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JJavaError) as error:
        if any(sign in str(error).lower() for sign in ("concurrent", "already exists")):
            raise ConcurrentRunError(f"{table.mapping}: another run wrote {table.uri} meanwhile. Run again.") from error
        raise


def scd2(
    spark: SparkSession,
    table: Table,
    paths: Sequence[str],
    keys: MergeKeys,
    *,
    data: Sequence[str],
    schema: StructType,
    compared: Sequence[str],
    tracked: Sequence[str],
    close: bool,
    position: int,
) -> Merged:
    """A row a version: a change in a tracked column ends the current version and opens the next.

    A change elsewhere is made in place; a deleted record's version ends (`close`), and what was valid before that end
    does not open the record again. A column that the batch does not carry (`data`, as in `upsert`) keeps the value of
    the version before. Returned counts are rows of the batch: `inserted` new records, `updated` records with a new
    version or changed in place, `deleted` ended ones.
    """
    from pyspark.sql import functions as F

    own = session_for(spark, table.mapping, position)
    source, columns = own.read.schema(schema).parquet(*paths).alias("s"), schema.names
    history = own.read.format("delta").load(table.uri)
    current = history.where("is_current").alias("t")
    on = F.expr(" AND ".join(f"s.{quoted(k)} = t.{quoted(k)}" for k in keys.key))
    action = scd2_action(keys, current.columns, compared=compared, tracked=tracked, close=close)
    lost = {c for c in columns if c not in data and c not in _ENGINE and c in current.columns}
    values = [f"{'t' if c in lost else 's'}.{quoted(c)} AS {quoted(c)}" for c in columns]
    met = source.join(current, on, "left").selectExpr(*values, f"{action} AS __action")
    met = met.where("__action <> 'none'")
    joined = (_without_ended(met, history, keys) if close else met).persist()
    try:
        counted = {row["__action"]: int(row["count"]) for row in joined.groupBy("__action").count().collect()}
        key = [f"__merge_{i}" for i in range(len(keys.key))]
        named = [f"{quoted(k)} AS {m}" for k, m in zip(keys.key, key, strict=True)]
        touching = joined.where("__action <> 'new'").selectExpr("*", *named)
        opening = joined.where("__action in ('new', 'version')").select(
            "*", *(F.lit(None).cast(dict(joined.dtypes)[k]).alias(m) for k, m in zip(keys.key, key, strict=True))
        )
        rows = touching.withColumn("__opens", F.lit(False)).unionByName(opening.withColumn("__opens", F.lit(True)))
        match = " AND ".join(f"t.{quoted(k)} = s.{m}" for k, m in zip(keys.key, key, strict=True))
        in_place = [c for c in columns if c not in _ENGINE]
        merge = (
            _target(own, table)
            .merge(rows.alias("s"), f"{match} AND t.is_current AND NOT s.__opens")
            .whenMatchedUpdate(
                condition="s.__action in ('version', 'close')", set={"is_current": "false", "valid_to": "s.valid_from"}
            )
            .whenMatchedUpdate(condition="s.__action = 'edit'", set={quoted(c): f"s.{quoted(c)}" for c in in_place})
            .whenNotMatchedInsert(condition="s.__opens", values={quoted(c): f"s.{quoted(c)}" for c in columns})
        )
        _execute(merge, table, position)
    finally:
        joined.unpersist()
    return Merged(counted.get("new", 0), counted.get("version", 0) + counted.get("edit", 0), counted.get("close", 0))


def _without_ended(rows: DataFrame, history: DataFrame, keys: MergeKeys) -> DataFrame:
    """The rows but those of a record that has no current version, from before the end of its last one."""
    from pyspark.sql import functions as F

    names = [f"{quoted(k)} AS __ended_{i}" for i, k in enumerate(keys.key)]
    ended = history.where("NOT is_current").selectExpr(*names, "valid_to AS __end")
    on = " AND ".join(f"{quoted(k)} = __ended_{i}" for i, k in enumerate(keys.key))
    return rows.join(ended, F.expr(f"{on} AND __action = 'new' AND valid_from < __end"), "left_anti")


def scd2_action(
    keys: MergeKeys, there: Sequence[str], *, compared: Sequence[str], tracked: Sequence[str], close: bool
) -> str:
    """SQL text: what becomes of a staged row `s` beside the current version `t` (nulls where there is none).

    `new`, `version` (another version opens), `edit` (changed in place), `close` (the version ends) or `none`.

    Args:
        there: the columns that the table has.
    """
    changed = " OR ".join(f"NOT (s.{quoted(c)} <=> t.{quoted(c)})" for c in tracked if c in there) or "false"
    gone = f"coalesce(s.{quoted(keys.deleted)}, false)" if close and keys.deleted else "false"
    wins = newer(keys, compared)
    unmatched = f"t.{quoted(keys.key[0])} IS NULL"
    return (
        f"CASE WHEN {unmatched} AND {gone} THEN 'none' WHEN {unmatched} THEN 'new' "
        f"WHEN NOT coalesce({wins}, false) THEN 'none' "
        f"WHEN {gone} THEN 'close' WHEN {changed} THEN 'version' ELSE 'edit' END"
    )


_ENGINE = ("valid_from", "valid_to", "is_current")
