"""The session that a mapping gets, by the number of rows that it works on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forceglue.errors import SetupError
from forceglue.landing.store import Store
from forceglue.mapping.load import load_project
from forceglue.run.context import FEW_ROWS, RunContext
from forceglue.run.request import RunRequest
from forceglue.runtime.session import ANSI, COMPILED, INTERPRETED, MEANING, TOLERANT
from run.small_project import write_project

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.usefixtures("spark")


@pytest.fixture
def ctx(tmp_path: Path) -> RunContext:
    project = load_project(write_project(tmp_path / "mappings"))
    here = Store(str(tmp_path))
    request = RunRequest(tmp_path / "mappings", here.root, here.root, here.root, quick=True)
    return RunContext(request, project, here, here, here, run_id="r")


def settings(ctx: RunContext) -> dict[str, str | None]:
    return {key: ctx.spark().conf.get(key) for key in (INTERPRETED if ctx.few else COMPILED)}


def test_few_rows_are_interpreted_and_many_compiled(ctx: RunContext) -> None:
    with ctx.sized(FEW_ROWS):
        assert ctx.few
        assert settings(ctx) == INTERPRETED
        few = ctx.spark()
    for rows in (FEW_ROWS + 1, None):
        with ctx.sized(rows):
            assert not ctx.few
            assert settings(ctx) == COMPILED
            assert {key: ctx.spark().conf.get(key) for key in MEANING} == MEANING
    with ctx.sized(1):
        assert ctx.spark() is few


@pytest.fixture
def ansi(spark: SparkSession, request: pytest.FixtureRequest) -> Iterator[str]:
    before = spark.conf.get(ANSI)
    spark.conf.set(ANSI, request.param)
    yield request.param
    spark.conf.set(ANSI, str(before))


@pytest.mark.parametrize("ansi", ["false"], indirect=True)
@pytest.mark.usefixtures("ansi")
def test_what_is_set_first_is_the_session_itself_and_only_the_other_kind_a_twin(ctx: RunContext) -> None:
    with ctx.sized(None):
        first = ctx.spark()
        assert first is ctx.session
    with ctx.sized(1):
        assert ctx.spark() is not first
    with ctx.sized(None):
        assert ctx.spark() is first
        assert settings(ctx) == COMPILED


@pytest.mark.parametrize("ansi", ["false", "true"], indirect=True)
def test_mappings_are_tolerant_and_the_session_stays_as_its_owner_has_it(ctx: RunContext, ansi: str) -> None:
    for rows in (1, None):
        with ctx.sized(rows):
            assert ctx.spark().conf.get(ANSI) == TOLERANT[ANSI] == "false"
            assert ctx.spark().sql("SELECT cast('1,5' AS int) AS n, '1.50' * 2 AS twice").first() == (None, 3.0)
    assert ctx.session is not None
    assert ctx.session.conf.get(ANSI) == ansi


def test_the_size_is_that_of_the_mapping_of_this_thread(ctx: RunContext) -> None:
    told: list[bool] = []
    with ctx.sized(1):
        other = threading.Thread(target=lambda: told.append(ctx.few))
        other.start()
        other.join()
        assert ctx.few
    assert told == [False]
    assert not ctx.few


def test_a_java_that_does_not_start_is_tried_once(ctx: RunContext, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[object] = []

    def start(**told: object) -> None:
        tried.append(told)
        raise SetupError("no Java")

    monkeypatch.setattr("forceglue.runtime.session.start", start)
    for _ in range(3):
        with pytest.raises(SetupError, match="no Java"):
            ctx.spark()
    assert len(tried) == 1


def test_a_session_that_was_given_is_used_whatever_the_size(ctx: RunContext) -> None:
    own = ctx.spark().newSession()
    ctx.use(own)
    for rows in (1, None):
        with ctx.sized(rows):
            assert ctx.spark() is own
