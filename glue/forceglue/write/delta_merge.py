"""MERGE of staged rows into a table: upsert, and SCD2. The position rides in the same Delta transaction."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forceglue.errors import ConcurrentRunError
from forceglue.runtime.session import beside
from forceglue.transform.cast import order_sql, quoted
from forceglue.transform.trace import literal
from forceglue.write.delta_table import Table, app_id
from forceglue.write.staged import staged_files

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

_OVERTAKEN = re.compile(r"\bConcurrent\w*Exception\b|\[DELTA_CONCURRENT|FileAlreadyExistsException")
"""How Delta names a commit that another one overtook; `java.util.concurrent` is in every stack."""


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


@dataclass(frozen=True)
class MergeTerms:
    """By what a batch meets its table.

    Attributes:
        data: the columns that the batch carries; an update leaves the others as they are.
        compared: data columns that the table already has.
        tracked: columns whose change opens a version (SCD2).
        ends: a record whose latest version is deleted goes (SCD2: its version ends); else it stays and says so.
        within: the least and the greatest first key part of the batch, where they are known: the table's rows outside
            are not read. A text or a whole number each.
    """

    keys: MergeKeys
    data: Sequence[str]
    compared: Sequence[str]
    tracked: Sequence[str] = ()
    ends: bool = False
    within: tuple[Any, Any] | None = None

    def meets(self, side: str) -> str:
        """SQL text: the first key part of `side` is one that the batch may hold."""
        if self.within is None or not all(type(end) in (str, int) for end in self.within):
            return "true"
        column, (least, greatest) = f"{side}.{quoted(self.keys.key[0])}", map(literal, self.within)
        return f"{column} >= {least} AND {column} <= {greatest}"

    @property
    def gone(self) -> str:
        """SQL text: the staged row `s` says that its record is deleted, which ends it in the table."""
        said = self.keys.deleted if self.ends else None
        return f"coalesce(s.{quoted(said)}, false)" if said else "false"


def session_for(spark: SparkSession, mapping: str, position: int) -> SparkSession:
    """A session of its own, so that mappings that run at the same time do not share the transaction's settings."""
    settings = {
        "spark.databricks.delta.write.txnAppId": app_id(mapping),
        "spark.databricks.delta.write.txnVersion": str(position),
        "spark.databricks.delta.schema.autoMerge.enabled": "true",
        # the source is Parquet files that nobody changes: it can be read twice, a third copy would only cost
        "spark.databricks.delta.merge.materializeSource": "none",
        # rows of the table that meet none of the batch are left out before they are shuffled, however small the table
        "spark.sql.optimizer.runtime.bloomFilter.applicationSideScanSizeThreshold": "0",
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
    spark: SparkSession, table: Table, paths: Sequence[str], terms: MergeTerms, *, schema: StructType, position: int
) -> Merged:
    """Merges staged Parquet files into the table.

    Args:
        schema: of all columns, for an insert; told, so that no file is opened to find it.
    """
    own = session_for(spark, table.mapping, position)
    columns = schema.names
    # Spark tells the join of a filter on the one side what it then may skip on the other
    source = own.read.schema(schema).parquet(*paths).alias("s").where(terms.meets("s"))
    on = " AND ".join([*(f"t.{quoted(k)} = s.{quoted(k)}" for k in terms.keys.key), terms.meets("t")])
    merge = _target(own, table).merge(source, on)
    wins = newer(terms.keys, terms.compared)
    if terms.gone != "false":
        merge = merge.whenMatchedDelete(condition=f"{terms.gone} AND {wins}")
    merge = merge.whenMatchedUpdate(condition=wins, set={quoted(c): f"s.{quoted(c)}" for c in terms.data})
    inserted = {quoted(c): f"s.{quoted(c)}" for c in columns}
    merge = merge.whenNotMatchedInsert(condition=f"NOT {terms.gone}", values=inserted)
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
        if _OVERTAKEN.search(str(error)):
            raise ConcurrentRunError(f"{table.mapping}: another run wrote {table.uri} meanwhile. Run again.") from error
        raise


def scd2(
    spark: SparkSession,
    table: Table,
    paths: Sequence[str],
    terms: MergeTerms,
    *,
    schema: StructType,
    position: int,
    folder: str,
) -> Merged:
    """A row a version: a change in a tracked column ends the current version and opens the next.

    A change elsewhere is made in place; a deleted record's version ends (`ends`), and what was valid before that end
    does not open the record again. A column that the batch does not carry (`data`) keeps the value of the version
    before. Returned counts are rows of the batch: `inserted` new records, `updated` records with a new version or
    changed in place, `deleted` ended ones.

    Args:
        folder: below the root, for what becomes of each row. It is written down, since the merge reads it twice and
            must find the same.
    """
    own = session_for(spark, table.mapping, position)
    met = _met(own, table, paths, terms, schema)
    met.write.mode("overwrite").partitionBy(_ACTION).parquet(table.store.uri(folder))
    files = staged_files(table.store, folder)
    counted = {action: sum(f.rows for f in group) for action, group in files.items()}
    if counted:
        rows = own.read.schema(met.schema).parquet(table.store.uri(folder))
        _execute(_opened_and_ended(own, table, rows, terms, schema.names), table, position)
    else:  # the position moves all the same
        table.adopt((), schema, position=position, at=table.state())
    return Merged(counted.get("new", 0), counted.get("version", 0) + counted.get("edit", 0), counted.get("close", 0))


