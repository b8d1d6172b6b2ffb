"""From what has landed and what the tables are to the plan of each mapping. Reads; never writes, never starts Spark."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from forceglue.errors import UsageError
from forceglue.landing.inventory import Inventory, LandedFile, ListedFile, inventory, load_facts
from forceglue.landing.patch import Kind
from forceglue.landing.position import Position, announced, read
from forceglue.mapping.model import DatasetMapping, ObjectMapping
from forceglue.mapping.names import table_name
from forceglue.mapping.project import Project
from forceglue.run.context import RunContext
from forceglue.run.patch_plan import plan_patch
from forceglue.run.plan import DatasetPlan, ObjectPlan, fingerprint, plan_object
from forceglue.run.report import RejectedFile
from forceglue.run.tables import Tables
from forceglue.write.delta_table import Table, TableState


def work_order(project: Project, without_mapping: Sequence[str], names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Mapping → what it waits for, in the order of work; objects without a mapping file wait for nothing."""
    depends = project.dependencies()
    loose = {name: tuple(n for n in _tables_read(project, name) if n in without_mapping) for name in depends}
    wanted = {name: (*depends[name], *loose[name]) for name in project.order(names)}
    needed = set(without_mapping) if not names else {n for name in wanted for n in loose[name]}
    return {**{name: () for name in without_mapping if name in needed}, **wanted}


def _tables_read(project: Project, name: str) -> set[str]:
    """Tables that a dataset or lookup reads and that have no mapping file, by what `unmapped: load` calls them."""
    mapping = project.mappings[name]
    if isinstance(mapping, DatasetMapping):
        said = [mapping.source, *(join.table for join in mapping.joins)]
    else:
        said = [lookup.object for lookup in mapping.lookups.values()]
    return {table_name(reference) for reference in said if project.table(reference) is None}


