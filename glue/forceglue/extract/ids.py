"""All Ids of an object, for a comparison with what the tables hold; nothing lands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from forceglue.errors import ExtractError
from forceglue.extract.fields import ReadField
from forceglue.extract.lease import leased
from forceglue.extract.reader import OnDisk, Reader
from forceglue.extract.reading import Work
from forceglue.extract.types import kind_of
from forceglue.extract.window import Window, cursor_of
from forceglue.landing.store import Store

READ = ("Id", "IsDeleted")
LIVES = timedelta(days=1)
"""An older list that was stopped is begun anew: it would compare with the past."""
PAGE_ROWS, BATCH_ROWS = 500_000, 65_536


@dataclass(frozen=True)
class AllIds:
    """The Ids of every record, deleted ones that are still in the recycle bin too.

    A record that was made after `at` may be missing, one that was purged after it may be there. An Id may come twice.

    Attributes:
        at: Salesforce's clock when the reading began.
        rows: how many come, proved by Salesforce's own count.
        files: Parquet files with the columns of `READ` that the object has, as paths below the store's root.
        proceed: keeps the lease; to be called now and then by who reads the files without `batches`.
    """

    store: Store
    at: datetime
    rows: int
    files: tuple[str, ...]
    proceed: Callable[[], None] = lambda: None

    def batches(self) -> Iterator[pa.RecordBatch]:
        """`Id` (string) and, where the object has it, `IsDeleted` (boolean); a few megabytes at once."""
        for path in self.files:
            with self.store.open_input(path) as stream, pq.ParquetFile(stream) as file:
                for batch in file.iter_batches(BATCH_ROWS):
                    self.proceed()
                    yield batch


@contextmanager
def all_ids(work: Work, describe: dict[str, Any], now: datetime, *, page_rows: int = PAGE_ROWS) -> Iterator[AllIds]:
    """Reads all Ids onto disk and gives them to the block; when it ends well they are removed.

    A reading that was stopped goes on where it was for a day, and so does a block that ended with an error: it meets
    the same Ids. It does not touch the changes' plan, bookmark or lease.

    Args:
        work: see `reading.working`.
        describe: of the object; its name, and its fields' `name`, `type`, `filterable`.
        now: Salesforce's clock (`Salesforce.now`).

    Raises:
        ExtractError: the Ids are not proved, or another process reads them at this moment;
            `UnreadableError`: neither API gives them all.
        SalesforceError: a call was refused; `LimitReachedError`: the day's calls (what is read is kept).
        LandingError: the store cannot be used.
    """
    name = str(describe["name"])
    own = replace(work)
    with leased(own.store, name, "ids") as own.renew:
        reader = Reader(own, name, "ids", now, LIVES)
        found = _read(reader, describe, page_rows)
        rows, paths = sum(rows for _, rows in found.files), tuple(path for path, _ in found.files)
        yield AllIds(own.store, found.plan.started, rows, paths, own.proceed)
        reader.forget()


def _read(reader: Reader, describe: dict[str, Any], page_rows: int) -> OnDisk:
    fields = tuple(ReadField(f["name"], kind_of(f)) for f in describe["fields"] if f["name"] in READ)
    if all(field.name != "Id" for field in fields):
        raise ExtractError(
            f"{reader.name}: it has no field Id that this user may read, so that nothing tells what is gone."
        )
    plan = reader.left()
    if plan is None or plan.fields != fields:
        # an open window, by the cursor: where Salesforce takes too long for all at once, it is halved
        cursor, _ = cursor_of(describe) or (None, False)
        plan = reader.begin(fields, cursor, Window(None, None, nulls=True), page_rows=page_rows)
    return reader.read(plan)
