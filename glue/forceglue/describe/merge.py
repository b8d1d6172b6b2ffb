"""Scaffold made again: a three-way merge by column of what it made last, the person's file and today's describe.

A fact of a column (its type, its description) that the person never touched follows Salesforce; one that is theirs
stays. A column that they took out stays out, one that they renamed keeps its name. A field that is new gets a column
behind the others; one that is gone keeps its own, and is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from forceglue.describe.columns import MadeColumn, MadeMapping, free_name
from forceglue.describe.edit import Edits, Place
from forceglue.describe.record import Record
from forceglue.describe.render import REFRESH_HINT, as_written, column_value, comment_of, quoted, scalar
from forceglue.mapping import yaml

Did = Literal["added", "changed", "kept", "gone", "removed", "left"]


@dataclass(frozen=True)
class Note:
    """What was done about one field (or one word of the mapping).

    Attributes:
        did: `added`, `changed` (followed Salesforce), `kept` (a person's edit, though Salesforce says otherwise),
            `gone` (Salesforce has it no more; its column stays), `removed` (and its column went, as was asked for),
            `left` (a mapping that lets every field pass).
    """

    field: str
    did: Did
    told: str

    def __str__(self) -> str:
        return f"{self.field}: {self.told}"


@dataclass(frozen=True)
class Merged:
    """The text of the file, the columns as they were made, and what was done."""

    text: str
    record: Record
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class _Entry:
    """A column of the file: where it stands, what it says."""

    place: Place
    name: str
    raw: Any

    @property
    def source(self) -> str | None:
        found = self.raw.get("from") if isinstance(self.raw, dict) else self.raw
        return found if isinstance(found, str) else None

    def said(self, fact: str) -> str | None:
        return self.raw.get(fact) if isinstance(self.raw, dict) else None


def merge(text: str, made: MadeMapping, base: Record | None, *, prune: bool = False) -> Merged:
    """The file with what is new.

    Args:
        text: of a mapping file without fault.
        base: what scaffold made last; None: all of the file is a person's.
        prune: columns that nobody touched go with their field.
    """
    document: Mapping[str, Any] = yaml.read(text, "").value
    merger = _Merger(document, Edits(text), made, base or Record(made.source), prune=prune)
    merger.run()
    removed = {note.field for note in merger.notes if note.did == "removed"}
    before = [column for column in base.columns.values() if column.field not in removed] if base else ()
    return Merged(merger.edits.result(), Record.of(made, before), tuple(merger.notes))


class _Merger:
    def __init__(
        self, document: Mapping[str, Any], edits: Edits, made: MadeMapping, base: Record, *, prune: bool
    ) -> None:
        self.document, self.edits, self.made, self.base, self.prune = document, edits, made, base, prune
        self.notes: list[Note] = []
        self.entries = tuple(_entries(document.get("columns")))
        self._by_field = {e.source.lower(): e for e in reversed(self.entries) if e.source}
        self._by_name = {e.name.lower(): e for e in self.entries}

    def run(self) -> None:
        new: list[MadeColumn] = []
        for column in self.made.columns:
            entry, last = self._by_field.get(column.field.lower()), self.base.get(column.field)
            if entry is not None and last is not None:
                self._follow(entry, last, column)
            elif entry is None and last is None:
                new.append(column)
        self._gone()
        self._words()
        if new:
            self._add(new)

    def _follow(self, entry: _Entry, last: MadeColumn, now: MadeColumn) -> None:
        """A column that scaffold made and that is still there."""
        facts = (("type", last.type, now.type), ("description", _text(last), _text(now)))
        if all(was == is_now for _, was, is_now in facts):
            return
        untouched = {fact: _same(fact, entry.said(fact), was) for fact, was, _ in facts}
        plain = not isinstance(entry.raw, dict) or set(entry.raw) <= {"from", "type", "description"}
        if all(untouched.values()) and plain:
            value = column_value(replace(now, field=entry.source or now.field))
            self.edits.replace(entry.place, value)
        for fact, was, is_now in facts:
            if was == is_now:
                continue
            change = f"{fact} {was or _NOTHING[fact]} → {is_now or _NOTHING[fact]}"
            if not untouched[fact]:
                if not _same(fact, entry.said(fact), is_now):
                    mine = entry.said(fact) or _NOTHING[fact]
                    told = f"{fact} stays {mine}, which a person wrote; Salesforce: {change}"
                    self.notes.append(Note(now.field, "kept", told))
                continue
            if not (all(untouched.values()) and plain):
                self._set(entry, fact, is_now)
            self.notes.append(Note(now.field, "changed", change))

    def _set(self, entry: _Entry, fact: str, value: str | None) -> None:
        """One fact of a column of which others are a person's."""
        written = (quoted(value) if fact == "description" else scalar(value)) if value else "string"
        if not isinstance(entry.raw, dict):
            self.edits.replace(entry.place, f"{{from: {scalar(entry.raw)}, {fact}: {written}}}")
        elif fact in entry.raw:
            self.edits.replace((*entry.place, fact), written if value or fact == "type" else '""')
        elif value:
            self.edits.add(entry.place, fact, written)

    def _gone(self) -> None:
        there = {column.field.lower() for column in self.made.columns}
        for name, last in self.base.columns.items():
            entry = self._by_field.get(name.lower())
            if name.lower() in there or entry is None:
                continue
            why = next((w for n, w in self.made.left_out.items() if n.lower() == name.lower()), None)
            told = f"is not read any more ({why})" if why else "is in Salesforce no more, or hidden from this user"
            mine = entry.name != last.name or column_value(last) != _value(entry)
            if self.prune and not mine and len(self.entries) > 1 and self.edits.remove(entry.place):
                self.notes.append(Note(name, "removed", f"{told}; its column {entry.name} was taken out"))
            else:
                self.notes.append(Note(name, "gone", f"{told}; its column {entry.name} was left as it is"))

    def _words(self) -> None:
        for word, value in self.made.words.items():
            last = self.base.words.get(word)
            if word not in self.document and last is None:
                self.edits.add((), word, scalar(as_written(value)), REFRESH_HINT if word == "refresh" else None)
                self.notes.append(Note(word, "added", f"new: {value}"))
            elif last is not None and last != value and self.document.get(word) == as_written(last):
                self.edits.replace((word,), scalar(as_written(value)))
                self.notes.append(Note(word, "changed", f"{last} → {value}"))

    def _add(self, new: list[MadeColumn]) -> None:
        columns = self.document.get("columns")
        if columns is None or self.document.get("rest") == "keep" or _whole(columns):
            self.notes += (Note(c.field, "left", "new; the mapping lets every field pass") for c in new)
            return
        taken = set(self._by_name)
        named = [replace(column, name=free_name(column.name, taken)) for column in new]
        self.notes += (Note(c.field, "added", f"new column {c.name}, {c.type or 'string'}") for c in named)
        blocks = [at for at, block in enumerate(columns) if not _special(block)] if isinstance(columns, list) else []
        if isinstance(columns, list) and not blocks:
            self.edits.append(("columns",), [(c.name, column_value(c), comment_of(c)) for c in named])
            return
        place: Place = ("columns", blocks[-1]) if blocks else ("columns",)
        for column in named:
            self.edits.add(place, column.name, column_value(column), comment_of(column))


_NOTHING = {"type": "string", "description": "none"}


def _text(column: MadeColumn) -> str | None:
    return as_written(column.description) if column.description else None


def _value(entry: _Entry) -> str:
    """What stands in the file, as scaffold would write it; nothing that it would where a person said more."""
    raw = entry.raw if isinstance(entry.raw, dict) else {"from": entry.raw}
    if not raw.keys() <= {"from", "type", "description"}:
        return ""
    said = {key: str(value) for key, value in raw.items() if value}
    description = said.get("description", "").replace("$${", "${") or None
    return column_value(MadeColumn(entry.name, said.get("from", ""), said.get("type"), description))


def _same(fact: str, said: str | None, made: str | None) -> bool:
    if fact == "type":
        return "".join((said or "string").lower().split()) == (made or "string")
    return said == made


def _entries(columns: Any) -> Iterator[_Entry]:
    if isinstance(columns, dict):
        if not _special(columns):
            yield from (_Entry(("columns", name), name, raw) for name, raw in columns.items())
    elif isinstance(columns, list):
        for at, block in enumerate(columns):
            if isinstance(block, dict) and not _special(block):
                yield from (_Entry(("columns", at, name), name, raw) for name, raw in block.items())


def _special(block: Any) -> bool:
    """An `all` or `empty` block."""
    return isinstance(block, dict) and (
        ("all" in block and block.keys() <= {"all", "only", "except", "named"})
        or (block.keys() == {"empty"} and isinstance(block["empty"], list))
    )


def _whole(columns: Any) -> bool:
    """Whether a block lets every field pass."""
    blocks = columns if isinstance(columns, list) else [columns]
    return any(_special(block) and "all" in block and "only" not in block for block in blocks)
