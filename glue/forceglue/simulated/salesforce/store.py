# ruff: noqa: S608 - names come from the schema and are quoted, values are parameters
"""Where records are kept: one SQLite table an object, every value as the text that goes over the wire.

SQLite holds millions of rows, is part of Python, lets many threads read while one writes, and frees the interpreter
while it works.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from forceglue.simulated.salesforce.schema import Field, ObjectSchema
from forceglue.simulated.salesforce.wire import IDS, number

_EXACT = frozenset({*IDS, "boolean", "date", "datetime", "time"})
_PRAGMAS = ("journal_mode=WAL", "synchronous=OFF", "cache_size=-65536", "mmap_size=34359738368", "temp_store=MEMORY")
_PAGE = "PRAGMA page_size=16384"


def quoted(name: str) -> str:
    """A name of a table or column in SQL."""
    return '"' + name.replace('"', '""') + '"'


class _Exact:
    """Sums and extremes of texts of numbers, with every digit."""

    def __init__(self) -> None:
        self.seen: Decimal | None = None
        self.count = 0

    def take(self, value: Decimal) -> Decimal:
        return value if self.seen is None else self.seen + value

    def step(self, text: str | None) -> None:
        if text is not None:
            self.seen = self.take(Decimal(text))
            self.count += 1

    def finalize(self) -> str | None:
        return None if self.seen is None else number(self.seen)


class _Mean(_Exact):
    def finalize(self) -> str | None:
        return None if self.seen is None else number(self.seen / self.count)


class _Least(_Exact):
    def take(self, value: Decimal) -> Decimal:
        return value if self.seen is None else min(self.seen, value)


class _Most(_Exact):
    def take(self, value: Decimal) -> Decimal:
        return value if self.seen is None else max(self.seen, value)


class Store:
    """Tables of one org.

    Args:
        folder: where the database is; without it a temporary folder that goes with `close`.

    Attributes:
        version: grows with every change, so that a result can be known to be still right.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._own = folder is None
        self.folder = Path(tempfile.mkdtemp(prefix="simulated-org-")) if folder is None else folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.version = 0
        self._idle: deque[sqlite3.Connection] = deque()
        self._all: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        self._writing = threading.RLock()
        self._depth, self._owner = 0, 0
        self._writer = self._open()
        self._writer.execute('CREATE TABLE IF NOT EXISTS "_purged" (object TEXT, id TEXT, at TEXT)')
        self._writer.execute('CREATE INDEX IF NOT EXISTS "_purged_at" ON "_purged" (object, at)')

    def _open(self) -> sqlite3.Connection:
        found = sqlite3.connect(self.folder / "org.db", isolation_level=None, check_same_thread=False, timeout=60)
        found.execute(_PAGE)
        for pragma in _PRAGMAS:
            found.execute(f"PRAGMA {pragma}")
        aggregates: Any = {"sf_sum": _Exact, "sf_avg": _Mean, "sf_min": _Least, "sf_max": _Most}
        for name, made in aggregates.items():
            found.create_aggregate(name, 1, made)
        with self._guard:
            self._all.append(found)
        return found

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one state of the org for each statement; inside `writing`, what it wrote so far."""
        if self._depth and self._owner == threading.get_ident():
            yield self._writer
            return
        with self.reader() as found:
            yield found

    @contextmanager
    def reader(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees what was committed, wherever it is asked for."""
        try:
            found = self._idle.pop()
        except IndexError:
            found = self._open()
        try:
            yield found
        finally:
            self._idle.append(found)

    @contextmanager
    def still(self) -> Iterator[None]:
        """Nobody writes for the length of the block."""
        with self._writing:
            yield

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The one connection that writes, in a transaction; nested uses are part of the outermost."""
        with self._writing:
            self._depth, self._owner = self._depth + 1, threading.get_ident()
            try:
                if self._depth == 1:
                    self._writer.execute("BEGIN IMMEDIATE")
                yield self._writer
            except BaseException:
                if self._depth == 1:
                    self._writer.execute("ROLLBACK")
                raise
            else:
                if self._depth == 1:
                    self._writer.execute("COMMIT")
                    self.version += 1
            finally:
                self._depth -= 1

    def close(self) -> None:
        """Ends every connection; a temporary folder is removed."""
        with self._guard:
            for connection in self._all:
                connection.close()
            self._all.clear()
            self._idle.clear()
        if self._own:
            shutil.rmtree(self.folder, ignore_errors=True)

    # tables

    def define(self, schema: ObjectSchema) -> None:
        """Makes the object's table, or adds the columns that it lacks."""
        table = quoted(schema.name)
        with self.writing() as db:
            there = {row[1].lower() for row in db.execute(f"PRAGMA table_info({table})")}
            if not there:
                others = "".join(f", {_column(entry)}" for entry in schema.stored if entry.name != "Id")
                db.execute(f'CREATE TABLE {table} ("_row" INTEGER PRIMARY KEY, "Id" TEXT NOT NULL UNIQUE{others})')
            for entry in schema.stored:
                if there and entry.name.lower() not in there:
                    db.execute(f"ALTER TABLE {table} ADD COLUMN {_column(entry)}")
            for name in _indexed(schema):
                db.execute(f"CREATE INDEX IF NOT EXISTS {_index(schema, name)} ON {table} ({quoted(name)})")

    def blank(self, schema: ObjectSchema, name: str) -> None:
        """Empties a column."""
        with self.writing() as db:
            db.execute(f"UPDATE {quoted(schema.name)} SET {quoted(name)} = NULL")

    def load(self, schema: ObjectSchema, fields: Sequence[str], rows: Iterable[Sequence[str | None]]) -> int:
        """Writes rows of stored texts, one value a field; `Id` is one of the fields. Rows that are there are changed.

        Returns:
            How many rows came.
        """
        table, names = quoted(schema.name), ", ".join(map(quoted, fields))
        changes = ", ".join(f"{quoted(name)} = excluded.{quoted(name)}" for name in fields if name != "Id")
        statement = (
            f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(fields))}) "
            f'ON CONFLICT ("Id") DO {f"UPDATE SET {changes}" if changes else "NOTHING"}'
        )
        with self.writing() as db:
            empty = db.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() is None
            if empty:  # an index is made faster from all rows at once
                for name in _indexed(schema):
                    db.execute(f"DROP INDEX IF EXISTS {_index(schema, name)}")
            before = db.total_changes
            db.executemany(statement, rows)
            came = db.total_changes - before
            self.define(schema)
        return came

    # records

    def put(self, schema: ObjectSchema, record_id: str, values: Mapping[str, str | None], *, new: bool) -> None:
        """Writes some fields of one record."""
        table = quoted(schema.name)
        with self.writing() as db:
            if new:
                every = {"Id": record_id, **values}
                names = ", ".join(map(quoted, every))
                db.execute(
                    f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(every))})", tuple(every.values())
                )
            elif values:
                sets = ", ".join(f"{quoted(name)} = ?" for name in values)
                db.execute(f'UPDATE {table} SET {sets} WHERE "Id" = ?', (*values.values(), record_id))

    def get(self, schema: ObjectSchema, record_id: str) -> dict[str, str | None] | None:
        """All stored texts of one record, deleted or not."""
        names = [entry.name for entry in schema.stored]
        asked = ", ".join(quoted(name) for name in ["Id", *names])
        with self.reading() as db:
            row = db.execute(f'SELECT {asked} FROM {quoted(schema.name)} WHERE "Id" = ?', (record_id,)).fetchone()
        return None if row is None else {"Id": row[0], **dict(zip(names, row[1:], strict=True))}

    def ids(self, schema: ObjectSchema, where: str = "1", params: Sequence[Any] = (), limit: int = -1) -> list[str]:
        """Ids of the records that a condition in SQL names."""
        asked = f'SELECT "Id" FROM {quoted(schema.name)} WHERE {where} ORDER BY "_row" LIMIT {limit}'
        with self.reading() as db:
            return [row[0] for row in db.execute(asked, tuple(params))]

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a statement finds."""
        with self.reading() as db:
            return db.execute(sql, tuple(params)).fetchall()

    def purge(self, schema: ObjectSchema, record_id: str, at: str) -> None:
        """Removes a record for good, and notes it."""
        with self.writing() as db:
            db.execute(f'DELETE FROM {quoted(schema.name)} WHERE "Id" = ?', (record_id,))
            db.execute('INSERT INTO "_purged" VALUES (?, ?, ?)', (schema.name, record_id, at))


def _column(entry: Field) -> str:
    exact = entry.type in _EXACT or entry["caseSensitive"]
    return f"{quoted(entry.name)} TEXT{'' if exact else ' COLLATE NOCASE'}"


def _indexed(schema: ObjectSchema) -> list[str]:
    found = [entry.name for entry in schema.stored if entry["externalId"] or entry["unique"]]
    return [name for name in ("SystemModstamp",) if schema.any_field(name)] + found


def _index(schema: ObjectSchema, name: str) -> str:
    return quoted(f"{schema.name}.{name}")
