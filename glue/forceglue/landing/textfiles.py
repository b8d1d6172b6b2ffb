"""Counting what is in CSV and JSON-lines files, in a stream and in one pass."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from forceglue.landing.facts import FileRejected, Reason

MAX_RECORD = 64 << 20
"""Bytes that one line or one cell may have; a lost closing quote must not pull gigabytes into memory."""

_BOM = b"\xef\xbb\xbf"
_END = "\x00end of file"


@contextmanager
def text_errors() -> Iterator[None]:
    """What the libraries say about damaged text, as a reason without any of the text."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise FileRejected(
            Reason.ENCODING, f"it is not UTF-8 (byte 0x{error.object[error.start]:02x}): export it again as UTF-8"
        ) from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FileRejected(Reason.UNREADABLE, f"the gzip data is damaged or cut ({error}): land it again") from error


def plain(stream: BinaryIO, *, zipped: bool) -> io.BufferedReader:
    """The text's bytes without gzip and byte-order mark, guarded against endless lines."""
    return io.BufferedReader(_Guarded(gzip.GzipFile(fileobj=stream) if zipped else stream), 1 << 18)


class _Guarded(io.RawIOBase):
    """Passes bytes through; drops the byte-order mark and refuses a line of more than MAX_RECORD bytes."""

    def __init__(self, inner: gzip.GzipFile | BinaryIO) -> None:
        self._inner, self._start, self._line = inner, True, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed asks for any buffer; BufferedReader gives this
        data = self._inner.read(len(buffer))
        if self._start:
            self._start = False
            if data.startswith(_BOM):
                data = data[len(_BOM) :] or self._inner.read(len(buffer))
        last = max(data.rfind(b"\n"), data.rfind(b"\r"))
        self._line = self._line + len(data) if last < 0 else len(data) - last - 1
        if self._line > MAX_RECORD:
            raise FileRejected(Reason.UNREADABLE, f"it has a line of more than {MAX_RECORD >> 20} MiB: land it again")
        buffer[: len(data)] = data
        return len(data)


def read_csv(text: io.BufferedReader) -> tuple[tuple[str, ...], int]:
    """`(header, records)` of RFC 4180 text; blank lines are no records.

    Raises:
        FileRejected: a record with more cells than the header, a quote that is never closed, text that is not UTF-8.
    """
    csv.field_size_limit(MAX_RECORD)
    with text_errors():
        lines = io.TextIOWrapper(text, encoding="utf-8", newline="")
        reader = csv.reader(itertools.chain(lines, [f'"{_END}"']))  # comes out as it is, unless a quote is still open
        columns: tuple[str, ...] = ()
        records = -1  # the end's own record
        row: list[str] = []
        try:
            for row in reader:
                if not row:
                    continue
                if not columns:
                    columns = tuple(row)
                elif len(row) > len(columns):
                    raise FileRejected(
                        Reason.TOO_MANY_CELLS,
                        f"record {records + 2} (ends at line {reader.line_num}) has {len(row)} cells "
                        f"and the header {len(columns)}: "
                        f"a comma or quote in a value is not quoted; export it again",
                    )
                else:
                    records += 1
        except csv.Error as error:
            raise FileRejected(Reason.UNREADABLE, f"record {records + 2}: {error}; export it again") from error
        if row != [_END]:
            raise FileRejected(
                Reason.UNREADABLE,
                f"a quote opened in record {records + 1} is never closed: the file is cut or not quoted; land it again",
            )
        return columns, records


def csv_header(text: io.BufferedReader) -> tuple[str, ...]:
    """The first record alone."""
    csv.field_size_limit(MAX_RECORD)
    with text_errors():
        try:
            lines = io.TextIOWrapper(text, encoding="utf-8", newline="")
            return tuple(next((row for row in csv.reader(lines) if row), ()))
        except csv.Error as error:
            raise FileRejected(Reason.UNREADABLE, f"the header: {error}; export it again") from error


def read_json_lines(text: io.BufferedReader) -> tuple[tuple[str, ...], int]:
    """`(names, records)`: the names of all lines in order of first appearance; blank lines are no records.

    Raises:
        FileRejected: a line that is no JSON object (with its number), text that is not UTF-8.
    """
    names: dict[str, None] = {}
    records = 0
    with text_errors():
        for number, line in enumerate(text, 1):
            if not (stripped := line.decode("utf-8").strip()):
                continue
            try:
                found = json.loads(stripped)
            except (json.JSONDecodeError, RecursionError) as error:
                what = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply"
                raise FileRejected(
                    Reason.NOT_AN_OBJECT, f"line {number} is no JSON ({what}): one JSON object a line is needed"
                ) from error
            if not isinstance(found, dict):
                raise FileRejected(
                    Reason.NOT_AN_OBJECT,
                    f"line {number} is a JSON {type(found).__name__}: one JSON object a line is needed",
                )
            records += 1
            if not found.keys() <= names.keys():
                names.update(dict.fromkeys(found))
    return tuple(names), records
