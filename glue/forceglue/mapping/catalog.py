"""The catalog: what Salesforce's describe says about each object, kept as `catalog/<Object>.json`.

A file has the shape of a describe: `{"name", "label", "fields": [{"name", "type"?, "label"?, ...}]}`. A fact that a
field does not say is not known. An object without a file is not known either; nothing is then said about its fields.
`forceglue catalog pull` writes them (`describe.snapshot`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forceglue.mapping.names import NameIndex
from forceglue.mapping.problems import Problem

COMPOUND_TYPES = frozenset({"address", "location"})

NUMBERS = frozenset({"currency", "double", "percent"})
MOST_DIGITS, FORMULA_SCALE = 38, 18

_SPARK_TYPES = {
    "boolean": "boolean",
    "int": "bigint",  # some that describe calls int hold more: Site.DailyBandwidthUsed
    "long": "bigint",
    "double": "double",
    "currency": "double",
    "percent": "double",
    "date": "date",
    "datetime": "timestamp",
}


@dataclass(frozen=True, slots=True)
class CatalogField:
    """One field of an object, as describe names its facts.

    Attributes:
        type: describe's type (`string`, `currency`, `datetime`, `address`, ...); None where nobody knows it.
        calculated: a formula or roll-up; its change does not touch SystemModstamp.
        formula: its text; a roll-up has none.
        references: API names of the objects that a reference field points to.
        picklist: the active values (API values, not labels); None where they are not known.
        part_of: the compound field that it is a part of.
        custom: made by an administrator; only such a field can be deleted.
        permissionable: field-level security can hide it.
    """

    name: str
    type: str | None = None
    label: str | None = None
    description: str | None = None
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    nullable: bool | None = None
    calculated: bool = False
    references: tuple[str, ...] = ()
    formula: str | None = None
    picklist: tuple[str, ...] | None = None
    part_of: str | None = None
    custom: bool = False
    permissionable: bool = True

    @property
    def compound(self) -> bool:
        """Address and geolocation: their parts are fields of their own, and the two APIs write them differently."""
        return self.type in COMPOUND_TYPES

    @property
    def spark_type(self) -> str | None:
        """The Spark SQL type that holds every value of the field; None where the type is not known.

        The value of a formula is computed, and has the digits that come of it whatever its declared scale.
        """
        if self.type is None:
            return None
        digits, scale = self.precision or 0, self.scale or 0
        if self.type in NUMBERS and scale <= digits and 0 < digits <= MOST_DIGITS:
            if self.calculated:
                return f"decimal({MOST_DIGITS},{max(scale, min(FORMULA_SCALE, MOST_DIGITS - (digits - scale)))})"
            return f"decimal({digits},{scale})"
        return _SPARK_TYPES.get(self.type, "string")


@dataclass(frozen=True)
class CatalogObject:
    """One Salesforce object: its API name, its label, its fields in catalog order."""

    name: str
    label: str | None
    fields: tuple[CatalogField, ...]

    @property
    def field_names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

    def field(self, name: str) -> CatalogField | None:
        """The field meant by `name` (see `names.match`)."""
        found = self.index.match(name)
        return None if found is None else self._by_name[found]

    @property
    def index(self) -> NameIndex:
        cached: NameIndex | None = self.__dict__.get("_index")
        if cached is None:
            cached = self.__dict__["_index"] = NameIndex(self.field_names)
        return cached

    @property
    def _by_name(self) -> dict[str, CatalogField]:
        cached: dict[str, CatalogField] | None = self.__dict__.get("_fields")
        if cached is None:
            cached = self.__dict__["_fields"] = {field.name: field for field in self.fields}
        return cached


class Catalog:
    """Every object that describe was kept for."""

    def __init__(self, objects: tuple[CatalogObject, ...] = ()) -> None:
        self._objects = {entry.name.lower(): entry for entry in objects}

    def get(self, object_name: str) -> CatalogObject | None:
        """The object of this API name, in any case."""
        return self._objects.get(object_name.lower())

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(entry.name for entry in self._objects.values())

    def __iter__(self) -> Iterator[CatalogObject]:
        return iter(self._objects.values())

    def __len__(self) -> int:
        return len(self._objects)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Catalog) and self._objects == other._objects

    __hash__ = None  # type: ignore[assignment]  # equality by value of a mutable mapping; mypy knows no other spelling


def object_from_describe(raw: dict[str, Any]) -> CatalogObject:
    """One describe (or a part of it) as a catalog object.

    Raises:
        ValueError: it is not the shape of a describe; the message says what is missing.
    """
    name, fields = raw.get("name"), raw.get("fields")
    if not isinstance(name, str) or not name:
        raise ValueError('"name" with the API name of the object is missing')
    if not isinstance(fields, list):
        raise ValueError('"fields" with a list of fields is missing')
    return CatalogObject(name, raw.get("label"), tuple(_field(entry, at) for at, entry in enumerate(fields)))


def _field(raw: Any, at: int) -> CatalogField:
    if not isinstance(raw, dict) or not isinstance(raw.get("name"), str):
        raise ValueError(f'field {at + 1} has no "name"')
    return CatalogField(
        name=raw["name"],
        type=raw.get("type"),
        label=raw.get("label"),
        description=raw.get("inlineHelpText") or raw.get("description"),
        length=raw.get("length"),
        precision=raw.get("precision"),
        scale=raw.get("scale"),
        nullable=raw.get("nillable"),
        calculated=bool(raw.get("calculated")),
        references=tuple(raw.get("referenceTo") or ()),
        formula=raw.get("calculatedFormula"),
        picklist=_values(raw.get("picklistValues")),
        part_of=raw.get("compoundFieldName"),
        custom=bool(raw.get("custom")),
        permissionable=bool(raw.get("permissionable", True)),
    )


def _values(raw: Any) -> tuple[str, ...] | None:
    """Active values, of a describe's entries or of a snapshot's texts."""
    if not isinstance(raw, list):
        return None
    return tuple(
        str(entry.get("value")) if isinstance(entry, dict) else str(entry)
        for entry in raw
        if not isinstance(entry, dict) or entry.get("active", True)
    )


def load_catalog(folder: Path) -> tuple[Catalog, tuple[Problem, ...]]:
    """Every `*.json` of `folder` (which need not exist), and what is wrong with those that cannot be read."""
    objects: list[CatalogObject] = []
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.json")):
        file = f"{folder.name}/{path.name}"
        try:
            raw = json.loads(path.read_bytes())
            if not isinstance(raw, dict):
                raise ValueError("a describe is a JSON object")
            objects.append(object_from_describe(raw))
        except json.JSONDecodeError as error:
            problems.append(Problem("FG-CAT-001", file, error.lineno, "", f"no JSON: {error.msg}"))
        except (OSError, ValueError) as error:
            problems.append(Problem("FG-CAT-001", file, 1, "", str(error)))
    return Catalog(tuple(objects)), tuple(problems)
