"""Which fields a refresh reads again, and how often: formulas, roll-ups, and what a mapping says is like them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from forceglue.extract.fields import Choice, ReadField
from forceglue.extract.window import cursor_of
from forceglue.mapping.expand import object_columns
from forceglue.mapping.model import ObjectMapping
from forceglue.mapping.model.refresh import acts_like_formula, interval
from forceglue.mapping.names import NameIndex, match
from forceglue.mapping.sql import columns_in


@dataclass(frozen=True)
class Refreshing:
    """The refresh of one object.

    Attributes:
        every: the time between two; zero: each extract.
        formulas: the fields that change without their record.
        fields: what is read: those, what identifies and dates a record, and what the mappings compute with them.
    """

    every: timedelta
    formulas: tuple[str, ...]
    fields: tuple[ReadField, ...]


def refreshing(
    describe: dict[str, Any], mappings: Sequence[ObjectMapping], choice: Choice, *, asked: bool = False
) -> Refreshing | None:
    """What the mappings of an object need refreshed; None where that is nothing. The most frequent of them wins.

    Args:
        mappings: with their defaults (`Project.with_defaults`).
        choice: the fields that are read of the object at all.
        asked: a person asks for it now, so that `never` counts too.
    """
    calculated = {str(field["name"]) for field in describe["fields"] if field.get("calculated")} & choice.kinds.keys()
    every: list[timedelta] = []
    formulas, read = set[str](), set[str]()
    for mapping in mappings:
        how_often = interval(mapping.refresh)
        if (how_often is None and not asked) or not mapping.target.meets_rows:
            continue
        uses = _Uses(mapping, choice)
        acting = calculated | set(uses.found(acts_like_formula(mapping.refresh)))
        with_them = [group for group in uses.groups() if group & acting]
        if with_them:
            every.append(timedelta(0) if how_often is None else how_often)
            formulas |= set.union(*with_them) & acting
            read |= set.union(*with_them, uses.found((*(mapping.key or ()), mapping.order_by or "")))
    if not every:
        return None
    cursor = cursor_of(describe)
    read |= {"Id", cursor[0]} if cursor else {"Id"}
    fields = tuple(field for field in choice.fields if field.name in read)
    return Refreshing(min(every), tuple(sorted(formulas)), fields)


class _Uses:
    """What a mapping reads together."""

    def __init__(self, mapping: ObjectMapping, choice: Choice) -> None:
        self._mapping = mapping
        self._names = NameIndex(choice.kinds)

    def groups(self) -> Iterator[set[str]]:
        """The fields of each column, and of `where`."""
        for column in object_columns(self._mapping, self._names.names):
            yield self.found(columns_in(column.sql) if column.sql else [column.field or ""])
        if self._mapping.where:
            yield self.found(columns_in(self._mapping.where))

    def found(self, written: Sequence[str]) -> set[str]:
        """The object's own fields behind names; behind a lookup's the field that it goes by."""
        return {name for one in written if (name := self._names.match(self._own(one)))}

    def _own(self, written: str) -> str:
        head, dot, tail = written.partition(".")
        if not dot:
            return written
        alias = match(head, self._mapping.lookups)
        if alias is not None:
            return self._mapping.lookups[alias].by
        return tail if head.lower() == self._mapping.source.lower() else written
