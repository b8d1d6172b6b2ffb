"""What a mapping makes of each field of its object."""

from __future__ import annotations

from collections.abc import Iterable

from forceglue.mapping.expand import OutputColumn, object_columns
from forceglue.mapping.model import AllColumns, ObjectMapping
from forceglue.mapping.names import NameIndex, match
from forceglue.mapping.sql import columns_in


class Uses:
    """A mapping's reads.

    Args:
        mapping: with its defaults (`Project.with_defaults`).
        fields: names of all fields that are or were there.
    """

    def __init__(self, mapping: ObjectMapping, fields: Iterable[str]) -> None:
        self.mapping = mapping
        self._fields = NameIndex(fields)
        self.columns: tuple[OutputColumn, ...] = object_columns(mapping, self._fields.names)
        self._columns: dict[str, list[OutputColumn]] = {}
        self._words: dict[str, list[str]] = {}
        for column in self.columns:
            for read in (column.field,) if column.field else columns_in(column.sql) if column.sql else ():
                self._note(read, column)
        of_records = (("order_by", mapping.order_by), ("deleted", mapping.deleted))
        for word, name in (*(("key", name) for name in mapping.key or ()), *of_records):
            if name:
                self._word(name, word)
        for read in columns_in(mapping.where) if mapping.where else ():
            self._word(read, "where")
        for alias, lookup in mapping.lookups.items():
            self._word(lookup.by, f"lookup {alias}")

    def _own(self, written: str) -> str | None:
        head, dot, tail = written.partition(".")
        if dot and match(head, self.mapping.lookups) is not None:
            return None
        return (tail if dot else written).lower()

    def _key(self, written: str) -> str | None:
        own = self._own(written)
        return None if own is None else (self._fields.match(own) or own).lower()

    def _note(self, written: str, column: OutputColumn) -> None:
        if key := self._key(written):
            self._columns.setdefault(key, []).append(column)

    def _word(self, written: str, word: str) -> None:
        if key := self._key(written):
            self._words.setdefault(key, []).append(word)

    def of(self, field: str) -> tuple[OutputColumn, ...]:
        """The columns that read a field, by themselves or in an expression."""
        return tuple(self._columns.get(field.lower(), ()))

    def words(self, field: str) -> tuple[str, ...]:
        """Where else the mapping reads it: `key`, `order_by`, `deleted`, `where`, `lookup account`."""
        return tuple(self._words.get(field.lower(), ()))

    @property
    def unknown(self) -> tuple[str, ...]:
        """Names that are no field; those that the project says for every object (order_by, deleted) are not told."""
        there = {name.lower() for name in self._fields.names}
        said = {name: words for name, words in self._words.items() if set(words) - {"order_by", "deleted"}}
        named = (name for name, columns in self._columns.items() if any(not self._by_default(name) for _ in columns))
        return tuple(dict.fromkeys(name for name in (*named, *said) if name not in there))

    def _by_default(self, name: str) -> bool:
        return name in ((self.mapping.order_by or "").lower(), (self.mapping.deleted or "").lower())

    @property
    def lets_pass(self) -> bool:
        """Whether fields that the mapping does not name become columns."""
        blocks = self.mapping.columns or ()
        return self.mapping.keeps_rest or any(isinstance(b, AllColumns) and b.only is None for b in blocks)

    def never_reads(self, field: str) -> bool:
        return field.lower() in {name.lower() for name in self.mapping.exclude}
