"""What the data dictionary tells of each mapping, as plain values for the pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forceglue.mapping.lineage import Lineage, all_lineage
from forceglue.mapping.model import AnyMapping, DatasetMapping, Delivery, Example, Expectation, ObjectMapping, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forceglue.mapping.project import Project
    from forceglue.run.report import Kind

EFFECTS: dict[Severity, str] = {
    "fail": "the whole mapping stops; nothing is written",
    "reject_file": "every row of its file is set aside",
    "quarantine": "the row is set aside with the reason",
    "drop": "the row is left out and counted",
    "warn": "the row is written; the report counts it",
}
WRITES = {
    "upsert": "the latest version of each record",
    "append": "every row that ever landed",
    "replace": "the rows of the last load only",
    "snapshot": "a dated copy of each load",
    "scd2": "one row for each version of a record, with the time it was valid",
}
DELETES = {
    "mark": "a deleted record stays and is marked",
    "delete": "a deleted record goes",
    "close": "a deleted record's version ends",
    "keep": "a delete changes nothing",
}


@dataclass(frozen=True)
class TableLink:
    """A table that a mapping reads; `page` is None when no mapping of this project makes it."""

    name: str
    page: str | None


@dataclass(frozen=True)
class ColumnFacts:
    """One column: what the mapping writes (`read`, `sql` or `constant`), and the Salesforce fields it comes from."""

    name: str
    anchor: str
    type: str | None
    read: str | None
    sql: str | None
    constant: str | None
    origins: tuple[str, ...]
    description: str | None
    is_key: bool

    @property
    def passed_on(self) -> bool:
        """The one Salesforce field under its own name: `read` says nothing that `origins` does not."""
        return len(self.origins) == 1 and self.origins[0].partition(".")[2] == self.read


@dataclass(frozen=True)
class RuleFacts:
    """One row rule and what becomes of a row that breaks it."""

    name: str
    severity: Severity
    sql: str
    nulls: str
    description: str | None
    effect: str


@dataclass(frozen=True)
class JoinFacts:
    """One join or lookup: the pairs of columns that meet, and what kind it is."""

    alias: str
    read: TableLink
    by: tuple[tuple[str, str], ...]
    kind: str


@dataclass(frozen=True)
class DeliveryFacts:
    """One place that the rows are delivered to."""

    kind: str
    where: str
    how: str


@dataclass(frozen=True)
class Rows:
    """Rows of an example as a table; a cell is None where a row does not name the column."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]


@dataclass(frozen=True)
class ExampleFacts:
    """One example of the mapping: rows in, and `(Written or Quarantined, rows)` out."""

    name: str
    given: tuple[tuple[str, Rows], ...]
    outcomes: tuple[tuple[str, Rows], ...]
    dropped: int | None


@dataclass(frozen=True)
class MappingFacts:
    """All that one page tells; `open_ended`: further fields that land become columns too."""

    name: str
    kind: Kind
    page: str
    file: str | None
    description: str | None
    grain: str | None
    key: tuple[str, ...]
    source: str
    source_label: str | None
    reads: tuple[TableLink, ...]
    readers: tuple[TableLink, ...]
    rows_told: str
    where: str | None
    write: str | None
    partition_by: tuple[str, ...]
    joins: tuple[JoinFacts, ...]
    columns: tuple[ColumnFacts, ...]
    open_ended: bool
    rules: tuple[RuleFacts, ...]
    expectations: tuple[Expectation, ...]
    deliveries: tuple[DeliveryFacts, ...]
    examples: tuple[ExampleFacts, ...]

    @property
    def delivery_kinds(self) -> str:
        """`CSV, database`."""
        return ", ".join(dict.fromkeys(d.kind for d in self.deliveries))


