"""The tables that a mapping's lookups mean: one row for each value that is looked up, whatever they hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from forceglue.errors import UsageError
from forceglue.mapping.expand import find_column
from forceglue.mapping.model import ObjectMapping
from forceglue.mapping.names import match
from forceglue.run.context import RunContext
from forceglue.transform.cast import quoted
from forceglue.transform.columns import LookedInto
from forceglue.transform.ids import same_key
from forceglue.transform.trace import INGESTED

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def looked_into(
    ctx: RunContext, mapping: ObjectMapping, alias: str, live: Callable[[str], DataFrame | None]
) -> LookedInto:
    """The table that a lookup means, as far as it is there; its columns by their names or the fields that feed them."""
    lookup = mapping.lookups[alias]
    other = ctx.project.looked_up(lookup.object) or ctx.project.unmapped(lookup.object)
    other = ctx.project.with_defaults(other)
    known = ctx.project.columns(other.mapping) if other.mapping in ctx.project.objects else ()
    there = live(other.mapping)
    ddl = ", ".join(f"{quoted(c.name)} string" for c in known) or "`id` string"
    table = ctx.spark().createDataFrame([], ddl) if there is None else there
    names = table.columns

    def column(said: str) -> str | None:
        found = find_column(said, known)
        return match(found.name if found else said, names)

    wanted = lookup.key or (other.key or ("Id",))[0]
    key = column(wanted)
    if key is None:
        raise UsageError(
            f"{mapping.mapping}: the lookup {alias} compares with {wanted}, which the table {other.mapping} has not"
        )
    if lookup.key or other.target.write in ("append", "snapshot"):
        table = _one_a_key(table, key, column((other.key or ("Id",))[0]))
    return LookedInto(table, key, column)


def _one_a_key(table: DataFrame, key: str, own: str | None) -> DataFrame:
    """One row for each value looked up, the latest, whatever the table holds: a lookup never multiplies rows."""
    order = [f"{quoted(c)} DESC" for c in (INGESTED, own) if c and c in table.columns] or ["1"]
    rank = f"row_number() OVER (PARTITION BY {same_key(quoted(key))} ORDER BY {', '.join(order)}) AS __rank"
    return table.selectExpr("*", rank).where("__rank = 1").drop("__rank")
