"""A table back at an earlier state, together with a new position: one Delta transaction, no Spark."""

from __future__ import annotations

import time
from itertools import takewhile
from typing import TYPE_CHECKING

from forceglue.errors import ConcurrentRunError, LandingError
from forceglue.write.delta_table import TIDYING, Table, app_id, storage_options

if TYPE_CHECKING:
    from deltalake import CommitProperties, DeltaTable


def version_of(table: Table, position: int) -> int | None:
    """The version of the log with the position's rows; None where the log does not reach back to it.

    Positions only grow along a log, so that a few versions are opened, however long it is.
    """
    now = table.open()
    if now is None:
        return None
    low, high = 0, now.version()
    while low < high:
        middle = (low + high) // 2
        if _position_at(table, middle) < position:
            low = middle + 1
        else:
            high = middle
    if _position_at(table, low) != position:
        return None
    # the same rows in joined files are there for longer than the small files that they came from
    return low + sum(1 for _ in takewhile(lambda v: _tidied(now, v), range(low + 1, now.version() + 1)))


def _tidied(now: DeltaTable, version: int) -> bool:
    """Whether the commit of that version changed no row."""
    told = now.history(now.version() - version + 1)
    return bool(told) and told[-1].get("version") == version and told[-1].get("operation") in TIDYING


def missing_files(table: Table, version: int) -> int:
    """How many files of that version of the log are no longer there."""
    from deltalake import DeltaTable

    opened = DeltaTable(table.uri, version=version, storage_options=storage_options(table.uri))
    wanted = set(table.files_of(opened))
    there = {e.path.removeprefix(f"{table.path}/") for e in table.store.list(table.path)}
    return len(wanted - there)


def _position_at(table: Table, version: int) -> int:
    """The position at a version of the log; -1 where there was none or the log is cleaned up before it."""
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    try:
        opened = DeltaTable(table.uri, version=version, storage_options=storage_options(table.uri))
    except DeltaError:
        return -1
    found = opened.transaction_version(app_id(table.mapping))
    return -1 if found is None else int(found)


def restore(table: Table, *, at: int, to: int | None, position: int) -> None:
    """Commits the state of version `to` (None: no rows) and the position, unless the table moved on from version `at`.

    Raises:
        ConcurrentRunError: another run committed meanwhile; nothing was changed.
        LandingError: files of that state are gone (a vacuum), or the log cannot be written.
    """
    from deltalake.exceptions import CommitFailedError, DeltaError

    opened, commit = table.open(), _commit(table, position)
    moved_on = ConcurrentRunError(
        f"{table.mapping}: another run wrote {table.uri} meanwhile; nothing was changed. Try again."
    )
    if opened is None or opened.version() != at:
        raise moved_on
    try:
        if to is None:
            opened.create_write_transaction([], "overwrite", opened.schema(), commit_properties=commit)
        else:
            opened.restore(to, commit_properties=commit)
    except CommitFailedError as error:
        raise moved_on from error
    except DeltaError as error:
        raise LandingError(
            f"{table.mapping}: the table cannot go back to its version {to}: {error}. Files that a vacuum removed are "
            f"gone: take a later time, or load the table anew with `forceglue run {table.mapping} --full-refresh`."
        ) from error


def _commit(table: Table, position: int) -> CommitProperties:
    from deltalake import CommitProperties, Transaction

    return CommitProperties(
        app_transactions=[Transaction(app_id(table.mapping), position, int(time.time() * 1000))],
        custom_metadata={"forceglue.position": str(position)},
        max_commit_retries=0,
    )
