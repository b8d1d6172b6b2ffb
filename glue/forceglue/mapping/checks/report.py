"""Where the checks write what they find."""

from __future__ import annotations

from collections.abc import Iterable

from forceglue.mapping.names import nearest
from forceglue.mapping.problems import DocPath, Problem, dotted, shown
from forceglue.mapping.project import SourceFile


class Report:
    """The problems of one mapping file."""

    def __init__(self, source: SourceFile) -> None:
        self.source = source
        self.problems: list[Problem] = []

    def add(
        self,
        code: str,
        path: DocPath,
        message: str,
        *,
        found: object = None,
        allowed: str | None = None,
        names: Iterable[str] = (),
        near: str | None = None,
    ) -> None:
        """One problem at a place of the document; `names` are the known names among which the nearest is told."""
        known = tuple(names)
        if known and near is None and found is not None:
            near = nearest(str(found), known)
        if known and allowed is None:
            allowed = _listed(known)
        line = self.source.document.line(path)
        said = None if found is None else shown(found)
        self.problems.append(Problem(code, self.source.file, line, dotted(path), message, said, allowed, near))

    def pruned(self, *path: str | int) -> bool:
        """Something at or below this place was wrong and left out of the mapping: what depends on it is not checked."""
        return any(place[: len(path)] == path or path[: len(place)] == place for place in self.source.pruned)


def _listed(names: tuple[str, ...], most: int = 12) -> str:
    head = ", ".join(names[:most])
    return head if len(names) <= most else f"{head}, … ({len(names)} in all)"
