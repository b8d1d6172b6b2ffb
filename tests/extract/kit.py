"""An org on a socket, an extract from it, and what has landed as plain values."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from forceglue.extract.extractor import extract
from forceglue.extract.report import ExtractReport
from forceglue.extract.request import ExtractRequest
from forceglue.landing.patch import patch_of
from forceglue.mapping.model import ObjectMapping, ProjectSettings
from forceglue.mapping.project import Project
from forceglue.salesforce.budget import Budget
from forceglue.salesforce.client import Salesforce
from forceglue.salesforce.retry import Pace
from forceglue.salesforce.settings import Connection

NOW = datetime(2026, 11, 15, 10, 30, tzinfo=UTC)
QUICK = Pace(tries=5, factor=0.001, jitter=0.0, most=0.01)
STAMPS = [{"name": name, "type": "datetime"} for name in ("CreatedDate", "LastModifiedDate", "SystemModstamp")]
ACCOUNT = {
    "name": "Account",
    "keyPrefix": "001",
    "fields": [
        {"name": "Id", "type": "id"},
        {"name": "IsDeleted", "type": "boolean"},
        {"name": "MasterRecordId", "type": "reference", "referenceTo": ["Account"]},
        {"name": "Name", "type": "string", "length": 255},
        {"name": "Industry", "type": "picklist", "picklistValues": ["Media", "Foods"]},
        {"name": "AnnualRevenue", "type": "currency", "precision": 18, "scale": 2},
        {"name": "NumberOfEmployees", "type": "int"},
        {"name": "Description", "type": "textarea", "length": 131072},
        {"name": "BillingAddress", "type": "address"},
        {"name": "BillingStreet", "type": "textarea", "compoundFieldName": "BillingAddress"},
        {"name": "Founded__c", "type": "date"},
        {"name": "Opens__c", "type": "time"},
        {"name": "Active__c", "type": "boolean"},
        {"name": "Logo__c", "type": "base64"},
        {"name": "Score__c", "type": "double", "precision": 18, "scale": 2, "calculated": True},
        *STAMPS,
    ],
}
CONTACT = {
    "name": "Contact",
    "fields": [
        {"name": "Id", "type": "id"},
        {"name": "IsDeleted", "type": "boolean"},
        {"name": "LastName", "type": "string", "length": 80},
        {"name": "AccountId", "type": "reference", "referenceTo": ["Account"]},
        *STAMPS,
    ],
}
TASK_STATUS = {
    "name": "TaskStatus",
    "fields": [
        {"name": "Id", "type": "id"},
        {"name": "MasterLabel", "type": "string", "length": 255},
        {"name": "SortOrder", "type": "int"},
        {"name": "IsClosed", "type": "boolean"},
        {"name": "Weight__c", "type": "double", "precision": 10, "scale": 3},
        *STAMPS,
    ],
}
LOG = {"name": "Log__c", "fields": [{"name": "Id", "type": "id"}, {"name": "Text__c", "type": "string", "length": 80}]}
HARD = [
    'says "go"', "two\nlines", "dos\r\nline", "cr\ronly", "nul\x00byte", "comma,semi;tab\tpipe|", "  blanks  ", "ünï 🎬",
    "x" * 100_000, '"', '""', "\n", "\r", "NULL", "null", "NaN", "=1+1", "01234", "#N/A", "\u2028", "a\\b", "true",
]  # fmt: skip


def project(*mappings: ObjectMapping, **settings: Any) -> Project:
    return Project(Path("mappings"), ProjectSettings(**settings), {m.mapping: m for m in mappings}, {})


def client(server: Any, *, share: float = 0.8, pace: Pace = QUICK) -> Salesforce:
    connection = Connection("client_credentials", server.token_url, client_id="app", client_secret="app-secret")
    return Salesforce(connection, budget=Budget(share), pace=pace)


def run(
    server: Any, landing: Path | str, *names: str, share: float = 0.8, pace: Pace = QUICK, **more: Any
) -> ExtractReport:
    more.setdefault("project", project())
    more.setdefault("page_rows", 50)
    with client(server, share=share, pace=pace) as org:
        return extract(ExtractRequest(landing=str(landing), names=names, **more), org)


def one(report: ExtractReport) -> Any:
    assert len(report.objects) == 1
    return report.objects[0]


def files(landing: Path, name: str = "Account") -> list[Path]:
    return sorted(landing.glob(f"in/org-Salesforce-{name}/*/*.parquet"))


def patches(landing: Path, kind: str, name: str = "Account") -> list[Path]:
    """The landed files that complete records."""
    return [file for file in files(landing, name) if _kind(file) == kind]


def rows_of(found: list[Path]) -> list[dict[str, Any]]:
    return [row for file in found for row in pq.read_table(file, partitioning=None).to_pylist()]


def landed(landing: Path, name: str = "Account") -> list[dict[str, Any]]:
    """Every record that has landed whole."""
    return rows_of([file for file in files(landing, name) if _kind(file) is None])


def _kind(file: Path) -> str | None:
    patch = patch_of(pq.read_metadata(file).metadata)
    return patch and patch.kind


def latest(landing: Path, name: str = "Account") -> dict[str, dict[str, Any]]:
    """The latest version of each record, as the runner would have it."""
    rows = sorted(landed(landing, name), key=lambda row: row.get("SystemModstamp") or NOW)
    return {row["Id"]: row for row in rows}


def as_landed(text: str | None, kind: str) -> Any:
    """A stored text of the org as the value that is to land: written apart from the code under test."""
    if text is None or text == "":
        return None
    if kind == "boolean":
        return text == "true"
    if kind in ("int", "long"):
        return int(Decimal(text))
    if kind in ("double", "currency", "percent"):
        return Decimal(text)
    if kind == "date":
        return date.fromisoformat(text)
    return datetime.fromisoformat(text) if kind == "datetime" else text


def expected(org: Any, describe: Mapping[str, Any], *, before: datetime | None = None) -> dict[str, dict[str, Any]]:
    """All records of an object of the org, deleted ones too, field by field."""
    said = org.object(describe["name"]).stored
    kinds = {f.name: f.type for f in said if f.type not in ("address", "location", "base64")}
    rows = (
        {name: as_landed(row.get(name), kind) for name, kind in kinds.items()}
        for row in org.rows(describe["name"], list(kinds))
    )
    return {row["Id"]: row for row in rows if before is None or row["SystemModstamp"] < before}


def accounts(
    count: int, *, start: int = 0, at: datetime = NOW - timedelta(days=1), **more: Any
) -> list[dict[str, Any]]:
    return [
        {
            "Name": f"Account {n}",
            "Industry": ("Media", "Foods", None)[n % 3],
            "AnnualRevenue": None if n % 7 == 0 else f"{n}.{n % 100:02d}",
            "NumberOfEmployees": n,
            "Description": HARD[n % len(HARD)],
            "BillingStreet": f"{n} High\nStreet",
            "Founded__c": "1999-12-31" if n % 2 else None,
            "Active__c": bool(n % 2),
            "Opens__c": "08:30:00.000Z",
            "Score__c": n / 3,
            "SystemModstamp": at + timedelta(milliseconds=n),
            **more,
        }
        for n in range(start, start + count)
    ]


def csv_rows(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode(), newline="")))


class Killed(BaseException):
    """The process is gone: nothing catches this."""


class Dying:
    """A storage whose process is killed at one of its steps, before or after that step has its effect."""

    def __init__(self, backend: Any, dies_at: int, *, after: bool, copies: bool) -> None:
        self._backend, self._left, self._after, self._copies = backend, dies_at, after, copies
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._backend, name)
        if name not in ("write_bytes", "delete", "move", "filled"):
            return real

        def step(*given: Any, **more: Any) -> Any:
            if self._last():
                if name == "move" and self._copies:
                    self._backend.write_bytes(given[1], self._backend.open_input(given[0]).read(), False)
                elif self._after and name != "filled":
                    real(*given, **more)
                raise Killed
            return real(*given, **more)

        return step

    def _last(self) -> bool:
        with self._lock:
            if self._left <= 0:
                raise Killed
            self._left -= 1
            return self._left == 0

    @property
    def lived(self) -> bool:
        return self._left > 0
