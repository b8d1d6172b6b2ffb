from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from forceglue.errors import UsageError
from forceglue.run.report import MappingReport, Paths, RunReport
from forceglue.runtime import glue

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

BARE = [
    "job.py", "--JOB_NAME", "main", "--LANDING", "s3://l", "--WAREHOUSE", "s3://w", "--DELIVERY", "s3://d",
    "--MAPPINGS", "s3://m/mappings",
]  # fmt: skip


def test_required_arguments_are_enough() -> None:
    told = glue.arguments(BARE)
    assert (told.job_name, told.landing, told.warehouse, told.delivery) == ("main", "s3://l", "s3://w", "s3://d")
    assert (told.names, told.env, told.params, told.full_refresh, told.database) == ((), None, {}, False, None)


def test_optional_arguments_have_types() -> None:
    told = glue.arguments(
        [*BARE, "--ENV", "prod", "--PARAMS", "a=1, b = x=y", "--NAMES", "account, order,", "--FULL_REFRESH=True",
         "--DATABASE", "sf", "--enable-metrics", "true"]
    )  # fmt: skip
    assert told.env == "prod"
    assert told.params == {"a": "1", "b": "x=y"}
    assert told.names == ("account", "order")
    assert told.full_refresh is True
    assert told.database == "sf"


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--PARAMS", "a"], "'a' is not `name=value`"),
        (["--FULL_REFRESH", "maybe"], "Write `true` or `false`"),
    ],
)
def test_what_cannot_be_read_is_named(more: list[str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        glue.arguments([*BARE, *more])


def test_a_missing_argument_is_named_with_all_that_are_allowed() -> None:
    with pytest.raises(UsageError, match=r"MAPPINGS.*--WAREHOUSE.*--DATABASE"):
        glue.arguments(BARE[:-2])


class FakeJob:
    """What Glue's Job is asked to do."""

    def __init__(self, session: object) -> None:
        CALLS.append(("made", session))

    def init(self, name: str, args: dict[str, str]) -> None:
        CALLS.append(("init", name))

    def commit(self) -> None:
        CALLS.append(("commit", None))


CALLS: list[tuple[str, object]] = []


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, object]]:
    """Glue's Job replaced, as its Java side exists in Glue only."""
    fake = ModuleType("awsglue.job")
    fake.Job = FakeJob  # type: ignore[attr-defined] # a module made for the test
    monkeypatch.setitem(sys.modules, "awsglue.job", fake)
    CALLS.clear()
    return CALLS


def test_the_job_is_committed_once_at_the_end(calls: list[tuple[str, object]]) -> None:
    with glue.job("session", glue.JobArguments("main", "l", "w", "d", "m")):  # type: ignore[arg-type] # a stand-in
        calls.append(("work", None))
    assert calls == [("made", "session"), ("init", "main"), ("work", None), ("commit", None)]


def test_a_job_that_failed_is_not_committed(calls: list[tuple[str, object]]) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        glue.job("session", glue.JobArguments("main", "l", "w", "d", "m")),  # type: ignore[arg-type] # a stand-in
    ):
        raise ZeroDivisionError
    assert ("commit", None) not in calls


def test_tables_are_registered_where_they_are_and_only_once(spark: SparkSession, tmp_path: Path) -> None:
    warehouse = tmp_path / "ware house's"
    for name in ("order", "account"):
        spark.range(3).write.format("delta").save(str(warehouse / name))
    (warehouse / "not_delta").mkdir()
    found = glue.locations(str(warehouse), ["order", "account", "not_delta", "never_written"])
    assert set(found) == {"order", "account"}
    spark.sql("CREATE DATABASE IF NOT EXISTS sf_db")
    try:
        for _ in range(2):
            assert glue.register(spark, "sf_db", found) == ("order", "account")
        assert spark.table("sf_db.`order`").count() == 3
    finally:
        spark.sql("DROP DATABASE sf_db CASCADE")


def test_dropping_the_catalog_leaves_the_rows(spark: SparkSession, tmp_path: Path) -> None:
    spark.range(2).write.format("delta").save(str(tmp_path / "t"))
    spark.sql("CREATE DATABASE IF NOT EXISTS sf_other")
    glue.register(spark, "sf_other", glue.locations(str(tmp_path), ["t"]))
    spark.sql("DROP DATABASE sf_other CASCADE")
    assert spark.read.format("delta").load(str(tmp_path / "t")).count() == 2


def test_local_mappings_are_used_where_they_are(tmp_path: Path) -> None:
    assert glue.local_mappings(str(tmp_path), tmp_path / "copy") == tmp_path


def test_mappings_are_copied_with_their_folders(tmp_path: Path) -> None:
    from forceglue.landing.store import Store

    (tmp_path / "m" / "objects").mkdir(parents=True)
    (tmp_path / "m" / "project.yaml").write_text("version: 1")
    (tmp_path / "m" / "objects" / "account.yaml").write_text("object: Account")
    (tmp_path / "copy").mkdir()
    assert glue._copy(Store(str(tmp_path / "m")), tmp_path / "copy") == 2
    assert (tmp_path / "copy" / "objects" / "account.yaml").read_text() == "object: Account"


def report(*mappings: MappingReport) -> RunReport:
    now = datetime.now(UTC)
    failed = any(mapping.status != "written" for mapping in mappings)
    return RunReport(
        "r1", "failed" if failed else "succeeded", now, now, mappings, paths=Paths(report="s3://w/r1.json")
    )


def test_a_failed_mapping_fails_the_job_and_says_which() -> None:
    good = MappingReport("account", "object", "written")
    bad = MappingReport("order", "object", "failed", error="no space")
    with pytest.raises(glue.JobFailed, match=r"order failed: no space.*s3://w/r1\.json") as told:
        glue.raise_if_failed(report(good, bad))
    assert "account" not in str(told.value)


def test_a_run_that_succeeded_is_let_through() -> None:
    glue.raise_if_failed(report(MappingReport("account", "object", "written")))
