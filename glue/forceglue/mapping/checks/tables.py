"""The tables that a project's mappings make and read, as far as mappings and catalog tell."""

from __future__ import annotations

from dataclasses import dataclass

from forceglue.mapping.catalog import CatalogObject
from forceglue.mapping.expand import TRACEABILITY, OutputColumn, find_column
from forceglue.mapping.model import AllColumns, AnyMapping, ObjectMapping
from forceglue.mapping.project import Project
from forceglue.mapping.standard import is_salesforce_name

HISTORY = {"scd2": ("valid_from", "valid_to", "is_current"), "snapshot": ("snapshot_at",)}
"""Columns that a way of writing adds to a table."""


@dataclass(frozen=True)
class Table:
    """A table that is read.

    Attributes:
        title: how messages call it.
        columns: its columns; where `open`, there may be more.
        salesforce: the object behind it, as the catalog knows it.
        file: the mapping file that could add a column to it.
    """

    title: str
    columns: tuple[OutputColumn, ...]
    open: bool
    salesforce: CatalogObject | None = None
    file: str | None = None
    never_read: frozenset[str] = frozenset()

    def find(self, name: str) -> OutputColumn | None:
        return find_column(name, self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


class Tables:
    """Every table of a project by the names that mappings call it; each is worked out once."""

    def __init__(self, project: Project, unread: frozenset[str]) -> None:
        self.project, self.unread = project, unread
        self._tables: dict[str, Table] = {}

    def own(self, m: AnyMapping) -> Table:
        """The table of a mapping without what every table has besides its data."""
        key = f"own {m.mapping}"
        if key not in self._tables:
            columns = self.project.columns(m.mapping)
            source = self.project.sources[m.mapping]
            known = self.project.catalog.get(m.source) if isinstance(m, ObjectMapping) else None
            hidden = (
                frozenset(n.lower() for n in self.project.with_defaults(m).exclude)
                if isinstance(m, ObjectMapping)
                else frozenset()
            )
            self._tables[key] = Table(f"`{m.mapping}`", columns, self._is_open(m), known, source.file, hidden)
        return self._tables[key]

    def read(self, m: AnyMapping) -> Table:
        """The table of a mapping as others see it: with traceability and history columns."""
        own = self.own(m)
        more = (*(TRACEABILITY if isinstance(m, ObjectMapping) else ()), *HISTORY.get(m.target.write, ()))
        extra = tuple(OutputColumn(name) for name in more)
        return Table(own.title, (*own.columns, *extra), own.open, own.salesforce, own.file, own.never_read)

    def table(self, reference: str) -> Table | None:
        """What a `from` or a join reads; None where nothing of this name can exist."""
        found = self.project.table(reference)
        return self.read(found) if found is not None else self._without_file(reference)

    def looked_up(self, reference: str) -> Table | None:
        """What a lookup reads."""
        found = self.project.looked_up(reference)
        return self.read(found) if found is not None else self._without_file(reference)

    def _without_file(self, reference: str) -> Table | None:
        if reference.lower() in self.unread:
            return Table(f"`{reference}`", (), open=True)
        if self.project.settings.unmapped != "load":
            return None
        api_name = self.project.catalog_table(reference)
        if api_name is not None:
            m = self.project.unmapped(api_name)
            names = (*self.project.unmapped_columns(api_name), *TRACEABILITY)
            columns = tuple(OutputColumn(name) for name in names)
            hidden = frozenset(name.lower() for name in m.exclude)
            return Table(f"`{reference}`", columns, False, self.project.catalog.get(api_name), None, hidden)
        return Table(f"`{reference}`", (), open=True) if is_salesforce_name(reference) else None

    def _is_open(self, m: AnyMapping, way: tuple[str, ...] = ()) -> bool:
        """Whether a table may have columns that mappings and catalog do not tell."""
        if any(
            place[:1] == ("columns",) and (len(place) == 1 or isinstance(place[-1], int))
            for place in self.project.sources[m.mapping].pruned
        ):
            return True
        whole = [block for block in m.columns or () if isinstance(block, AllColumns) and block.only is None]
        if isinstance(m, ObjectMapping):
            return (m.keeps_rest or bool(whole)) and self.project.fields(m) is None
        named = {m.name.lower(): m.source} | {join.name.lower(): join.table for join in m.joins}
        return any(self._input_open(named.get(block.all.lower()), (*way, m.mapping)) for block in whole)

    def _input_open(self, reference: str | None, way: tuple[str, ...]) -> bool:
        if reference is None:
            return True
        found = self.project.table(reference)
        if found is None:
            table = self._without_file(reference)
            return table is None or table.open
        return found.mapping in way or self._is_open(found, way)
