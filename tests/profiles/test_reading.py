"""Files are read record by record, from any record on, and one bad record costs one record."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forceglue.profiles.reading import MAX_RECORD, Position, Record, records
from forceglue.profiles.reasons import FileReason, FileRefused, RowReason
from profiles.kit import profile

HEADER = b"ID,Name,Amount\n"


def pieces(data: bytes, size: int = 7) -> Iterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


def read(data: bytes, **more: Any) -> list[Record]:
    return list(records(pieces(data), profile(**more)))


def told(data: bytes, **more: Any) -> list[tuple[int, Any]]:
    return [(one.line, one.wrong.value if one.wrong else list(one.cells.values())) for one in read(data, **more)]


CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), max_size=12)


@given(st.lists(st.tuples(CELL, CELL, CELL), max_size=12), st.integers(1, 40), st.data())
def test_reading_may_stop_after_any_record_and_go_on(rows: list[tuple[str, ...]], size: int, data: Any) -> None:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("ID", "Name", "Amount"))
    writer.writerows(rows)
    content = out.getvalue().encode()
    whole = list(records(pieces(content, size), profile()))
    assert [tuple(one.cells.values()) for one in whole] == [tuple(cell or None for cell in row) for row in rows]
    if whole:
        at = data.draw(st.integers(0, len(whole) - 1))
        rest = records(pieces(content[whole[at].after.offset :], size), profile(), whole[at].after)
        assert list(rest) == whole[at + 1 :]
        assert whole[-1].after.offset == len(content)


def test_a_line_is_told_as_an_editor_counts_it() -> None:
    data = HEADER + b'1,"two\nlines",3\n\n2,x,4\r\n3,y,5'
    assert told(data) == [(2, ["1", "two\nlines", "3"]), (5, ["2", "x", "4"]), (6, ["3", "y", "5"])]


def test_one_bad_record_costs_one_record() -> None:
    data = HEADER + b'1,a\n2,b,2,x\n3,"c"d,3\n4,\xff,4\n5,e,5\n'
    wrong = ["cell_count", "cell_count", "malformed", "encoding"]
    assert told(data) == [*enumerate(wrong, 2), (6, ["5", "e", "5"])]


def test_a_quote_that_is_never_closed_does_not_swallow_the_file() -> None:
    lines = b"".join(b"%d,x,1\n" % number for number in range(150_000))
    data = HEADER + b'0,"open,1\n' + lines
    found = list(records(pieces(data, 1 << 16), profile()))
    assert found[0].wrong is RowReason.MALFORMED and found[0].line == 2
    assert len(data) - found[0].after.offset > len(data) - 2 * MAX_RECORD
    assert found[-1].cells["ID"] == "149999" and len(found) > 20_000


def test_pipes_and_other_delimiters() -> None:
    data = b"ID|Name|Amount\n1|a,b|2\n"
    assert told(data, parserId="csv_pipe") == [(2, ["1", "a,b", "2"])]
    assert told(data.replace(b"|", b";"), delimiter=";") == [(2, ["1", "a,b", "2"])]
    assert told(b'ID\tName\tAmount\n1\t"a\t2\n', delimiter="\t", quote=None) == [(2, ["1", '"a', "2"])]


def test_without_a_header_the_profile_has_the_names() -> None:
    found = read(b"1,a,2\n", header=False, fields=["ID", "Name", "Amount"])
    assert [dict(one.cells) for one in found] == [{"ID": "1", "Name": "a", "Amount": "2"}]


@pytest.mark.parametrize(
    ("encoding", "data"),
    [("utf-8", "Größe".encode()), ("windows-1252", b"Gr\xf6\xdfe"), ("iso-8859-15", b"Gr\xf6\xdfe")],
)
def test_text_in_each_encoding(encoding: str, data: bytes) -> None:
    assert told(HEADER + b"1," + data + b",2\n", encoding=encoding) == [(2, ["1", "Größe", "2"])]


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert told(b"\xef\xbb\xbf" + HEADER + b"1,a,2\n") == [(2, ["1", "a", "2"])]


def test_blanks_and_texts_that_mean_no_value() -> None:
    data = HEADER + b"1, a ,NULL\n2,,  \n"
    assert told(data) == [(2, ["1", " a ", "NULL"]), (3, ["2", None, "  "])]
    assert told(data, trim=True, nullValues=["NULL"]) == [(2, ["1", "a", None]), (3, ["2", None, None])]


def test_json_lines_keep_numbers_as_they_are_written() -> None:
    lines = [{"ID": 1, "Name": None, "Amount": 1.10}, {"ID": True, "Name": {"a": 1}, "Amount": ""}]
    data = b'{"ID": 1, "Name": null, "Amount": 1.10}\n\n' + json.dumps(lines[1]).encode()
    assert told(data, parserId="jsonl") == [(1, ["1", None, "1.10"]), (3, ["true", '{"a": "1"}', None])]


@pytest.mark.parametrize("line", [b"[1]", b"{", b'{"a": NaN}', b"[" * 100_000, b"x"])
def test_a_line_that_is_no_object_is_one_failed_row(line: bytes) -> None:
    assert [wrong for _, wrong in told(line + b'\n{"ID": "1"}', parserId="jsonl")] == ["malformed", ["1"]]


@pytest.mark.parametrize(
    ("data", "code", "said"),
    [
        (b"", FileReason.EMPTY, "no line at all"),
        (b"\n\n", FileReason.EMPTY, "no line at all"),
        (b"ID,Nam,Amount\n", FileReason.COLUMN_MISSING, r"Name \(near: Nam\)"),
        (b"ID;Name;Amount\n", FileReason.COLUMN_MISSING, "has 1 cells"),
        (b"ID,Name,Amount,name\n", FileReason.DUPLICATE_COLUMN, "column 4"),
        (b"ID,Name,Amount,\n", FileReason.BLANK_COLUMN, "column 4"),
        (b"ID,N\xff,Amount\n", FileReason.ENCODING, "header"),
        ("ID,Name".encode("utf-16"), FileReason.ENCODING, "UTF-16"),
        (b"PK\x03\x04zip", FileReason.WRONG_FORMAT, "ZIP"),
        (b"\x1f\x8bgzip", FileReason.WRONG_FORMAT, "gzip"),
        (b"PAR1", FileReason.WRONG_FORMAT, "Parquet"),
        (b"x" * (MAX_RECORD + 10), FileReason.WRONG_FORMAT, "more than 1 MiB"),
    ],
)
def test_a_file_that_is_none_is_refused_with_what_to_do(data: bytes, code: FileReason, said: str) -> None:
    with pytest.raises(FileRefused, match=said) as refused:
        list(records(pieces(data, 4096), profile()))
    assert refused.value.code is code


def test_names_are_found_as_in_a_mapping() -> None:
    assert told(b"id,NAME,a_mount\n1,a,2\n") == [(2, ["1", "a", "2"])]


def test_a_file_is_never_held_whole() -> None:
    def long() -> Iterator[bytes]:
        yield HEADER
        for _ in range(10):
            yield b"1,abcdefgh,2.50\n" * 2_500

    tracemalloc.start()
    count = sum(1 for _ in records(long(), profile()))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 25_000 and peak < 200_000


def test_a_position_is_where_the_next_record_begins() -> None:
    (first, second) = read(HEADER + b"1,a,2\n2,b,3\n")
    assert first.after == Position(len(HEADER) + 6, 2, ("ID", "Name", "Amount"))
    assert second.after.offset == len(HEADER) + 12
