from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from forceglue.cli.main import main
from run.desk import NAMED, Desk, as_json

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture(scope="module")
def desk(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    del spark
    made = Desk(tmp_path_factory.mktemp("desk"))
    made.say(NAMED, "target: {write: append, maintain: {small_files: 1}}")
    for n in (1, 2):
        made.land(f"e{n}", f"A{n},Anna,1,{n}")
        made.run()
    return made


def call(desk: Desk, *words: str) -> Result:
    return CliRunner().invoke(main, ["maintain", *desk.words("warehouse"), *words], catch_exceptions=False)


def test_first_looked_at_then_done(desk: Desk) -> None:
    told = call(desk, "--dry-run")
    assert told.exit_code == 0
    line = next(line for line in told.output.splitlines() if line.startswith("account"))
    assert "2 → 1" in line
    assert line.rstrip().endswith("7 days")
    assert "Nothing was changed" in told.output
    done = as_json(call(desk, "account", "--json").output)
    assert [(t["name"], t["joined"], t["into"]) for t in done["tables"] if t["files"]] == [("account", 2, 1)]
    assert (done["dry"], done["leftovers"]["runs"]) == (False, 0)
    assert "→" not in call(desk).output


def test_what_cannot_be(desk: Desk, tmp_path: Path) -> None:
    assert "did you mean" in (wrong := call(desk, "acount")).output
    assert wrong.exit_code == 2
    gone = CliRunner().invoke(main, ["maintain", *desk.words(), "--warehouse", str(tmp_path / "nowhere")])
    assert (gone.exit_code, "is not there" in gone.output) == (1, True)


def test_a_table_that_fails_is_told_and_the_exit_code_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from forceglue.run import maintain

    def broken(*_: object) -> object:
        raise OSError("no such disk")

    monkeypatch.setattr(maintain, "gain", broken)
    done = call(desk)
    assert (done.exit_code, "account: OSError: no such disk" in done.output) == (1, True)
