"""A page of CSV to Parquet files, in a stream: a few megabytes at once, whatever the page holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from forceglue.extract.cells import Cells, MisfitError
from forceglue.landing.store import Store

ROW_GROUP = 32 << 20
"""Bytes in memory that make a row group."""


class CsvPieces(Protocol):
    """A header, and pieces of CSV without one, each of whole records."""

    header: tuple[str, ...]

    def __iter__(self) -> Iterator[bytes]: ...


@dataclass(frozen=True)
class Written:
    """What became of a page.

    Attributes:
        files: `(path, rows)` of the files that have rows.
        texts: columns that are text in some of them, because a value did not fit.
        missing: columns that the page did not have.
    """

    rows: int
    files: tuple[tuple[str, int], ...]
    texts: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass
class PageWriter:
    """Writes one page.

    Args:
        store: the landing root.
        name: path of the files without their number and ending.
        kinds: the columns, in their order, with their types.
        repeating: columns of few different values, which are stored by a dictionary.
        footer: key-value metadata of each file.
        proceed: called between two pieces; raises to stop.
    """

    store: Store
    name: str
    kinds: Mapping[str, str]
    repeating: Sequence[str] = ()
    footer: Mapping[bytes, bytes] = field(default_factory=dict)
    proceed: Callable[[], None] = lambda: None
    _files: list[tuple[str, int]] = field(default_factory=list)
    _texts: list[str] = field(default_factory=list)

    def write(self, records: CsvPieces) -> Written:
        """Reads all records. An error leaves no file under its name that is not whole.

        Raises:
            SalesforceBusyError: the page was cut or came damaged.
        """
        cells = Cells(records.header, self.kinds)
        pieces = iter(records)
        waiting: pa.Table | None = None
        while True:
            with ExitStack() as open_file:
                waiting = self._one_file(cells, pieces, waiting, open_file)
            if waiting is None:
                break
        missing = tuple(name for name in self.kinds if name not in cells.kinds)
        return Written(sum(rows for _, rows in self._files), tuple(self._files), tuple(self._texts), missing)

    def _one_file(
        self, cells: Cells, pieces: Iterator[bytes], first: pa.Table | None, open_file: ExitStack
    ) -> pa.Table | None:
        """Writes until the page ends (None) or a column has to become text (the rows that come next)."""
        schema, held, writer, rows, size = cells.schema, [first] if first is not None else [], None, 0, 0
        path = f"{self.name}-{len(self._files)}.parquet"
        following = None
        for piece in pieces:
            self.proceed()
            table = self._table(cells, piece)
            if table.schema != schema:
                following = table
                break
            held.append(table)
            size += table.nbytes
            if size >= ROW_GROUP:
                writer = writer or self._writer(path, schema, open_file)
                rows, size = rows + _write(writer, held), 0
        if any(part.num_rows for part in held):
            writer = writer or self._writer(path, schema, open_file)
            rows += _write(writer, held)
        if rows:
            self._files.append((path, rows))
        return following

    def _table(self, cells: Cells, piece: bytes) -> pa.Table:
        while True:
            try:
                return cells.table(piece)
            except MisfitError as misfit:
                cells.as_text(misfit.columns)
                self._texts += [name for name in misfit.columns if name not in self._texts]

    def _writer(self, path: str, schema: pa.Schema, open_file: ExitStack) -> pq.ParquetWriter:
        target = open_file.enter_context(self.store.filled(path))
        repeating = [name for name in self.repeating if name in schema.names and schema.field(name).type == pa.string()]
        marked = schema.with_metadata(dict(self.footer)) if self.footer else schema
        return open_file.enter_context(
            pq.ParquetWriter(target, marked, compression="zstd", compression_level=1, use_dictionary=repeating or False)
        )


def _write(writer: pq.ParquetWriter, held: list[pa.Table]) -> int:
    table = pa.concat_tables(held)
    held.clear()
    writer.write_table(table, row_group_size=max(table.num_rows, 1))
    return int(table.num_rows)
