"""The columns that a describe makes: names by the project's convention, types that hold every value, comments."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from forceglue.describe.changes import in_short
from forceglue.mapping.catalog import CatalogField, CatalogObject
from forceglue.mapping.model import ObjectDefaults
from forceglue.mapping.names import Naming, column_name, match, squash

NOT_READ = {
    "address": "compound: its parts are columns",
    "location": "compound: its parts are columns",
    "base64": "base64: its content needs a call of its own for each record",
    "complexvalue": "no query gives it",
    "json": "Bulk does not give it",
    "junctionIdList": "no query gives it",
}
ORDERS = ("SystemModstamp", "LastModifiedDate", "CreatedDate", "LoginTime")
_KEYS = ("EventUuid", "ReplayId", "DurableId", "QualifiedApiName", "DeveloperName")
_PLAIN = frozenset({"Id", "IsDeleted"})
_SUFFIX = re.compile(r"__[a-z]+$")
REFRESH = "daily"
"""How often a new mapping has its formula fields read again, until somebody decides."""


@dataclass(frozen=True)
class MadeColumn:
    """One column.

    Attributes:
        type: a Spark SQL type; None: text.
        comment: what the file says behind it: what a reference points to, what a formula is.
    """

    name: str
    field: str
    type: str | None = None
    description: str | None = None
    comment: str | None = None


@dataclass(frozen=True)
class MadeMapping:
    """What a describe says a mapping is.

    Attributes:
        words: further words of the mapping, such as `key` where the project's own does not fit.
        left_out: field → why it is no column.
        untyped: fields whose type the snapshot does not know; they are text.
    """

    name: str
    source: str
    columns: tuple[MadeColumn, ...]
    words: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    untyped: tuple[str, ...] = ()


def made(known: CatalogObject, name: str, defaults: ObjectDefaults, *, naming: Naming | None = None) -> MadeMapping:
    """The mapping of an object under the project's conventions.

    Args:
        naming: of the mapping, where it is not the project's.

    Raises:
        ValueError: no field identifies its records; the message says what to do.
    """
    hidden = {name.lower() for name in defaults.never_read}
    columns: list[MadeColumn] = []
    left_out: dict[str, str] = {}
    taken: set[str] = set()
    for entry in known.fields:
        why = "never_read" if entry.name.lower() in hidden else NOT_READ.get(entry.type or "")
        if why:
            left_out[entry.name] = why
        else:
            columns.append(_column(entry, free_name(column_name(entry.name, naming or defaults.naming), taken)))
    fields = [column.field for column in columns]
    words = _record_words(known, fields, defaults)
    if known.label and not _says_nothing(known.label, known.name):
        words = {"description": known.label, **words}
    if any(entry.calculated and entry.name not in left_out for entry in known.fields):
        words["refresh"] = REFRESH
    untyped = tuple(entry.name for entry in known.fields if entry.type is None)
    return MadeMapping(name, known.name, tuple(columns), words, left_out, untyped)


def free_name(name: str, taken: set[str]) -> str:
    """`name`, or with a number where it is taken; takes it. `taken` is in lower case."""
    found, number = name, 2
    while found.lower() in taken:
        found, number = f"{name}_{number}", number + 1
    taken.add(found.lower())
    return found


def _column(entry: CatalogField, name: str) -> MadeColumn:
    kind = entry.spark_type
    return MadeColumn(name, entry.name, None if kind == "string" else kind, _described(entry), _comment(entry))


def _described(entry: CatalogField) -> str | None:
    """Label and help text; a label that is the field's name in words says nothing."""
    label = entry.label if entry.label and not _says_nothing(entry.label, entry.name) else None
    told = [" ".join(text.split()) for text in (label, entry.description) if text and text.strip()]
    return ": ".join(told) or None


def _says_nothing(label: str, name: str) -> bool:
    said = squash("".join(c for c in label if c.isalnum()))
    plain = squash(_SUFFIX.sub("", name).rpartition("__")[2])
    return name in _PLAIN or said in (plain, squash(name))


def _comment(entry: CatalogField) -> str | None:
    if entry.calculated:
        return f"formula: {in_short(entry.formula)}" if entry.formula else "formula or roll-up"
    if entry.references:
        more = f" and {len(entry.references) - 3} more" if len(entry.references) > 3 else ""
        return f"reference to {', '.join(entry.references[:3])}{more}"
    return None


def _record_words(known: CatalogObject, fields: Sequence[str], defaults: ObjectDefaults) -> dict[str, str]:
    """`key` and `order_by` where the object lacks the field that the project says."""
    words = {}
    if any(match(name, fields) is None for name in defaults.key):
        found = next((name for name in ("Id", *_KEYS) if name in fields), None)
        if found is None:
            raise ValueError(
                f"{known.name} has no field {', '.join(defaults.key)}, which records are told apart by: write its "
                "mapping by hand, with `key:`"
            )
        words["key"] = found
    if match(defaults.order_by, fields) is None:
        dates = {entry.name for entry in known.fields if entry.type in ("datetime", None)}
        found = next((name for name in ORDERS if name in dates and name in fields), None)
        if found is not None:
            words["order_by"] = found
    return words
