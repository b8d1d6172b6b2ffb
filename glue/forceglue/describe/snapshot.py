"""A describe as it is kept in `catalog/<Object>.json`: the facts that are used, a field a line, in a lasting order.

A fact is written where it says something: what is false, zero or empty is left out, so that a change is one line.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forceglue.landing.store import Store
from forceglue.mapping.catalog import CatalogObject, object_from_describe

CATALOG = "catalog"
OBJECT_FACTS = ("name", "label", "keyPrefix", "custom", "queryable", "replicateable", "deprecatedAndHidden")
FIELD_FACTS = (
    "name", "type", "label", "inlineHelpText", "length", "precision", "scale", "nillable", "unique", "externalId",
    "custom", "permissionable", "calculated", "calculatedFormula", "referenceTo", "relationshipName",
    "compoundFieldName", "restrictedPicklist", "picklistValues",
)  # fmt: skip
_TRUE_UNLESS_SAID = frozenset({"nillable", "permissionable", "queryable", "replicateable"})
_PICKLISTS = frozenset({"picklist", "multipicklist", "combobox"})


@dataclass(frozen=True)
class Snapshot:
    """A kept describe.

    Attributes:
        file: relative to the mappings folder, with `/`.
        facts: what the file holds.
    """

    file: str
    facts: Mapping[str, Any]

    @property
    def object(self) -> CatalogObject:
        """Raises `ValueError` where it is not the shape of a describe."""
        return object_from_describe(dict(self.facts))


def slim(describe: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The facts of a describe that are kept.

    Args:
        before: the snapshot that there is: fields that it has keep their order, others follow as describe has them.
    """
    fields = {str(field["name"]): _field(field) for field in describe["fields"]}
    known = [str(field["name"]) for field in before["fields"]] if before else []
    order = dict.fromkeys((*(name for name in known if name in fields), *fields))
    return {**_said(describe, OBJECT_FACTS), "fields": [fields[name] for name in order]}


def _field(described: Mapping[str, Any]) -> dict[str, Any]:
    found = _said(described, FIELD_FACTS)
    if isinstance(values := described.get("picklistValues"), list) and described.get("type") in _PICKLISTS:
        found["picklistValues"] = [v["value"] for v in values if v.get("active", True)]
    if described.get("precision") and "scale" in described:
        found["scale"] = described["scale"]  # zero too: it is half of a type
    return {key: found[key] for key in FIELD_FACTS if key in found}


def _said(described: Mapping[str, Any], facts: tuple[str, ...]) -> dict[str, Any]:
    return {
        key: described[key]
        for key in facts
        if key in described and (described[key] is False if key in _TRUE_UNLESS_SAID else described[key])
    }


def as_text(snapshot: Mapping[str, Any]) -> str:
    """The file's text."""

    def written(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    head = [f"  {written(key)}: {written(value)}," for key, value in snapshot.items() if key != "fields"]
    fields = [f"    {written(field)}" for field in snapshot["fields"]]
    body = ",\n".join(fields)
    return "\n".join(["{", *head, '  "fields": [', *([body] if fields else []), "  ]", "}", ""])


def find(folder: Path, name: str) -> Snapshot | None:
    """The snapshot of an object, in any case of its name; None where there is none.

    Raises:
        ValueError: the file is no describe (`check` tells it as FG-CAT-001).
    """
    place = folder / CATALOG
    exact = place / f"{name}.json"
    paths = [exact] if exact.is_file() else [p for p in place.glob("*.json") if p.stem.lower() == name.lower()]
    if not paths:
        return None
    file = f"{CATALOG}/{paths[0].name}"
    try:
        facts = json.loads(paths[0].read_bytes())
        object_from_describe(facts if isinstance(facts, dict) else {})
    except ValueError as error:
        raise ValueError(f"{file} is no describe: {error}") from None
    return Snapshot(file, facts)


def write(folder: Path, snapshot: Mapping[str, Any], file: str | None = None) -> str:
    """Puts the file there as a whole or not at all; gives its name relative to the mappings folder.

    Raises:
        LandingError: the folder cannot be written.
    """
    file = file or f"{CATALOG}/{snapshot['name']}.json"
    Store.made(folder).write_bytes(file, as_text(snapshot).encode())
    return file
