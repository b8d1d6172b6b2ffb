"""Which objects and fields the API knows: those of the mapping files, as `compiling` wrote them for the package."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common.api.problems import Problem

COMPILED = Path(__file__).with_name("objects.json")
STAMP = "SystemModstamp"
SEED = {
    "Account": (
        "Id", "Name", "Phone", "Website", "Industry", "BillingCity", "BillingCountry", "CreatedDate",
    ),
    "Contact": ("Id", "FirstName", "LastName", "Email", "Phone", "AccountId", "CreatedDate"),
    "Opportunity": (
        "Id", "Name", "Amount", "StageName", "CloseDate", "AccountId", "Probability", "CreatedDate",
    ),
}  # fmt: skip
"""What the endpoints of their own answer with; these fields may be used whatever a mapping says."""


@dataclass(frozen=True)
class KnownObject:
    """An object.

    Attributes:
        name: its API name.
        fields: lower case → API name; None where a mapping lets every field pass and no describe tells which they are.
        never: fields that nothing may read, in lower case.
        personal: fields that hold personal data, in lower case.
        parents: relationship, in lower case → the objects it leads to.
    """

    name: str
    fields: Mapping[str, str] | None
    never: frozenset[str] = frozenset()
    personal: frozenset[str] = frozenset()
    parents: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def field(self, name: str) -> str | None:
        """The API name of a field that may be used."""
        if name.lower() in self.never:
            return None
        if self.fields is None:
            return name if name.replace("_", "").isalnum() and name.isascii() else None
        return self.fields.get(name.lower())

    def must_know(self, names: Iterable[str]) -> list[str]:
        """The API names of fields. Raises `Problem` (400) that names every one that is not known."""
        found = {name: self.field(name) for name in names}
        if unknown := [name for name, known in found.items() if known is None]:
            raise Problem(400, "VALIDATION_ERROR", f"{self.name} has no field {', '.join(map(_shown, unknown))}")
        return [known for known in found.values() if known is not None]

    @property
    def stamped(self) -> bool:
        """Whether the object says when a record was changed."""
        return self.field(STAMP) is not None


class Objects:
    """All objects of the API."""

    def __init__(self, known: Iterable[KnownObject], names: Mapping[str, str] = {}) -> None:
        self._known = {one.name.lower(): one for one in known}
        self._names = {name.lower(): api.lower() for name, api in names.items()}

    def find(self, name: str) -> KnownObject | None:
        """The object of that API name, or the source of the mapping of that name; in any case."""
        lower = name.lower()
        return self._known.get(lower) or self._known.get(self._names.get(lower, ""))

    def object(self, name: str) -> KnownObject:
        """The object of that name. Raises `Problem` (404) when no mapping knows it."""
        found = self.find(name)
        if found is None:
            raise Problem(404, "NOT_FOUND", f"Object {_shown(name)} not found: it has no mapping")
        return found

    def __iter__(self) -> Any:
        return iter(self._known.values())


def _shown(name: str) -> str:
    return name[:80]


def load(path: Path, personal: frozenset[str] = frozenset()) -> Objects:
    """The objects that a file of `compiling` tells of, and those of the API's own endpoints.

    Args:
        personal: more personal fields, `field` or `object.field`, in lower case.
    """
    told: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {"objects": {}}
    entries: dict[str, Any] = {name: {"fields": [], "never": [], "personal": []} for name in SEED} | told["objects"]
    names = {entry["mapping"]: name for name, entry in entries.items() if "mapping" in entry}
    return Objects([_known(name, entry, personal) for name, entry in entries.items()], names)


def _known(name: str, entry: Mapping[str, Any], personal: frozenset[str]) -> KnownObject:
    own = SEED.get(name, ())
    fields = entry["fields"]
    more = {one.rpartition(".")[2] for one in personal if one.rpartition(".")[0] in ("", name.lower())}
    return KnownObject(
        name,
        None if fields is None else {one.lower(): one for one in (*own, *fields, *((STAMP,) if own else ()))},
        frozenset(one.lower() for one in entry["never"]),
        frozenset(one.lower() for one in entry["personal"]) | more | _PERSONAL.get(name, frozenset()),
        {key.lower(): tuple(value) for key, value in entry.get("parents", {}).items()},
    )


_PERSONAL = {"Contact": frozenset({"firstname", "lastname", "name", "email", "phone"})}
