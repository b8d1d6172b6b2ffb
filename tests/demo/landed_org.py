"""A reader of landed files that shares no code with their writer."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow.parquet as pq

from forceglue.demo.truth import OrgTruth

if TYPE_CHECKING:
    from pathlib import Path

Row = dict[str, str | None]
Reader = Callable[[str], list[Row]]
StepReader = Callable[[OrgTruth, str], list[Row]]


class Landed(NamedTuple):
    """Both steps of the demo org in one folder."""

    folder: Path
    full: OrgTruth
    hour: OrgTruth


def _text(value: Any) -> str | None:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}+0000"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (Decimal, float, int, date)):
        return str(value)
    return value or None


def read_rows(path: Path) -> list[Row]:
    """Any good file as texts by lower-case field name; an empty text is null."""
    content = path.read_bytes()
    rows: Iterator[dict[str, Any]] | list[dict[str, Any]]
    if content.startswith(b"PAR1"):
        rows = pq.read_table(io.BytesIO(content)).to_pylist()
    elif path.suffix.startswith(".json"):
        rows = [json.loads(line) for line in content.decode().split("\n") if line]
    else:
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    return [{name.lower(): _text(value) for name, value in row.items()} for row in rows]


def id18(value: str) -> str:
    """The 18-character form, worked out another way than the writer's."""
    if len(value) != 15:
        return value
    bits = [int("".join("1" if c.isupper() else "0" for c in reversed(value[at : at + 5])), 2) for at in (0, 5, 10)]
    return value + "".join(chr(65 + n) if n < 26 else str(n - 26) for n in bits)


def moment(value: str | None) -> datetime | None:
    """SystemModstamp in either text form; None for what is no point in time."""
    try:
        return datetime.fromisoformat(value or "")
    except ValueError:
        return None


def latest(rows: list[Row]) -> dict[str, Row]:
    """The latest version by key, of the rows that have a key and a time."""
    found: dict[str, Row] = {}
    for row in rows:
        key, at = row["id"], moment(row["systemmodstamp"])
        if key and at:
            held = moment(found[id18(key)]["systemmodstamp"]) if id18(key) in found else None
            if held is None or at > held:
                found[id18(key)] = row
    return found


def deleted(row: Row) -> bool:
    """True in either form of a boolean."""
    return row.get("isdeleted") in ("true", "1")
