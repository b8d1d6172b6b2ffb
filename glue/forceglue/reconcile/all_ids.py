"""All Ids of an object, deleted records too, by the readers that an extract has: Bulk or REST, proved row by row."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forceglue.extract.fields import ReadField
from forceglue.extract.known import BULK_CANNOT
from forceglue.extract.reading import Work
from forceglue.extract.records import PIECE
from forceglue.extract.segments import Segments
from forceglue.extract.state import Plan, Segment
from forceglue.extract.window import Window, cursor_of
from forceglue.landing.store import Store
from forceglue.reconcile.measures import DELETED, ID
from forceglue.salesforce.client import Salesforce

if TYPE_CHECKING:
    import pyarrow as pa

_AHEAD = timedelta(days=1)  # an end lets a query that takes too long be halved; no stamp is so far ahead
_PAGE = 250_000


def all_ids(org: Salesforce, describe: Mapping[str, Any], folder: Path, now: datetime) -> Iterator[pa.RecordBatch]:
    """`key` (the short Id), `deleted` and `stamp` of every record that the org has, batch by batch.

    Args:
        folder: empty; pages are kept there.
        now: Salesforce's clock.

    Raises:
        ExtractError: the object cannot be read as a whole, or its rows are not proved.
        SalesforceError: a call is refused; `LimitReachedError`: the day's calls.
    """
    cursor = cursor_of(dict(describe))
    fields = {str(entry["name"]) for entry in describe["fields"]}
    read = [ReadField(ID, "string"), *([ReadField(DELETED, "boolean")] if DELETED in fields else [])]
    read += [ReadField(cursor[0], "timestamp")] if cursor else []
    name = str(describe["name"])
    window = Window(None, now + _AHEAD, nulls=cursor[1]) if cursor else Window(None, None)
    plan = Plan(
        object=name,
        execution=secrets.token_hex(4),
        started=now,
        api="rest" if name in BULK_CANNOT else "bulk",
        cursor=cursor[0] if cursor else None,
        window=window,
        whole=True,
        fields=tuple(read),
        page_rows=_PAGE,
        segments=(Segment(0, window),),
    )
    store = Store(str(folder))
    with ThreadPoolExecutor(2, "ids") as pages:
        _, segments, _ = Segments(Work(org, store, pages, PIECE), plan).read()
    for segment in segments:
        for page in segment.pages:
            for path, _ in page.files:
                yield from _batches(store, path, plan.cursor)


def _batches(store: Store, path: str, cursor: str | None) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    with store.open_input(path) as stream:
        for batch in pq.ParquetFile(stream).iter_batches(batch_size=100_000):
            names = batch.schema.names
            deleted = batch[DELETED] if DELETED in names else pa.array([False] * batch.num_rows)
            none = pa.nulls(batch.num_rows, pa.timestamp("ms", tz="UTC"))
            stamp = batch[cursor] if cursor in names else none
            key = pc.utf8_slice_codeunits(batch[ID], 0, 15)
            yield pa.RecordBatch.from_arrays([key, deleted.fill_null(False), stamp], ["key", "deleted", "stamp"])
    store.delete(path)
