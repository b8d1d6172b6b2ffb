"""The quarantine: rows set aside with the raw row, every reason, file, run and time.

It is a Delta table beside the mapping's own. A batch's rows get there before the table's commit and under the same
version; what a run that died left there is taken out in the same transaction that adds the next batch.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forceglue.landing.store import Store
from forceglue.quality.rules import QUARANTINED
from forceglue.transform.prepared import RAW, REASONS, RECORD_KEY, ROW_NUMBER, SET_ASIDE_AT
from forceglue.transform.trace import TRACE
from forceglue.write.delta_table import Table

if TYPE_CHECKING:
    from pyspark.sql.types import StructType

    from forceglue.run.staging import Staged, StagedFile

FOLDER = "_quarantine"
_BATCH = re.compile(r"^batch-(\d+)/")


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
            *trace,
        ]
    )


def set_aside(store: Store, mapping: str, staged: Staged, *, position: int, committed: int | None) -> int:
    """Moves the batch's quarantined files into the quarantine table; gives the number of rows.

    Args:
        position: the version of the batch, which the table itself will commit next.
        committed: the position that the table has now: batches of the quarantine after it belong to runs that died.
    """
    table = quarantine_table(store, mapping)
    state = table.state()
    dead = _dead(table.live_files(), committed, position) if state else []
    files = staged.files.get(QUARANTINED, ())
    if not files and not dead:
        return 0
    moved = [_moved(store, table, f, position) for f in files]
    table.adopt(moved, quarantine_schema(), position=position, at=state, remove_below=dead)
    return sum(f.rows for f in files)


def _dead(live: list[str], committed: int | None, position: int) -> list[str]:
    found = []
    for path in live:
        batch = _BATCH.match(path)
        if batch and int(batch[1]) != position and (committed is None or int(batch[1]) > committed):
            found.append(path)
    return found


def _moved(store: Store, table: Table, file: StagedFile, position: int) -> StagedFile:
    from dataclasses import replace

    target = f"{table.path}/batch-{position}/{file.path.rsplit('/', 1)[1]}"
    store.move(file.path, target)
    return replace(file, path=target)