class Planner:
    """Plans of one run; the landing is listed once.

    Args:
        waiting: files that no ingest has moved yet, taken as if it had: a plan that moves nothing.
    """

    def __init__(self, ctx: RunContext, tables: Tables, waiting: Sequence[LandedFile] = ()) -> None:
        self._ctx, self._tables, self._waiting = ctx, tables, waiting

    @cached_property
    def _inventory(self) -> Inventory:
        return inventory(self._ctx.landing, self._ctx.project)

    @cached_property
    def _by_object(self) -> dict[str, list[ListedFile]]:
        found: dict[str, list[ListedFile]] = {}
        for file in self._inventory.files:
            found.setdefault(file.object.lower(), []).append(file)
        return found

    @cached_property
    def _without_mapping(self) -> dict[str, ObjectMapping]:
        project = self._ctx.project
        if project.settings.unmapped != "load":
            return {}
        names: dict[str, str] = {}  # one table, however its folders are spelled
        landed = {f.object for f in self._inventory.files} | {f.object for f in self._waiting}
        for name in landed:
            if project.object_for(name) is None:
                names[name.casefold()] = min(names.get(name.casefold(), name), name)
        made = [project.unmapped(name) for name in sorted(names.values())]
        return {m.mapping: m for m in made if m.mapping not in project.mappings}

    def files(self) -> dict[str, list[ListedFile]]:
        """Every loadable file by object (in lower case), in landing order."""
        return self._by_object

    def objects_without_mapping(self) -> tuple[str, ...]:
        """Tables of the objects that have landed and have no mapping file."""
        return tuple(self._without_mapping)

    def mapping(self, name: str) -> ObjectMapping:
        """The mapping of an object's table with its defaults, be it made for an object without a file.

        Raises:
            UsageError: there is none.
        """
        if name in self._without_mapping:
            return self._without_mapping[name]
        found = self._ctx.project.objects.get(name)
        if found is None:
            raise UsageError(f'No object mapping is named "{name}", and no object of that table has landed.')
        return self._ctx.project.with_defaults(found)

    def is_read(self, dataset: str) -> bool:
        """Whether another dataset reads this one, so that it is kept as a table."""
        return any(dataset in needs for needs in self._ctx.project.dependencies().values())

    def object(self, name: str) -> tuple[ObjectPlan, tuple[RejectedFile, ...]]:
        """The plan of an object's table, and its files that are not fit to be loaded."""
        project, warehouse = self._ctx.project, self._ctx.warehouse
        own = name in project.objects
        mapping = self.mapping(name)
        table = Table(warehouse, name, name).state()
        position = read(warehouse, name, table.position if table else None)
        refresh = self._ctx.request.full_refresh
        listed = self._by_object.get(mapping.source.lower(), [])
        fresh = [f for f in listed if refresh or f.identity not in position.loaded]
        facts = load_facts(self._ctx.landing, project, fresh)
        waiting = [f for f in self._waiting if f.object.lower() == mapping.source.lower()]
        files = (*sorted(facts.files, key=lambda f: f.order), *waiting)
        plan = plan_object(
            mapping,
            catalog_fields=project.fields(mapping) or (),
            files=[f for f in files if f.patch is None],
            patches=[f for f in files if f.patch],
            repeated=facts.repeated,
            position=position,
            table=table,
            full_refresh=refresh,
            keeps_types=not own,
        )
        rejected = tuple(RejectedFile(r.path, r.message, r.code, r.moved_to) for r in facts.rejected)
        return plan, rejected

    def patch(self, name: str, kind: Kind, files: Sequence[LandedFile]) -> ObjectPlan | None:
        """The plan of laying these patches over the object's table as it is now.

        None where there is none of the kind that is not there yet, or no table: they wait for it.
        """
        table = Table(self._ctx.warehouse, name, name).state()
        position = read(self._ctx.warehouse, name, table.position if table else None)
        return self.patch_onto(name, kind, files, table, position)

    def patch_onto(
        self, name: str, kind: Kind, files: Sequence[LandedFile], table: TableState | None, position: Position
    ) -> ObjectPlan | None:
        """As `patch`, for the table and the position that are told."""
        mine = [f for f in files if f.patch and f.patch.kind == kind and f.identity not in position.loaded]
        if table is None or not mine:
            return None
        mapping = self.mapping(name)
        return plan_patch(
            mapping,
            kind,
            catalog_fields=self._ctx.project.fields(mapping) or (),
            files=mine,
            position=position,
            table=table,
            keeps_types=name not in self._ctx.project.objects,
        )

    def dataset(self, name: str) -> DatasetPlan:
        """The plan of a dataset: unchanged where its mapping and everything it reads are as they were."""
        project, warehouse = self._ctx.project, self._ctx.warehouse
        mapping = project.datasets[name]
        position = read(warehouse, name, announced(warehouse, name))
        states = self._states(mapping)
        inputs = {name: state.version for name, state in states.items()}
        mark = fingerprint(mapping)
        same = position.version is not None and position.fingerprint == mark and self._as_read(position.inputs, inputs)
        # what it is built from has never landed: there is nothing to deliver, not even an empty file
        nothing = self._tables.name_of(mapping.source) not in inputs and all(j.type != "full" for j in mapping.joins)
        unchanged = nothing or (same and not self._ctx.request.full_refresh)
        sizes = {name: state.rows for name, state in states.items()}
        return DatasetPlan(mapping, position, inputs, mark, unchanged, sizes)

    def _as_read(self, before: Mapping[str, int], now: Mapping[str, int]) -> bool:
        """Whether the tables hold what they held at these versions; maintenance changes no row."""
        if before.keys() != now.keys():
            return False
        return all(
            now[name] == version or Table(self._ctx.warehouse, name, name).holds_rows_of(version)
            for name, version in before.items()
        )

    def rows_met(self, plan: ObjectPlan) -> int | None:
        """How many rows loading the plan looks at: what landed, its table, the tables looked into; None: unknown."""
        tables = [self._tables.name_of(lookup.object) for lookup in plan.mapping.lookups.values()]
        states = [plan.table, *(self._tables.state(name) for name in tables)]
        there = _rows(state for state in states if state is not None)
        return None if there is None else plan.landed + there

    def _states(self, mapping: DatasetMapping) -> dict[str, TableState]:
        names = {self._tables.name_of(reference) for reference in (mapping.source, *(j.table for j in mapping.joins))}
        states = {name: self._tables.state(name) for name in sorted(names)}
        return {name: state for name, state in states.items() if state is not None}


def _rows(states: Iterable[TableState]) -> int | None:
    counts = [state.rows for state in states]
    return sum(n for n in counts if n is not None) if None not in counts else None
