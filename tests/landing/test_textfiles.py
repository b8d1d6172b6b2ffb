from __future__ import annotations

import csv
import gzip
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forceglue.landing import textfiles
from forceglue.landing.facts import FileRejected, Reason
from forceglue.landing.textfiles import csv_header, plain, read_csv, read_json_lines

BOM = b"\xef\xbb\xbf"
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.text("\",\n\r ab;'\0", max_size=8)


def text(data: bytes, *, zipped: bool = False) -> io.BufferedReader:
    return plain(io.BytesIO(data), zipped=zipped)


def why(data: bytes) -> Reason:
    with pytest.raises(FileRejected) as caught:
        read_csv(text(data))
    return caught.value.code


@given(
    st.lists(st.lists(words, min_size=3, max_size=3), max_size=8), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans()
)
def test_what_was_written_is_counted(rows: list[list[str]], end: str, bom: bool) -> None:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([["Id", "b", "c"], *rows])
    data = (BOM if bom else b"") + out.getvalue().encode()
    assert read_csv(text(data)) == (("Id", "b", "c"), len(rows))
    assert csv_header(text(data)) == ("Id", "b", "c")


@given(st.text('",\n\rab ', max_size=40))
def test_any_text_is_counted_as_the_csv_module_does(body: str) -> None:
    data = ("a,b,c,d,e,f,g,h,i,j,k,l,m,n\n" + body).encode()
    rows = [row for row in csv.reader(io.StringIO(data.decode(), newline="")) if row][1:]
    closed = list(csv.reader(io.StringIO(data.decode() + "\nend", newline="")))[-1] == ["end"]
    wide = any(len(row) > 14 for row in rows)
    if closed and not wide:
        assert read_csv(text(data))[1] == len(rows)
    else:
        assert why(data) is (Reason.TOO_MANY_CELLS if wide else Reason.UNREADABLE)


def test_a_cell_of_more_than_128_kb() -> None:
    data = b'Id,Body\n1,"' + b"x\n" * 200_000 + b'"\n2,y\n'
    assert read_csv(text(data)) == (("Id", "Body"), 2)


@pytest.mark.parametrize("tail", [b"", b"\n", b"\n\n\r\n"])
def test_blank_lines_are_no_records(tail: bytes) -> None:
    assert read_csv(text(b"\n\nId,b\n\n1,2\n\n3,4" + tail))[1] == 2


def test_a_header_alone_has_no_records() -> None:
    assert read_csv(text(b"Id,Name")) == (("Id", "Name"), 0)


def test_a_short_record_counts() -> None:
    assert read_csv(text(b"Id,b,c\n1\n"))[1] == 1


@pytest.mark.parametrize("tail", [b'"', b'"abc', b'"abc\n', b'x,"', b'x,"a""'])
def test_a_quote_that_is_never_closed(tail: bytes) -> None:
    assert why(b"Id,b\n1,2\n" + tail) is Reason.UNREADABLE


def test_more_cells_than_the_header_has() -> None:
    with pytest.raises(FileRejected) as caught:
        read_csv(text(b'Id,b\n1,"x\ny"\n2,secret,3\n'))
    assert caught.value.code is Reason.TOO_MANY_CELLS
    assert "record 2 (ends at line 4) has 3 cells" in caught.value.message
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("data", [b"Id,b\n1,caf\xe9\n", b"Id\xe9,b\n"])
def test_text_that_is_not_utf_8(data: bytes) -> None:
    assert why(data) is Reason.ENCODING
    with pytest.raises(FileRejected) as caught:
        read_json_lines(text(b'{"Id": "caf\xe9"}\n'))
    assert caught.value.code is Reason.ENCODING


def test_a_line_or_a_cell_without_end_is_refused_and_not_kept_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(textfiles, "MAX_RECORD", 1 << 16)

    class Endless(io.RawIOBase):
        def __init__(self, start: bytes, more: bytes) -> None:
            self.start, self.more, self.given = start, more, 0

        def read(self, size: int = -1, /) -> bytes:
            data, self.start = self.start or self.more * (size // len(self.more)), b""
            self.given += len(data)
            return data

    for more in (b"x", b"x\n"):  # one line, one cell
        source = Endless(b'Id,b\n1,"', more)
        with pytest.raises(FileRejected) as caught:
            read_csv(plain(source, zipped=False))  # type: ignore[arg-type]  # a BinaryIO as far as it is used
        assert caught.value.code is Reason.UNREADABLE
        assert source.given < 10 << 20


def test_gzip_and_its_damage() -> None:
    data = gzip.compress(BOM + b"Id,b\n" + b"1,2\n" * 10_000)
    assert read_csv(text(data, zipped=True))[1] == 10_000
    for broken in (data[:-20], data[:40], data[:30] + b"\xff" * 9 + data[39:]):
        with pytest.raises(FileRejected) as caught:
            read_csv(text(broken, zipped=True))
        assert caught.value.code is Reason.UNREADABLE


@given(st.lists(st.dictionaries(words, st.none() | words | st.integers(), max_size=4), max_size=8), st.booleans())
def test_json_names_are_those_of_all_lines_in_order_of_appearance(
    rows: list[dict[str, object]], ascii_only: bool
) -> None:
    data = "".join(json.dumps(row, ensure_ascii=ascii_only) + "\n" for row in rows).encode()
    expected: dict[str, None] = {}
    for row in rows:
        expected.update(dict.fromkeys(row))
    assert read_json_lines(text(BOM + data)) == (tuple(expected), len(rows))


@pytest.mark.parametrize(
    ("line", "said"),
    [(b"[1]", "list"), (b'"x"', "str"), (b"{", "no JSON"), (b"{} {}", "no JSON"), (b"[" * 99_999, "deep")],
)
def test_a_line_that_is_no_object(line: bytes, said: str) -> None:
    with pytest.raises(FileRejected) as caught:
        read_json_lines(text(b'{"Id": 1}\n\n' + line + b"\n"))
    assert caught.value.code is Reason.NOT_AN_OBJECT
    assert "line 3" in caught.value.message
    assert said in caught.value.message
