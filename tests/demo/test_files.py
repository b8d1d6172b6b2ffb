from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Literal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forceglue.demo.files import Style, encode, execution_id, land, landing_path

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = {
    "Id": ["001A", None],
    "IsDeleted": ["true", "false"],
    "Amount": ["1.25E7", None],
    "CloseDate": ["2026-11-01", None],
    "SystemModstamp": ["2026-11-01T08:00:00.000+0000", None],
    "Description": ['a "b",\nc', None],
}


def _table(style: Style) -> pa.Table:
    return pq.read_table(io.BytesIO(encode(COLUMNS, style)))


def test_text_parquet_keeps_every_value_as_it_is() -> None:
    table = _table(Style())
    assert set(table.schema.types) == {pa.string()}
    assert table.to_pydict() == COLUMNS


def test_typed_parquet_has_types() -> None:
    table = _table(Style("typed"))
    kinds = {name: str(table.schema.field(name).type) for name in table.column_names}
    assert kinds["IsDeleted"] == "bool"
    assert kinds["Amount"] == "decimal128(18, 2)"
    assert kinds["CloseDate"] == "date32[day]"
    assert kinds["SystemModstamp"] == "timestamp[us, tz=UTC]"
    first, second = table.to_pylist()
    assert first["IsDeleted"] is True
    assert first["Amount"] == Decimal("12500000.00")
    assert first["SystemModstamp"].isoformat() == "2026-11-01T08:00:00+00:00"
    assert second["Amount"] is second["SystemModstamp"] is None


def test_bulk_form_has_other_stamps_and_nulls() -> None:
    table = _table(Style(stamps="bulk", nulls="empty", names="lower"))
    assert table["systemmodstamp"].to_pylist() == ["2026-11-01T08:00:00.000Z", ""]
    assert table["id"].to_pylist() == ["001A", ""]


def test_json_lines_have_booleans_and_numbers() -> None:
    first, second = (json.loads(line) for line in encode(COLUMNS, Style("json")).decode().splitlines())
    assert first["IsDeleted"] is True
    assert first["Amount"] == 12_500_000
    assert first["Description"] == COLUMNS["Description"][0]
    assert second == dict.fromkeys(COLUMNS) | {"IsDeleted": False}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_csv_has_a_mark_its_line_ends_and_quoted_newlines(newline: Literal["\n", "\r\n"]) -> None:
    content = encode(COLUMNS, Style("csv", booleans="digits", newline=newline, mark=True))
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.endswith(f'""{newline}'.encode())
    header, first, second = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    assert header == list(COLUMNS)
    assert (first[1], second[1]) == ("1", "")
    assert first[5] == COLUMNS["Description"][0]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1))
def test_any_text_survives_each_form(texts: list[str]) -> None:
    columns = {"Description": texts}
    back = list(csv.reader(io.StringIO(encode(columns, Style("csv")).decode(), newline="")))
    assert [row[0] for row in back[1:]] == texts
    lines = encode(columns, Style("json")).decode().split("\n")[:-1]
    assert [json.loads(line)["Description"] for line in lines] == texts
    assert pq.read_table(io.BytesIO(encode(columns, Style())))["Description"].to_pylist() == texts


def test_a_file_lands_where_its_flow_puts_it(tmp_path: Path) -> None:
    run = execution_id(Random(7))
    path = landing_path("Order-Product", run, 3, Style(extension=".parquet"))
    land(tmp_path, path, b"content")
    assert path == f"in/dev-Salesforce-Order-Product/{run}/{run}-00003.parquet"
    assert (tmp_path / path).read_bytes() == b"content"
