"""A small org in a folder: mappings, a landing, runs as a user starts them, and looks at what became of it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from click.testing import CliRunner

from forceglue.cli.main import main
from forceglue.landing.store import Store
from forceglue.mapping.load import load_project
from forceglue.run.quarantined import AsideRow, rows
from forceglue.run.report import MappingReport, RunReport
from forceglue.run.request import RunRequest
from forceglue.run.runner import run

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TRACE = ("filename", "function_name", "function_version", "aws_request_id", "appflow_id", "processed_ts", "run_id")
ROOTS = ("landing", "warehouse", "delivery")


class Killed(BaseException):
    """Nothing may catch it: the process is gone."""


@dataclass
class Told:
    """What a command said: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


@dataclass
class Org:
    """Every path is below `root`."""

    root: Path
    spark: SparkSession

    def __post_init__(self) -> None:
        for name in ("mappings", "landing", "delivery"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        self.project()

    def project(self, text: str = "") -> None:
        (self.root / "mappings" / "project.yaml").write_text(f"version: 1\nname: small\n{dedent(text)}")

    def say(self, name: str, text: str) -> None:
        """The mapping file `name` from now on."""
        (self.root / "mappings" / f"{name}.yaml").write_text(dedent(text))

    def land(
        self,
        execution: str,
        content: str | bytes | pa.Table | Sequence[Mapping[str, Any]],
        *,
        token: str = "Account",  # the folder's token
        file: str = "part.csv",
    ) -> Path:
        """A file as AppFlow lands it; rows become CSV (or text Parquet, by the file's name)."""
        path = self.root / "landing" / "in" / f"dev-Salesforce-{token}" / execution / file
        path.parent.mkdir(parents=True, exist_ok=True)
        return written(path, content)

    @property
    def roots(self) -> dict[str, str]:
        return {name: str(self.root / name) for name in ROOTS}

    def request(self, *names: str, **more: Any) -> RunRequest:
        return RunRequest(mappings=self.root / "mappings", **self.roots, names=names, quick=True, **more)

    def run(self, *names: str, **more: Any) -> RunReport:
        """A run; whatever became of it, every landed row is accounted for."""
        report = run(self.request(*names, **more))
        assert [m.name for m in report.mappings if not m.balance] == []
        assert report.status == (
            "failed" if {m.status for m in report.mappings} - {"written", "unchanged"} else "succeeded"
        )
        return report

    def command(self, word: str, *more: str) -> Told:
        """A command of the command line, in this process so that it shares the session."""
        given = [part for name in ROOTS for part in (f"--{name}", self.roots[name])] if word != "check" else []
        done = CliRunner().invoke(main, [word, *given, "--mappings", str(self.root / "mappings"), *more])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Told(done.exit_code, done.stdout, done.stderr)

    @property
    def warehouse(self) -> Store:
        return Store(self.roots["warehouse"])

    def report(self, run: RunReport) -> dict[str, Any]:
        """The report as it lies in the warehouse."""
        found: dict[str, Any] = json.loads((self.root / "warehouse" / "_runs" / run.run_id / "report.json").read_text())
        return found

    def there(self, name: str) -> bool:
        return (self.root / "warehouse" / name / "_delta_log").is_dir()

    def table(self, name: str = "account", *columns: str, where: str = "true") -> list[tuple[Any, ...]]:
        """Rows of a table as Spark reads it, sorted; all columns but those of traceability, or those named."""
        frame = self.spark.read.format("delta").load(str(self.root / "warehouse" / name)).where(where)
        wanted = columns or tuple(c for c in frame.columns if c not in TRACE)
        return sorted((tuple(row) for row in frame.select(*(f"`{c}`" for c in wanted)).collect()), key=repr)

    def columns(self, name: str = "account") -> list[str]:
        frame = self.spark.read.format("delta").load(str(self.root / "warehouse" / name))
        return [c for c in frame.columns if c not in TRACE]

    def version(self, name: str = "account") -> int:
        logs = (self.root / "warehouse" / name / "_delta_log").glob("*.json")
        return max(int(log.stem) for log in logs)

    def aside(self, name: str = "account") -> list[AsideRow]:
        """What counts in the quarantine."""
        if not (self.root / "warehouse" / "_quarantine" / name).is_dir():
            return []
        found = rows(self.warehouse, load_project(self.root / "mappings"), name, limit=1000, raw=True)
        return sorted(found, key=lambda row: (row.record or "", row.file or "", row.row or 0))

    def why(self, name: str = "account") -> list[tuple[str | None, tuple[str, ...]]]:
        """`(key, broken rules)` of each row in quarantine."""
        return [(row.record, tuple(reason.rule for reason in row.reasons)) for row in self.aside(name)]

    def plain_aside(self, name: str = "account") -> list[Any]:
        """Keys in the quarantine as any reader of Delta sees it."""
        return (
            []
            if not self.there(f"_quarantine/{name}")
            else [row[0] for row in self.table(f"_quarantine/{name}", "_record_key")]
        )

    def landed(self, folder: str) -> list[str]:
        """Data files below a folder of the landing, without their sidecars."""
        found = (p for p in (self.root / "landing" / folder).rglob("*") if p.is_file())
        return sorted(p.name for p in found if not p.name.startswith("_") and not p.name.endswith(".reason.json"))

    def leftovers(self) -> list[str]:
        """Files in the warehouse and the delivery root that a finished run has no use for."""
        found = []
        for name in ("warehouse", "delivery"):
            for path in sorted((self.root / name).rglob("*")):
                relative = path.relative_to(self.root / name).as_posix()
                hidden = path.name.startswith(".forceglue-") or relative.startswith("_staging/")
                if path.is_file() and (hidden or "forceglue_verdict=quarantine" in relative or ".tmp" in path.name):
                    found.append(relative)
        return found


def only(report: RunReport, name: str | None = None) -> MappingReport:
    """The report of the one mapping, or of the one named."""
    (found,) = [m for m in report.mappings if name in (None, m.name)]
    return found


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    out = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(out, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: "" if v is None else v for k, v in row.items()} for row in rows)
    return out.getvalue()


def written(path: Path, content: str | bytes | pa.Table | Sequence[Mapping[str, Any]]) -> Path:
    """Writes text, bytes, a table, or rows in the form that the name says (Parquet: all as text)."""
    if isinstance(content, pa.Table):
        pq.write_table(content, path)
    elif isinstance(content, (str, bytes)):
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    elif path.suffix == ".parquet":
        names = list(dict.fromkeys(name for row in content for name in row))
        pq.write_table(pa.table({n: pa.array([row.get(n) for row in content], pa.string()) for n in names}), path)
    elif path.suffix in (".json", ".jsonl"):
        path.write_text("".join(json.dumps(row) + "\n" for row in content))
    else:
        path.write_text(csv_text(content))
    return path


def at(hour: int) -> str:
    """An hour of one day as Salesforce writes it."""
    return f"2024-05-06T{hour:02d}:00:00.000Z"


def record(key: str, hour: int = 1, **fields: Any) -> dict[str, Any]:
    """A record with its order and the deleted flag."""
    return {"Id": key, **fields, "SystemModstamp": at(hour), "IsDeleted": fields.pop("IsDeleted", "false")}


ACCOUNT = """\
mapping: account
source: Account
columns:
  id: Id
  name: Name
  system_modstamp: {from: SystemModstamp, type: timestamp}
  is_deleted: {from: IsDeleted, type: boolean}
"""
"""Id, name, and what versions and deletes need; lines are added to it."""
