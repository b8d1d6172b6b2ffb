"""An org on a socket, tables as plain Delta, and a comparison of both."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, Transaction, write_deltalake

from extract.kit import NOW, accounts, client, project
from forceglue.extract.bookmark import Bookmark, write_bookmark
from forceglue.landing.store import Store
from forceglue.mapping.model import ObjectMapping
from forceglue.reconcile.reconciler import reconcile
from forceglue.reconcile.report import Compared, ReconcileReport
from forceglue.reconcile.request import ReconcileRequest
from forceglue.transform.ids import long_id
from forceglue.write.delta_table import app_id

STAMP = pa.timestamp("us", tz="UTC")
COLUMNS = {
    "id": ("Id", pa.string()),
    "name": ("Name", pa.string()),
    "annual_revenue": ("AnnualRevenue", pa.decimal128(22, 2)),
    "number_of_employees": ("NumberOfEmployees", pa.int64()),
    "created_date": ("CreatedDate", STAMP),
    "system_modstamp": ("SystemModstamp", STAMP),
    "is_deleted": ("IsDeleted", pa.bool_()),
}
"""Column of the table: field and type."""


def days(count: int) -> list[dict[str, Any]]:
    """Accounts, three a day."""
    made = accounts(count)
    for n, row in enumerate(made):
        row["CreatedDate"] = NOW - timedelta(days=30 - n // 3, hours=n % 3)
    return made


@dataclass
class Bench:
    """An org and the roots of a project below `root`."""

    root: Path
    org: Any
    server: Any

    @property
    def landing(self) -> Store:
        return Store.made(self.root / "landing")

    def rows(self, *without: str) -> list[dict[str, Any]]:
        """The org's records as a table has them."""
        stored = self.org.rows("Account", [field for field, _ in COLUMNS.values()])
        return [_typed(row) for row in stored if row["Id"] not in without]

    def write(
        self, rows: Iterable[dict[str, Any]], name: str = "account", position: int | None = None, **types: pa.DataType
    ) -> None:
        """The table, anew; a type given here is another one than usual; `position` is what it has loaded."""
        kinds = {column: types.get(column, kind) for column, (_, kind) in COLUMNS.items()}
        columns = {c: [_as(row[c], kind) for row in rows] for c, kind in kinds.items()} if (rows := list(rows)) else {}
        table = pa.table(columns or {c: [] for c in kinds}, schema=pa.schema(list(kinds.items())))
        told = [] if position is None else [Transaction(app_id(name), position)]
        write_deltalake(
            str(self.root / "warehouse" / name), table, mode="overwrite", schema_mode="overwrite",
            commit_properties=CommitProperties(app_transactions=told),
        )  # fmt: skip

    def mark(self, until: datetime, name: str = "Account") -> None:
        """An extract has landed everything up to then."""
        write_bookmark(
            self.landing, Bookmark(name, until, "SystemModstamp", until, "e1", 0, 0, {}, self.server.url)
        )  # fmt: skip

    def land(
        self, rows: list[dict[str, Any]], execution: str = "e2", metadata: dict[bytes, bytes] | None = None
    ) -> None:
        """A file under `in/`, with types."""
        schema = pa.Table.from_pylist(rows).schema.with_metadata(metadata)
        path = self.root / "landing" / "in" / "org-Salesforce-Account" / execution / "part.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)

    def told_by_a_run(self, **counts: int) -> None:
        path = self.root / "warehouse" / "_runs" / "r1" / "report.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"mappings": [{"name": "account", **counts}]}))

    def report(self, *mappings: ObjectMapping, names: tuple[str, ...] = ("Account",), **more: Any) -> ReconcileReport:
        (self.root / "landing").mkdir(exist_ok=True)
        roots = {name: str(self.root / name) for name in ("landing", "warehouse")}
        with client(self.server) as org:
            return reconcile(ReconcileRequest(**roots, project=project(*mappings), names=names, **more), org)

    def compare(self, *mappings: ObjectMapping, **more: Any) -> Compared:
        (found,) = self.report(*mappings, **more).objects
        return found


def mapping(name: str = "account", source: str = "Account", **more: Any) -> ObjectMapping:
    return ObjectMapping.model_validate({"mapping": name, "source": source, **more})


def _typed(row: dict[str, str | None]) -> dict[str, Any]:
    return {column: _value(row[field], kind) for column, (field, kind) in COLUMNS.items()}


def _value(text: str | None, kind: pa.DataType) -> Any:
    if text is None or kind == pa.string():
        return text
    if kind == STAMP:
        return datetime.fromisoformat(text)
    return text == "true" if kind == pa.bool_() else int(Decimal(text)) if kind == pa.int64() else Decimal(text)


def _as(value: Any, kind: pa.DataType) -> Any:
    """A value in a column of another type, as the runner would have it there."""
    if value is None or kind != pa.string() or isinstance(value, str):
        return float(value) if pa.types.is_floating(kind) and value is not None else value
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return str(value).lower()


def total(one: Compared, measure: str = "records") -> Any:
    return next(t for t in one.totals if t.measure == measure)


def short(key: str) -> str:
    assert long_id(key[:15]) == key
    return key[:15]
