"""How the staged rows of an object get into its table: adopted as they are, written anew with it, or merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from forceglue.mapping.names import match
from forceglue.quality import rules as q
from forceglue.run.context import RunContext
from forceglue.run.plan import ObjectPlan
from forceglue.run.staging import Staged
from forceglue.run.taking import take
from forceglue.transform.object_rows import extra_columns
from forceglue.transform.prepared import Prepared
from forceglue.transform.trace import INGESTED, TRACE
from forceglue.write.delta_merge import Merged, MergeKeys, MergeTerms, scd2, upsert
from forceglue.write.delta_named import map_columns, needs_column_mapping
from forceglue.write.delta_properties import VECTORS, marks_pay, set_properties
from forceglue.write.delta_rewrite import rewrite, suits
from forceglue.write.delta_table import Table
from forceglue.write.staged import value_range
from forceglue.write.tombstones import bury, exhume


def commit(
    ctx: RunContext, plan: ObjectPlan, table: Table, staged: Staged, prepared: Prepared, position: int
) -> Merged:
    """Makes the good rows part of the table, and the position with them, in one transaction.

    Raises:
        ConcurrentRunError: another run committed first.
    """
    if buries(plan):
        gone = (*staged.files.get(q.GOOD, ()), *staged.files.get(q.GONE, ()))
        bury(ctx.spark(), ctx.warehouse, plan.name, gone, merge_terms(plan, prepared.columns).keys, position)
    merged = _committed(ctx, plan, table, staged, prepared, position)
    if buries(plan) and plan.refresh:
        exhume(ctx.warehouse, plan.name, lambda earlier: earlier != position)
    return merged


def _committed(
    ctx: RunContext, plan: ObjectPlan, table: Table, staged: Staged, prepared: Prepared, position: int
) -> Merged:
    mapping = plan.mapping
    good = staged.files.get(q.GOOD, ())
    if plan.patch and plan.table and not good:
        table.advance(position, plan.table)
        return Merged(0, 0, 0)
    if plan.mode != "merge" or not good:
        take(
            ctx, table, staged, prepared, position, plan.table,
            replace=plan.mode == "replace", partition_by=partitions(plan, prepared), comment=mapping.description,
        )  # fmt: skip
        return Merged(staged.rows(q.GOOD), 0, 0)
    terms = merge_terms(plan, prepared.columns)
    terms = replace(terms, within=value_range(good, terms.keys.key[0]))
    paths = staged.paths(ctx.warehouse)
    named = needs_column_mapping(prepared.columns)
    if plan.table and mapping.target.write == "upsert" and not named and suits(plan.table, sum(f.size for f in good)):
        return rewrite(
            ctx.spark(), table, plan.table, paths, terms,
            schema=prepared.schema, position=position, folder=own_folder(plan, position),
        )  # fmt: skip
    table.expect(plan.table)
    if plan.table and not plan.table.mapped and named:
        map_columns(ctx.spark(), table, plan.table)
    if plan.table and marks_pay(plan.table):
        set_properties(ctx.spark(), table, {VECTORS: "true"})
    if mapping.target.write == "scd2":
        return scd2(
            ctx.spark(), table, paths, terms,
            schema=prepared.schema, position=position, folder=f"{staged.folder}/_met",
        )  # fmt: skip
    return upsert(ctx.spark(), table, paths, terms, schema=prepared.schema, position=position)


def own_folder(plan: ObjectPlan, position: int) -> str:
    """Where files that the table can adopt are written: below its own folder."""
    return f"{plan.name}/batch-{position}"


def partitions(plan: ObjectPlan, prepared: Prepared) -> tuple[str, ...]:
    """By what the table's files are kept apart; a table that is added to keeps its own partitions."""
    if plan.mode in ("append", "merge") and plan.table:
        return tuple(name for name in plan.table.partitions if name in prepared.columns)
    return tuple(match(name, prepared.columns) or name for name in plan.mapping.target.partition_by)


def buries(plan: ObjectPlan) -> bool:
    """Whether what leaves the table must be remembered: by its key, and only where versions can be compared."""
    target = plan.mapping.target
    return target.write == "upsert" and target.on_delete == "delete" and plan.names.order is not None


def merge_terms(plan: ObjectPlan, columns: Sequence[str]) -> MergeTerms:
    """The terms for a batch of these columns."""
    order = next((c.type or "string" for c in plan.columns if c.name == plan.names.order), "string")
    data = tuple(c for c in columns if c in plan.carried or c in TRACE)
    had = plan.table.columns if plan.table else {}
    target = plan.mapping.target
    outside = {*TRACE, *extra_columns(plan.mapping), plan.names.order, *plan.names.key}
    tracked = target.track or tuple(c.name for c in plan.columns if c.name in plan.carried and c.name not in outside)
    landed = INGESTED if plan.again else None
    fresh = tuple(c for c in data if c not in had and c not in outside)
    return MergeTerms(
        MergeKeys(plan.names.key, plan.names.order, order, plan.names.deleted, landed, fresh),
        data,
        tuple(c for c in data if c in had and c not in TRACE),
        tuple(t for t in (match(t, columns) or t for t in tracked) if t in plan.carried),
        target.on_delete == ("close" if target.write == "scd2" else "delete"),
    )