def _met(own: SparkSession, table: Table, paths: Sequence[str], terms: MergeTerms, schema: StructType) -> DataFrame:
    """The staged rows that change anything, each with what becomes of it."""
    from pyspark.sql import functions as F

    keys = terms.keys
    source, columns = own.read.schema(schema).parquet(*paths).alias("s"), schema.names
    history = own.read.format("delta").load(table.uri)
    current = history.alias("t").where("t.is_current").where(terms.meets("t"))
    on = F.expr(" AND ".join(f"s.{quoted(k)} = t.{quoted(k)}" for k in keys.key))
    lost = {c for c in columns if c not in terms.data and c not in _ENGINE and c in current.columns}
    values = [f"{'t' if c in lost else 's'}.{quoted(c)} AS {quoted(c)}" for c in columns if c != "valid_from"]
    # a refresh opened a version since the record was last changed: no version ends before it began
    values.append("greatest(s.valid_from, t.valid_from) AS valid_from")
    met = source.join(current, on, "left").selectExpr(*values, f"{scd2_action(terms, current.columns)} AS {_ACTION}")
    met = met.where(f"{_ACTION} <> 'none'")
    return _without_ended(met, history, keys) if terms.ends else met


def _opened_and_ended(
    own: SparkSession, table: Table, rows: DataFrame, terms: MergeTerms, columns: Sequence[str]
) -> Any:  # delta-spark's own class
    """The merge: a row that opens a version meets nothing, so its key is null."""
    from pyspark.sql import functions as F

    keys = terms.keys
    key = [f"__merge_{i}" for i in range(len(keys.key))]
    named = [f"{quoted(k)} AS {m}" for k, m in zip(keys.key, key, strict=True)]
    kinds = dict(rows.dtypes)
    touching = rows.where(f"{_ACTION} <> 'new'").selectExpr("*", *named, "false AS __opens")
    nulls = [f"CAST(NULL AS {kinds[k]}) AS {m}" for k, m in zip(keys.key, key, strict=True)]
    opening = rows.where(f"{_ACTION} in ('new', 'version')").selectExpr("*", *nulls, "true AS __opens")
    match = " AND ".join(f"t.{quoted(k)} = s.{m}" for k, m in zip(keys.key, key, strict=True))
    in_place = [c for c in columns if c not in _ENGINE]
    return (
        _target(own, table)
        .merge(
            touching.unionByName(opening).alias("s"),
            F.expr(f"{match} AND {terms.meets('t')} AND t.is_current AND NOT s.__opens"),
        )
        .whenMatchedUpdate(
            condition=f"s.{_ACTION} in ('version', 'close')", set={"is_current": "false", "valid_to": "s.valid_from"}
        )
        .whenMatchedUpdate(condition=f"s.{_ACTION} = 'edit'", set={quoted(c): f"s.{quoted(c)}" for c in in_place})
        .whenNotMatchedInsert(condition="s.__opens", values={quoted(c): f"s.{quoted(c)}" for c in columns})
    )


def _without_ended(rows: DataFrame, history: DataFrame, keys: MergeKeys) -> DataFrame:
    """The rows but those of a record that has no current version, from before the end of its last one."""
    from pyspark.sql import functions as F

    names = [f"{quoted(k)} AS __ended_{i}" for i, k in enumerate(keys.key)]
    ended = history.where("NOT is_current").selectExpr(*names, "valid_to AS __end")
    on = " AND ".join(f"{quoted(k)} = __ended_{i}" for i, k in enumerate(keys.key))
    return rows.join(ended, F.expr(f"{on} AND {_ACTION} = 'new' AND valid_from < __end"), "left_anti")


def scd2_action(terms: MergeTerms, there: Sequence[str]) -> str:
    """SQL text: what becomes of a staged row `s` beside the current version `t` (nulls where there is none).

    `new`, `version` (another version opens), `edit` (changed in place), `close` (the version ends) or `none`.

    Args:
        there: the columns that the table has.
    """
    changed = " OR ".join(f"NOT (s.{quoted(c)} <=> t.{quoted(c)})" for c in terms.tracked if c in there) or "false"
    wins = newer(terms.keys, terms.compared)
    unmatched = f"t.{quoted(terms.keys.key[0])} IS NULL"
    return (
        f"CASE WHEN {unmatched} AND {terms.gone} THEN 'none' WHEN {unmatched} THEN 'new' "
        f"WHEN NOT coalesce({wins}, false) THEN 'none' "
        f"WHEN {terms.gone} THEN 'close' WHEN {changed} THEN 'version' ELSE 'edit' END"
    )


_ACTION = "__action"
_ENGINE = ("valid_from", "valid_to", "is_current")
