"""A stream cut between records: nothing lost, nothing split, whatever the values are."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forceglue.errors import SalesforceBusyError
from forceglue.extract import records
from forceglue.extract.records import Records, first_end, last_end

CELL = st.text(st.sampled_from('a"\n\r,;é\0 '), max_size=12)
ROWS = st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=12)


def bulk(rows: list[list[str]], header: tuple[str, ...] = ("Id", "A", "B")) -> bytes:
    """As Salesforce writes it: every value quoted, LF between records."""
    sink = io.StringIO(newline="")
    writer = csv.writer(sink, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return sink.getvalue().encode()


class Drip(io.BytesIO):
    """Gives less than asked for, as a socket may."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or 1, 7))


@given(ROWS, st.integers(1, 40))
def test_pieces_are_whole_records_and_make_the_stream_again(rows: list[list[str]], piece: int) -> None:
    data = bulk(rows)
    stream = Records(Drip(data), piece)
    pieces = list(stream)
    assert stream.header == ("Id", "A", "B")
    assert bulk([]) + b"".join(pieces) == data
    for one in pieces:
        assert one.endswith(b"\n") and one.count(b'"') % 2 == 0
        assert last_end(one) == len(one)


@given(ROWS)
def test_a_last_record_without_a_newline_comes_too(rows: list[list[str]]) -> None:
    data = bulk(rows).removesuffix(b"\n")
    assert bulk([]).removesuffix(b"\n") + b"".join([b"\n", *Records(io.BytesIO(data), 16)] if rows else []) == data


def test_ends() -> None:
    assert last_end(b'"a\n') == 0 and last_end(b'"a"\n"b\n') == 4 and last_end(b"a,b\nc\n") == 6
    assert first_end(b'"a\nb",c\nd\n') == 8 and first_end(b'"a\n') == 0


def test_an_empty_body_has_no_header_and_no_piece() -> None:
    stream = Records(io.BytesIO(b""))
    assert stream.header == () and list(stream) == []


def test_a_byte_order_mark_is_no_part_of_a_name() -> None:
    assert Records(io.BytesIO(b'\xef\xbb\xbf"Id"\n"1"\n')).header == ("Id",)


def test_a_record_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "LARGEST", 1000)
    with pytest.raises(SalesforceBusyError, match="damaged"):
        list(Records(io.BytesIO(b'"Id"\n"' + b"x\n" * 5000), 10))
