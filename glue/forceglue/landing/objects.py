"""From a folder's token to the Salesforce API name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from forceglue.landing.layout import folder_parts
from forceglue.mapping.names import nearest, table_name

if TYPE_CHECKING:
    from forceglue.mapping.project import Project

_API_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_NOT_IN_FLOW_NAME = re.compile(r"[^a-zA-Z0-9!@#._]")


def flow_token(label: str) -> str:
    """A label as a flow's name carries it: `Order Product` → `Order-Product`."""
    return _NOT_IN_FLOW_NAME.sub("-", label)


class ObjectNames:
    """Which object a folder's token means, in any case.

    Searched in this order: API names, `folders` of the mappings, table names, labels, then the same of the catalog's
    objects without a mapping; last of all, unless `unmapped: error`, the token itself where it can be an API name.
    A token that names two objects at the same place names none: say under `folders` which is meant.
    """

    def __init__(self, project: Project) -> None:
        self._unmapped = project.settings.unmapped
        mapped = tuple(project.objects.values())
        self._mapped = {m.source.casefold() for m in mapped}
        labels = {entry.name.casefold(): entry.label for entry in project.catalog}
        others = [entry for entry in project.catalog if entry.name.casefold() not in self._mapped]
        levels = (
            [(m.source, m.source) for m in mapped],
            [(form, m.source) for m in mapped for name in m.folders for form in _forms(name)],
            [(m.mapping, m.source) for m in mapped],
            [(flow_token(labels.get(m.source.casefold()) or m.source), m.source) for m in mapped],
            [(entry.name, entry.name) for entry in others],
            [(table_name(entry.name), entry.name) for entry in others],
            [(flow_token(entry.label), entry.name) for entry in others if entry.label],
        )
        self._levels = tuple(_index(level) for level in levels)

    def candidates(self, token: str) -> tuple[str, ...]:
        """The API names that the token means: none, one, or several (then it is ambiguous)."""
        for level in self._levels:
            if found := level.get(token.casefold()):
                return found
        if self._unmapped != "error" and _API_NAME.fullmatch(token):
            return (token,)
        return ()

    def find(self, token: str) -> str | None:
        """The API name, or None where no object or more than one is meant."""
        found = self.candidates(token)
        return found[0] if len(found) == 1 else None

    def left_alone(self, token: str) -> bool:
        """Whether files of the token stay where they are: no mapping, and the project says `unmapped: ignore`."""
        return self._unmapped == "ignore" and not self._has_mapping(token)

    def refused(self, token: str) -> bool:
        """Whether the object is known but has no mapping, and the project says `unmapped: error`."""
        return self._unmapped == "error" and not self._has_mapping(token)

    def _has_mapping(self, token: str) -> bool:
        return any(name.casefold() in self._mapped for name in self.candidates(token))

    def complaint(self, token: str) -> str | None:
        """Why files of the token cannot be loaded, and what to do; None when they can."""
        found = self.candidates(token)
        if len(found) > 1:
            return (
                f"the folder {token!r} can be {' or '.join(found)}: "
                f"name it under `folders` of the mapping that is meant"
            )
        if not found:
            near = nearest(token, self._known())
            hint = f" (nearest: {near})" if near else ""
            return f"the folder {token!r} is no object that is known{hint}: name it under `folders` of its mapping"
        if self.refused(token):
            return f"{found[0]} has no mapping and the project says `unmapped: error`: write a mapping for it"
        return None

    def _known(self) -> Iterator[str]:
        for level in self._levels:
            for names in level.values():
                yield from names


def _forms(folder: str) -> tuple[str, ...]:
    """A name under `folders`: a token, a label, or a whole folder name."""
    return folder, flow_token(folder), folder_parts(folder)[1]


def _index(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for written, api_name in pairs:
        key = written.casefold()
        if api_name not in found.get(key, ()):
            found[key] = (*found.get(key, ()), api_name)
    return found
