"""A project of a few lines, a landing area, and whole runs on it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from forceglue.run.report import MappingReport, RunReport
from forceglue.run.request import RunRequest
from forceglue.run.runner import run
from transform.kit import Row, write

PROJECT = """
version: 1
name: lab
objects: {key: Id, order_by: SystemModstamp, deleted: IsDeleted, naming: snake}
unmapped: load
"""


def stamp(n: int) -> str:
    """The n-th second of a day, as the REST API says it."""
    return f"2024-05-06T00:{n // 60:02d}:{n % 60:02d}.000+0000"


@dataclass
class Lab:
    """Everything below one folder."""

    home: Path
    loads: int = 0
    reports: list[RunReport] = field(default_factory=list)

    def project(self, text: str = PROJECT) -> None:
        write(self.home / "mappings/project.yaml", text)

    def mapping(self, text: str) -> None:
        text = textwrap.dedent(text).strip()
        name = text.split("mapping:", 1)[1].split()[0]
        write(self.home / f"mappings/{name}.yaml", f"version: 1\n{text}\n")

    def land(self, object_name: str, content: str | bytes | pa.Table | Sequence[Row], ending: str = "json") -> Path:
        """One load of one file, later than every load before it."""
        self.loads += 1
        path = self.home / f"L/in/dev-Salesforce-{object_name}/{self.loads:04d}/part-{self.loads:04d}.{ending}"
        return write(path, content)

    def run(self, *names: str, full_refresh: bool = False) -> RunReport:
        if not (self.home / "mappings/project.yaml").exists():
            self.project()
        roots = (str(self.home / name) for name in ("L", "W", "D"))
        report = run(RunRequest(self.home / "mappings", *roots, names=names, quick=True, full_refresh=full_refresh))
        self.reports.append(report)
        return report

    def one(self, name: str, *names: str, full_refresh: bool = False) -> MappingReport:
        """Runs and gives one mapping's report."""
        return next(m for m in self.run(*names, full_refresh=full_refresh).mappings if m.name == name)

    def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """What a table holds, sorted; read by delta-rs, not by Spark."""
        found = DeltaTable(str(self.home / "W" / table)).to_pyarrow_table().to_pylist()
        return sorted((tuple(row[c] for c in columns) for row in found), key=repr)

    def aside(self, mapping: str) -> list[dict[str, Any]]:
        """What the quarantine of a mapping holds."""
        path = self.home / "W/_quarantine" / mapping
        found = DeltaTable(str(path)).to_pyarrow_table().to_pylist() if path.exists() else []
        return sorted(found, key=lambda row: (row["filename"], row["_row"]))


def balanced(m: MappingReport) -> bool:
    """Every row that landed is told of once."""
    return m.landed == m.written + m.superseded + m.filtered + m.dropped + m.quarantined
