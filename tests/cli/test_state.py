from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from forceglue.cli.quarantine import quarantine
from forceglue.cli.state import retry, rewind, status
from run.desk import NO_RULES, Desk, as_json

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession


@pytest.fixture(scope="module")
def loaded(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """One load: a good row, one set aside by a rule, one by a cast; and a rejected file. Only looked at."""
    del spark
    desk = Desk(tmp_path_factory.mktemp("desk"))
    desk.land("e1", "A,Anna,1,1", "B,,2,1", "C,,many,1")
    desk.land("e2", "a", head="Name")
    desk.run()
    desk.land("e3", "D,Dora,1,1")
    return desk


@pytest.fixture
def desk(spark: SparkSession, tmp_path: Path) -> Desk:
    del spark
    return Desk(tmp_path)


def call(command: Any, *words: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(command, list(words), input=typed, catch_exceptions=False)


def test_status_as_text_and_json(loaded: Desk) -> None:
    roots = loaded.words("landing", "warehouse")
    text = call(status, *roots)
    assert text.exit_code == 0
    line = next(line for line in text.output.splitlines() if line.startswith("account"))
    assert line.split()[-4:] == [
        "1",
        "1",
        "2",
        "1",
    ]
    (found,) = as_json(call(status, *roots, "--json").output)["mappings"]
    assert (found["name"], found["files_waiting"], found["quarantined"], found["rejected"]) == ("account", 1, 2, 1)
    assert found["loaded_at"].endswith("+00:00")


def test_status_says_which_root_is_missing(loaded: Desk) -> None:
    result = call(status, *loaded.words("landing"))
    assert (result.exit_code, "no --warehouse" in result.output) == (2, True)
    gone = call(status, *loaded.words("warehouse"), "--landing", str(loaded.root / "nowhere"))
    assert (gone.exit_code, "is not there" in gone.output) == (1, True)


def test_quarantine_in_numbers(loaded: Desk) -> None:
    roots = loaded.words("warehouse")
    (found,) = as_json(call(quarantine, "show", *roots, "--json").output)["mappings"]
    assert (found["mapping"], found["rows"]) == ("account", 2)
    assert {(r["rule"], r["severity"], r["rows"]) for r in found["rules"]} == {
        ("name_is_set", "quarantine", 2),
        ("cast_amount", "quarantine", 1),
    }
    assert "name_is_set" in call(quarantine, "show", *roots).output


def test_rows_without_personal_data_unless_asked(loaded: Desk) -> None:
    roots = loaded.words("warehouse")
    plain = call(quarantine, "show", "account", *roots, "--json")
    first, second = as_json(plain.output)["rows"]
    assert {first["record"], second["record"]} == {"B", "C"}
    assert set(first) == {"record", "file", "row", "run_id", "at", "reasons"}
    assert all(set(reason) == {"rule", "severity"} for row in (first, second) for reason in row["reasons"])
    text = call(quarantine, "show", "account", *roots)
    assert "many" not in plain.output + text.output
    assert "cast_amount (quarantine)" in text.output
    raw = as_json(call(quarantine, "show", "account", *roots, "--json", "--raw", "--rule", "cast_amount").output)
    (row,) = raw["rows"]
    assert (row["raw"]["Amount"], row["record"]) == ("many", "C")
    assert {"rule": "cast_amount", "severity": "quarantine", "value": "many"} in row["reasons"]
    assert "cast_amount (quarantine): 'many'" in call(quarantine, "show", "account", *roots, "--raw").output


def test_limit_rule_and_what_cannot_be(loaded: Desk) -> None:
    roots = loaded.words("warehouse")
    assert len(as_json(call(quarantine, "show", "account", *roots, "--json", "--limit", "1").output)["rows"]) == 1
    assert "no such row" in call(quarantine, "show", "account", *roots, "--rule", "none").output
    assert call(quarantine, "show", "acount", *roots).exit_code == 2
    assert call(quarantine, "show", *roots, "--raw").exit_code == 2
    assert call(quarantine, "show", "account", *roots, "--limit", "0").exit_code == 2


def test_rejected_files_listed_and_landed_again(desk: Desk) -> None:
    desk.land("e1", "a", head="Name")
    desk.land("r1", "a", head="Name", token="Region__c")
    desk.run()
    roots = desk.words("landing")
    listed = as_json(call(retry, "--list", *roots, "--json").output)["files"]
    assert [(f["object"], f["code"]) for f in listed] == [("Account", "key_missing"), ("Region__c", "key_missing")]
    assert "key_missing" in call(retry, "--list", *roots, "--object", "account").output
    assert "Region" not in call(retry, "--list", *roots, "--object", "account").output
    done = as_json(call(retry, *roots, "--object", "region__c", "--json").output)["files"]
    assert [f["moved_to"] for f in done] == ["in/dev-Salesforce-Region__c/r1/part.csv"]
    assert "1 file is back" in call(retry, listed[0]["path"], *roots).output
    assert "No file" in call(retry, *roots).output
    assert call(retry, "in/x", *roots).exit_code == 2
    assert sorted(p.parent.name for p in (desk.root / "landing" / "in").rglob("part.csv")) == ["e1", "r1"]


def test_rewind_asks_first(desk: Desk) -> None:
    desk.land("e1", "A,Anna,1,1")
    desk.run()
    desk.land("e2", "B,Ben,1,1")
    desk.run()
    roots = desk.words("warehouse")
    listed = as_json(call(rewind, "account", "--list", *roots, "--json").output)["points"]
    assert [p["files"] for p in listed] == [1, 1]
    first = str(listed[1]["version"])
    assert first in call(rewind, "account", "--list", *roots).output
    no = call(rewind, "account", "--to", first, *roots, typed="n\n")
    assert (no.exit_code, "loads 1 files again" in no.output, len(desk.names())) == (1, True, 2)
    yes = call(rewind, "account", "--to", first, *roots, typed="y\n")
    assert (yes.exit_code, desk.names()) == (0, {"A": "Anna"})
    told = as_json(call(rewind, "account", "--to", "start", "--yes", "--json", *roots).output)
    assert (told["to"], len(told["again"]), told["nothing"], desk.names()) == (None, 1, False, {})
    assert "already" in call(rewind, "account", "--to", "start", "--yes", *roots).output
    for words in ((), ("--to", "yesterday", "--yes"), ("--to", "start", "--json")):
        assert call(rewind, "account", *words, *roots).exit_code == 2


def test_replay_on_the_command_line(desk: Desk) -> None:
    desk.land("e1", "A,Anna,1,1", "B,,1,1")
    desk.run()
    roots = desk.words("landing", "warehouse", "delivery")
    desk.say("quality: {fail: {named: name is not null}}")
    assert call(quarantine, "replay", "account", *roots, "--quick").exit_code == 1
    assert call(quarantine, "replay", "acount", *roots, "--quick").exit_code == 2
    desk.say(NO_RULES)
    done = call(quarantine, "replay", "account", *roots, "--quick", "--json")
    report = as_json(done.stdout)
    assert (done.exit_code, report["mappings"][0]["written"], report["mappings"][0]["balance"]) == (0, 1, True)
    assert set(desk.names()) == {"A", "B"}
    nothing = call(quarantine, "replay", *roots, "--quick")
    assert (nothing.exit_code, "nothing new" in nothing.output) == (0, True)
