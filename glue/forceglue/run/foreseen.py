"""What has landed and what it would make of the tables, as frames that nothing has computed.

A plan and a preview look at a run that has not been: files stay where they are, no table changes, no folder is made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from forceglue.landing.ingest import preview
from forceglue.landing.inventory import LandedFile, pending
from forceglue.landing.patch import Kind
from forceglue.landing.position import Position
from forceglue.landing.store import Store
from forceglue.mapping.load import load_project
from forceglue.quality.rules import GOOD, VERDICT
from forceglue.run.committing import merge_terms
from forceglue.run.context import RunContext, new_run_id
from forceglue.run.plan import ObjectPlan
from forceglue.run.report import IngestCounts, RejectedFile
from forceglue.run.request import RunRequest
from forceglue.run.tables import Tables
from forceglue.transform.cast import quoted
from forceglue.transform.prepared import Prepared
from forceglue.write.delta_merge import MergeTerms, newer, scd2_action
from forceglue.write.delta_table import TableState

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

NEW, VERSION, EDIT, CLOSE, NONE = "new", "version", "edit", "close", "none"
"""What a table does with a row: takes it as a new record, opens a version, changes or ends one; nothing."""


@dataclass(frozen=True)
class Waiting:
    """What lies under `in/`: the files that the ingest would let pass, and those that it would turn away."""

    files: tuple[LandedFile, ...]
    counts: IngestCounts


def context(request: RunRequest) -> RunContext:
    """A run's context over roots as they are; one that is not there is not made.

    Raises:
        MappingErrors, UsageError: the mappings or the names are wrong.
    """
    started = datetime.now(UTC)
    project = load_project(request.mappings, env=request.env, params=request.params)
    project.order(request.names)  # unknown names end here
    return RunContext(
        request=request,
        project=project,
        landing=Store(request.landing),
        warehouse=Store(request.warehouse),
        delivery=Store(request.delivery),
        run_id=new_run_id(started),
        started=started,
    )


def waiting(ctx: RunContext) -> Waiting:
    """Judges the files under `in/` as the ingest does, and leaves them there."""
    told = preview(ctx.landing, ctx.project)
    rejected = tuple(RejectedFile(f.path, f.message, f.code, f.moved_to) for f in told.rejected)
    kept = tuple(RejectedFile(f.key, f.message or f.status, f.code) for f in told.failed)
    return Waiting(pending(ctx.landing, told), IngestCounts(len(told.passed), (*rejected, *kept)))


class Foreseen(Tables):
    """The tables as the run would leave them; those that it would not write, as they are."""

    def __init__(self, ctx: RunContext) -> None:
        super().__init__(ctx)
        self._after: dict[str, DataFrame] = {}

    @property
    def changed(self) -> frozenset[str]:
        """The tables that the run would write."""
        return frozenset(self._after)

    def foresee(self, name: str, rows: DataFrame) -> None:
        """From now on the table `name` holds these rows."""
        self._after[name] = rows

    def onto(self, whole: ObjectPlan, kind: Kind) -> tuple[TableState, Position] | None:
        """The table and the position that the patches of a kind will meet; None where none are there, or no table.

        Args:
            whole: the plan of the files that bring records whole, foreseen before.
        """
        if not any(file.patch and file.patch.kind == kind for file in whole.patches):
            return None
        rows = self.rows(whole.name)
        if rows is None:
            return None
        state = whole.table or TableState(version=-1, position=None, columns={})
        anew = whole.refresh and whole.files
        return replace(state, columns=dict(rows.dtypes)), Position(whole.name) if anew else whole.position

    def rows(self, name: str) -> DataFrame | None:
        return self._after[name] if name in self._after else super().rows(name)


def good_rows(prepared: Prepared) -> DataFrame:
    """The rows that would be written, in the table's own columns."""
    return prepared.frame.where(f"{VERDICT} = '{GOOD}'").selectExpr(*(quoted(c) for c in prepared.columns))


def with_action(plan: ObjectPlan, prepared: Prepared, today: DataFrame) -> tuple[DataFrame, str]:
    """Each prepared row `s` beside the table's row `t` that it meets, and SQL text of what the table does with it."""
    terms = merge_terms(plan, prepared.columns)
    current = _current(plan, today)
    return _meet(prepared.frame, current, terms, "left"), _action(plan, terms, current)


def rows_after(plan: ObjectPlan, prepared: Prepared, today: DataFrame | None) -> DataFrame:
    """The table as the batch would leave it; of an scd2 table the current versions."""
    good = good_rows(prepared)
    if today is None or plan.mode in ("create", "replace"):
        return good
    if plan.mode == "append":
        return today.unionByName(good, allowMissingColumns=True)
    terms = merge_terms(plan, prepared.columns)
    current = _current(plan, today)
    batch = prepared.frame.where(f"{VERDICT} = '{GOOD}'")
    key = quoted(terms.keys.key[0])
    carried = prepared.columns if plan.mapping.target.write == "scd2" else terms.data
    # no column is compared with its old value, so that a table is read in few columns: a row that is the same stays so
    met = f"s.{key} IS NOT NULL AND (t.{key} IS NULL OR coalesce({newer(terms.keys, None)}, false))"
    gone = terms.gone
    there = set(current.columns)
    values = []
    for name in (*prepared.columns, *(c for c in current.columns if c not in prepared.columns)):
        column = quoted(name)
        if name not in prepared.columns:
            value = f"t.{column}"
        elif name not in there:
            value = f"IF(__taken, s.{column}, NULL)"
        elif name in carried:
            value = f"IF(__taken, s.{column}, t.{column})"
        else:
            value = f"IF(t.{key} IS NULL, s.{column}, t.{column})"
        values.append(f"{value} AS {column}")
    both = _meet(batch, current, terms, "full_outer")
    both = both.selectExpr("*", f"({met}) AS __wins", f"({met} AND NOT {gone}) AS __taken")
    return both.where(f"__taken OR (t.{key} IS NOT NULL AND NOT __wins)").selectExpr(*values)


def _current(plan: ObjectPlan, today: DataFrame) -> DataFrame:
    return today.where("is_current") if plan.mapping.target.write == "scd2" else today


def _meet(batch: DataFrame, current: DataFrame, terms: MergeTerms, how: str) -> DataFrame:
    from pyspark.sql.functions import expr

    on = " AND ".join(f"s.{quoted(k)} = t.{quoted(k)}" for k in terms.keys.key)
    return batch.alias("s").join(current.alias("t"), expr(f"s.{VERDICT} = '{GOOD}' AND {on}"), how)


def _action(plan: ObjectPlan, terms: MergeTerms, current: DataFrame) -> str:
    if plan.mapping.target.write == "scd2":
        return f"({scd2_action(terms, current.columns)})"
    gone = terms.gone
    unmatched = f"t.{quoted(terms.keys.key[0])} IS NULL"
    return (
        f"(CASE WHEN {unmatched} AND {gone} THEN '{NONE}' WHEN {unmatched} THEN '{NEW}' "
        f"WHEN NOT coalesce({newer(terms.keys, terms.compared)}, false) THEN '{NONE}' "
        f"WHEN {gone} THEN '{CLOSE}' ELSE '{EDIT}' END)"
    )
