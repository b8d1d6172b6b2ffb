"""Which fields of an object are read: what describe offers, less what cannot or must not be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from forceglue.extract.types import kind_of
from forceglue.extract.window import CURSORS
from forceglue.mapping.model import AllColumns, NamedColumns, ObjectMapping
from forceglue.mapping.names import NameIndex, match
from forceglue.mapping.sql import columns_in

# read whatever a mapping names: what tells records, versions and deletes apart
ALWAYS = ("Id", "IsDeleted", "MasterRecordId", *CURSORS[:1])
_REPEATING = frozenset({"picklist", "multipicklist", "combobox", "reference"})
_NOT_READ = {
    "address": "compound: its parts are read",
    "location": "compound: its parts are read",
    "base64": "base64: its content needs a call of its own for each record",
    "complexvalue": "no API query gives it",
    "json": "Bulk does not give it",
}


_NEEDED = ("name", "type", "precision", "scale", "calculated", "nillable", "filterable")


def slim(describe: dict[str, Any]) -> dict[str, Any]:
    """What an extract needs of a describe."""
    return {
        "name": describe["name"],
        "fields": [{key: field[key] for key in _NEEDED if key in field} for field in describe["fields"]],
    }


@dataclass(frozen=True)
class ReadField:
    """A field that is read.

    Attributes:
        kind: the type it lands as (see `types.kind_of`).
        repeats: it has few different values.
    """

    name: str
    kind: str
    repeats: bool = False


@dataclass(frozen=True)
class Choice:
    """The fields of an object.

    Attributes:
        left_out: field → why it is not read.
        missing: fields that the mapping names and describe does not have.
    """

    fields: tuple[ReadField, ...]
    left_out: dict[str, str]
    missing: tuple[str, ...] = ()

    @property
    def kinds(self) -> dict[str, str]:
        return {field.name: field.kind for field in self.fields}


def choose(describe: dict[str, Any], mappings: Sequence[ObjectMapping]) -> Choice:
    """The fields to read for the mappings of an object, which have their defaults (`Project.with_defaults`).

    Where each of them names its columns and lets nothing else pass, they get those fields alone; else all are read.
    A field is never read that none of them may read.
    """
    offered = {str(field["name"]): field for field in describe["fields"]}
    names = NameIndex(offered)
    never = set.intersection(*({name.lower() for name in mapping.exclude} for mapping in mappings))
    named = {name for mapping in mappings for name in named_fields(mapping)}
    needed = {
        name
        for mapping in mappings
        for name in (*(mapping.key or ()), mapping.order_by, mapping.deleted, *ALWAYS, *_cursor(offered))
        if name
    }
    only = {found for name in named | needed if (found := names.match(name))}
    everything = any(lets_pass(mapping) for mapping in mappings)
    fields, left_out = [], dict[str, str]()
    for name, field in offered.items():
        kind = str(field.get("type", ""))
        if name.lower() in never:
            left_out[name] = "never_read"
        elif kind in _NOT_READ:
            left_out[name] = _NOT_READ[kind]
        elif everything or name in only:
            fields.append(ReadField(name, kind_of(field), kind in _REPEATING))
    missing = sorted(name for name in named if names.match(name) is None and name.lower() not in never)
    return Choice(tuple(fields), left_out, tuple(missing))


def named_fields(mapping: ObjectMapping) -> Iterator[str]:
    """The fields of its own object that a mapping says by name, as it spells them; not those it has by default."""
    for block in mapping.columns or ():
        if isinstance(block, AllColumns):
            yield from block.only or ()
        elif isinstance(block, NamedColumns):
            for column in block.columns.values():
                if column.source:
                    yield from _own(column.source, mapping)
                if column.sql:
                    yield from _in_sql(column.sql, mapping)
    if mapping.where:
        yield from _in_sql(mapping.where, mapping)
    for lookup in mapping.lookups.values():
        yield lookup.by


def _in_sql(sql: str, mapping: ObjectMapping) -> Iterator[str]:
    for name in columns_in(sql):
        yield from _own(name, mapping)


def _own(written: str, mapping: ObjectMapping) -> Iterator[str]:
    head, dot, tail = written.partition(".")
    if not dot:
        yield written
    elif match(head, mapping.lookups) is None:
        yield tail if head.lower() == mapping.source.lower() else written


def lets_pass(mapping: ObjectMapping) -> bool:
    """Whether fields that the mapping does not name become columns."""
    blocks = mapping.columns or ()
    return mapping.keeps_rest or any(isinstance(block, AllColumns) and block.only is None for block in blocks)


def _cursor(offered: dict[str, Any]) -> list[str]:
    return next(([name] for name in CURSORS if name in offered), [])
