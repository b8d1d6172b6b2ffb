"""`maintain`: small files joined, what no table needs any more removed, each by the policy of its table.

Nothing here changes a row of a table or its position. A load that runs at the same time goes first: a table whose batch
is on its way is not compacted, and a compaction that meets a commit is given up. Old files go by their age alone, which
is why `keep` is a day at least.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Literal

from forceglue.errors import ConcurrentRunError, ForceglueError
from forceglue.landing.position import announced, made_at, mappings_with_position, read, unfinished
from forceglue.landing.store import Store
from forceglue.mapping.load import load_project
from forceglue.mapping.model import DatasetMapping, ProjectMaintain
from forceglue.mapping.model.maintain import before, size
from forceglue.mapping.project import Project
from forceglue.quality.quarantine import expire, quarantine_table
from forceglue.run.leftovers import Leftovers, leftovers
from forceglue.run.request import RunRequest
from forceglue.write.delta_clean import CHECKPOINT_AFTER, log_behind, remove, tidy_log, unneeded
from forceglue.write.delta_compact import Gain, compact, gain
from forceglue.write.delta_table import Table, TableState, usable
from forceglue.write.tombstones import forget

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Kind = Literal["table", "quarantine", "delivery"]
LOADS_WITHIN = timedelta(hours=12)
"""A batch that was proposed within this time and is not committed may still be on its way."""


@dataclass(frozen=True)
class Care:
    """What was done to a table, or would be.

    Attributes:
        files, size: of the table before.
        joined, into: so many small files were joined into so many.
        removed, freed: files that the table did not need any more, and their bytes.
        log: commits that a checkpoint now stands for.
        rows: set-aside rows that were removed for their age.
        deletions: batches whose deleted records are remembered no more.
        keep: how far back the table can still go.
        note: what was left, and why.
    """

    name: str
    kind: Kind
    files: int = 0
    size: int = 0
    joined: int = 0
    into: int = 0
    removed: int = 0
    freed: int = 0
    log: int = 0
    rows: int = 0
    deletions: int = 0
    keep: str = ""
    note: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class Maintained:
    """All of it; `dry` where nothing was changed."""

    dry: bool
    tables: tuple[Care, ...] = ()
    leftovers: Leftovers = field(default_factory=Leftovers)

    @property
    def failed(self) -> bool:
        return any(care.error for care in self.tables)


@dataclass(frozen=True)
class _Subject:
    kind: Kind
    table: Table
    policy: ProjectMaintain
    mapping: str
    dataset: bool


def maintain(request: RunRequest, *, dry: bool, now: datetime | None = None) -> Maintained:
    """Looks after the tables of the named mappings; without names after all, and after what runs have left.

    Raises:
        MappingErrors, UsageError: the mappings are wrong, or a name is unknown.
        LandingError: the warehouse cannot be read.
    """
    from forceglue.run.runner import told

    project = load_project(request.mappings, env=request.env, params=request.params)
    warehouse = Store(usable(request.warehouse))
    warehouse.list("", recursive=False)  # a root that is not there is told once, and not for each table
    moment = now or datetime.now(UTC)
    session = _session(request)
    found = []
    for subject in _subjects(project, warehouse, request):
        try:
            found.append(_cared(subject, warehouse, session, moment, dry=dry))
        except ForceglueError as error:
            found.append(Care(subject.table.path, subject.kind, error=str(error)))
        except Exception as error:  # noqa: BLE001  # whatever Spark or a library raises fails this table alone
            found.append(Care(subject.table.path, subject.kind, error=told(error)))
    rest = Leftovers() if request.names else leftovers(warehouse, project.settings.maintain, moment, dry=dry)
    return Maintained(dry, tuple(found), rest)


def _session(request: RunRequest) -> Callable[[], SparkSession]:
    """The session, started when the first table needs it."""

    def started() -> SparkSession:
        from forceglue.runtime.session import start

        return start(quick=request.quick, roots=[root for root in (request.warehouse, request.delivery) if root])

    return cache(started)


def _subjects(project: Project, warehouse: Store, request: RunRequest) -> Iterator[_Subject]:
    """Every table that is there: of mappings, of objects without one, their quarantines, Delta deliveries."""
    written = mappings_with_position(warehouse)
    known = dict.fromkeys([*project.mappings, *sorted(written)])
    wanted = {name if name in known else project.mapping(name).mapping for name in request.names}
    for name in known:
        if wanted and name not in wanted:
            continue
        mapping = project.mappings.get(name)
        policy = project.settings.maintain.of(mapping.target.maintain if mapping else None)
        dataset = isinstance(mapping, DatasetMapping)
        for kind, table in _tables(project, warehouse, request, name):
            yield _Subject(kind, table, policy, name, dataset)


def _tables(project: Project, warehouse: Store, request: RunRequest, name: str) -> Iterator[tuple[Kind, Table]]:
    yield "table", Table(warehouse, name, name)
    yield "quarantine", quarantine_table(warehouse, name)
    mapping = project.mappings.get(name)
    if isinstance(mapping, DatasetMapping) and request.delivery:
        delivery = Store(usable(request.delivery))
        for entry in mapping.deliver:
            if entry.delta is not None and delivery.root != warehouse.root:
                folder = entry.delta.folder or name
                yield "delivery", Table(delivery, folder, folder)


def _cared(
    subject: _Subject, warehouse: Store, session: Callable[[], SparkSession], now: datetime, *, dry: bool
) -> Care:
    table, policy = subject.table, subject.policy
    state = table.state()
    care = Care(table.path, subject.kind, keep=policy.keep)
    if state is None:
        return care
    care = replace(care, files=len(state.files), size=state.size)
    if subject.kind == "quarantine":  # a file's folder says which batch it is of: it is never joined with another's
        care = replace(care, rows=_expired(subject, warehouse, now, dry=dry))
    else:
        care = _compacted(subject, care, warehouse, session, now, dry=dry)
    if subject.kind == "table":
        since = before(policy.keep_deleted, now)
        gone = forget(warehouse, subject.mapping, lambda batch: made_at(batch) < since, dry=dry)
        care = replace(care, deletions=gone)
    old = unneeded(table, before(policy.keep, now))
    removed, freed = (len(old), sum(e.size for e in old)) if dry else remove(table, old)
    care = replace(care, removed=removed, freed=freed)
    behind = log_behind(table)
    if behind >= CHECKPOINT_AFTER:
        if not dry:
            tidy_log(table)
        care = replace(care, log=behind)
    return care


def _compacted(
    subject: _Subject, care: Care, warehouse: Store, session: Callable[[], SparkSession], now: datetime, *, dry: bool
) -> Care:
    policy, table = subject.policy, subject.table
    if policy.compact == "never":
        return care
    file_size = size(policy.file_size)
    there = gain(table, file_size)
    if not _worth(there, policy):
        return care
    state = table.state()
    if state is None:
        return care
    if (since := _on_its_way(subject, warehouse, state, now)) is not None:
        return replace(care, note=f"not compacted: a load that began at {since:%Y-%m-%d %H:%M} is not committed")
    if dry:
        return replace(care, joined=there.files, into=there.into)
    try:
        joined, into = compact(session(), table, state, file_size=file_size, cluster_by=policy.cluster_by)
    except ConcurrentRunError:
        return replace(care, note="not compacted: a run wrote the table meanwhile; the next time will do")
    return replace(care, joined=joined, into=into)


def _worth(there: Gain, policy: ProjectMaintain) -> bool:
    return there.fewer >= policy.small_files


def _committed(subject: _Subject, warehouse: Store, state: TableState | None) -> int | None:
    if subject.dataset or subject.kind == "delivery":
        return announced(warehouse, subject.mapping)
    return state.position if state else None


def _on_its_way(subject: _Subject, warehouse: Store, state: TableState, now: datetime) -> datetime | None:
    return unfinished(warehouse, subject.mapping, _committed(subject, warehouse, state), now - LOADS_WITHIN)


def _expired(subject: _Subject, warehouse: Store, now: datetime, *, dry: bool) -> int:
    since = before(subject.policy.keep_quarantine, now)
    state = Table(warehouse, subject.mapping, subject.mapping).state()
    committed = _committed(subject, warehouse, state)
    position = read(warehouse, subject.mapping, committed)
    return expire(warehouse, subject.mapping, position, lambda batch: made_at(batch) < since, dry=dry)
