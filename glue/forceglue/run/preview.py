"""A look at rows before they are written: what the next run would load, or what a dataset would deliver."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from forceglue.landing.patch import KINDS
from forceglue.mapping.model import DatasetMapping
from forceglue.quality import rules as q
from forceglue.run.context import RunContext
from forceglue.run.dataset_run import dataset_inputs
from forceglue.run.foreseen import Foreseen, context, rows_after, waiting
from forceglue.run.judging import ExpectationFlags
from forceglue.run.object_run import prepare
from forceglue.run.plan import ObjectPlan, hidden
from forceglue.run.planner import Planner
from forceglue.run.request import RunRequest
from forceglue.run.tables import Tables
from forceglue.run.tally import tally
from forceglue.transform.cast import quoted
from forceglue.transform.dataset_rows import dataset_rows
from forceglue.transform.prepared import REASONS, Prepared
from forceglue.transform.read import read_batch

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Only = Literal["good", "quarantine", "drop"]
Origin = Literal["new files", "table", "tables", "nothing"]

VERDICT, BROKEN = "_verdict", "_reasons"
"""Keys of a shown row beside its columns: its verdict, and for every rule that it breaks `{rule, severity, value}`."""

_VERDICTS: dict[Only | None, tuple[str, ...]] = {
    None: (q.GOOD, q.QUARANTINED, q.FAILED, q.DROPPED),
    "good": (q.GOOD,),
    "quarantine": (q.QUARANTINED, q.FAILED),
    "drop": (q.DROPPED,),
}


@dataclass(frozen=True)
class Preview:
    """Some rows of a mapping.

    Attributes:
        origin: `new files`: the rows that the next run would load; `table`: nothing has landed, these are the table's;
            `tables`: a dataset from the tables as they are; `nothing`: there is neither a new file nor a table.
        columns: of the mapping's table, in order.
        rows: each with its columns as plain JSON values, `_verdict` and `_reasons`.
        stopped: why the drift policy would refuse the batch.
    """

    name: str
    origin: Origin
    columns: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]
    stopped: str | None = None


def preview(request: RunRequest, name: str, *, limit: int = 20, only: Only | None = None) -> Preview:
    """At most `limit` rows of the mapping `name`; nothing is written.

    Lookups of an object see the tables that it reads as the run would leave them. Rows that `where` filters out, and
    deleted records that the table does not keep, are not shown.

    Raises:
        MappingErrors, UsageError: the mappings or the name are wrong.
        LandingError: a root cannot be read.
    """
    ctx = context(replace(request, names=()))
    tables = Foreseen(ctx)
    planner = Planner(ctx, tables, waiting(ctx).files)
    if name in planner.objects_without_mapping():
        return _object(ctx, planner, tables, name, limit, only)
    mapping = ctx.project.mapping(name)
    if isinstance(mapping, DatasetMapping):
        prepared = _dataset(ctx, mapping)
        return Preview(mapping.mapping, "tables", prepared.columns, _rows(prepared, limit, only))
    *needed, name = ctx.project.order([mapping.mapping])
    for other in needed:
        _foresee(ctx, planner, tables, other)
    return _object(ctx, planner, tables, name, limit, only)


def _object(ctx: RunContext, planner: Planner, tables: Foreseen, name: str, limit: int, only: Only | None) -> Preview:
    plan, _ = planner.object(name)
    batches = list(_batches(ctx, planner, tables, plan))
    if batches:
        columns = tuple(dict.fromkeys(c for prepared in batches for c in prepared.columns))
        shown: list[dict[str, Any]] = []
        for prepared in batches:
            shown += _rows(prepared, limit - len(shown), only) if len(shown) < limit else ()
        whole = ({**dict.fromkeys(columns), **row} for row in shown)
        return Preview(name, "new files", columns, tuple(whole), plan.stopped)
    table = tables.rows(name)
    if table is None:
        return Preview(name, "nothing", (), ())
    wanted = limit if only in (None, "good") else 0
    rows = _collected(table, table.columns, f"'{q.GOOD}'", f"CAST(array() AS {q.REASONS_TYPE})", wanted)
    return Preview(name, "table", tuple(table.columns), rows)


def _foresee(ctx: RunContext, planner: Planner, tables: Foreseen, name: str) -> None:
    plan, _ = planner.object(name)
    for _ in _batches(ctx, planner, tables, plan):
        pass


def _batches(ctx: RunContext, planner: Planner, tables: Foreseen, plan: ObjectPlan) -> Iterator[Prepared]:
    """What the next run would load into the table, batch by batch; the table is foreseen with each."""
    if plan.files:
        yield _foreseen(ctx, plan, tables)
    for kind in KINDS:
        onto = tables.onto(plan, kind)
        follows = onto and planner.patch_onto(plan.name, kind, plan.patches, *onto)
        if follows and follows.files and not follows.stopped:
            yield _foreseen(ctx, follows, tables)


def _foreseen(ctx: RunContext, plan: ObjectPlan, tables: Foreseen) -> Prepared:
    prepared, today = _prepared(ctx, plan, tables), tables.rows(plan.name)
    if not plan.stopped:
        tables.foresee(plan.name, rows_after(plan, prepared, today))
    return prepared


def _prepared(ctx: RunContext, plan: ObjectPlan, tables: Foreseen) -> Prepared:
    """The batch under the plan; where a row breaks a `reject_file` rule, with every row of its file set aside."""
    batch = read_batch(ctx.spark(), plan.files, hidden(plan.mapping))
    rejected: frozenset[int] = frozenset()
    while True:
        prepared = prepare(
            ctx, plan, batch, tables.live, rejected, ExpectationFlags(()), tables.rows(plan.name), whole=True
        )
        if not plan.mapping.quality.reject_file:
            return prepared
        rejecting = tally(prepared.frame, prepared.checks, by_file=True).rejecting
        again = frozenset(i for i, f in enumerate(batch.files) if f.source_uri in rejecting) - rejected
        if not again:
            return prepared
        rejected |= again


def _dataset(ctx: RunContext, mapping: DatasetMapping) -> Prepared:
    tables = Tables(ctx)

    def rows(_: str, reference: str) -> DataFrame | None:
        return tables.frame(tables.name_of(reference), deleted=mapping.deleted == "include")

    return dataset_rows(mapping, dataset_inputs(ctx, mapping, rows, ExpectationFlags(())))


def _rows(prepared: Prepared, limit: int, only: Only | None) -> tuple[dict[str, Any], ...]:
    wanted = ", ".join(f"'{verdict}'" for verdict in _VERDICTS[only])
    frame = prepared.frame.where(f"{q.VERDICT} IN ({wanted})")
    # rows that are set aside carry their reasons with the values; of the others the masks know the rules
    told = q.reasons([replace(check, value=None) for check in prepared.checks])
    reasons = f"coalesce({REASONS}, {told}, CAST(array() AS {q.REASONS_TYPE}))"
    return _collected(frame, prepared.columns, q.VERDICT, reasons, limit)


def _collected(
    frame: DataFrame, columns: Sequence[str], verdict: str, reasons: str, limit: int
) -> tuple[dict[str, Any], ...]:
    members = [*(quoted(c) for c in columns), f"{verdict} AS {VERDICT}", f"{reasons} AS {BROKEN}"]
    whole = f"to_json(struct({', '.join(members)}), map('ignoreNullFields', 'false')) AS row"
    text = frame.limit(limit).selectExpr(whole)
    return tuple(json.loads(line["row"]) for line in text.collect())
