"""Names: Salesforce API names, table and column names, and how one that is written finds the one that is meant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

Naming = Literal["lower", "snake", "source"]

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NOT_WORD = re.compile(r"\W+")
_EDGES = re.compile(r"^\W+|\W+$")


def snake(name: str) -> str:
    """`CloseDate` → `close_date`, `Branch__c` → `branch__c`; done twice it changes nothing more."""
    lowered = _HUMP.sub("_", name).lower()
    return _NOT_WORD.sub("_", _EDGES.sub("", lowered)) or "_"


def table_name(api_name: str) -> str:
    """The table of an object without a mapping file: `AccountContactRelation` → `account_contact_relation`."""
    return snake(api_name)


def column_name(field: str, naming: Naming) -> str:
    """The column that a field passes through to: as a crawler writes it, in snake case, or as it is."""
    if naming == "snake":
        return snake(field)
    return field.lower() if naming == "lower" else field


def squash(name: str) -> str:
    """Lower case without underscores: what `CreatedById`, `created_by_id` and `createdbyid` share."""
    return name.lower().replace("_", "")


class NameIndex:
    """A list of names that is looked into often; answers as `match` does."""

    __slots__ = ("_exact", "_lower", "_squashed", "names")

    def __init__(self, names: Iterable[str]) -> None:
        self.names: tuple[str, ...] = tuple(names)
        self._exact = frozenset(self.names)
        self._lower: dict[str, str] = {}
        self._squashed: dict[str, str | None] | None = None
        for name in self.names:
            self._lower.setdefault(name.lower(), name)

    def match(self, name: str) -> str | None:
        """The candidate meant: exact, else without regard to case, else without underscores if that names only one."""
        if name in self._exact:
            return name
        found = self._lower.get(name.lower())
        if found is not None:
            return found
        if self._squashed is None:
            squashed: dict[str, str | None] = {}
            for lower, original in self._lower.items():
                key = squash(lower)
                squashed[key] = None if key in squashed else original
            self._squashed = squashed
        return self._squashed.get(squash(name))

    def nearest(self, name: str) -> str | None:
        return nearest(name, self.names)


def match(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `name` means, or None: exact, then any case, then without underscores if unique."""
    return NameIndex(candidates).match(name)


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that is most like `name`, for "did you mean"; None where nothing is near."""
    import difflib  # late: only an error needs it

    by_squashed: dict[str, str] = {}
    for candidate in candidates:
        by_squashed.setdefault(squash(candidate), candidate)
    wanted = squash(name)
    if wanted in by_squashed:
        return by_squashed[wanted]
    near = difflib.get_close_matches(wanted, by_squashed, n=1, cutoff=0.6)
    if near:
        return by_squashed[near[0]]
    parts = [c for s, c in by_squashed.items() if len(wanted) >= 4 and (wanted in s or (len(s) >= 4 and s in wanted))]
    return min(parts, key=len) if parts else None
