"""One object mapping, executed: read, stage, judge, set aside, commit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from forceglue.errors import BalanceError, ConcurrentRunError, GateStopped
from forceglue.landing.position import Manifest, Position, propose
from forceglue.quality import rules as q
from forceglue.quality.quarantine import set_aside, settle, withdraw
from forceglue.run.committing import buries, commit, own_folder, partitions
from forceglue.run.context import RunContext
from forceglue.run.judging import ExpectationFlags, Judgement, expectation_report, judge, rejected_files, rule_report
from forceglue.run.leftovers import STAGING
from forceglue.run.lookups import looked_into
from forceglue.run.plan import ObjectPlan, hidden, landed_types
from forceglue.run.report import MappingReport
from forceglue.run.stages import Stages
from forceglue.run.staging import Staged, stage
from forceglue.run.tables import read_table
from forceglue.transform.object_rows import ObjectInputs, object_rows
from forceglue.transform.overlay import Onto, overlay
from forceglue.transform.prepared import Prepared
from forceglue.transform.read import Batch, read_batch
from forceglue.write.delta_merge import Merged
from forceglue.write.delta_table import Table
from forceglue.write.staged import discard
from forceglue.write.tombstones import buried

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class _Loaded:
    prepared: Prepared
    staged: Staged
    judgement: Judgement


def run_object(
    ctx: RunContext, plan: ObjectPlan, live: Callable[[str], DataFrame | None], again: Batch | None = None
) -> MappingReport:
    """Loads what is new into the mapping's table.

    Args:
        live: the live rows of another mapping's table by its name; None where it is not there yet.
        again: the rows that the quarantine holds, to be judged anew instead of what is new (`plan.again`).

    Raises:
        GateStopped: a `fail` rule or expectation; nothing was written.
        ConcurrentRunError: another run committed first; plan again.
        BalanceError: rows do not add up; nothing was committed.
    """
    stages = Stages()
    table = Table(ctx.warehouse, plan.name, plan.name)
    whole = not (plan.again or plan.patch)
    manifest = propose(
        ctx.warehouse,
        plan.position,
        () if plan.again else (f.identity for f in plan.taken),
        at=ctx.started,
        fields=landed_types(plan.files, hidden(plan.mapping)) if whole and plan.files else None,
        refreshed=_refreshed(plan),
        replacing=plan.refresh and bool(plan.files),
        settling=plan.again or plan.mode == "replace",
    )
    if not plan.files and plan.table:
        with stages("commit"):
            table.advance(manifest.version, plan.table)
        settle(ctx.warehouse, plan.name, manifest)
        return object_report(plan, {}, Judgement((), ()), Merged(0, 0, 0), 0, stages)
    own = own_folder(plan, manifest.version)
    folder = f"{STAGING}/{ctx.run_id}/{plan.name}" if plan.mode == "merge" else own
    try:
        loaded = _staged(ctx, plan, live, again, folder, stages)
        staged, judgement = loaded.staged, loaded.judgement
        _balanced(plan, staged)
        if stops := judgement.stops():
            raise GateStopped(plan.name, stops, rule_report(judgement), expectation_report(judgement), plan.landed)
        with stages("quarantine"):
            aside = set_aside(
                ctx.warehouse, plan.name, staged,
                position=manifest.version, before=plan.position, refreshed=plan.patch == "refresh",
                expect=lambda: table.expect(plan.table),
            )  # fmt: skip
        with stages("commit"):
            merged = commit(ctx, plan, table, staged, loaded.prepared, manifest.version)
        if aside or _leaves_behind(manifest, plan.position):
            with stages("quarantine"):
                settle(ctx.warehouse, plan.name, manifest)
    except ConcurrentRunError:
        withdraw(ctx.warehouse, plan.name, manifest.version)
        raise
    finally:
        if folder != own:
            discard(ctx.warehouse, folder)
        _tidy(ctx, table, own)
    return object_report(plan, staged.counts, judgement, merged, aside, stages)


def _staged(
    ctx: RunContext,
    plan: ObjectPlan,
    live: Callable[[str], DataFrame | None],
    again: Batch | None,
    folder: str,
    stages: Stages,
) -> _Loaded:
    """Stages the batch; where a `reject_file` rule is broken, once more with every row of the file set aside."""
    rejected: frozenset[int] = frozenset()
    with stages("session"):
        ctx.spark()  # the first mappings wait until it is there
    with stages("read"):
        batch = again or read_batch(ctx.spark(), plan.files, hidden(plan.mapping), few=ctx.few)
    onto = None
    if plan.patch and plan.table:
        onto = read_table(ctx.spark(), Table(ctx.warehouse, plan.name, plan.name), plan.table)
    while True:
        flags = ExpectationFlags(plan.mapping.expectations)
        with stages("transform"):
            prepared = prepare(ctx, plan, batch, live, rejected, flags, onto)
        with stages("stage"):
            if sum(f.rows or 0 for f in plan.files):
                staged = stage(prepared, ctx.warehouse, folder, _folders(plan, prepared), one_task=ctx.few)
            else:
                staged = Staged(folder, {}, 0, clean=True)
        with stages("judge"):
            refused = rejected_files(ctx, plan.mapping, prepared, staged, batch) - rejected
            if not refused:
                suite = f"{plan.name} ({plan.patch})" if plan.patch else None
                return _Loaded(prepared, staged, judge(ctx, plan.mapping, prepared, staged, flags, suite=suite))
            rejected |= refused
            discard(ctx.warehouse, folder)


def prepare(
    ctx: RunContext,
    plan: ObjectPlan,
    batch: Batch,
    live: Callable[[str], DataFrame | None],
    rejected: frozenset[int],
    flags: ExpectationFlags,
    onto: DataFrame | None = None,
    *,
    whole: bool = False,
) -> Prepared:
    """The batch under the plan, not computed yet; every row of the files in `rejected` is set aside.

    Args:
        onto: the rows of the table that a patch is laid over.
        whole: rows of a patch come out with every column, not only with those that change.
    """
    mapping = plan.mapping
    inputs = ObjectInputs(
        columns=plan.columns,
        lookups={alias: looked_into(ctx, mapping, alias, live) for alias in mapping.lookups},
        names=plan.names,
        run_id=ctx.run_id,
        started=ctx.started,
        rejected=rejected,
        drop_deleted=plan.drops_deleted,
        dedupe=mapping.target.write != "append",
        flags=flags,
        buried=None if plan.patch else _buried(ctx, plan),
    )
    if plan.patch and onto is not None:
        scd2 = mapping.target.write == "scd2"
        there = onto.where("is_current") if scd2 else onto
        there = there.coalesce(1) if ctx.few else there
        return overlay(batch, mapping, inputs, Onto(there, plan.patch, plan.carried, whole or scd2))
    return object_rows(batch, mapping, inputs)


def _leaves_behind(manifest: Manifest, before: Position) -> bool:
    """Whether rows that counted before the batch may count no more."""
    return (manifest.undone, manifest.refreshed_in) != (before.undone, before.refreshed_in)


def _refreshed(plan: ObjectPlan) -> datetime | None:
    """Up to when the table is refreshed with this batch; None where it stays as it is."""
    return max((f.patch.at for f in plan.files if f.patch), default=None) if plan.patch == "refresh" else None


def _buried(ctx: RunContext, plan: ObjectPlan) -> DataFrame | None:
    if not buries(plan) or plan.refresh or plan.position.version is None:
        return None  # a full refresh meets every deletion again, a first load its first ones
    return buried(ctx.spark(), ctx.warehouse, plan.name, len(plan.names.key))


def _balanced(plan: ObjectPlan, staged: Staged) -> None:
    landed = sum(f.rows or 0 for f in plan.files)
    read = staged.read if staged.read is not None else landed
    exact = plan.mapping.target.write == "append"
    if read != landed or staged.total > read or (exact and staged.total != read):
        raise BalanceError(
            f"{plan.name}: the files hold {landed} rows, {read} were read and {staged.total} came out; "
            "nothing was committed. "
            f"Files: {', '.join(f.path for f in plan.files[:3])}"
        )


def _folders(plan: ObjectPlan, prepared: Prepared) -> tuple[str, ...]:
    """The folders of staged rows that the table takes as they are; a MERGE finds its partitions itself."""
    return () if plan.mode == "merge" else partitions(plan, prepared)


def _tidy(ctx: RunContext, table: Table, folder: str) -> None:
    """Removes what was written for the table and is no part of it: other verdicts, or all of what was not committed."""
    entries = ctx.warehouse.list(folder)
    live = set(table.live_files()) if entries else set()
    if not live:
        discard(ctx.warehouse, folder)
        return
    for entry in entries:
        if entry.path.removeprefix(f"{table.path}/") not in live:
            ctx.warehouse.delete(entry.path)


def object_report(
    plan: ObjectPlan, rows: Mapping[str, int], judgement: Judgement, merged: Merged, aside: int, stages: Stages
) -> MappingReport:
    """The report of a batch with these rows by verdict, of which `merged` tells what the table took."""
    good = rows.get(q.GOOD, 0)
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
        superseded=(read - sum(rows.values())) + passed_over + (good - merged.applied),
        filtered=rows.get(q.FILTERED, 0) + rows.get(q.GONE, 0),
        dropped=rows.get(q.DROPPED, 0),
        quarantined=aside,
        rules=rule_report(judgement),
        drift=plan.drift,
        files=tuple(f.path for f in (*plan.skipped, *plan.files)),
        stages=stages.seconds,
        expectations=expectation_report(judgement),
        patched={plan.patch: merged.applied} if plan.patch and merged.applied else {},
    )
