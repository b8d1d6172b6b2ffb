"""Where a column comes from, down to the Salesforce field; worked out from mappings and catalog alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from forceglue.errors import UsageError
from forceglue.mapping.catalog import CatalogObject
from forceglue.mapping.expand import TRACEABILITY, Inputs, OutputColumn, find_column
from forceglue.mapping.model import DatasetMapping, ObjectMapping
from forceglue.mapping.names import match, nearest
from forceglue.mapping.project import Project
from forceglue.mapping.sql import columns_in

Kind = Literal["column", "field", "constant", "empty", "technical", "unknown"]


@dataclass(frozen=True)
class Lineage:
    """One node of the tree: a column of a table, or a leaf below which nothing is.

    Attributes:
        kind: `column` of a mapping's table; `field` of a Salesforce object; `constant`; `empty` (nothing feeds it);
            `technical` (the engine writes it); `unknown` (the mappings do not tell).
        place: the table's or object's name; empty for a constant.
        name: column or field; the constant as text.
        sql: the expression that makes the column of its inputs; None where it is handed through.
        through: the lookup or join that the column's value comes by, for example `lookup account by AccountId`.
        type: the type it is cast to.
        inputs: what it is made of.
    """

    kind: Kind
    place: str
    name: str
    sql: str | None = None
    through: str | None = None
    type: str | None = None
    inputs: tuple[Lineage, ...] = ()

    @property
    def title(self) -> str:
        return f"{self.place}.{self.name}" if self.place else self.name

    def fields(self) -> tuple[str, ...]:
        """The Salesforce fields at the bottom, as `Object.Field`, each once."""
        return tuple(dict.fromkeys(leaf.title for leaf in self.leaves() if leaf.kind == "field"))

    def leaves(self) -> Iterator[Lineage]:
        if not self.inputs:
            yield self
        for entry in self.inputs:
            yield from entry.leaves()

    def lines(self, depth: int = 0) -> Iterator[str]:
        """The tree as indented text, a node a line."""
        notes = [self.through, f"sql: {self.sql}" if self.sql else None, f"as {self.type}" if self.type else None]
        told = "; ".join(note for note in notes if note)
        label = {"constant": "constant ", "empty": "nothing feeds ", "technical": "written by the run: "}.get(
            self.kind, ""
        )
        salesforce = "Salesforce " if self.kind == "field" else ""
        yield "  " * depth + label + salesforce + self.title + (f"  ({told})" if told else "")
        for entry in self.inputs:
            yield from entry.lines(depth + 1)

    def to_dict(self) -> dict[str, object]:
        own = {"kind": self.kind, "name": self.title, "sql": self.sql, "through": self.through, "type": self.type}
        told: dict[str, object] = {key: value for key, value in own.items() if value is not None}
        return {**told, "inputs": [entry.to_dict() for entry in self.inputs]} if self.inputs else told


def trace(project: Project, mapping: str, column: str) -> Lineage:
    """The tree of one column.

    Raises:
        UsageError: the mapping or the column is unknown; the message names the nearest.
    """
    name = project.mapping(mapping).mapping
    columns = project.columns(name)
    wanted = match(column, [c.name for c in columns])
    if wanted is None:
        if column.lower() in TRACEABILITY and name in project.objects:
            return Lineage("technical", name, column.lower())
        near = nearest(column, [c.name for c in columns])
        hint = f'did you mean "{near}"?' if near else "`forceglue docs` lists its columns."
        raise UsageError(f'{name} has no column "{column}"; {hint}')
    return _Tracer(project).column(name, next(c for c in columns if c.name == wanted))


def all_lineage(project: Project) -> dict[str, tuple[Lineage, ...]]:
    """Mapping → the tree of each of its columns, in order."""
    tracer = _Tracer(project)
    return {name: tuple(tracer.column(name, column) for column in project.columns(name)) for name in project.mappings}


class _Tracer:
    """Works each column out once; a dataset of datasets would otherwise repeat itself."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._done: dict[tuple[str, str], Lineage] = {}
        self._inputs: dict[str, Inputs] = {}
        self._open: set[tuple[str, str]] = set()

    def column(self, mapping: str, column: OutputColumn) -> Lineage:
        key = (mapping, column.name)
        if key in self._open:
            return Lineage("unknown", mapping, column.name)  # a cycle; the check reports it
        if key not in self._done:
            self._open.add(key)
            self._done[key] = Lineage(
                "column", mapping, column.name, column.sql, None, column.type, tuple(self._made_of(mapping, column))
            )
            self._open.discard(key)
        return self._done[key]

    def _made_of(self, mapping: str, column: OutputColumn) -> Iterator[Lineage]:
        m = self.project.objects.get(mapping) or self.project.datasets[mapping]
        if column.sql is not None:
            read: tuple[str, ...] = columns_in(column.sql)
        elif column.field is not None:
            read = (column.field,)
        else:
            empty = column.value is None
            yield Lineage("empty" if empty else "constant", "", column.name if empty else str(column.value))
            return
        for name in read:
            yield self._of_object(m, name) if isinstance(m, ObjectMapping) else self._of_dataset(m, name)

    def _of_object(self, m: ObjectMapping, written: str) -> Lineage:
        head, dot, tail = written.partition(".")
        alias = match(head, m.lookups) if dot else None
        if alias is None:
            return _field(self.project.catalog.get(m.source), m.source, written)
        lookup = m.lookups[alias]
        through = f"lookup {alias} by {lookup.by}"
        target = self.project.looked_up(lookup.object)
        if target is None:
            return _through(_field(self.project.catalog.get(lookup.object), lookup.object, tail), through)
        return _through(self._of_table(target.mapping, tail), through)

    def _of_dataset(self, m: DatasetMapping, written: str) -> Lineage:
        inputs = self._inputs.get(m.mapping)
        if inputs is None:
            inputs = self._inputs[m.mapping] = Inputs(m, self.project.inputs(m))
        alias, _, name = inputs.resolve(written).partition(".")
        join = next((join for join in m.joins if join.name == alias), None)
        reference = m.source if join is None else join.table
        target = self.project.table(reference)
        if target is not None:
            found = self._of_table(target.mapping, name)
        else:
            api_name = self.project.catalog_table(reference) or reference
            found = _field(self.project.catalog.get(api_name), api_name, name)
        if join is None:
            return found
        pairs = " and ".join(f"{here} = {alias}.{there}" for here, there in join.by.items())
        return _through(found, f"{join.type} join {alias} on {pairs}")

    def _of_table(self, mapping: str, name: str) -> Lineage:
        found = find_column(name, self.project.columns(mapping))
        if found is not None:
            return self.column(mapping, found)
        if name.lower() in TRACEABILITY:
            return Lineage("technical", mapping, name.lower())
        m = self.project.objects.get(mapping)
        return (
            Lineage("unknown", mapping, name)
            if m is None
            else _field(self.project.catalog.get(m.source), m.source, name)
        )


def _field(known: CatalogObject | None, api_name: str, written: str) -> Lineage:
    field = known.field(written) if known is not None else None
    return Lineage("field", known.name if known else api_name, field.name if field else written)


def _through(node: Lineage, how: str) -> Lineage:
    return Lineage(node.kind, node.place, node.name, node.sql, how, node.type, node.inputs)
