"""What differs between two describes of one object."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from forceglue.mapping.catalog import NUMBERS, CatalogField, CatalogObject

Kind = Literal[
    "field_new",
    "field_gone",
    "type_changed",
    "length_changed",
    "precision_changed",
    "picklist_value_new",
    "picklist_value_gone",
    "formula_changed",
    "reference_changed",
    "label_changed",
]
SHOWN = 60


@dataclass(frozen=True)
class Change:
    """One difference.

    Attributes:
        before, after: in words; None where there is nothing.
    """

    field: str
    kind: Kind
    before: str | None = None
    after: str | None = None

    def __str__(self) -> str:
        told = {
            "field_new": "new field",
            "field_gone": "field no longer there",
            "type_changed": "type",
            "length_changed": "length",
            "precision_changed": "digits",
            "picklist_value_new": "new picklist value",
            "picklist_value_gone": "picklist value no longer there",
            "formula_changed": "formula",
            "reference_changed": "points to",
            "label_changed": "label",
        }[self.kind]
        values = [in_short(value) for value in (self.before, self.after) if value is not None]
        return f"{self.field}: {told}" + (f" {' → '.join(values)}" if values else "")


def in_short(text: str) -> str:
    """A text in one line of some sixty characters."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"


def described_type(field: CatalogField) -> str:
    """Type with length or digits, as a person says it: `currency(18,2)`, `string(80)`, `formula: percent(18,2)`."""
    kind = field.type or "unknown"
    if field.type in NUMBERS and field.precision:
        kind = f"{kind}({field.precision},{field.scale or 0})"
    elif field.length and field.type not in ("id", "reference", "boolean"):
        kind = f"{kind}({field.length})"
    return f"formula: {kind}" if field.calculated else kind


def changes(before: CatalogObject, now: CatalogObject) -> tuple[Change, ...]:
    """All differences, by field in the order of `now`, those that are gone last. What `before` did not know is none."""
    old = {field.name.lower(): field for field in before.fields}
    new = {field.name.lower(): field for field in now.fields}
    found: list[Change] = []
    for name, field in new.items():
        if name in old:
            found += _of_field(old[name], field)
        else:
            found.append(Change(field.name, "field_new", None, described_type(field)))
    found += (Change(f.name, "field_gone", described_type(f)) for name, f in old.items() if name not in new)
    return tuple(found)


def learnt(before: CatalogObject, now: CatalogObject) -> int:
    """How many fields got a type that the snapshot did not know."""
    old = {field.name.lower() for field in before.fields if field.type is None}
    return sum(1 for field in now.fields if field.type and field.name.lower() in old)


def _of_field(old: CatalogField, new: CatalogField) -> Iterator[Change]:
    if old.type is None:  # a name that somebody kept without a describe
        return
    name = new.name
    if (old.type, old.calculated) != (new.type, new.calculated):
        yield Change(name, "type_changed", described_type(old), described_type(new))
    elif old.precision and (old.precision, old.scale or 0) != (new.precision, new.scale or 0) and new.type in NUMBERS:
        yield Change(name, "precision_changed", described_type(old), described_type(new))
    elif old.length and old.length != new.length:
        yield Change(name, "length_changed", str(old.length), str(new.length or 0))
    if old.formula != new.formula and old.calculated and new.calculated:
        yield Change(name, "formula_changed", old.formula or "", new.formula or "")
    if set(old.references) != set(new.references):
        yield Change(name, "reference_changed", ", ".join(old.references), ", ".join(new.references))
    if old.picklist is not None and new.picklist is not None:
        more, fewer = set(new.picklist) - set(old.picklist), set(old.picklist) - set(new.picklist)
        yield from (Change(name, "picklist_value_new", None, value) for value in new.picklist if value in more)
        yield from (Change(name, "picklist_value_gone", value) for value in old.picklist if value in fewer)
    for was, is_now in ((old.label, new.label), (old.description, new.description)):
        if was != is_now:
            yield Change(name, "label_changed", was or "", is_now or "")
