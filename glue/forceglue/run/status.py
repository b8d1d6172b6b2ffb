"""Where every table stands: what is loaded, what waits, what was set aside. Logs and listings only, no JVM."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from forceglue.landing import layout
from forceglue.landing.inventory import ListedFile
from forceglue.landing.objects import ObjectNames
from forceglue.landing.position import announced, read
from forceglue.landing.retry import set_aside
from forceglue.landing.store import Store
from forceglue.mapping.load import load_project
from forceglue.mapping.project import Project
from forceglue.quality.quarantine import counted_rows
from forceglue.run.context import RunContext, new_run_id
from forceglue.run.planner import Planner, work_order
from forceglue.run.report import Kind
from forceglue.run.request import RunRequest
from forceglue.run.tables import Tables
from forceglue.write.delta_table import Table

_THREADS = 8


@dataclass(frozen=True)
class MappingStatus:
    """One mapping.

    Attributes:
        table: whether its table is there (a dataset that no other reads is delivered and kept as no table).
        version: of the table's Delta log.
        position: version of the position in force; None where nothing was ever loaded.
        loaded_at: when the last batch was loaded, or the dataset built.
        files_loaded: files in the table.
        files_waiting: files that the next run would load: under `in/`, or ingested and not loaded yet.
        quarantined: rows set aside.
        rejected: files under `error/`.
        due: for a dataset, whether its mapping or a table it reads has changed since it was built.
    """

    name: str
    kind: Kind
    table: bool
    version: int | None
    position: int | None
    loaded_at: datetime | None
    files_loaded: int = 0
    files_waiting: int = 0
    quarantined: int = 0
    rejected: int = 0
    due: bool = False


@dataclass(frozen=True)
class Status:
    """All of them, in the order of work; files that belong to no known object are counted apart."""

    mappings: tuple[MappingStatus, ...]
    rejected_elsewhere: int = 0
    waiting_elsewhere: int = 0


def status(request: RunRequest) -> Status:
    """The state of the named mappings (without names: of all, and of the objects that landed without a mapping).

    Raises:
        MappingErrors, UsageError: the mappings are wrong, or a name is unknown.
        LandingError: a root cannot be read.
        PositionError: a table's position has lost its file.
    """
    project = load_project(request.mappings, env=request.env, params=request.params)
    landing, warehouse = Store(request.landing), Store(request.warehouse)
    now = datetime.now().astimezone()
    ctx = RunContext(request, project, landing, warehouse, warehouse, new_run_id(now), now)
    planner = Planner(ctx, Tables(ctx))
    listed = planner.files()
    rejected = Counter(_owner(project, file.object) for file in set_aside(landing))
    arriving = Counter(_owner(project, name) for name in _arriving(landing, project))
    without = planner.objects_without_mapping()
    every = tuple(work_order(project, without, ()))
    wanted = {name if name in without else project.mapping(name).mapping for name in request.names}
    names = tuple(name for name in every if name in wanted) if wanted else every

    def one(name: str) -> MappingStatus:
        if name in project.datasets:
            return _dataset(planner, warehouse, name)
        source = planner.mapping(name).source
        return _object(warehouse, name, listed.get(source.lower(), ()), arriving[name], rejected[name])

    with ThreadPoolExecutor(max_workers=_THREADS) as pool:
        found = tuple(pool.map(one, names))
    if wanted:
        return Status(found)
    known = set(every)
    return Status(found, _others(rejected, known), _others(arriving, known))


def _object(warehouse: Store, name: str, listed: Iterable[ListedFile], arriving: int, rejected: int) -> MappingStatus:
    state = Table(warehouse, name, name).state()
    position = read(warehouse, name, state.position if state else None)
    waiting = sum(1 for file in listed if file.identity not in position.loaded)
    return MappingStatus(
        name=name,
        kind="object",
        table=state is not None,
        version=state.version if state else None,
        position=position.version,
        loaded_at=position.at,
        files_loaded=len(position.loaded),
        files_waiting=waiting + arriving,
        quarantined=counted_rows(warehouse, name, position),
        rejected=rejected,
    )


def _dataset(planner: Planner, warehouse: Store, name: str) -> MappingStatus:
    state = Table(warehouse, name, name).state()
    position = read(warehouse, name, announced(warehouse, name))
    return MappingStatus(
        name=name,
        kind="dataset",
        table=state is not None,
        version=state.version if state else None,
        position=position.version,
        loaded_at=position.at,
        quarantined=counted_rows(warehouse, name, position),
        due=not planner.dataset(name).unchanged,
    )


def _arriving(landing: Store, project: Project) -> Iterable[str]:
    """For each file under `in/` the object that its folder names; the folder itself where that is none."""
    names = ObjectNames(project)
    for entry in landing.list(layout.IN):
        where = layout.landed(entry.path)
        if where is not None and not layout.hidden(where.file) and not names.left_alone(where.token):
            yield names.find(where.token) or where.token


def _owner(project: Project, object_name: str) -> str:
    found = project.object_for(object_name)
    return found.mapping if found else project.unmapped(object_name).mapping


def _others(counts: Counter[str], known: set[str]) -> int:
    return sum(n for name, n in counts.items() if name not in known)
