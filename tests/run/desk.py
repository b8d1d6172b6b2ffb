"""A small org on a desk: landing, warehouse and delivery in a folder, one object, one dataset, mappings that change."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import deltalake
import pyarrow as pa

from forceglue.landing.store import Store
from forceglue.mapping.load import load_project
from forceglue.mapping.project import Project
from forceglue.run.quarantined import AsideRow, rows
from forceglue.run.replay import replay
from forceglue.run.report import MappingReport, RunReport
from forceglue.run.request import RunRequest
from forceglue.run.runner import run

HEAD = "Id,Name,Amount,SystemModstamp,IsDeleted"
NAMED = "quality: {quarantine: {name_is_set: name is not null}}"
NO_RULES = "quality: {}"
ACCOUNT = """\
mapping: account
source: Account
columns:
  id: Id
  name: Name
  amount: {from: Amount, type: "decimal(10,2)"}
  system_modstamp: {from: SystemModstamp, type: timestamp}
"""
DATASET = """\
mapping: Named
from: account
columns: {Id: id, Name: name}
key: Id
quality: {quarantine: {short: length(Name) < 5}}
deliver: [csv: {file: named.csv}]
"""


class Killed(BaseException):
    """Nothing may catch it: the process is gone."""


@dataclass
class Desk:
    """Runs, replays and looks; every path is below `root`."""

    root: Path

    def __post_init__(self) -> None:
        for name in ("mappings", "landing", "delivery"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        (self.root / "mappings" / "project.yaml").write_text("version: 1\nname: desk\n")
        self.say(NAMED)

    def say(self, *lines: str) -> None:
        """The account's mapping from now on."""
        (self.root / "mappings" / "account.yaml").write_text(ACCOUNT + "\n".join(lines) + "\n")

    def say_dataset(self, text: str = DATASET) -> None:
        (self.root / "mappings" / "named.yaml").write_text(text)

    def land(self, execution: str, *lines: str, head: str = HEAD, token: str = "Account") -> str:
        """A file of AppFlow's under `in/`; a line is `Id,Name,Amount,hour`, the hour being the order."""
        folder = self.root / "landing" / "in" / f"dev-Salesforce-{token}" / execution
        folder.mkdir(parents=True)
        body = [line if head != HEAD else _full(line) for line in lines]
        (folder / "part.csv").write_text("\n".join([head, *body]) + "\n")
        return execution

    @property
    def roots(self) -> dict[str, str]:
        return {name: str(self.root / name) for name in ("landing", "warehouse", "delivery")}

    def request(self, *names: str, **more: Any) -> RunRequest:
        roots = self.roots
        return RunRequest(
            self.root / "mappings", roots["landing"], roots["warehouse"], roots["delivery"], names, quick=True, **more
        )

    def run(self, *names: str, **more: Any) -> RunReport:
        return run(self.request(*names, **more))

    def replay(self, *names: str) -> RunReport:
        return replay(self.request(*names))

    def words(self, *only: str) -> list[str]:
        """The options of the command line."""
        given = [word for name in only for word in (f"--{name}", self.roots[name])]
        return [*given, "--mappings", str(self.root / "mappings")]

    @property
    def warehouse(self) -> Store:
        return Store(self.roots["warehouse"])

    @property
    def project(self) -> Project:
        return load_project(self.root / "mappings")

    def table(self, name: str = "account") -> list[dict[str, Any]]:
        found = pa.table(deltalake.DeltaTable(str(self.root / "warehouse" / name)).to_pyarrow_table())
        return sorted(found.to_pylist(), key=lambda row: (row["id"], str(row["system_modstamp"])))

    def names(self) -> dict[str, str | None]:
        """`{id: name}` of the account table; fails where an id is there twice."""
        found = self.table()
        assert len({row["id"] for row in found}) == len(found)
        return {row["id"]: row["name"] for row in found}

    def aside(self, name: str = "account") -> list[AsideRow]:
        """What counts in the quarantine; what plain readers of the Delta table see is the same once all is settled."""
        found = rows(self.warehouse, self.project, name, limit=1000, raw=True)
        return sorted(found, key=lambda row: (row.record or "", row.run_id or ""))

    def plain_aside(self, name: str = "account") -> list[str]:
        """Keys of the quarantine as any reader of Delta sees it."""
        table = deltalake.DeltaTable(str(self.root / "warehouse" / "_quarantine" / name))
        return sorted(pa.table(table.to_pyarrow_table(columns=["_record_key"]))["_record_key"].to_pylist())

    def keys(self, name: str = "account") -> list[str | None]:
        return [row.record for row in self.aside(name)]


def only(report: RunReport) -> MappingReport:
    (found,) = report.mappings
    return found


def reasons(row: AsideRow) -> list[str]:
    return [reason.rule for reason in row.reasons]


def as_json(text: str) -> Any:
    return json.loads(text)


def _full(line: str) -> str:
    key, name, amount, hour = line.split(",")
    return f"{key},{name},{amount},2024-05-06T{int(hour):02d}:00:00.000Z,false"
