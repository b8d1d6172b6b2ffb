"""The forms in which rows land: what AppFlow writes, what Bulk API writes, and what is no data at all."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq

from forceglue.demo.values import Kind, kind_of

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

Columns = Mapping[str, Sequence[str | None]]
"""Field name → one text a row as REST sends it."""

ENVIRONMENT = "dev"


@dataclass(frozen=True)
class Style:
    """One way to write the same rows.

    Attributes:
        format: `parquet` has everything as text, `typed` is Parquet with booleans, numbers and times as such.
        stamps: `rest` is `...000+0000`, `bulk` is `...000Z`; typed files have real timestamps.
        nulls: what null looks like in a text Parquet file: null, or an empty text.
        booleans: `words` is true/false; `digits` is 1 and empty, as a data export has it.
        names: field names as they are, or all lower-case as a crawler leaves them.
        newline, mark: for CSV only, the end of a line and whether a byte-order mark stands before the header.
    """

    format: Literal["parquet", "typed", "json", "csv"] = "parquet"
    stamps: Literal["rest", "bulk"] = "rest"
    nulls: Literal["null", "empty"] = "null"
    booleans: Literal["words", "digits"] = "words"
    names: Literal["source", "lower"] = "source"
    newline: Literal["\n", "\r\n"] = "\n"
    mark: bool = False
    extension: str = ""


def encode(columns: Columns, style: Style) -> bytes:
    """A whole file in the given style; equal input gives an equal table (for CSV and JSON: equal bytes)."""
    shown = {_name(name, style): _texts(name, values, style) for name, values in columns.items()}
    if style.format == "csv":
        return _csv(shown, style)
    if style.format == "json":
        return _json(shown)
    if style.format == "typed":
        return _parquet({name: _typed(kind_of(name), values) for name, values in shown.items()})
    return _parquet({name: pa.array(values, pa.string()) for name, values in shown.items()})


def _name(name: str, style: Style) -> str:
    return name.lower() if style.names == "lower" else name


def _texts(name: str, values: Sequence[str | None], style: Style) -> Sequence[str | None]:
    kind = kind_of(name)
    if kind == "datetime" and style.stamps == "bulk":
        values = [v.replace("+0000", "Z") if v else v for v in values]
    if kind == "boolean" and style.booleans == "digits":
        values = ["1" if v == "true" else None for v in values]
    return ["" if v is None else v for v in values] if style.nulls == "empty" else values


def _parquet(arrays: Mapping[str, pa.Array]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(dict(arrays)), sink, compression="snappy")
    return sink.getvalue()


def _typed(kind: Kind, values: Sequence[str | None]) -> pa.Array:
    match kind:
        case "boolean":
            return pa.array([None if v is None else v == "true" for v in values], pa.bool_())
        case "money":
            return pa.array(
                [None if v is None else Decimal(v).quantize(Decimal("0.01")) for v in values], pa.decimal128(18, 2)
            )
        case "percent" | "coordinate" | "integer":
            return pa.array([None if v is None else float(v) for v in values], pa.float64())
        case "date":
            return pa.array(values, pa.string()).cast(pa.date32())
        case "datetime":
            return pa.array([v and v.replace("+0000", "Z") for v in values], pa.string()).cast(
                pa.timestamp("us", "UTC")
            )
        case _:
            return pa.array(values, pa.string())


def _json(columns: Columns) -> bytes:
    """JSON lines as REST gives them: booleans and numbers as such, null fields there."""
    plain = [[_json_value(kind_of(name), v) for v in values] for name, values in columns.items()]
    lines = (json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False) for row in zip(*plain, strict=True))
    return "".join(line + "\n" for line in lines).encode()


def _json_value(kind: Kind, value: str | None) -> Any:
    if value is None:
        return None
    if kind == "boolean":
        return value == "true"
    if kind in ("money", "percent", "integer", "coordinate"):
        return int(value) if value.lstrip("-").isdigit() else float(value)
    return value


def _csv(columns: Columns, style: Style) -> bytes:
    """CSV as Bulk API writes it: every value quoted, newlines inside quotes, null and empty alike an empty value."""
    sink = io.StringIO(newline="")
    writer = csv.writer(sink, quoting=csv.QUOTE_ALL, lineterminator=style.newline)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return (b"\xef\xbb\xbf" if style.mark else b"") + sink.getvalue().encode()


def execution_id(rng: Random) -> str:
    """The id of a flow's run."""
    return str(UUID(int=rng.getrandbits(128), version=4))


def landing_path(token: str, execution: str, part: int, style: Style) -> str:
    """`in/<env>-Salesforce-<token>/<execution>/<file>`; AppFlow's own files have no extension."""
    return f"in/{ENVIRONMENT}-Salesforce-{token}/{execution}/{execution}-{part:05d}{style.extension}"


def land(landing: Path, path: str, content: bytes) -> None:
    """Writes a file under the landing root."""
    target = landing / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
