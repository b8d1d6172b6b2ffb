"""The mappings' own examples: given rows through the same steps as landed ones, compared with what is expected.

A row that breaks a `fail` rule is told among those set aside, and nothing is written, as in a run.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from forceglue.errors import ForceglueError, UsageError
from forceglue.landing.store import Store
from forceglue.mapping.expand import OutputColumn, find_column
from forceglue.mapping.model import AnyMapping, DatasetMapping, Example, ObjectMapping
from forceglue.mapping.names import match, nearest
from forceglue.mapping.project import Project
from forceglue.quality import rules as q
from forceglue.run.context import RunContext
from forceglue.run.dataset_run import dataset_inputs
from forceglue.run.foreseen import good_rows
from forceglue.run.given import (
    GivenObject,
    Rows,
    given_frame,
    given_object,
    given_rows,
    given_table,
    text,
    without_gates,
)
from forceglue.run.judging import ExpectationFlags
from forceglue.run.lookups import looked_into
from forceglue.run.matching import Broken, Difference, Row, differences
from forceglue.run.request import RunRequest
from forceglue.run.tables import Tables
from forceglue.transform.cast import cast_sql, quoted
from forceglue.transform.columns import LookedInto
from forceglue.transform.dataset_rows import dataset_rows
from forceglue.transform.object_rows import ObjectInputs, object_rows
from forceglue.transform.prepared import REASONS, Prepared

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

RULES = "rules"
_SHOWN = 4
"""Columns that are told of a row that nobody expects, where the example names none."""

# a few constant rows a query: what pays for large data only costs here
_SMALL = {
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.adaptive.enabled": "false",
}


@dataclass(frozen=True)
class ExampleResult:
    """What became of one example.

    Attributes:
        differences: what is not as expected.
        stopped: `fail` rules that rows break: nothing would be written.
        error: why the example could not be run.
    """

    mapping: str
    example: str
    differences: tuple[Difference, ...] = ()
    stopped: tuple[str, ...] = ()
    error: str | None = None

    @property
    def passed(self) -> bool:
        return not self.differences and self.error is None


@dataclass(frozen=True)
class _Outcome:
    written: tuple[Row, ...]
    aside: tuple[Row, ...]
    reasons: tuple[tuple[tuple[str, str], ...], ...]
    dropped: int


def run_examples(project: Project, names: Sequence[str] = ()) -> tuple[ExampleResult, ...]:
    """Runs the examples of the named mappings (without names: of all), in one Spark session; none where there are none.

    Raises:
        UsageError: a name is unknown.
    """
    wanted = [project.mapping(name) for name in names] or list(project.mappings.values())
    runner = _Examples(project)
    return tuple(runner.run(mapping, example) for mapping in wanted for example in mapping.examples)


class _Examples:
    def __init__(self, project: Project) -> None:
        self._project = project
        here = Store(str(project.folder))  # nothing of an example is read from or written to a root
        request = RunRequest(project.folder, here.root, here.root, here.root, quick=True)
        self._ctx = RunContext(request, project, here, here, here, run_id="example", started=datetime.now(UTC))
        self._tables = Tables(self._ctx)

    @cached_property
    def _spark(self) -> SparkSession:
        from forceglue.runtime.session import INTERPRETED, beside

        session = beside(self._ctx.spark(), {**INTERPRETED, **_SMALL})
        self._ctx.use(session)
        return session

    def run(self, mapping: AnyMapping, example: Example) -> ExampleResult:
        from py4j.protocol import Py4JJavaError
        from pyspark.errors import PySparkException

        try:
            return self._compared(mapping, example)
        except ForceglueError as error:
            return ExampleResult(mapping.mapping, example.name, error=str(error))
        except (PySparkException, Py4JJavaError) as error:
            told = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
            return ExampleResult(mapping.mapping, example.name, error=told)

    def _compared(self, mapping: AnyMapping, example: Example) -> ExampleResult:
        given = given_rows(self._project, mapping, example)
        if isinstance(mapping, DatasetMapping):
            prepared = self._dataset(mapping, given)
            outputs: Sequence[OutputColumn] = ()
        else:
            landed = given_object(self._spark, self._project, mapping, given.get(mapping.mapping, ()))
            prepared, outputs = self._object(mapping, landed, given), landed.plan.columns
        said = _Said(self._spark, prepared, outputs, example)
        got = said.collected(prepared)
        if mapping.quality.reject_file and any(s == "reject_file" for row in got.reasons for _, s in row):
            assert isinstance(mapping, ObjectMapping)  # a dataset has no files  # noqa: S101
            prepared = self._object(mapping, landed, given, rejected=frozenset({0}))
            got = said.collected(prepared)
        stopped = tuple(sorted({rule for row in got.reasons for rule, severity in row if severity == "fail"}))
        written = () if stopped else got.written
        found: list[Difference] = []
        if example.expect is not None:
            found += differences("expect", said.expected, written)
        if example.quarantined is not None:
            found += differences("quarantined", said.quarantined, _with_rules(got))
        if example.dropped is not None and example.dropped != got.dropped:
            counts: tuple[Row, Row] = ({"rows": str(example.dropped)}, {"rows": str(got.dropped)})
            found.append(Difference("dropped", *counts, ("rows",)))
        return ExampleResult(mapping.mapping, example.name, tuple(found), stopped)

    def _object(
        self,
        mapping: ObjectMapping,
        landed: GivenObject,
        given: dict[str, Rows],
        rejected: frozenset[int] = frozenset(),
    ) -> Prepared:
        plan = landed.plan
        inputs = ObjectInputs(
            columns=plan.columns,
            lookups={alias: self._lookup(mapping, alias, given) for alias in mapping.lookups},
            names=plan.names,
            run_id=self._ctx.run_id,
            started=self._ctx.started,
            rejected=rejected,
            drop_deleted=plan.drops_deleted,
            dedupe=mapping.target.write != "append",
        )
        return object_rows(landed.batch, plan.mapping, inputs)

    def _lookup(self, mapping: ObjectMapping, alias: str, given: dict[str, Rows]) -> LookedInto:
        """The given rows of the other object, as its own columns make them; its rules are not what is tested."""
        reference = mapping.lookups[alias].object
        other = self._project.looked_up(reference) or self._project.unmapped(reference)
        # an object that looks into itself is not given twice: its own rows are what is landing
        rows = given.get(alias, given.get(reference, ()))
        landed = given_object(self._spark, self._project, without_gates(other), rows)
        rows_there = good_rows(self._object(landed.plan.mapping, landed, {}))
        table = self._tables.shown(other.mapping, rows_there, deleted=False)
        return looked_into(self._ctx, mapping, alias, lambda _: table)

    def _dataset(self, mapping: DatasetMapping, given: dict[str, Rows]) -> Prepared:
        def rows(alias: str, reference: str) -> DataFrame:
            name = self._tables.name_of(reference)
            said = given.get(alias, given.get(reference, ()))
            frame = given_table(self._spark, self._columns(reference), _current(self._project, name, said))
            return self._tables.shown(name, frame, deleted=mapping.deleted == "include")

        _ = self._spark  # before the context starts one of its own
        return dataset_rows(mapping, dataset_inputs(self._ctx, mapping, rows, ExpectationFlags(())))

    def _columns(self, reference: str) -> tuple[OutputColumn, ...]:
        found = self._project.table(reference)
        if found is not None:
            columns = self._project.columns(found.mapping)
            return (*columns, OutputColumn("is_current", type="boolean")) if found.target.write == "scd2" else columns
        entry = self._project.catalog_table(reference)
        return tuple(OutputColumn(name) for name in self._project.unmapped_columns(entry)) if entry else ()


class _Said:
    """What an example says of its outcome, in the columns and the types of the target."""

    def __init__(
        self, spark: SparkSession, prepared: Prepared, outputs: Sequence[OutputColumn], example: Example
    ) -> None:
        self._prepared, self._outputs, self._example = prepared, outputs, example
        self._types = dict(prepared.frame.dtypes)
        expect, aside = example.expect or (), example.quarantined or ()
        rows = [{self._column(name): value for name, value in row.items()} for row in expect]
        held = [{self._column(name): value for name, value in row.items() if name != RULES} for row in aside]
        typed = self._typed(spark, [*rows, *held])
        self.expected: list[Row] = typed[: len(rows)]
        self.quarantined: list[Row] = [
            row | ({RULES: Broken(frozenset(_list(said[RULES])))} if RULES in said else {})
            for row, said in zip(typed[len(rows) :], aside, strict=True)
        ]
        named = dict.fromkeys(name for row in (*rows, *held) for name in row)
        self.columns = tuple(named) or prepared.columns[:_SHOWN]

    def collected(self, prepared: Prepared) -> _Outcome:
        """The rows there are, each value as text; the one Spark action of an example."""
        columns = [f"{_as_text(quoted(name), self._types[name])} AS c{i}" for i, name in enumerate(self.columns)]
        found = prepared.frame.selectExpr(*columns, q.VERDICT, REASONS).collect()

        def row(line: Any) -> Row:
            return {name: _canonical(line[f"c{i}"], self._types[name]) for i, name in enumerate(self.columns)}

        aside = [line for line in found if line[q.VERDICT] in (q.QUARANTINED, q.FAILED)]
        return _Outcome(
            tuple(row(line) for line in found if line[q.VERDICT] == q.GOOD),
            tuple(row(line) for line in aside),
            tuple(tuple((r["rule"], r["severity"]) for r in line[REASONS] or ()) for line in aside),
            sum(line[q.VERDICT] == q.DROPPED for line in found),
        )

    def _column(self, said: str) -> str:
        known = self._prepared.columns
        by_field = find_column(said, self._outputs)
        found = match(said, known) or (match(by_field.name, known) if by_field is not None else None)
        if found is None:
            near = nearest(said, known)
            hint = f'did you mean "{near}"?' if near else f"there are: {', '.join(known[:20])}."
            raise UsageError(f'example "{self._example.name}": the target has no column {said}; {hint}')
        return found

    def _typed(self, spark: SparkSession, rows: Sequence[dict[str, Any]]) -> list[Row]:
        """The values as the column's type spells them: "10" of a decimal(18,2) is 10.00."""
        cells = [(name, text(value)) for row in rows for name, value in row.items()]
        values = iter(_spelled(spark, [(value, self._types[name]) for name, value in cells]))
        typed: list[Row] = []
        for row in rows:
            out: Row = {}
            for name, raw in row.items():
                kind, value, said = self._types[name], next(values), text(raw)
                # a text that is none of the type equals nothing, null neither
                fits = value is not None or said is None
                out[name] = _canonical(value, kind) if fits else f"{said} (is no {kind})"
            typed.append(out)
        return typed


