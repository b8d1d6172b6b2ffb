"""The records of a file, one by one, from any place on: a file is never held whole.

A `Position` says where the next record begins, so that reading can stop anywhere and go on in another process.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forceglue.mapping.names import NameIndex, nearest
from forceglue.profiles.reasons import FileReason, FileRefused, RowReason

if TYPE_CHECKING:
    from forceglue.mapping.model.profile import FileProfile

MAX_RECORD = 1 << 20
"""Bytes of one line; characters of one cell. A quote that is never closed costs that much of a file, not all of it."""
_BOM = b"\xef\xbb\xbf"
_OTHERS = (
    (b"PAR1", "a Parquet file"),
    (b"PK\x03\x04", "a ZIP archive (or an Excel workbook)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"\x1f\x8b", "gzip data"),
    (b"%PDF", "a PDF"),
    (b"BZh", "bzip2 data"),
    (b"\x28\xb5\x2f\xfd", "Zstandard data"),
)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Position:
    """Where reading goes on.

    Attributes:
        offset: bytes that are done.
        line: lines that are done.
        names: the file's columns, once its header is read; always empty for JSON lines.
    """

    offset: int = 0
    line: int = 0
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Record:
    """A record as the file has it.

    Attributes:
        line: where it begins, counted from 1.
        cells: column → text; None for no value. Empty where `wrong` says why it could not be read.
        after: where the next record begins.
    """

    line: int
    cells: Mapping[str, str | None]
    after: Position
    wrong: RowReason | None = None


def records(chunks: Iterable[bytes], profile: FileProfile, start: Position = Position()) -> Iterator[Record]:
    """The records from `start` on.

    Args:
        chunks: the file's bytes from `start.offset` on, in pieces of any size.

    Raises:
        FileRefused: it is no text of this kind, or its header is not what it must be.
    """
    lines = _Lines(chunks, profile.encoding, start)
    return _json_lines(lines, profile) if profile.parser == "jsonl" else _csv(lines, profile, start)


class _Lines:
    """Decoded lines with their ends, and how much of the file they are. What cannot be decoded stays to be seen."""

    def __init__(self, chunks: Iterable[bytes], encoding: str, start: Position) -> None:
        self._chunks, self._encoding, self._first = chunks, encoding, start.offset == 0
        self.offset, self.line = start.offset, start.line

    def __iter__(self) -> Iterator[str]:
        for raw in self._raw():
            self.offset += len(raw)
            self.line += 1
            text = raw[len(_BOM) :] if self._first and self._encoding == "utf-8" and raw.startswith(_BOM) else raw
            self._first = False
            yield text.decode(self._encoding, "surrogateescape")

    def _raw(self) -> Iterator[bytes]:
        rest, looked = bytearray(), 0
        for chunk in self._chunks:
            if self._first and self.offset == 0 and not looked and not rest:
                _refuse_others(chunk)
            rest += chunk
            begin = 0
            while (end := rest.find(b"\n", max(begin, looked))) >= 0:
                yield bytes(rest[begin : end + 1])
                begin = looked = end + 1
            del rest[:begin]
            looked = len(rest)
            if looked > MAX_RECORD:
                raise FileRefused(
                    FileReason.WRONG_FORMAT,
                    f"line {self.line + 1} has more than {MAX_RECORD >> 20} MiB: do its lines end with a line feed?",
                )
        if rest:
            yield bytes(rest)


def _refuse_others(head: bytes) -> None:
    for magic, what in _OTHERS:
        if head.startswith(magic):
            raise FileRefused(FileReason.WRONG_FORMAT, f"it is {what}: send it as plain text")
    if head.startswith(_UTF16) or b"\x00" in head[:4096]:
        raise FileRefused(FileReason.ENCODING, "it is UTF-16 text or no text at all: export it again as UTF-8")


def _csv(lines: _Lines, profile: FileProfile, start: Position) -> Iterator[Record]:
    csv.field_size_limit(MAX_RECORD)
    reader = csv.reader(
        lines,
        delimiter=profile.separator,
        quotechar=profile.quote,
        quoting=csv.QUOTE_NONE if profile.quote is None else csv.QUOTE_MINIMAL,
        strict=True,
    )
    names = start.names
    if not names:
        names = tuple(profile.fields) if not profile.header else _header(reader)
        check_names(names, profile)
    nulls, trim = frozenset(profile.null_values), profile.trim
    while True:
        first, wrong, row = lines.line + 1, None, []
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            wrong = RowReason.MALFORMED
        if not row and wrong is None:
            continue  # a blank line
        after = Position(lines.offset, lines.line, names)
        if wrong is None and len(row) != len(names):
            wrong = RowReason.CELL_COUNT
        elif wrong is None and not all(map(_decoded, row)):
            wrong = RowReason.ENCODING
        if wrong is not None:
            yield Record(first, {}, after, wrong)
            continue
        cells = {name: _value(text, nulls, trim) for name, text in zip(names, row, strict=True)}
        yield Record(first, cells, after)


def _header(reader: Iterator[list[str]]) -> tuple[str, ...]:
    try:
        row = next((row for row in reader if row), None)
    except csv.Error as error:
        raise FileRefused(FileReason.WRONG_FORMAT, f"the header: {error}; export it again") from None
    if row is None:
        raise FileRefused(FileReason.EMPTY, "the file has no line at all, not even a header: send it again")
    if not all(map(_decoded, row)):
        raise FileRefused(FileReason.ENCODING, "the header is not in the profile's `encoding`: correct one of them")
    return tuple(name.strip() for name in row)


def check_names(names: tuple[str, ...], profile: FileProfile) -> None:
    """Raises `FileRefused` where a column has no name, two are alike, or one that is required is missing."""
    if blank := [str(at) for at, name in enumerate(names, 1) if not name]:
        raise FileRefused(FileReason.BLANK_COLUMN, f"column {', '.join(blank)} has no name: export it again")
    seen: set[str] = set()
    for at, name in enumerate(names, 1):
        if name.lower() in seen:
            raise FileRefused(
                FileReason.DUPLICATE_COLUMN, f"column {at} has the name of one before it (any case): export it again"
            )
        seen.add(name.lower())
    known = NameIndex(names)
    missing = [name for name in profile.required if known.match(name) is None]
    if missing:
        # the first line of a file without a header is data: its cells are counted, never shown, but for near names
        told = [f"{name} (near: {near})" if (near := nearest(name, names)) else name for name in missing]
        raise FileRefused(
            FileReason.COLUMN_MISSING,
            f"it lacks {', '.join(told)}; its first line has {len(names)} cells. Is it a file of another source, "
            f"without a header, or with another delimiter?",
        )


def _json_lines(lines: _Lines, profile: FileProfile) -> Iterator[Record]:
    nulls, trim = frozenset(profile.null_values), profile.trim
    for text in lines:
        if not text.strip():
            continue
        after = Position(lines.offset, lines.line)
        if not _decoded(text):
            yield Record(lines.line, {}, after, RowReason.ENCODING)
            continue
        try:
            # numbers as they are written: 1.10 stays 1.10
            found = json.loads(text, parse_float=str, parse_int=str, parse_constant=_no_number)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            yield Record(lines.line, {}, after, RowReason.MALFORMED)
            continue
        cells = {name: _value(_text(value), nulls, trim) for name, value in found.items()}
        yield Record(lines.line, cells, after)


def _no_number(_: str) -> None:
    raise ValueError


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else json.dumps(value, ensure_ascii=False)


def _value(text: str, nulls: frozenset[str], trim: bool) -> str | None:
    """No value where the text is empty or means it: the mapping language knows no empty text."""
    text = text.strip() if trim else text
    return None if not text or text in nulls else text


def _decoded(text: str) -> bool:
    """Whether all its bytes had a meaning in the encoding."""
    return text.isascii() or not any("\udc80" <= character <= "\udcff" for character in text)
