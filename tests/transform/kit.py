"""Files on a disk as the inventory shows them, and how to write them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from forceglue.landing.checks import check
from forceglue.landing.inventory import LandedFile
from forceglue.landing.store import Store
from forceglue.mapping.model import FileChecks

Row = Mapping[str, Any]
FIRST = datetime(2024, 5, 6, 12, 0, tzinfo=UTC)


def csv_text(rows: Sequence[Row]) -> str:
    """RFC 4180, every cell quoted."""
    out = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(out, names, quoting=csv.QUOTE_ALL, lineterminator="\r\n", restval="")
    writer.writeheader()
    writer.writerows({k: "" if v is None else v for k, v in row.items()} for row in rows)
    return out.getvalue()


def json_text(rows: Sequence[Row]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def write(path: Path, content: str | bytes | pa.Table | Sequence[Row]) -> Path:
    """Writes text, bytes, a table, or rows in the form that the name says (Parquet: all as text)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, pa.Table):
        pq.write_table(content, path)
    elif isinstance(content, (str, bytes)):
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    elif path.suffix == ".parquet":
        names = list(dict.fromkeys(name for row in content for name in row))
        pq.write_table(pa.table({n: pa.array([row.get(n) for row in content], pa.string()) for n in names}), path)
    else:
        write(path, json_text(content) if path.suffix == ".json" else csv_text(content))
    return path


def landed(path: Path, number: int = 0) -> LandedFile:
    """The file with the facts that the ingest checks find; `number` is its place in the order of landing."""
    store = Store(str(path.parent))
    entry = next(e for e in store.list() if e.path == path.name)
    facts = check(store, entry, key=(), files=FileChecks())
    at = FIRST + timedelta(minutes=number)
    return LandedFile(
        path=path.name,
        identity=path.name,
        uri=str(path),
        source_uri=f"in/{path.name}",
        object="Account",
        format=facts.format,
        size=facts.size,
        mtime=at,
        rows=facts.rows,
        fields=facts.fields,
        flow_execution=f"flow-{number}",
        ingested_at=at,
        request_id=f"request-{number}",
        function_name="lander",
        function_version="7",
        patch=facts.patch,
    )


def landed_all(paths: Sequence[Path]) -> list[LandedFile]:
    return [landed(path, number) for number, path in enumerate(paths)]
