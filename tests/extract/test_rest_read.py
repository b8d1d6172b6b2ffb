"""Records of REST become what Bulk would have sent, value by value."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extract.kit import HARD
from extract.test_cells import TEXTS
from extract.test_records import bulk
from forceglue.extract.cells import Cells, MisfitError
from forceglue.extract.records import first_end
from forceglue.extract.rest_read import csv_of
from forceglue.extract.types import kind_of
from forceglue.simulated.salesforce.wire import json_token, stored

LONG = st.sampled_from([*HARD, "é\0\r\n" * 25_000])
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20) | st.sampled_from(
    ["12345678901234567.89", "0.1", "33.333333333333336", "1.0E7", "123456789012345678", "-0.0", "1E-7"]
)
INTEGERS = st.integers(-(2**63), 2**63 - 1) | st.sampled_from(["3.0", "1.0E7", "3.5", 2**63])
MOMENTS = st.datetimes(datetime(1700, 1, 1), datetime(4000, 12, 31), timezones=st.just(UTC))
FIELDS: list[tuple[dict[str, Any], st.SearchStrategy[Any]]] = [
    *(({"type": kind}, TEXTS | LONG) for kind in ("string", "textarea", "picklist", "combobox", "anyType", "url")),
    ({"type": "multipicklist"}, st.lists(st.sampled_from(["a", "b;", "ü"]), max_size=3)),
    ({"type": "reference"}, st.just("001000000000001AAA")),
    ({"type": "boolean"}, st.booleans()),
    *(({"type": kind}, INTEGERS) for kind in ("int", "long")),
    ({"type": "currency", "precision": 18, "scale": 2}, NUMBERS),
    ({"type": "percent", "precision": 5, "scale": 0}, NUMBERS | st.integers(-99999, 99999)),
    ({"type": "double", "precision": 18, "scale": 2, "calculated": True}, NUMBERS | st.floats(-1e9, 1e9)),
    ({"type": "double", "precision": 0, "scale": 0}, NUMBERS),  # text
    ({"type": "date"}, st.dates(date(1700, 1, 1), date(4000, 12, 31))),
    ({"type": "datetime"}, MOMENTS),
    ({"type": "time"}, st.times()),
]


@st.composite
def objects(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[list[str | None]]]:
    """Fields of a describe, and records as the org stores them: texts, as Bulk sends them."""
    chosen = draw(st.lists(st.sampled_from(FIELDS), min_size=1, max_size=6))
    fields = [{**field, "name": f"F{at}"} for at, (field, _) in enumerate(chosen)]
    values = st.tuples(*(st.none() | strategy for _, strategy in chosen))
    rows = draw(st.lists(values, min_size=1, max_size=6))
    if draw(st.booleans()):  # a year that no timestamp of Parquet's readers has, so that the column stays text
        rows.append(tuple("99999-01-01T00:00:00.000Z" if f["type"] == "datetime" else None for f in fields))
    kept = [[_stored(f["type"], value) for f, value in zip(fields, row, strict=True)] for row in rows]
    return fields, kept


def _stored(kind: str, value: Any) -> str | None:
    return value if str(value).startswith("99999-") else stored(kind, value)


def as_json(fields: list[dict[str, Any]], rows: list[list[str | None]]) -> list[dict[str, Any]]:
    """As they come in a page of REST, and as the client reads that."""
    written = (
        ",".join(
            f"{json.dumps(f['name'])}:{'null' if text is None else json_token(f['type'])(text)}"
            for f, text in zip(fields, row, strict=True)
        )
        for row in rows
    )
    found: list[dict[str, Any]] = json.loads(
        "[" + ",".join(f"{{{one}}}" for one in written) + "]", parse_float=str, parse_int=str
    )
    return found


def typed(kinds: dict[str, str], piece: bytes) -> pa.Table:
    """The piece as it lands: a column that does not fit is text."""
    cells = Cells(tuple(kinds), kinds)
    try:
        return cells.table(piece)
    except MisfitError as misfit:
        cells.as_text(misfit.columns)
        return cells.table(piece)


@given(objects())
def test_rest_and_bulk_give_the_same_table(found: tuple[list[dict[str, Any]], list[list[str | None]]]) -> None:
    fields, rows = found
    kinds = {field["name"]: kind_of(field) for field in fields}
    csv = bulk([[text or "" for text in row] for row in rows], tuple(kinds))
    by_bulk = typed(kinds, csv[first_end(csv) :])
    by_rest = typed(kinds, csv_of(kinds, as_json(fields, rows)))
    assert by_rest.schema == by_bulk.schema
    assert by_rest.to_pylist() == by_bulk.to_pylist()


def test_no_digit_goes_through_a_float() -> None:
    said = json.loads('[{"N": 12345678901234567.89, "I": 9007199254740993}]', parse_float=str, parse_int=str)
    table = typed({"N": "decimal(22,2)", "I": "bigint"}, csv_of({"N": "decimal(22,2)", "I": "bigint"}, said))
    assert table.to_pylist() == [{"N": Decimal("12345678901234567.89"), "I": 9007199254740993}]


def test_a_member_that_is_not_there_and_an_empty_text_are_null() -> None:
    kinds = {"Id": "string", "A": "string", "B": "boolean"}
    said = [{"Id": "1", "A": ""}, {"Id": "2", "A": None, "B": False}]
    assert typed(kinds, csv_of(kinds, said)).to_pylist() == [
        {"Id": "1", "A": None, "B": None},
        {"Id": "2", "A": None, "B": False},
    ]


@pytest.mark.parametrize(("said", "kept"), [(r"a\ud83d", "a\ufffd"), (r"\ude00b", "\ufffdb"), (r"\ud83d\ude00", "😀")])
def test_half_a_character_ends_no_extract(said: str, kept: str) -> None:
    kinds = {"A": "string"}
    assert typed(kinds, csv_of(kinds, json.loads(f'[{{"A": "{said}"}}, {{"A": "x"}}]')))["A"].to_pylist() == [kept, "x"]
