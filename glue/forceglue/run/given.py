"""The given rows of an example as Spark frames: landed rows of an object, or rows of a table.

They are constants of the query: the optimizer works on them without reading anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from forceglue.errors import UsageError
from forceglue.landing.inventory import LandedFile
from forceglue.landing.position import Position
from forceglue.mapping.expand import TRACEABILITY, OutputColumn, find_column, object_columns
from forceglue.mapping.model import AnyMapping, DatasetMapping, Example, ObjectMapping, Quality
from forceglue.mapping.names import NameIndex, nearest
from forceglue.mapping.project import Project
from forceglue.run.plan import ObjectPlan, hidden, plan_object
from forceglue.transform.cast import cast_sql, quoted
from forceglue.transform.read import ROW, SEQ, Batch
from forceglue.transform.trace import literal

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

STAMP = "2024-01-01T00:00:00.000Z"
"""The order and the landing time of given rows that do not say theirs."""

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class GivenObject:
    """Rows of one Salesforce object as one landed file, and the plan of loading it into an empty table."""

    plan: ObjectPlan
    batch: Batch


def text(value: Any) -> str | None:
    """A value of a mapping file as the text that Salesforce would send."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list, tuple)) else str(value)


def given_names(project: Project, mapping: AnyMapping) -> dict[str, str]:
    """What `given` may name → the input meant: an alias (the mapping's own name for its source), or a table."""
    if isinstance(mapping, ObjectMapping):
        names = {mapping.source: mapping.mapping, mapping.mapping: mapping.mapping}
        for alias, lookup in mapping.lookups.items():
            names |= {alias: alias} | ({} if lookup.object in names else {lookup.object: lookup.object})
        return names
    names = {}
    for alias, reference in inputs_of(mapping).items():
        target = project.table(reference)
        names |= {alias: alias} | ({} if reference in names else {reference: reference})
        if isinstance(target, ObjectMapping):
            names.setdefault(target.source, reference)
    return names


def inputs_of(mapping: DatasetMapping) -> dict[str, str]:
    """`{alias: table}`."""
    return {mapping.name: mapping.source, **{join.name: join.table for join in mapping.joins}}


def given_rows(project: Project, mapping: AnyMapping, example: Example) -> dict[str, Rows]:
    """The example's rows by input.

    Raises:
        UsageError: a name that is no input of the mapping.
    """
    allowed = given_names(project, mapping)
    index = NameIndex(allowed)
    found: dict[str, Rows] = {}
    for name, rows in example.given.items():
        meant = index.match(name)
        if meant is None:
            near = nearest(name, allowed)
            hint = f'did you mean "{near}"?' if near else f"there are: {', '.join(allowed)}."
            raise UsageError(f'{mapping.mapping}, example "{example.name}": {name} is no input of this mapping; {hint}')
        found[allowed[meant]] = rows
    return found


def given_object(spark: SparkSession, project: Project, mapping: ObjectMapping, rows: Rows) -> GivenObject:
    """The rows as they would land.

    A field that a row does not say is null, but the key, the order and the deleted flag: these get a key of their own,
    one time for all, and false, so that an example need not say them. `null` is null.
    """
    full = project.with_defaults(mapping)
    known = project.fields(mapping) or ()
    columns = object_columns(full, known)
    index, never_read = NameIndex(known), hidden(full)

    def field(said: str) -> str:
        column = find_column(said, columns)
        return index.match(said) or (column.field if column is not None and column.field else said)

    landed = [{field(name): text(value) for name, value in row.items()} for row in rows]
    defaults: dict[str, str | None] = dict.fromkeys(full.key or ())
    defaults |= {name: value for name, value in ((full.order_by, STAMP), (full.deleted, "false")) if name}
    spelled: dict[str, str] = {}
    for name in (*(name for row in landed for name in row), *defaults):
        # a field that the catalog's object has not (an event has no SystemModstamp) does not land
        if not known or index.match(name) or any(name in row for row in landed):
            spelled.setdefault(name.lower(), index.match(name) or name)
    spelled = {lower: name for lower, name in spelled.items() if lower not in never_read}
    values = []
    for i, row in enumerate(landed):
        said = {name.lower(): value for name, value in row.items()}
        unsaid = {name.lower(): value or f"example-{i + 1}" for name, value in defaults.items()}
        values.append([said[f] if f in said else unsaid.get(f) for f in spelled])
    file = LandedFile(
        "given", "given", "given", "given", full.source, "json", 0, datetime.fromisoformat(STAMP).astimezone(UTC),
        len(rows), tuple((name, "string") for name in spelled.values()),
    )  # fmt: skip
    plan = plan_object(
        full, catalog_fields=known, files=[file], repeated=(), position=Position(full.mapping), table=None,
        full_refresh=False, keeps_types=False,
    )  # fmt: skip
    frame = given_frame(spark, tuple(spelled), values)
    frame = frame.selectExpr(*(quoted(f) for f in spelled), f"0 AS {SEQ}", f"CAST(__place AS BIGINT) AS {ROW}")
    return GivenObject(plan, Batch(frame, dict.fromkeys(spelled, "string"), spelled, (file,)))


def without_gates(mapping: ObjectMapping) -> ObjectMapping:
    """The mapping of an object that is only looked into: its columns, none of its rules, none of its own lookups."""
    return mapping.model_copy(
        update={"quality": Quality(), "where": None, "expectations": (), "on_cast_error": "warn", "lookups": {}}
    )


def given_table(spark: SparkSession, columns: Sequence[OutputColumn], rows: Rows) -> DataFrame:
    """Rows of a table by its columns (or the fields that feed them), in the columns' types; absent ones are null."""
    names = {c.name: c.type or "string" for c in columns} | dict.fromkeys(TRACEABILITY, "string")
    index = NameIndex(names)

    def column(said: str) -> str:
        found = find_column(said, columns)
        return found.name if found is not None else index.match(said) or said

    said = [{column(name): text(value) for name, value in row.items()} for row in rows]
    for name in (name for row in said for name in row):
        names.setdefault(name, "string")
    frame = given_frame(spark, tuple(names), [[row.get(name) for name in names] for row in said])
    return frame.selectExpr(*(f"{cast_sql(name, 'string', kind)} AS {quoted(name)}" for name, kind in names.items()))


def given_frame(spark: SparkSession, names: Sequence[str], rows: Sequence[Sequence[str | None]]) -> DataFrame:
    """Text columns, and `__place` with the row's number."""
    if not rows:
        return spark.createDataFrame([], ", ".join([*(f"{quoted(n)} string" for n in names), "__place int"]))
    lines = (f"({', '.join([*map(literal, row), str(i)])})" for i, row in enumerate(rows))
    return spark.sql(f"VALUES {', '.join(lines)} AS t({', '.join([*map(quoted, names), '__place'])})")
