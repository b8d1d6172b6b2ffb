from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from forceglue.cli.main import main
from run.small_project import FILES, everything, land, write_project

STAMP = {"SystemModstamp": "2024-05-01T10:00:00Z", "IsDeleted": "false"}
WRONG = (
    FILES["account.yaml"]
    + """
examples:
  - {name: holds, given: {Account: [{Id: 001A, Name: Acme}]}, expect: [{name: Acme}]}
  - {name: fails, given: {Account: [{Id: 001A, Name: Acme}]}, expect: [{id: 001A, name: Bolt}]}
"""
)


def call(*words: str) -> Result:
    return CliRunner().invoke(main, list(words), env={"COLUMNS": "100"})


def roots(base: Path) -> list[str]:
    return [w for name in ("landing", "warehouse", "delivery", "mappings") for w in (f"--{name}", str(base / name))]


def test_test_shows_a_line_an_example_and_what_differs(tmp_path: Path, spark: object) -> None:
    folder = str(write_project(tmp_path, account=WRONG))
    result = call("test", "--mappings", folder)
    assert result.exit_code == 1
    lines = [line.split() for line in result.output.splitlines()]
    assert ["✓", "account:", "holds"] in lines and ["✗", "account:", "fails"] in lines
    assert ["name", "Bolt", "≠", "Acme"] in lines and ["id", "001A", "001A"] in lines
    assert "no examples: deal, history, log, sales, totals" in result.output
    assert "1 of 2 examples failed." in result.output
    told = json.loads(call("test", "account", "--mappings", folder, "--json").output)
    assert (told["status"], told["no_examples"], [e["passed"] for e in told["examples"]]) == (
        "failed",
        [],
        [True, False],
    )
    assert told["examples"][1]["differences"][0]["got"] == {"id": "001A", "name": "Acme"}


def test_test_without_a_failure(tmp_path: Path, spark: object) -> None:
    folder = str(write_project(tmp_path))
    quiet = call("test", "deal", "--mappings", folder)
    assert (quiet.exit_code, "no examples: deal" in quiet.output) == (0, True)
    assert call("test", "dael", "--mappings", folder).exit_code == 2
    write_project(tmp_path, account=WRONG.replace("given: {Account:", "given: {Acount:"))
    unknown = call("test", "--mappings", folder)
    assert unknown.exit_code == 2
    assert "`Acount` is no input of this mapping" in unknown.output


def test_preview_and_plan_on_the_terminal(tmp_path: Path, spark: object) -> None:
    write_project(tmp_path / "mappings")
    land(tmp_path, "Account", "e1", [{"Id": "001A", "Name": "Acme", **STAMP}, {"Id": "", "Name": "keyless", **STAMP}])
    before = everything(tmp_path)
    wide = call("preview", "account", *roots(tmp_path))
    assert wide.exit_code == 0
    assert "account: rows that the next run would load (2 rows)" in wide.output
    assert "quarantine: key_is_set" in wide.output
    assert ["name", "Acme"] in [line.split() for line in wide.output.splitlines()]  # one field a line
    rows = [
        json.loads(line)
        for line in call("preview", "account", "--json", "--only", "good", *roots(tmp_path)).output.splitlines()
    ]
    assert [(r["id"], r["_verdict"]) for r in rows] == [("001A", "good")]
    assert call("preview", "acount", *roots(tmp_path)).exit_code == 2

    plan = call("plan", "account", *roots(tmp_path))
    assert plan.exit_code == 0
    assert "key_is_set: 1 row (quarantine)" in plan.output
    assert "Nothing was written." in plan.output
    told = json.loads(call("plan", "account", "--json", *roots(tmp_path)).output)
    assert (told["plan"], told["status"], told["mappings"][0]["quarantined"]) == (True, "succeeded", 1)
    assert everything(tmp_path) == before


def test_a_landing_that_is_not_there(tmp_path: Path) -> None:
    write_project(tmp_path / "mappings")
    result = call("preview", "account", *roots(tmp_path))
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)


@pytest.mark.parametrize("words", [["--limit", "0"], ["--only", "bad"]])
def test_wrong_options(tmp_path: Path, words: list[str]) -> None:
    assert call("preview", "account", *words).exit_code == 2
