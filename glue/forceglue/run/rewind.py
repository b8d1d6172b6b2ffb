"""A table back at an earlier position: its rows, its quarantine, and the files that the next run loads again.

The table's one commit holds both the old rows and a new position that has forgotten the later files and left their
set-aside rows behind. Rows that a later replay took out of the quarantine are put back before it, where they count for
nothing until that commit. So a rewind that dies has either done nothing or everything that matters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile

from forceglue.errors import LandingError, UsageError
from forceglue.landing.position import Manifest, Position, at_time, history, propose, read
from forceglue.landing.position import rewind as go_back
from forceglue.landing.store import Store
from forceglue.mapping.project import Project
from forceglue.quality.quarantine import (
    FOLDER,
    batch_of,
    counted_rows,
    counts,
    kept_files,
    quarantine_schema,
    quarantine_table,
    settle,
)
from forceglue.write.delta_restore import missing_files, restore, version_of
from forceglue.write.delta_table import Table, TableState
from forceglue.write.tombstones import exhume

START = "start"
_VERSION = re.compile(r"\d{10,}")


@dataclass(frozen=True)
class Point:
    """A position that the table held: its version, when its batch was made, the files that the batch added."""

    version: int
    at: datetime
    files: int
    current: bool


@dataclass(frozen=True)
class Rewinding:
    """What going back would do, or has done.

    Attributes:
        to: the position gone back to; None for the start, where the table has no rows.
        at: when that position was made.
        again: files that the next run loads again, in the order they were loaded.
        quarantined: rows in quarantine before.
        nothing: the table stands there already.
        committed: the new position; None while nothing was done.
    """

    mapping: str
    to: int | None
    at: datetime | None
    again: tuple[str, ...]
    quarantined: int
    nothing: bool
    committed: int | None = None


def points(warehouse: Store, project: Project, name: str) -> tuple[Point, ...]:
    """What there is to go back to, newest first.

    Raises:
        UsageError: no such table, or a dataset's.
    """
    table, state = _table(warehouse, project, name)
    chain = history(warehouse, table.mapping, state.position)
    return tuple(Point(m.version, m.at, len(m.added), m.version == state.position) for m in chain)


def plan_rewind(warehouse: Store, project: Project, name: str, to: str) -> Rewinding:
    """What `rewind` would do; changes nothing.

    Args:
        to: an ISO time (without a zone: UTC), `start`, or the version of a position as `points` gives it.

    Raises:
        UsageError: no such table, a dataset's, or nothing to go back to there.
    """
    table, state = _table(warehouse, project, name)
    chain = history(warehouse, table.mapping, state.position)
    target = _target(table.mapping, chain, to)
    back = go_back(warehouse, table.mapping, state.position, target)
    at = next((m.at for m in chain if m.version == target), None)
    now = read(warehouse, table.mapping, state.position)
    nothing = target == state.position or (target is None and not now.loaded)
    return Rewinding(table.mapping, target, at, back.again, counted_rows(warehouse, table.mapping, now), nothing)


def rewind(warehouse: Store, project: Project, name: str, to: str, *, now: datetime | None = None) -> Rewinding:
    """Brings the table, its position and its quarantine back.

    Raises:
        UsageError: as `plan_rewind`; also where the table's log does not reach back that far.
        ConcurrentRunError: a run committed to the table meanwhile; nothing was changed.
        LandingError: files of that state are gone.
    """
    plan = plan_rewind(warehouse, project, name, to)
    table, state = _table(warehouse, project, name)
    if plan.nothing:
        settle(warehouse, plan.mapping, read(warehouse, plan.mapping, state.position))
        return plan
    version = None if plan.to is None else version_of(table, plan.to)
    if plan.to is not None and version is None:
        raise UsageError(
            f"{plan.mapping}: the table's log does not reach back to the position {plan.to}; take a later one, "
            f"or load the table anew with `forceglue run {plan.mapping} --full-refresh`."
        )
    if version is not None and (lost := missing_files(table, version)):
        raise LandingError(
            f"{plan.mapping}: {lost} files of the table as it was then are gone (a vacuum, or `forceglue maintain` "
            f"after the time that `keep` says); nothing was changed. Take a later time, or load the table anew with "
            f"`forceglue run {plan.mapping} --full-refresh`."
        )
    back = go_back(warehouse, plan.mapping, state.position, plan.to)
    moment = now or datetime.now(UTC)
    manifest = propose(warehouse, back.position, at=moment, committed=state.position)
    chain = history(warehouse, plan.mapping, state.position)
    _bring_back(warehouse, plan.mapping, back.position, chain, manifest)
    undone = {m.version for m in takewhile(lambda m: m.version != plan.to, chain)}
    exhume(warehouse, plan.mapping, undone.__contains__)
    restore(table, at=state.version, to=version, position=manifest.version)
    settle(warehouse, plan.mapping, manifest)
    return Rewinding(
        plan.mapping, plan.to, plan.at, plan.again, plan.quarantined, nothing=False, committed=manifest.version
    )


def _table(warehouse: Store, project: Project, name: str) -> tuple[Table, TableState]:
    """The table of an object, with or without a mapping file of its own."""
    known = project.table(name)
    if known is not None and known.mapping in project.datasets:
        raise UsageError(
            f"{known.mapping} is a dataset: it is built from tables and has no files of its own to load again. "
            f"Rewind the tables that it reads ({', '.join(project.dependencies()[known.mapping])}), then run it."
        )
    table = Table(warehouse, known.mapping if known else name, known.mapping if known else name)
    state = table.state()
    if known is None and state is None:
        project.mapping(name)  # says which name is near
    if state is None or state.position is None:
        raise UsageError(f"{table.mapping}: nothing has been loaded into {table.uri} yet; load it first.")
    return table, state


def _target(mapping: str, chain: tuple[Manifest, ...], to: str) -> int | None:
    said = to.strip()
    if said.lower() == START:
        return None
    if _VERSION.fullmatch(said):
        return int(said)
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        raise UsageError(
            f"--to {to!r} is no time, position or `start`: give a time like 2026-11-21T08:30:00Z, a version that "
            f"`forceglue rewind {mapping} --list` shows, or start."
        ) from None
    found = at_time(chain, moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    if found is None:
        first = min(m.at for m in chain)
        raise UsageError(
            f"{mapping} was not there at {to}: it was first loaded at {first.isoformat(timespec='seconds')}. "
            f"`--to start` brings it back to before that, without a row."
        )
    return found.version


def _bring_back(store: Store, mapping: str, then: Position, chain: tuple[Manifest, ...], manifest: Manifest) -> None:
    """Files that counted then and were taken out since (a replay, a full refresh) stand in the quarantine again."""
    table = quarantine_table(store, mapping)
    state = table.state()
    if state is None or then.version is None:
        return
    committed = {m.version for m in chain}
    live = set(table.live_files())
    prefix = f"{table.path}/"
    gone = [
        entry
        for entry in store.list(f"{FOLDER}/{mapping}")
        if entry.path.endswith(".parquet")
        and (path := entry.path.removeprefix(prefix)) not in live
        and batch_of(path) in committed
        and counts(then, path)
    ]
    if gone:
        table.adopt(kept_files(store, gone), quarantine_schema(), position=manifest.version, at=state)
