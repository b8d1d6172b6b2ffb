"""One object mapping, executed: read, stage, judge, set aside, commit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forceglue.errors import BalanceError, GateStopped, UsageError
from forceglue.landing.position import propose
from forceglue.mapping.expand import find_column
from forceglue.mapping.model import ObjectMapping
from forceglue.mapping.names import match
from forceglue.quality import rules as q
from forceglue.quality.quarantine import set_aside
from forceglue.run.context import RunContext
from forceglue.run.judging import ExpectationFlags, Judgement, expectation_report, judge, rejected_files, rule_report
from forceglue.run.plan import ObjectPlan, hidden, landed_types
from forceglue.run.report import MappingReport
from forceglue.run.staging import Staged, discard, stage
from forceglue.run.stages import Stages
from forceglue.transform.object_rows import LookedInto, ObjectInputs, extra_columns, object_rows
from forceglue.transform.prepared import Prepared
from forceglue.transform.read import Batch, read_batch
from forceglue.transform.trace import TRACE
from forceglue.write.delta_merge import MergeKeys, Merged, scd2, upsert
from forceglue.write.delta_table import Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

STAGING = "_staging"


@dataclass(frozen=True)
class _Loaded:
    prepared: Prepared
    staged: Staged
    judgement: Judgement


def run_object(ctx: RunContext, plan: ObjectPlan, live: Callable[[str], DataFrame | None]) -> MappingReport:
    """Loads what is new into the mapping's table.

    Args:
        live: the live rows of another mapping's table by its name; None where it is not there yet.

    Raises:
        GateStopped: a `fail` rule or expectation; nothing was written.
        ConcurrentRunError: another run committed first; plan again.
        BalanceError: rows do not add up; nothing was committed.
    """
    stages = Stages()
    table = Table(ctx.warehouse, plan.name, plan.name)
    manifest = propose(
        ctx.warehouse,
        plan.position,
        (f.identity for f in plan.taken),
        at=ctx.started,
        fields=landed_types(plan.files, hidden(plan.mapping)),
        replacing=plan.refresh,
    )
    adopts = plan.mode != "merge"
    folder = f"{plan.name}/batch-{manifest.version}" if adopts else f"{STAGING}/{ctx.run_id}/{plan.name}"
    try:
        loaded = _staged(ctx, plan, live, folder, stages)
        staged, judgement = loaded.staged, loaded.judgement
        _balanced(plan, staged)
        if stops := judgement.stops():
            raise GateStopped(plan.name, stops, rule_report(judgement), expectation_report(judgement), plan.landed)
        with stages("quarantine"):
            committed = plan.position.version
            aside = set_aside(ctx.warehouse, plan.name, staged, position=manifest.version, committed=committed)
        with stages("commit"):
            merged = _commit(ctx, plan, table, loaded, manifest.version)
    finally:
        _tidy(ctx, table, folder, adopts=adopts)
    return _report(plan, staged, judgement, merged, aside, stages)


def _staged(
    ctx: RunContext, plan: ObjectPlan, live: Callable[[str], DataFrame | None], folder: str, stages: Stages
) -> _Loaded:
    """Stages the batch; where a `reject_file` rule is broken, once more with every row of the file set aside."""
    rejected: frozenset[int] = frozenset()
    with stages("read"):
        batch = read_batch(ctx.spark(), plan.files, hidden(plan.mapping))
    while True:
        flags = ExpectationFlags(plan.mapping.expectations)
        with stages("transform"):
            prepared = _prepare(ctx, plan, batch, live, rejected, flags)
        with stages("stage"):
            if sum(f.rows or 0 for f in plan.files):
                staged = stage(prepared, ctx.warehouse, folder)
            else:
                staged = Staged(folder, {}, 0, clean=True)
        with stages("judge"):
            again = rejected_files(ctx, plan.mapping, prepared, staged, batch) - rejected
            if not again:
                return _Loaded(prepared, staged, judge(ctx, plan.mapping, prepared, staged, flags))
            rejected |= again
            discard(ctx.warehouse, folder)


def _prepare(
    ctx: RunContext,
    plan: ObjectPlan,
    batch: Batch,
    live: Callable[[str], DataFrame | None],
    rejected: frozenset[int],
    flags: ExpectationFlags,
) -> Prepared:
    mapping = plan.mapping
    inputs = ObjectInputs(
        columns=plan.columns,
        lookups={alias: _looked_into(ctx, mapping, alias, live) for alias in mapping.lookups},
        names=plan.names,
        run_id=ctx.run_id,
        started=ctx.started,
        rejected=rejected,
        drop_deleted=plan.drops_deleted,
        dedupe=mapping.target.write != "append",
        flags=flags,
    )
    return object_rows(batch, mapping, inputs)


def _looked_into(
    ctx: RunContext, mapping: ObjectMapping, alias: str, live: Callable[[str], DataFrame | None]
) -> LookedInto:
    lookup = mapping.lookups[alias]
    other = ctx.project.looked_up(lookup.object) or ctx.project.unmapped(lookup.object)
    other = ctx.project.with_defaults(other)
    known = ctx.project.columns(other.mapping) if other.mapping in ctx.project.objects else ()
    table = live(other.mapping)
    if table is None:
        table = ctx.spark().createDataFrame([], ", ".join(f"`{c.name}` string" for c in known) or "`id` string")

    def column(said: str) -> str | None:
        found = find_column(said, known)
        return match(found.name, table.columns) if found else match(said, table.columns)

    wanted = lookup.key or (other.key or ("Id",))[0]
    key = column(wanted)
    if key is None:
        raise UsageError(f"{mapping.mapping}: the lookup {alias} compares with {wanted}, which the table {other.mapping} has not")
    return LookedInto(table, key, column)


def _balanced(plan: ObjectPlan, staged: Staged) -> None:
    landed = sum(f.rows or 0 for f in plan.files)
    read = staged.read if staged.read is not None else landed
    exact = plan.mapping.target.write == "append"
    if read != landed or staged.total > read or (exact and staged.total != read):
        raise BalanceError(
            f"{plan.name}: the files hold {landed} rows, {read} were read and {staged.total} came out; nothing was committed. "
            f"Files: {', '.join(f.path for f in plan.files[:3])}"
        )


def _commit(ctx: RunContext, plan: ObjectPlan, table: Table, loaded: _Loaded, position: int) -> Merged:
    staged, prepared, mapping = loaded.staged, loaded.prepared, plan.mapping
    good = staged.files.get(q.GOOD, ())
    if plan.mode != "merge" or not good:
        schema = prepared.frame.select(*(f"`{c}`" for c in prepared.columns)).schema
        replace = plan.mode == "replace" and plan.table is not None
        table.adopt(good, schema, position=position, at=plan.table, replace=replace, comment=mapping.description)
        table.confirm(position)
        return Merged(staged.rows(q.GOOD), 0, 0)
    data = [c for c in prepared.columns if c in plan.carried or c in TRACE]
    keys = MergeKeys(plan.names.key, plan.names.order, _order_type(plan), plan.names.deleted)
    paths = staged.paths(ctx.warehouse)
    deletes = mapping.target.on_delete
    if mapping.target.write == "scd2":
        outside = {*TRACE, *extra_columns(mapping), plan.names.order, *plan.names.key}
        tracked = mapping.target.track or tuple(c.name for c in plan.columns if c.name in plan.carried and c.name not in outside)
        tracked = tuple(match(t, prepared.columns) or t for t in tracked)
        return scd2(
            ctx.spark(), table, paths, keys,
            columns=prepared.columns, tracked=tracked, close=deletes == "close", position=position,
        )  # fmt: skip
    had = plan.table.columns if plan.table else {}
    compared = [c for c in data if c in had and c not in TRACE]
    return upsert(
        ctx.spark(), table, paths, keys,
        data=data, columns=prepared.columns, compared=compared, delete=deletes == "delete", position=position,
    )  # fmt: skip


def _order_type(plan: ObjectPlan) -> str:
    return next((c.type or "string" for c in plan.columns if c.name == plan.names.order), "string")


def _tidy(ctx: RunContext, table: Table, folder: str, *, adopts: bool) -> None:
    """Removes what was staged and is part of no table: other verdicts, or everything of a batch that was not committed."""
    live = set(table.live_files()) if adopts else set()
    if not live:
        discard(ctx.warehouse, folder)
        return
    for entry in ctx.warehouse.list(folder):
        if entry.path.removeprefix(f"{table.path}/") not in live:
            ctx.warehouse.delete(entry.path)


def _report(
    plan: ObjectPlan, staged: Staged, judgement: Judgement, merged: Merged, aside: int, stages: Stages
) -> MappingReport:
    good = staged.rows(q.GOOD)
    read = plan.landed if not plan.files else sum(f.rows or 0 for f in plan.files)
    passed_over = plan.landed - read if plan.files else 0
    return MappingReport(
        name=plan.name,
        kind="object",
        status="written",
        landed=plan.landed,
        written=merged.applied,
        inserted=merged.inserted,
        updated=merged.updated,
        deleted=merged.deleted,
        superseded=(read - staged.total) + passed_over + (good - merged.applied),
        filtered=staged.rows(q.FILTERED) + staged.rows(q.GONE),
        dropped=staged.rows(q.DROPPED),
        quarantined=aside,
        rules=rule_report(judgement),
        drift=plan.drift,
        files=tuple(f.path for f in (*plan.skipped, *plan.files)),
        stages=stages.seconds,
        expectations=expectation_report(judgement),
    )
