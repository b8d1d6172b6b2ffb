"""The quarantine: rows set aside with the raw row, every reason, file, run and time.

It is a Delta table beside the mapping's own, a folder of files a batch. A batch's rows get there before the table's
commit and under the same version, and are in force once the table's position says so: until then, and after a rewind, a
replay or a full refresh, they count for nothing, as do values that a newer refresh of formula fields has brought anew.
Batches that do not count are taken out when the next one comes, or at once by `settle`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING
from urllib.parse import unquote

from forceglue.errors import ConcurrentRunError
from forceglue.landing.position import Manifest, Position, in_force
from forceglue.landing.store import Entry, Store
from forceglue.quality.rules import QUARANTINED
from forceglue.transform.prepared import PATCH, RAW, REASONS, RECORD_KEY, ROW_NUMBER, SET_ASIDE_AT
from forceglue.transform.trace import TRACE
from forceglue.write.delta_table import Table

if TYPE_CHECKING:
    from pyspark.sql.types import StructType

    from forceglue.run.staging import Staged
    from forceglue.write.staged import StagedFile

FOLDER = "_quarantine"
_BATCH = re.compile(r"^batch-(\d+)/(refresh-)?")
_TRIES = 5
"""How often `settle` meets another run's commit to the same quarantine before it leaves the rest to the next run."""


def quarantine_table(store: Store, mapping: str) -> Table:
    """The quarantine of a mapping's table."""
    return Table(store, f"{FOLDER}/{mapping}", mapping)


def quarantine_schema() -> StructType:
    """What a quarantine table holds, whatever the mapping."""
    from pyspark.sql.types import ArrayType, LongType, StringType, StructField, StructType, TimestampType

    reason = StructType([StructField(n, StringType()) for n in ("rule", "severity", "value")])
    trace = [StructField(n, TimestampType() if n == "processed_ts" else StringType()) for n in TRACE]
    return StructType(
        [
            StructField(RECORD_KEY, StringType()),
            StructField(RAW, StringType()),
            StructField(REASONS, ArrayType(reason)),
            StructField(ROW_NUMBER, LongType()),
            StructField(SET_ASIDE_AT, TimestampType()),
            StructField(PATCH, StringType()),
            *trace,
        ]
    )


def counted_files(store: Store, mapping: str, position: Position) -> tuple[str, ...]:
    """The live files of the quarantine that count at this position, relative to the quarantine table, oldest first."""
    live = quarantine_table(store, mapping).live_files()
    return tuple(sorted((p for p in live if counts(position, p)), key=lambda p: (batch_of(p), p)))


def counted_rows(store: Store, mapping: str, position: Position) -> int:
    """How many rows of the quarantine count at this position, from the log's own numbers."""
    table = quarantine_table(store, mapping)
    opened = table.open()
    if opened is None:
        return 0
    import pyarrow as pa

    rows = 0
    for file in pa.table(opened.get_add_actions(flatten=True)).select(["path", "num_records"]).to_pylist():
        path, counted = unquote(file["path"]), file["num_records"]
        if counts(position, path):
            entry = None if counted is not None else store.stat(f"{table.path}/{path}")
            rows += counted or sum(f.rows for f in kept_files(store, [entry] if entry else []))
    return rows


def batch_of(path: str) -> int:
    """The version of the batch that a file of the quarantine belongs to.

    A file that somebody else wrote (a compaction) is older than any batch.
    """
    found = _BATCH.match(path)
    return int(found[1]) if found else 0


def counts(at: Position | Manifest, path: str) -> bool:
    """Whether the rows in a file of the quarantine count at this position."""
    found = _BATCH.match(path)
    return in_force(at, batch_of(path), refreshed=bool(found and found[2]))


