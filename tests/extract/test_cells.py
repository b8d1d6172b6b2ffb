"""Text byte for byte, exact types, and a value that does not fit never lost."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extract.test_records import bulk
from forceglue.errors import SalesforceBusyError
from forceglue.extract.cells import Cells, MisfitError
from forceglue.extract.records import first_end

TEXTS = st.text(st.characters(codec="utf-8"), max_size=30) | st.text(st.sampled_from('"\n\r\0,x'), max_size=8)


def cells(piece: list[list[str]], kinds: dict[str, str]) -> tuple[Cells, bytes]:
    data = bulk(piece, tuple(kinds))
    return Cells(tuple(kinds), kinds), data[first_end(data) :]


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=8))
def test_text_survives_byte_for_byte_and_empty_is_null(rows: list[tuple[str, str]]) -> None:
    reader, data = cells([list(row) for row in rows], {"Id": "string", "A": "string"})
    assert reader.table(data).to_pylist() == [{"Id": a or None, "A": b or None} for a, b in rows]


def test_texts_that_look_like_something_stay_text() -> None:
    said = ["01234", "NULL", "NaN", "null", "N/A", "1e5", "true", "2024-01-01", " x ", "#N/A"]
    reader, data = cells([[text] for text in said], {"A": "string"})
    assert reader.table(data)["A"].to_pylist() == said


def test_long_texts() -> None:
    long = ('a "quoted" line\r\nand \0 more\n' * 5000)[:100_000]
    reader, data = cells([["1", long], ["2", "é" * 100_000]], {"Id": "string", "A": "string"})
    assert reader.table(data)["A"].to_pylist() == [long, "é" * 100_000]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("boolean", "true", True),
        ("boolean", "false", False),
        ("date", "1700-01-01", date(1700, 1, 1)),
        ("date", "4000-12-31", date(4000, 12, 31)),
        ("timestamp", "2024-07-24T14:05:58.123Z", datetime(2024, 7, 24, 14, 5, 58, 123000, UTC)),
        ("timestamp", "2024-07-24T14:05:58.000+0000", datetime(2024, 7, 24, 14, 5, 58, 0, UTC)),
        ("decimal(22,2)", "12.5", Decimal("12.50")),
        ("decimal(22,2)", "12.5000", Decimal("12.50")),
        ("decimal(22,2)", "1.0E7", Decimal("10000000.00")),
        ("decimal(22,2)", "-0.01", Decimal("-0.01")),
        ("decimal(22,0)", "123456789012345678", Decimal(123456789012345678)),
        ("decimal(38,18)", "33.333333333333336", Decimal("33.333333333333336000")),
        ("bigint", "7", 7),
        ("bigint", "3.0", 3),
        ("bigint", "1.0E7", 10_000_000),
        ("bigint", "-9223372036854775808", -9223372036854775808),
        ("string", "", None),
        ("boolean", "", None),
        ("decimal(22,2)", "", None),
    ],
)
def test_values(kind: str, text: str, value: object) -> None:
    reader, data = cells([["1", text], ["2", ""]], {"Id": "string", "A": kind})
    table = reader.table(data)
    assert table["A"].to_pylist() == [value, None] and table.schema == reader.schema


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("boolean", "1"),
        ("boolean", "TRUE"),
        ("date", "2024-02-30"),
        ("date", "soon"),
        ("timestamp", "2024-07-24"),
        ("timestamp", "1721829958000"),
        ("decimal(22,2)", "12.345"),
        ("decimal(6,2)", "123456.00"),
        ("decimal(22,2)", "NaN"),
        ("bigint", "3.5"),
        ("bigint", "9223372036854775808"),
    ],
)
def test_a_value_that_does_not_fit_names_its_column_and_is_read_as_it_was_sent(kind: str, text: str) -> None:
    reader, data = cells([["1", text, "1.5"], ["2", "", ""]], {"Id": "string", "A": kind, "B": "decimal(5,1)"})
    with pytest.raises(MisfitError) as caught:
        reader.table(data)
    assert caught.value.columns == ("A",) and text not in str(caught.value)
    reader.as_text(caught.value.columns)
    assert reader.table(data).to_pylist() == [
        {"Id": "1", "A": text, "B": Decimal("1.5")},
        {"Id": "2", "A": None, "B": None},
    ]


def test_integers_that_come_as_doubles_stay_integers_from_piece_to_piece() -> None:
    reader, data = cells([["3.0"], ["4"]], {"N": "bigint"})
    assert [reader.table(data)["N"].to_pylist() for _ in range(2)] == [[3, 4]] * 2
    with pytest.raises(MisfitError):
        reader.table(b'"4.5"\n')


def test_a_column_that_the_page_lacks_is_left_out() -> None:
    reader = Cells(("Id", "B"), {"Id": "string", "A": "date", "B": "bigint"})
    assert reader.table(b'"1","2"\n').to_pylist() == [{"Id": "1", "B": 2}]


@pytest.mark.parametrize("piece", [b'"1"\n', b'"1","2","hush"\n', b'"\xff","2"\n'])
def test_what_is_no_csv_is_a_damaged_page_and_shows_no_value(piece: bytes) -> None:
    with pytest.raises(SalesforceBusyError) as caught:
        Cells(("Id", "A"), {"Id": "string", "A": "string"}).table(piece)
    assert "hush" not in str(caught.value) and caught.value.__cause__ is None