def _spelled(spark: SparkSession, cells: Sequence[tuple[str | None, str]]) -> Sequence[str | None]:
    """Each text as its type spells it, by the casts that landed values go through."""
    if not cells:
        return ()
    names = [f"c{i}" for i in range(len(cells))]
    line = given_frame(spark, names, [[value for value, _ in cells]])
    kept = [kind == "string" or _nested(kind) for _, kind in cells]
    casts = [
        quoted(name) if as_it_is else _as_text(cast_sql(name, "string", kind), kind)
        for name, as_it_is, (_, kind) in zip(names, kept, cells, strict=True)
    ]
    values: Sequence[str | None] = line.selectExpr(*casts).collect()[0]
    return values


def _as_text(expression: str, kind: str) -> str:
    return f"to_json({expression})" if _nested(kind) else f"CAST({expression} AS STRING)"


def _nested(kind: str) -> bool:
    return kind.startswith(("array", "map", "struct"))


def _canonical(value: str | None, kind: str) -> str | None:
    return value if value is None or not _nested(kind) else json.dumps(json.loads(value), sort_keys=True)


def _list(said: Any) -> list[str]:
    return [said] if isinstance(said, str) else [str(name) for name in said or ()]


def _with_rules(got: _Outcome) -> list[Row]:
    def broken(reasons: Sequence[tuple[str, str]]) -> Broken:
        warnings = frozenset(rule for rule, severity in reasons if severity == "warn")
        return Broken(frozenset(rule for rule, _ in reasons) - warnings, warnings)

    return [row | {RULES: broken(reasons)} for row, reasons in zip(got.aside, got.reasons, strict=True)]


def _current(project: Project, name: str, rows: Rows) -> Rows:
    """Rows of an scd2 table are current versions unless they say otherwise."""
    found = project.mappings.get(name)
    if found is None or found.target.write != "scd2":
        return rows
    return [{"is_current": True, **row} for row in rows]
