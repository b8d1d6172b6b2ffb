"""Which columns of other tables and datasets a Salesforce field ends in."""

from __future__ import annotations

from collections.abc import Mapping

from forceglue.mapping.lineage import all_lineage
from forceglue.mapping.project import Project


class Reach:
    """The lineage of a project, read backwards; worked out when it is asked for first."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._found: Mapping[str, tuple[str, ...]] | None = None

    def of(self, source: str, field: str) -> tuple[str, ...]:
        """`mapping.column` of each column that is made of a field, those of its own object's table apart."""
        if self._found is None:
            self._found = self._index()
        own = self._project.object_for(source)
        apart = f"{own.mapping}." if own else None
        ends = self._found.get(f"{source}.{field}".lower(), ())
        return tuple(end for end in ends if apart is None or not end.startswith(apart))

    def _index(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, dict[str, None]] = {}
        for name, columns in all_lineage(self._project).items():
            for column in columns:
                for title in column.fields():
                    found.setdefault(title.lower(), {})[f"{name}.{column.name}"] = None
        return {title: tuple(ends) for title, ends in found.items()}
