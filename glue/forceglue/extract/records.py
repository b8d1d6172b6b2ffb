"""A stream of CSV cut between two records, so that each piece can be parsed by itself.

A newline ends a record where an even number of quotes stands before it: a quote inside a value is doubled (RFC 4180),
so this holds whatever the values are. Quotes are counted, no row is looked at.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Protocol

from forceglue.errors import SalesforceBusyError

PIECE = 8 << 20
LARGEST = 256 << 20
"""A record of more bytes is none: Salesforce's largest has some 2 million characters."""
_MARK = b"\xef\xbb\xbf"


class Readable(Protocol):
    """Gives bytes; fewer than asked only at the end."""

    def read(self, size: int, /) -> bytes: ...


def last_end(data: bytes | bytearray) -> int:
    """How many bytes of `data`, which starts with a record, are whole records; 0 where not one is."""
    quotes, end = data.count(b'"'), len(data)
    while True:
        at = data.rfind(b"\n", 0, end)
        if at < 0:
            return 0
        quotes -= data.count(b'"', at, end)
        if quotes % 2 == 0:
            return at + 1
        end = at


def first_end(data: bytes | bytearray) -> int:
    """How many bytes the first record has, its newline included; 0 where it is not whole."""
    quotes = start = 0
    while True:
        at = data.find(b"\n", start)
        if at < 0:
            return 0
        quotes += data.count(b'"', start, at)
        if quotes % 2 == 0:
            return at + 1
        start = at + 1


class Records:
    """A CSV stream: its header, then pieces of whole records.

    Args:
        body: the bytes; `read` gives less than asked only at the end.
        piece: bytes of a piece; a longer record makes a longer one.
    """

    def __init__(self, body: Readable, piece: int = PIECE) -> None:
        self._body, self._piece = body, piece
        self._rest = bytearray()
        self._ended = False
        self.header = self._header()

    def _header(self) -> tuple[str, ...]:
        while not (end := first_end(self._rest)):
            if not self._more(1 << 16):
                end = len(self._rest)
                break
        line = bytes(self._rest[:end]).removeprefix(_MARK).decode("utf-8", "replace")
        del self._rest[:end]
        return tuple(next(csv.reader([line.rstrip("\r\n")]), ()))

    def __iter__(self) -> Iterator[bytes]:
        while True:
            while len(self._rest) < self._piece and self._more(self._piece - len(self._rest)):
                pass
            if self._ended:
                if self._rest:
                    yield bytes(self._rest)
                return
            end = last_end(self._rest)
            while not end:
                if len(self._rest) > LARGEST:
                    raise SalesforceBusyError(
                        f"a result page has a record of more than {LARGEST >> 20} MB: it is damaged; run again."
                    )
                if not self._more(len(self._rest)):
                    break
                end = last_end(self._rest)
            if end:
                yield bytes(self._rest[:end])
                del self._rest[:end]

    def _more(self, size: int) -> bool:
        data = self._body.read(size)
        self._rest += data
        self._ended = not data
        return not self._ended