def pages(project: Project) -> dict[str, str]:
    """Mapping name → its page, relative to the index; safe and unique as a file name whatever the mapping is called."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in project.mappings:
        folder = "datasets" if name in project.datasets else "objects"
        stem = re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_")[:80] or "mapping"
        path, number = f"{folder}/{stem}.html", 2
        while path.lower() in taken:
            path, number = f"{folder}/{stem}-{number}.html", number + 1
        taken.add(path.lower())
        found[name] = path
    return found


def facts(project: Project) -> tuple[MappingFacts, ...]:
    """Every mapping of the project: datasets first, then objects, each in the order of their names."""
    places = pages(project)
    readers: dict[str, list[TableLink]] = {name: [] for name in project.mappings}
    for name, reads in project.dependencies().items():
        for read in reads:
            readers[read].append(TableLink(name, places[name]))
    names = [*sorted(project.datasets, key=str.lower), *sorted(project.objects, key=str.lower)]
    lineage = all_lineage(project)
    return tuple(_facts(project, name, places, tuple(readers[name]), lineage[name]) for name in names)


def _facts(
    project: Project, name: str, places: Mapping[str, str], readers: tuple[TableLink, ...], lineage: Sequence[Lineage]
) -> MappingFacts:
    written = project.mapping(name)
    m = project.with_defaults(written) if isinstance(written, ObjectMapping) else written
    source = project.sources.get(name)
    return MappingFacts(
        name=name,
        kind="object" if isinstance(m, ObjectMapping) else "dataset",
        page=places[name],
        file=source.file if source else None,
        description=m.description,
        grain=m.grain or _record(m),
        key=tuple(m.key or ()),
        source=m.source,
        source_label=_label(project, m),
        reads=_reads(project, m, places),
        readers=readers,
        rows_told=_rows_told(m),
        where=m.where,
        write=WRITES[m.target.write] if isinstance(m, ObjectMapping) or m.target.write != "upsert" else None,
        partition_by=m.target.partition_by,
        joins=_joins(project, m, places),
        columns=_columns(project, m, lineage),
        open_ended=isinstance(m, ObjectMapping) and m.keeps_rest,
        rules=tuple(RuleFacts(n, s, r.sql, r.nulls, r.description, EFFECTS[s]) for n, s, r in m.rules()),
        expectations=m.expectations,
        deliveries=tuple(_delivery(d, m) for d in m.deliver) if isinstance(m, DatasetMapping) else (),
        examples=tuple(_example(e) for e in m.examples),
    )


def _label(project: Project, m: AnyMapping) -> str | None:
    entry = project.catalog.get(m.source) if isinstance(m, ObjectMapping) else None
    return entry.label if entry and entry.label != m.source else None


def _record(m: AnyMapping) -> str | None:
    return f"One {m.source} record." if isinstance(m, ObjectMapping) and m.target.write == "upsert" else None


def _rows_told(m: AnyMapping) -> str:
    if isinstance(m, DatasetMapping):
        left_out = m.deleted == "leave_out"
        return "deleted records are left out" if left_out else "deleted records are in it too"
    by = f"the latest by {m.order_by}" if m.order_by else "as they land"
    return f"{by}; {DELETES[m.target.on_delete]}"


def _link(project: Project, reference: str, places: Mapping[str, str]) -> TableLink:
    found = project.table(reference) or project.looked_up(reference)
    return TableLink(found.mapping, places[found.mapping]) if found else TableLink(reference, None)


def _reads(project: Project, m: AnyMapping, places: Mapping[str, str]) -> tuple[TableLink, ...]:
    if isinstance(m, ObjectMapping):
        return ()
    return tuple(
        dict.fromkeys(_link(project, reference, places) for reference in (m.source, *(j.table for j in m.joins)))
    )


def _joins(project: Project, m: AnyMapping, places: Mapping[str, str]) -> tuple[JoinFacts, ...]:
    if isinstance(m, ObjectMapping):
        return tuple(
            JoinFacts(
                alias, _link(project, look.object, places), ((look.by, look.key or "its key"),), "at most one match"
            )
            for alias, look in m.lookups.items()
        )
    kinds = {
        "left": "left: rows without a match stay",
        "inner": "inner: rows without a match go",
        "full": "full: rows of both sides stay",
    }
    return tuple(
        JoinFacts(
            j.name,
            _link(project, j.table, places),
            tuple(j.by.items()),
            kinds[j.type] + ("" if j.one else "; several matches make several rows"),
        )
        for j in m.joins
    )


def _columns(project: Project, m: AnyMapping, lineage: Sequence[Lineage]) -> tuple[ColumnFacts, ...]:
    keys = {key.lower() for key in m.key or ()}
    entry = project.catalog.get(m.source) if isinstance(m, ObjectMapping) else None
    told = []
    for at, (column, origin) in enumerate(zip(project.columns(m.mapping), lineage, strict=True), start=1):
        known = entry.field(column.field) if entry and column.field else None
        named = (
            {column.name.lower(), (column.field or "").lower()}
            if isinstance(m, ObjectMapping)
            else {column.name.lower()}
        )
        told.append(
            ColumnFacts(
                name=column.name,
                anchor=f"c{at}",
                type=column.type or (known.spark_type if known else None),
                read=column.field,
                sql=column.sql,
                constant=None if column.value is None else str(column.value),
                origins=_origins(origin),
                description=column.description or ((known.description or known.label) if known else None),
                is_key=bool(named & keys),
            )
        )
    return tuple(told)


def _origins(lineage: Lineage) -> tuple[str, ...]:
    """The leaves that hold data: Salesforce fields, and what the run itself writes."""
    told = {"field": "{}", "technical": "{} (written by the run)", "unknown": "{} (the mappings do not tell)"}
    return tuple(dict.fromkeys(told[leaf.kind].format(leaf.title) for leaf in lineage.leaves() if leaf.kind in told))


def _delivery(d: Delivery, m: AnyMapping) -> DeliveryFacts:
    if d.csv:
        form = "with a header" if d.csv.header else "without a header"
        delimiter = "" if d.csv.delimiter == "," else f", cells apart by {d.csv.delimiter!r}"
        return DeliveryFacts("CSV", d.csv.file, form + delimiter)
    if d.parquet:
        return DeliveryFacts("Parquet", d.parquet.folder, "replaced as a whole")
    if d.jdbc:
        key = d.jdbc.key or tuple(m.key or ())
        by = f" by {', '.join(key)}" if d.jdbc.write == "upsert" and key else ""
        return DeliveryFacts("database", d.jdbc.table, f"through {d.jdbc.connection}, {d.jdbc.write}{by}")
    return DeliveryFacts("Delta", (d.delta and d.delta.folder) or m.mapping, "")


def _example(e: Example) -> ExampleFacts:
    given = tuple((name, _rows(rows)) for name, rows in e.given.items())
    outcomes = (("Written", e.expect), ("Quarantined", e.quarantined))
    return ExampleFacts(
        e.name, given, tuple((title, _rows(rows)) for title, rows in outcomes if rows is not None), e.dropped
    )


def _rows(rows: Sequence[Mapping[str, Any]]) -> Rows:
    names = tuple(dict.fromkeys(name for row in rows for name in row))
    return Rows(names, tuple(tuple(_cell(row[name]) if name in row else None for name in names) for row in rows))


def _cell(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return "null" if value is None else str(value)
