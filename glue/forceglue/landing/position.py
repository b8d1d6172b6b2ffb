"""Up to where a table is loaded: small manifests beside the warehouse's tables.

A manifest is written before a batch is committed; the table's own transaction carries its version. Only the manifest
whose version the table holds is in force: a batch that was never committed leaves a file that no one reads.

    _positions/<mapping>/<version>.json       what a batch added, and everything added since the base
    _positions/<mapping>/base-<version>.json  everything up to a version; a position is read from these two files

The position also says which batches of the quarantine it has left behind (`undone`), so that the table's one commit
settles both: a rewind, a replay or a full refresh takes effect there at once, and the rows are cleared away later. A
refresh of formula fields leaves behind what the refreshes before it set aside (`refreshed_in`).

A version is an int64: milliseconds since 1970 times 2^20 plus 20 random bits, and always greater than the one before.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

from forceglue.errors import PositionError, UsageError
from forceglue.landing.store import Store

FOLDER = "_positions"
COMPACT_AFTER = 500
"""Identities that a manifest may carry since its base, before a new base is written."""

_RANDOM_BITS = 20


@dataclass(frozen=True)
class Position:
    """What a table holds.

    Attributes:
        version: of the manifest in force; None where nothing was ever committed.
        loaded: identities of the files that are in the table.
        inputs: for a dataset, `{table: version}` that it was built from.
        fingerprint: of the mapping that built it.
        fields: `{field in lower case: type}` of the batch that landed last; drift is told against it.
        at: when the batch was proposed.
        undone: ranges `(after, up to)` of batch versions whose set-aside rows are no longer in force.
        refreshed: `Patch.at` of the newest refresh that is in the table; one from before it brings nothing.
        refreshed_in: version of the first batch of that refresh; what earlier ones set aside is no longer in force.
    """

    mapping: str
    version: int | None = None
    loaded: frozenset[str] = frozenset()
    inputs: Mapping[str, int] = field(default_factory=dict)
    fingerprint: str | None = None
    at: datetime | None = None
    base: int | None = None
    since_base: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    undone: tuple[tuple[int, int], ...] = ()
    refreshed: datetime | None = None
    refreshed_in: int | None = None


@dataclass(frozen=True)
class Manifest:
    """A batch, written and not yet in force: commit `version` with the rows.

    Attributes:
        previous: the committed version that it follows.
        added, removed: identities against the position before.
    """

    mapping: str
    version: int
    previous: int | None
    added: tuple[str, ...]
    removed: tuple[str, ...]
    at: datetime
    inputs: Mapping[str, int]
    fingerprint: str | None
    base: int | None
    since_base: tuple[str, ...]
    fields: Mapping[str, str] = field(default_factory=dict)
    undone: tuple[tuple[int, int], ...] = ()
    refreshed: datetime | None = None
    refreshed_in: int | None = None


@dataclass(frozen=True)
class Rewound:
    """What going back means.

    Attributes:
        position: the position at that version; propose on it, then commit.
        again: identities that the next run would load again, in the order they were loaded.
    """

    position: Position
    again: tuple[str, ...]


def read(store: Store, mapping: str, committed: int | None) -> Position:
    """The position in force: of the manifest whose version the table holds; two small reads at most.

    Raises:
        PositionError: the table holds a version and its manifest is not there or is damaged.
    """
    return Position(mapping) if committed is None else _position(store, _manifest(store, mapping, committed))


def propose(
    store: Store,
    position: Position,
    files: Iterable[str] = (),
    *,
    at: datetime,
    committed: int | None = None,
    inputs: Mapping[str, int] | None = None,
    fingerprint: str | None = None,
    fields: Mapping[str, str] | None = None,
    refreshed: datetime | None = None,
    replacing: bool = False,
    settling: bool = False,
) -> Manifest:
    """Writes the manifest of a batch under a fresh version and returns it; nothing is in force before the commit.

    Args:
        position: what the batch builds on: `read(…)`, or `rewind(…).position`.
        files: identities that the batch loads.
        at: now, with its zone.
        committed: the version that the table holds, where it is not `position.version` (after a rewind).
        inputs, fingerprint, fields, refreshed: as `Position`; default: those of `position`.
        replacing: the batch holds everything anew (a full refresh): what was loaded before is forgotten.
        settling: whatever was set aside before is out of force: this batch judges those rows again, or holds
            everything anew.
    """
    if at.tzinfo is None:
        raise UsageError(f"at={at.isoformat()} has no time zone: give datetime.now(UTC)")
    previous = position.version if committed is None else committed
    before = frozenset[str]() if replacing else position.loaded
    wanted = tuple(dict.fromkeys(files))
    added = tuple(name for name in wanted if name not in before)
    since = added if replacing else (*position.since_base, *added)
    base = None if replacing else position.base
    removed = tuple(sorted(position.loaded - before - set(added)))
    inputs = dict(position.inputs if inputs is None else inputs)
    fingerprint = position.fingerprint if fingerprint is None else fingerprint
    then, since_refresh = (None, None) if replacing else (position.refreshed, position.refreshed_in)
    news = refreshed is not None and (then is None or refreshed > then)
    while True:
        version = _fresh(at, previous)
        # a batch of a run at the same time does not count either, should this one be committed after it
        undone = ((-1, version - 1),) if replacing or settling else _undone(position, previous)
        compact = len(since) > COMPACT_AFTER
        if compact:
            everything = json.dumps({"files": sorted(before | set(added))}, ensure_ascii=False).encode()
            store.write_bytes(_base_key(position.mapping, version), everything)
        manifest = Manifest(
            position.mapping,
            version,
            previous,
            added,
            removed,
            at,
            inputs,
            fingerprint,
            version if compact else base,
            () if compact else since,
            dict(position.fields if fields is None else fields),
            undone,
            refreshed if news else then,
            version if news else since_refresh,
        )
        try:
            store.write_bytes(_key(position.mapping, version), _dump(manifest), exclusive=True)
        except FileExistsError:
            continue
        return manifest


def announced(store: Store, mapping: str) -> int | None:
    """The version that `announce` put in force, for a mapping without a table of its own; None where it never did."""
    try:
        return int(store.read_bytes(f"{_folder(mapping)}/current").decode())
    except FileNotFoundError:
        return None


def announce(store: Store, manifest: Manifest) -> None:
    """Puts a manifest in force without a table's transaction: a dataset's, once everything of it is delivered."""
    store.write_bytes(f"{_folder(manifest.mapping)}/current", str(manifest.version).encode())


def history(store: Store, mapping: str, committed: int | None) -> tuple[Manifest, ...]:
    """The committed manifests, newest first; those that were never committed are not among them."""
    found = []
    version = committed
    while version is not None:
        found.append(_manifest(store, mapping, version))
        version = found[-1].previous
    return tuple(found)


def rewind(store: Store, mapping: str, committed: int | None, to: int | None) -> Rewound:
    """What going back to the version `to` means (None: to before the first batch). Writes nothing.

    Raises:
        UsageError: the table never held that version.
    """
    now = read(store, mapping, committed)
    chain = history(store, mapping, committed)
    target = next((m for m in chain if m.version == to), None)
    if to is not None and target is None:
        held = ", ".join(f"{m.version} ({m.at.isoformat(timespec='seconds')})" for m in chain[:10]) or "none"
        raise UsageError(f"{mapping} never held the version {to}; the newest it held: {held}. Take one of them.")
    then = Position(mapping) if target is None else _position(store, target)
    order = dict.fromkeys(name for m in reversed(chain) for name in m.added)
    gone = now.loaded - then.loaded
    return Rewound(then, tuple(name for name in order if name in gone))


def at_time(chain: Iterable[Manifest], moment: datetime) -> Manifest | None:
    """The manifest that was in force at a time, of a `history`; None before the first."""
    return next((m for m in chain if m.at <= moment), None)


def in_force(at: Position | Manifest, batch: int, *, refreshed: bool = False) -> bool:
    """Whether, at this position, what the batch of that version set aside still counts.

    Args:
        refreshed: the batch was one of refreshed values: a newer refresh has brought each of them anew.
    """
    if at.version is None or batch > at.version:
        return False
    if refreshed and at.refreshed_in is not None and batch < at.refreshed_in:
        return False
    return not any(after < batch <= until for after, until in at.undone)


def made_at(version: int) -> datetime:
    """When the batch of that version was proposed."""
    return datetime.fromtimestamp((version >> _RANDOM_BITS) / 1000, UTC)


def unfinished(store: Store, mapping: str, committed: int | None, since: datetime) -> datetime | None:
    """When the latest batch was proposed that the table does not hold: one that runs, or died, since then."""
    names = (e.path.rpartition("/")[2].removesuffix(".json") for e in store.list(_folder(mapping), recursive=False))
    times = [made_at(int(n)) for n in names if n.isdigit() and (committed is None or int(n) > committed)]
    return max((t for t in times if t >= since), default=None)


def mappings_with_position(store: Store) -> tuple[str, ...]:
    """Every mapping that ever proposed a batch."""
    return tuple(dict.fromkeys(unquote(e.path.split("/")[1]) for e in store.list(FOLDER) if e.path.count("/") > 1))


def _undone(position: Position, previous: int | None) -> tuple[tuple[int, int], ...]:
    """The ranges of a batch on this position: a rewind leaves behind all that came after it."""
    if previous is None:
        return ()
    since = -1 if position.version is None else position.version
    if since == previous:
        return position.undone
    return (*(r for r in position.undone if r[0] < since), (since, previous))


def _fresh(at: datetime, previous: int | None) -> int:
    version = (int(at.timestamp() * 1000) << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS)
    # A clock that went back must not bring an older version: the table would take the batch for one it has.
    return version if previous is None or version > previous else previous + 1 + secrets.randbits(8)


def _folder(mapping: str) -> str:
    return f"{FOLDER}/{quote(mapping, safe=' ')}"


def _key(mapping: str, version: int) -> str:
    return f"{_folder(mapping)}/{version}.json"


def _base_key(mapping: str, version: int) -> str:
    return f"{_folder(mapping)}/base-{version}.json"


def _dump(manifest: Manifest) -> bytes:
    body = {
        "mapping": manifest.mapping,
        "version": manifest.version,
        "previous": manifest.previous,
        "at": manifest.at.isoformat(),
        "added": manifest.added,
        "removed": manifest.removed,
        "inputs": manifest.inputs,
        "fingerprint": manifest.fingerprint,
        "base": manifest.base,
        "since_base": manifest.since_base,
        "fields": manifest.fields,
        "undone": manifest.undone,
        "refreshed": manifest.refreshed.isoformat() if manifest.refreshed else None,
        "refreshed_in": manifest.refreshed_in,
    }
    return json.dumps(body, ensure_ascii=False, indent=1).encode()


def _manifest(store: Store, mapping: str, version: int) -> Manifest:
    raw = _json(store, mapping, _key(mapping, version))
    try:
        return Manifest(
            mapping,
            int(raw["version"]),
            None if raw["previous"] is None else int(raw["previous"]),
            tuple(raw["added"]),
            tuple(raw["removed"]),
            datetime.fromisoformat(raw["at"]),
            dict(raw["inputs"]),
            raw["fingerprint"],
            raw["base"],
            tuple(raw["since_base"]),
            dict(raw["fields"]),
            tuple((int(after), int(until)) for after, until in raw.get("undone", ())),
            datetime.fromisoformat(raw["refreshed"]) if raw.get("refreshed") else None,
            raw.get("refreshed_in"),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(store, mapping, _key(mapping, version)) from error


def _position(store: Store, manifest: Manifest) -> Position:
    loaded = frozenset(manifest.since_base)
    if manifest.base is not None:
        key = _base_key(manifest.mapping, manifest.base)
        try:
            loaded |= frozenset(_json(store, manifest.mapping, key)["files"])
        except (KeyError, TypeError) as error:
            raise _damaged(store, manifest.mapping, key) from error
    return Position(
        manifest.mapping,
        manifest.version,
        loaded,
        manifest.inputs,
        manifest.fingerprint,
        manifest.at,
        manifest.base,
        manifest.since_base,
        manifest.fields,
        manifest.undone,
        manifest.refreshed,
        manifest.refreshed_in,
    )


def _json(store: Store, mapping: str, key: str) -> Any:
    try:
        return json.loads(store.read_bytes(key))
    except (FileNotFoundError, ValueError) as error:
        raise _damaged(store, mapping, key) from error


def _damaged(store: Store, mapping: str, key: str) -> PositionError:
    return PositionError(
        f"{mapping}: the table holds a position whose file {store.uri(key)} is not there or is damaged. "
        f"Bring the file back, or load the table anew with `forceglue run {mapping} --full-refresh`."
    )