def set_aside(
    store: Store,
    mapping: str,
    staged: Staged,
    *,
    position: int,
    before: Position,
    refreshed: bool = False,
    expect: Callable[[], None] = lambda: None,
) -> int:
    """Moves the batch's quarantined files into the quarantine table; gives the number of rows.

    Args:
        position: the version of the batch, which the table itself will commit next.
        before: the position that the table has now: what does not count at it is taken out, what does is put back.
        refreshed: the rows are refreshed values, which the next refresh brings anew.
        expect: raises where the position is no longer `before`. Asked once the quarantine is read: a batch that another
            run committed in between is then either seen by this or in the way of the commit here.

    Raises:
        ConcurrentRunError: another run committed meanwhile.
    """
    table = quarantine_table(store, mapping)
    state = table.state()
    live = set(state.files) if state else set()
    expect()
    dead = [path for path in live if not counts(before, path)]
    lost = _lost(store, mapping, before.version, live)
    files = staged.files.get(QUARANTINED, ())
    if not (files or dead or lost):
        return 0
    mark = "refresh-" if refreshed else ""
    moved = [_moved(store, table, f, f"batch-{position}/{mark}{number}") for number, f in enumerate(files)]
    table.adopt([*kept_files(store, lost), *moved], quarantine_schema(), position=position, at=state, remove_below=dead)
    return sum(f.rows for f in files)


def _lost(store: Store, mapping: str, version: int | None, live: Collection[str]) -> list[Entry]:
    """Files of a committed batch that another run took for those of one that died."""
    if version is None:
        return []
    home = f"{FOLDER}/{mapping}"
    found = store.list(f"{home}/batch-{version}")
    return [e for e in found if e.path.endswith(".parquet") and e.path.removeprefix(f"{home}/") not in live]


def settle(store: Store, mapping: str, at: Manifest | Position) -> None:
    """Brings the quarantine in line with a position that the table has just committed.

    What no longer counts is taken out, and the batch's own files are put back if another run took them for those of a
    run that died. Not finishing loses nothing: no reader counts what the position has left behind.
    """
    for _ in range(_TRIES):
        table = quarantine_table(store, mapping)
        state = table.state()
        if state is None or at.version is None:
            return
        dead = [path for path in state.files if not counts(at, path)]
        lost = _lost(store, mapping, at.version, set(state.files))
        if not (dead or lost):
            return
        try:
            table.adopt(kept_files(store, lost), quarantine_schema(), position=at.version, at=state, remove_below=dead)
        except ConcurrentRunError:
            continue
        return


def withdraw(store: Store, mapping: str, version: int) -> None:
    """Takes out the rows of a batch that the table never took, so that they cannot pass for those of an older one."""
    for _ in range(_TRIES):
        table = quarantine_table(store, mapping)
        state = table.state()
        mine = [path for path in table.live_files() if batch_of(path) == version]
        if state is None or not mine:
            return
        try:
            table.adopt([], quarantine_schema(), position=version, at=state, remove_below=mine)
        except ConcurrentRunError:
            continue
        return


def expire(store: Store, mapping: str, position: Position, old: Callable[[int], bool], *, dry: bool) -> int:
    """Takes old batches out of the quarantine; gives the number of rows that counted until then.

    The batch that the position itself is of stays: a later run would take its files for lost ones.

    Raises:
        ConcurrentRunError: a run set rows aside meanwhile; nothing was changed.
    """
    table = quarantine_table(store, mapping)
    state, opened = table.state(), table.open()
    if state is None or opened is None:
        return 0
    gone = [p for p in state.files if batch_of(p) != position.version and old(batch_of(p))]
    counted = [p for p in gone if counts(position, p)]
    entries = [e for p in counted if (e := store.stat(f"{table.path}/{p}"))]
    rows = sum(f.rows for f in kept_files(store, entries))
    if gone and not dry:
        table.adopt([], quarantine_schema(), position=position.version or 0, at=state, remove_below=gone)
    return rows


def kept_files(store: Store, entries: Iterable[Entry]) -> list[StagedFile]:
    """Files below a quarantine table's folder, with their footers, so that the table can take them again."""
    import pyarrow.parquet as pq

    from forceglue.write.staged import StagedFile

    found = []
    for entry in entries:
        with store.open_input(entry.path) as stream:
            footer = pq.read_metadata(stream)
        found.append(StagedFile(entry.path, entry.size, int(entry.mtime.timestamp() * 1000), footer))
    return found


def _moved(store: Store, table: Table, file: StagedFile, prefix: str) -> StagedFile:
    from dataclasses import replace

    # one task writes a file of the same name into each partition's folder: the number tells them apart
    target = f"{table.path}/{prefix}-{file.path.rsplit('/', 1)[1]}"
    store.move(file.path, target)
    return replace(file, path=target, partition={})
