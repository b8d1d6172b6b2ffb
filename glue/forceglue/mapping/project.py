"""A project: all mappings, the settings and the catalog as one value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from forceglue.errors import UsageError
from forceglue.mapping.catalog import Catalog
from forceglue.mapping.expand import TRACEABILITY, OutputColumn, dataset_columns, object_columns
from forceglue.mapping.model import AnyMapping, DatasetMapping, ObjectMapping, ProjectSettings
from forceglue.mapping.names import NameIndex, nearest, table_name
from forceglue.mapping.problems import DocPath
from forceglue.mapping.yaml import Document


@dataclass(frozen=True)
class SourceFile:
    """The file that a mapping was read from.

    Attributes:
        file: its name relative to the mappings folder, with `/`.
        pruned: places that the mapping was made without, because they were wrong.
    """

    file: str
    path: Path
    document: Document
    pruned: frozenset[DocPath] = frozenset()


@dataclass(frozen=True)
class Project:
    """Everything that `forceglue` knows before it has seen a row.

    Attributes:
        folder: the mappings folder.
        settings: project.yaml, with the roots and params of the chosen environment merged in.
        objects, datasets: the mappings by name.
        sources: mapping name → the file it came from.
    """

    folder: Path
    settings: ProjectSettings
    objects: dict[str, ObjectMapping]
    datasets: dict[str, DatasetMapping]
    catalog: Catalog = field(default_factory=Catalog)
    sources: dict[str, SourceFile] = field(default_factory=dict)
    env: str | None = None

    @property
    def mappings(self) -> dict[str, AnyMapping]:
        """All of them, objects first."""
        return {**self.objects, **self.datasets}

    def mapping(self, name: str) -> AnyMapping:
        """The mapping of this name, in any case.

        Raises:
            UsageError: there is none; the message names the nearest.
        """
        found = self._names.match(name)
        if found is None:
            near = nearest(name, self._names.names)
            hint = f'did you mean "{near}"?' if near else f"there are: {', '.join(self._names.names) or 'none'}."
            raise UsageError(f'No mapping is named "{name}" in {self.folder}; {hint} `forceglue check` lists them all.')
        return self.objects.get(found) or self.datasets[found]

    def object_for(self, salesforce_name: str) -> ObjectMapping | None:
        """The mapping whose source is this Salesforce object, in any case."""
        return self._by_source.get(salesforce_name.lower())

    def with_defaults(self, m: ObjectMapping) -> ObjectMapping:
        """The mapping with key, order_by, deleted, naming, on_drift filled in, and the project's never_read added."""
        base = self.settings.objects
        own = {name.lower() for name in m.exclude}
        return m.model_copy(
            update={
                "key": m.key or base.key,
                "order_by": m.order_by or base.order_by,
                "deleted": m.deleted or base.deleted,
                "naming": m.naming or base.naming,
                "on_drift": m.on_drift or base.on_drift,
                "refresh": m.refresh or base.refresh,
                "exclude": (*m.exclude, *(name for name in base.never_read if name.lower() not in own)),
            }
        )

    def unmapped(self, api_name: str) -> ObjectMapping:
        """What `unmapped: load` makes of an object without a file: a table in snake case with every field."""
        return self.with_defaults(
            ObjectMapping(mapping=table_name(api_name), source=api_name, naming="snake", rest="keep")
        )

    def table(self, reference: str) -> AnyMapping | None:
        """The mapping that a `from`, a join or a lookup means: by its name (= table), else by its Salesforce object."""
        found = self._names.match(reference)
        if found is not None:
            return self.objects.get(found) or self.datasets[found]
        return self.object_for(reference)

    def looked_up(self, reference: str) -> ObjectMapping | None:
        """The mapping that a lookup means: by its Salesforce object, else by its table."""
        found = self.object_for(reference)
        if found is None:
            named = self._names.match(reference)
            found = self.objects.get(named) if named else None
        return found

    def dependencies(self) -> dict[str, tuple[str, ...]]:
        """Mapping → the mappings whose tables it reads; objects without a file are not among them."""
        return {name: tuple(dict.fromkeys(self._reads(m))) for name, m in self.mappings.items()}

    def _reads(self, m: AnyMapping) -> Iterator[str]:
        if isinstance(m, DatasetMapping):
            found = (self.table(reference) for reference in (m.source, *(join.table for join in m.joins)))
        else:
            found = (self.looked_up(lookup.object) for lookup in m.lookups.values())
        # An object that looks into its own table (Account.ParentId) reads what it has just loaded: no cycle.
        yield from (t.mapping for t in found if t is not None and (t is not m or isinstance(m, DatasetMapping)))

    def cycles(self) -> tuple[tuple[str, ...], ...]:
        """Groups of mappings that wait for each other, each as a closed way `a, b, a`."""
        depends, done, found = self.dependencies(), set[str](), list[tuple[str, ...]]()

        def visit(name: str, way: tuple[str, ...]) -> None:
            if name in way:
                found.append((*way[way.index(name) :], name))
            elif name not in done:
                for following in depends[name]:
                    visit(following, (*way, name))
                done.add(name)

        for name in depends:
            visit(name, ())
        return tuple(found)

    def order(self, names: Sequence[str] = ()) -> tuple[str, ...]:
        """The named mappings and all that they need (without names: every mapping), each after what it reads.

        Raises:
            UsageError: a name is unknown, or mappings wait for each other.
        """
        wanted = [self.mapping(name).mapping for name in names] or list(self.mappings)
        depends, ordered = self.dependencies(), dict[str, None]()

        def visit(name: str, way: tuple[str, ...]) -> None:
            if name in way:
                circle = " → ".join((*way[way.index(name) :], name))
                raise UsageError(f"The mappings {circle} wait for each other; take one of the reads out.")
            if name not in ordered:
                for following in depends[name]:
                    visit(following, (*way, name))
                ordered[name] = None

        for name in wanted:
            visit(name, ())
        return tuple(ordered)

    def fields(self, m: ObjectMapping) -> tuple[str, ...] | None:
        """The source's fields as the catalog knows them; None without an entry."""
        entry = self.catalog.get(m.source)
        return None if entry is None else entry.field_names

    def columns(self, name: str) -> tuple[OutputColumn, ...]:
        """The data columns of a mapping, as far as the mappings and the catalog tell (no landed data is looked at)."""
        return self._columns(name, ())

    def _columns(self, name: str, way: tuple[str, ...]) -> tuple[OutputColumn, ...]:
        known = self._column_cache
        if name not in known:
            m = self.objects.get(name) or self.datasets[name]
            if isinstance(m, ObjectMapping):
                full = self.with_defaults(m)
                # Nothing is known of the fields: the order column is taken to be among them.
                known[name] = object_columns(full, self.fields(m) or (full.order_by or "",))
            else:
                known[name] = () if name in way else dataset_columns(m, self._inputs(m, (*way, name)))
        return known[name]

    def inputs(self, m: DatasetMapping) -> dict[str, tuple[str, ...]]:
        """Alias → columns of that input, traceability columns of object tables included."""
        return self._inputs(m, (m.mapping,))

    def _inputs(self, m: DatasetMapping, way: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        named = {m.name: m.source} | {join.name: join.table for join in m.joins}
        return {alias: self._table_columns(reference, way) for alias, reference in named.items()}

    def _table_columns(self, reference: str, way: tuple[str, ...]) -> tuple[str, ...]:
        found = self.table(reference)
        if found is None:
            entry = self.catalog_table(reference)
            return () if entry is None else (*self.unmapped_columns(entry), *TRACEABILITY)
        names = tuple(column.name for column in self._columns(found.mapping, way))
        return (*names, *TRACEABILITY) if isinstance(found, ObjectMapping) else names

    def unmapped_columns(self, api_name: str) -> tuple[str, ...]:
        """The columns of an object without a file, as far as the catalog knows it."""
        m = self.unmapped(api_name)
        return tuple(column.name for column in object_columns(m, self.fields(m) or ()))

    def catalog_table(self, reference: str) -> str | None:
        """The API name of a catalog object without a file that `reference` means, by API name or by its table name."""
        entry = self.catalog.get(reference)
        if entry is not None:
            return entry.name
        return self._catalog_tables.get(reference.lower())

    @cached_property
    def _names(self) -> NameIndex:
        return NameIndex(self.mappings)

    @cached_property
    def _by_source(self) -> dict[str, ObjectMapping]:
        found: dict[str, ObjectMapping] = {}
        for m in self.objects.values():
            found.setdefault(m.source.lower(), m)
        return found

    @cached_property
    def _catalog_tables(self) -> dict[str, str]:
        return {table_name(name): name for name in self.catalog.names}

    @cached_property
    def _column_cache(self) -> dict[str, tuple[OutputColumn, ...]]:
        return {}
