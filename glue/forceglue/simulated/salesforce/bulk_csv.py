# ruff: noqa: S608 - names come from the schema and are quoted, values are parameters
"""Results of Bulk query jobs as files: written once by the store itself, cut into pages at the ends of records."""

from __future__ import annotations

import os
import shutil
import sqlite3
import struct
from array import array
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from forceglue.simulated.salesforce.http import Slice
from forceglue.simulated.salesforce.soql.compile import Compiled
from forceglue.simulated.salesforce.store import Store
from forceglue.simulated.salesforce.wire import IDS, NUMBERS, WHOLE

DELIMITERS = {"COMMA": ",", "TAB": "\t", "PIPE": "|", "SEMICOLON": ";", "CARET": "^", "BACKQUOTE": "`"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
_PLAIN = frozenset({*IDS, *NUMBERS, *WHOLE, "boolean", "date", "datetime", "time"})
_ROWS = 5_000
_ABREAST = 8
_WORTH_SPLITTING = 200_000


@dataclass(frozen=True)
class Rendered:
    """A whole result on disk.

    Attributes:
        path: the records, each with its line ending, without the header.
        header: the header line; every page begins with it.
        rows: how many records.
    """

    path: Path
    header: bytes
    rows: int

    @property
    def _index(self) -> Path:
        return self.path.with_suffix(".ends")

    def page(self, first: int, most: int) -> tuple[Slice, int]:
        """At most so many records from the `first`-th on, and how many they are."""
        last = min(first + most, self.rows)
        return Slice(self.path, self._end(first), self._end(last), self.header), last - first

    def _end(self, record: int) -> int:
        """Where the records before this one end."""
        if record == 0:
            return 0
        with self._index.open("rb") as stream:
            stream.seek(8 * (record - 1))
            return int(struct.unpack("<Q", stream.read(8))[0])

    def remove(self) -> None:
        """Deletes the files."""
        for path in self.path.parent.glob(f"{self.path.stem}.*"):
            path.unlink(missing_ok=True)


def render(
    store: Store, compiled: Compiled, path: Path, delimiter: str, ending: str, stopped: Callable[[], bool]
) -> Rendered | None:
    """Writes the result of a query to a file; None when it was stopped.

    Every value stands in quotes, nothing and the empty text are both `""`. A query over a whole table is read in
    parts at the same time, all of the same state of the org.
    """
    columns = [(compiled.columns[at], kind) for _, at, kind in compiled.headers]
    line = _line(columns, delimiter, ending)
    header = (delimiter.join(f'"{name}"' for name, _, _ in compiled.headers) + ending).encode()
    bounds = _bounds(store, compiled)
    parts = [path.with_suffix(f".part{at}") for at in range(len(bounds))]
    with ExitStack() as stack:
        with store.still():  # while the readers take their places: they see the same state
            readers = [stack.enter_context(store.reader()) for _ in bounds]
            for reader in readers:
                reader.execute("BEGIN")
                reader.execute(f"SELECT 1 FROM {compiled.source} LIMIT 1").fetchone()
                stack.callback(reader.execute, "COMMIT")
        with ThreadPoolExecutor(len(bounds)) as pool:
            jobs = [
                pool.submit(_write_part, reader, compiled, line, bound, part, stopped)
                for reader, bound, part in zip(readers, bounds, parts, strict=True)
            ]
            ends = [job.result() for job in jobs]
    if stopped():
        for part in parts:
            part.unlink(missing_ok=True)
        return None
    _join(parts, ends, path)
    return Rendered(path, header, sum(map(len, ends)))


def _bounds(store: Store, compiled: Compiled) -> list[tuple[int, int] | None]:
    """Ranges of rows that are read at the same time; one without bounds where order or number matter."""
    query = compiled.query
    if query.order or query.limit is not None or compiled.where.count("?") or compiled.joins:
        return [None]
    (first, last) = store.rows(f'SELECT min("_row"), max("_row") FROM {compiled.source}')[0]
    workers = min(4, os.cpu_count() or 1)
    if first is None or last - first < _WORTH_SPLITTING or workers == 1:
        return [None]
    step = (last - first) // workers + 1
    return [(start, min(start + step, last + 1)) for start in range(first, last + 1, step)]


def _line(columns: Sequence[tuple[str, str]], delimiter: str, ending: str) -> str:
    """One expression that is the whole record; a balanced tree, as SQLite allows a depth of 1,000 only."""
    between, parts, literal = f'"{delimiter}"', [], '"'
    for sql, kind in columns:
        parts.append(_text(literal))
        parts.append(f"ifnull({sql}, '')" if kind in _PLAIN else f"replace(ifnull({sql}, ''), '\"', '\"\"')")
        literal = between
    parts.append(_text(f'"{ending}'))
    while len(parts) > 1:
        parts = [f"({' || '.join(parts[at : at + _ABREAST])})" for at in range(0, len(parts), _ABREAST)]
    return f"CAST({parts[0]} AS BLOB)"


def _text(literal: str) -> str:
    """A literal in SQL; line ends as characters."""
    return f"CAST(x'{literal.encode().hex()}' AS TEXT)" if not literal.isprintable() else f"'{literal}'"


def _write_part(
    reader: sqlite3.Connection,
    compiled: Compiled,
    line: str,
    bound: tuple[int, int] | None,
    part: Path,
    stopped: Callable[[], bool],
) -> array[int]:
    statement, params = compiled.select([line]), list(compiled.all_params)
    if bound is not None:
        table = compiled.schema_table
        within = f'{table}."_row" >= {bound[0]} AND {table}."_row" < {bound[1]}'
        where = f"{compiled.where} AND {within}" if compiled.where else f" WHERE {within}"
        statement = f"SELECT {line} FROM {compiled.source}{compiled.joins}{where}{compiled.tail}"
    sizes: array[int] = array("Q")
    found = reader.execute(statement, params)
    with part.open("wb") as out:
        while several := found.fetchmany(_ROWS):
            records = [row[0] for row in several]
            out.write(b"".join(records))
            sizes.extend(map(len, records))
            if stopped():
                break
    found.close()
    return sizes


def _join(parts: Sequence[Path], sizes: Sequence[array[int]], path: Path) -> None:
    """Puts the parts one after the other, and writes where each record ends."""
    parts[0].replace(path)
    with path.open("ab") as out:
        for part in parts[1:]:
            with part.open("rb") as more:
                shutil.copyfileobj(more, out, 1 << 20)
            part.unlink()
    ends = array("Q", accumulate(size for some in sizes for size in some))
    with path.with_suffix(".ends").open("wb") as out:
        ends.tofile(out)
