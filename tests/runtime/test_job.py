from __future__ import annotations

import importlib.util
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from forceglue.errors import LandingError
from forceglue.run.maintain import Care, Maintained
from forceglue.run.report import MappingReport, RunReport
from forceglue.runtime import glue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forceglue.run.request import RunRequest


class Stage:
    """The script with everything around it replaced, and what was asked of that."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *reports: MappingReport) -> None:
        self.said: list[str] = []
        self.request: RunRequest | None = None
        self.registered: dict[str, str] = {}
        spec = importlib.util.spec_from_file_location("job", Path(__file__).parents[2] / "glue" / "job.py")
        assert spec is not None
        assert spec.loader is not None
        self.script: Any = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.script)
        self.reports = reports
        monkeypatch.setattr(self.script, "start", lambda **_: "session")
        monkeypatch.setattr(self.script, "run", self.run)
        monkeypatch.setattr(glue, "job", self.job)
        monkeypatch.setattr(glue, "locations", lambda root, names: {name: f"{root}/{name}" for name in names})
        monkeypatch.setattr(glue, "register", lambda _spark, _database, tables: self.registered.update(tables))

    def run(self, request: RunRequest) -> RunReport:
        self.request = request
        now = datetime.now(UTC)
        if request.progress is not None:
            request.progress("ingest", "started", {"run_id": "r1"})
            for report in self.reports:
                request.progress(report.name, report.status, {"report": report})
        good = all(report.status == "written" for report in self.reports)
        return RunReport("r1", "succeeded" if good else "failed", now, now, self.reports)

    @contextmanager
    def job(self, _spark: object, _told: object) -> Iterator[None]:
        self.said.append("init")
        yield
        self.said.append("commit")


def arguments(folder: Path, *more: str) -> list[str]:
    roots = [
        part for name in ("LANDING", "WAREHOUSE", "DELIVERY", "MAPPINGS") for part in (f"--{name}", str(folder / name))
    ]
    return ["job.py", "--JOB_NAME", "main", *roots, *more]


def test_arguments_become_the_request_and_tables_are_registered(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stage = Stage(monkeypatch, MappingReport("account", "object", "written"))
    stage.script.main(arguments(tmp_path, "--ENV", "dev", "--PARAMS", "a=1", "--NAMES", "account", "--DATABASE", "sf"))
    assert stage.request is not None
    assert stage.request.mappings == tmp_path / "MAPPINGS"
    assert (stage.request.env, stage.request.params, stage.request.names) == ("dev", {"a": "1"}, ("account",))
    assert not stage.request.full_refresh
    assert not stage.request.quick
    assert stage.registered == {"account": f"{tmp_path / 'WAREHOUSE'}/account"}
    assert stage.said == ["init", "commit"]


def test_a_failed_mapping_registers_the_others_and_fails_the_job(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stage = Stage(
        monkeypatch,
        MappingReport("account", "object", "written"),
        MappingReport("order", "object", "failed", error="e"),
    )
    with pytest.raises(glue.JobFailed, match="order failed: e"):
        stage.script.main(arguments(tmp_path, "--DATABASE", "sf"))
    assert set(stage.registered) == {"account"}
    assert stage.said == ["init"]


def test_without_a_database_nothing_is_registered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stage = Stage(monkeypatch, MappingReport("account", "object", "written"))
    stage.script.main(arguments(tmp_path))
    assert stage.registered == {}


class Told:
    """The bus, and what it was told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, stage: Stage) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.given_up, self.where = 0, ("", "")
        monkeypatch.setattr(stage.script, "Bus", self.made)

    @contextmanager
    def made(self, name: str, source: str) -> Iterator[Told]:
        self.where = (name, source)
        yield self

    def tell(self, kind: str, detail: dict[str, Any]) -> None:
        self.events.append((kind, dict(detail)))


def test_a_bus_is_told_how_the_run_goes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stage = Stage(
        monkeypatch,
        MappingReport("account", "object", "written"),
        MappingReport("order", "object", "failed", error="e"),
    )
    told = Told(monkeypatch, stage)
    given = ("--EVENT_BUS", "dev-sf-to-dw", "--CORRELATION_ID", "7f3a", "--JOB_RUN_ID", "jr_1")
    with pytest.raises(glue.JobFailed):
        stage.script.main(arguments(tmp_path, *given))
    assert [kind for kind, _ in told.events] == ["run-started", *["mapping-finished"] * 2, "run-finished"]
    same = {"job": "main", "job_run_id": "jr_1", "correlation_id": "7f3a", "run_id": "r1"}
    assert all(detail.items() >= same.items() for _, detail in told.events)
    assert told.where == ("dev-sf-to-dw", "forceglue.job")
    assert stage.request is not None and stage.request.correlation_id == "7f3a"


def test_a_run_that_raises_is_told_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stage = Stage(monkeypatch)
    told = Told(monkeypatch, stage)

    def run(_: RunRequest) -> RunReport:
        raise LandingError("no such bucket")

    monkeypatch.setattr(stage.script, "run", run)
    with pytest.raises(LandingError):
        stage.script.main(arguments(tmp_path, "--EVENT_BUS", "b", "--EVENT_SOURCE", "mine"))
    assert [(kind, detail["error"]) for kind, detail in told.events] == [("run-finished", "no such bucket")]
    assert told.where == ("b", "mine")


def cared(monkeypatch: pytest.MonkeyPatch, stage: Stage, *tables: Care) -> list[RunRequest]:
    asked: list[RunRequest] = []

    def maintain(request: RunRequest, *, dry: bool) -> Maintained:
        assert not dry
        asked.append(request)
        return Maintained(dry, tables)

    monkeypatch.setattr(stage.script, "maintain", maintain)
    return asked


def test_maintain_loads_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stage = Stage(monkeypatch)
    asked = cared(monkeypatch, stage, Care("account", "table"))
    stage.script.main(arguments(tmp_path, "--MAINTAIN", "true", "--DATABASE", "sf", "--NAMES", "account"))
    assert [request.names for request in asked] == [("account",)]
    assert (stage.request, stage.registered, stage.said) == (None, {}, ["init", "commit"])


def test_a_table_that_could_not_be_looked_after_fails_the_job(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stage = Stage(monkeypatch)
    cared(monkeypatch, stage, Care("account", "table"), Care("order", "table", error="e"))
    with pytest.raises(glue.JobFailed, match="order: e"):
        stage.script.main(arguments(tmp_path, "--MAINTAIN", "true"))
    assert stage.said == ["init"]
