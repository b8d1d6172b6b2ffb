"""Records that Salesforce lists as deleted (`getDeleted`), landed as a patch: those that no query shows any more.

    asked from where it was known to → file of notices on disk → kept as on the way → moved under `in/` → known further

Killed between two of these it goes on there, and no notice lands twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from forceglue.errors import SalesforceError
from forceglue.extract.bookmark import bookmark_of
from forceglue.extract.notices import Known, OnTheWay, file_of, known_of, write_known
from forceglue.extract.task import Task
from forceglue.extract.types import arrow_type
from forceglue.extract.window import cursor_of
from forceglue.landing.layout import landed_key
from forceglue.landing.patch import Patch
from forceglue.salesforce.client import Changed

FARTHEST = timedelta(days=15) - timedelta(minutes=10)
"""Salesforce keeps its list for 15 days; nearer to the edge the clocks might differ."""
NARROWEST = timedelta(minutes=2)
"""Salesforce ignores the seconds of a window, and takes only more than a minute."""
TOO_MANY, TOO_EARLY = "EXCEEDED_ID_LIMIT", "INVALID_REPLICATION_DATE"
"""More than 600,000 Ids; a start before the list begins, which an administrator or its size may have cut."""
Span = tuple[datetime, datetime]


class Deletions:
    """Asks for the deletions of one object."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._files = 0

    def run(self, describe: dict[str, Any]) -> None:
        """Lands the notices since the last time.

        Raises:
            ExtractError: what is kept is damaged.
            SalesforceError: Salesforce is busy; `LimitReachedError`: the day's calls.
            StoppedError: the extract is to end.
        """
        task = self._task
        cursor = cursor_of(describe)
        if not task.selected.lists_deletions or not any(mapping.target.meets_rows for mapping in task.mappings):
            return
        if cursor is None:  # everything is read each time
            return
        try:
            self._ask(self._start(), cursor[0])
        except SalesforceError as error:
            if type(error) is not SalesforceError or error.status not in (400, 403, 404):
                raise
            task.told.notes.append(f"Salesforce does not tell its deletions ({error.code}: {error.reason})")
        self._tell_unknown()

    def _start(self) -> Known:
        """From where to ask: from where it is known to, or from a reading of everything; but not too far back."""
        task = self._task
        farthest = task.now - FARTHEST
        known = known_of(task.store, task.name)
        if known is None:
            bookmark = bookmark_of(task.store, task.name)
            if bookmark is None or bookmark.whole_at is None:
                return Known(farthest, None, farthest)
            known = Known(bookmark.whole_at)
        known = self._landed(known)
        return known if known.until >= farthest else _unknown(replace(known, until=farthest), known.until, farthest)

    def _ask(self, known: Known, cursor: str) -> None:
        for answer, span in self._answers((_minute(known.until), self._task.now)):
            if answer is None:
                known = _unknown(replace(known, until=span[1]), *span)
            else:
                if answer.earliest is not None and answer.earliest > span[0] + NARROWEST:
                    known = _unknown(known, span[0], answer.earliest)
                known = replace(known, until=max(known.until, answer.covered_to))
                if answer.ids:
                    known = self._landed(self._on_the_way(known, answer, cursor))
            write_known(self._task.store, self._task.name, known)

    def _answers(self, span: Span) -> Iterator[tuple[Changed | None, Span]]:
        """What Salesforce says, in the order of time; None for a span that it tells nothing of."""
        to_ask = [span]
        while to_ask:
            start, end = to_ask.pop()
            if end - start < NARROWEST:
                return
            self._task.work.proceed()
            middle = _minute(start + (end - start) / 2)
            narrow = min(middle - start, end - middle) < NARROWEST
            try:
                answer = self._task.work.org.deleted(self._task.name, start, end)
            except SalesforceError as error:
                if error.code == TOO_MANY and not narrow:
                    to_ask += [(middle, end), (start, middle)]
                elif error.code == TOO_MANY:
                    yield None, (start, end)
                elif error.code == TOO_EARLY and not narrow:
                    yield None, (start, middle)
                    to_ask.append((middle, end))
                else:
                    raise
            else:
                yield answer, (start, end)
                if answer.covered_to < end - NARROWEST:
                    return  # a transaction is under way: what it deletes is asked for the next time

    def _on_the_way(self, known: Known, answer: Changed, cursor: str) -> Known:
        """The notices on disk; `known` says that they still are to be moved."""
        task, execution = self._task, self._task.work.execution
        path = file_of(task.name)
        table = pa.table(
            [
                pa.array(list(answer.ids), arrow_type("string")),
                pa.repeat(pa.scalar(True), len(answer.ids)),  # the value
                pa.array(list(answer.ids.values()), arrow_type("timestamp")),
            ],
            names=["Id", "IsDeleted", cursor],
        ).replace_schema_metadata(Patch("deleted", task.now).footer())
        with task.store.filled(path) as target:
            pq.write_table(table, target, compression="zstd")
        self._files += 1
        name = f"{execution}-deleted-{self._files:05d}.parquet"
        key = landed_key(task.name, execution, name, env=task.request.label.replace("-", "_"))
        known = replace(known, on_the_way=OnTheWay(path, key, table.num_rows))
        write_known(task.store, task.name, known)
        return known

    def _landed(self, known: Known) -> Known:
        """Moves what is on the way, if anything is."""
        waiting, store = known.on_the_way, self._task.store
        if waiting is None:
            return known
        with suppress(FileNotFoundError):  # moved before the extract was killed
            store.move(waiting.path, waiting.key)
        known = replace(known, on_the_way=None)
        write_known(store, self._task.name, known)
        self._task.told.deletions(waiting)
        return known

    def _tell_unknown(self) -> None:
        known = known_of(self._task.store, self._task.name)
        if known is not None and known.unknown_until is not None:
            since = f"between {known.unknown_since:%Y-%m-%d %H:%M}Z and" if known.unknown_since else "before"
            self._task.told.notes.append(
                f"Salesforce does not know any more what was deleted {since} {known.unknown_until:%Y-%m-%d %H:%M}Z: "
                f"`forceglue reconcile --ids {self._task.name}` finds it"
            )


def _unknown(known: Known, since: datetime, until: datetime) -> Known:
    """With a span more that is unknown; a few of them are one that holds them all."""
    if known.unknown_until is None:
        return replace(known, unknown_since=since, unknown_until=until)
    first = min(known.unknown_since, since) if known.unknown_since else None
    return replace(known, unknown_since=first, unknown_until=max(known.unknown_until, until))


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
