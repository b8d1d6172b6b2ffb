"""Mapping files → `objects.json`, when the functions are packaged: a cold start reads no YAML.

`python -m rest_api.compiling MAPPINGS OUT`
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from forceglue.extract.fields import ALWAYS, named_fields
from forceglue.mapping.catalog import CatalogObject
from forceglue.mapping.load import load_project
from forceglue.mapping.model import AllColumns, ObjectMapping
from forceglue.mapping.project import Project

_PERSONAL_TYPES = frozenset({"email", "phone"})
_PERSONAL_NAMES = re.compile(
    r"email|phone|mobile|fax|birth|salutation|first_?name|last_?name|middle_?name|(mailing|other|home).*"
    r"(street|city|postalcode|address)", re.IGNORECASE
)  # fmt: skip
_PEOPLE = frozenset({"Contact", "Lead", "User"})


def compiled(project: Project) -> dict[str, Any]:
    """Every object that a mapping is of: the fields that may be read and written, and what is known of them."""
    objects: dict[str, Any] = {}
    for mapping in map(project.with_defaults, project.objects.values()):
        described = project.catalog.get(mapping.source)
        fields = _fields(mapping, described)
        old = objects.get(mapping.source)
        if old is not None:  # several mappings of an object: what any of them has, but never what one must not
            fields = None if fields is None or old["fields"] is None else list(dict.fromkeys([*old["fields"], *fields]))
        known = fields if fields is not None else [one.name for one in described.fields] if described else []
        objects[mapping.source] = {
            "mapping": mapping.mapping,
            "fields": fields,
            "never": sorted({*(old["never"] if old else ()), *(name.lower() for name in mapping.exclude)}),
            "personal": sorted(name.lower() for name in known if _personal(mapping.source, name, described)),
            "parents": dict(_parents(mapping, described)),
        }
    return {"objects": objects}


def _fields(mapping: ObjectMapping, described: CatalogObject | None) -> list[str] | None:
    """API names; None where all fields pass and nobody knows which they are."""
    never = {name.lower() for name in mapping.exclude}
    blocks = mapping.columns or ()
    everything = mapping.keeps_rest or any(isinstance(one, AllColumns) and one.only is None for one in blocks)
    if everything and described is None:
        return None
    names = [one.name for one in described.fields if not one.compound] if everything and described else []
    names += [*ALWAYS, *named_fields(mapping), *(mapping.key or ())]
    names += [name for name in (mapping.order_by, mapping.deleted) if name]
    spelt = {one.name.lower(): one.name for one in described.fields} if described else {}
    found = {name.lower(): spelt.get(name.lower(), name) for name in names}
    return [name for lower, name in found.items() if lower not in never and (not spelt or lower in spelt)]


def _personal(source: str, name: str, described: CatalogObject | None) -> bool:
    field = described.field(name) if described else None
    if field is not None and field.type in _PERSONAL_TYPES:
        return True
    return bool(_PERSONAL_NAMES.search(name)) or (source in _PEOPLE and name.lower() in ("name", "username", "alias"))


def _parents(mapping: ObjectMapping, described: CatalogObject | None) -> Iterator[tuple[str, list[str]]]:
    """Relationships to other records: those that describe tells of, else those of the mapping's lookups."""
    for lookup in mapping.lookups.values():
        yield _relationship(lookup.by), [lookup.object]
    for field in described.fields if described else ():
        if field.references:
            yield _relationship(field.name), list(field.references)


def _relationship(field: str) -> str:
    """`AccountId` → `Account`, `Order__c` → `Order__r`: Salesforce's own rule."""
    return f"{field[:-1]}r" if field.endswith("__c") else field.removesuffix("Id")


def main() -> None:
    mappings, out = sys.argv[1:]
    told = compiled(load_project(Path(mappings)))
    Path(out).write_text(json.dumps(told, separators=(",", ":")), "utf-8")


if __name__ == "__main__":
    main()
