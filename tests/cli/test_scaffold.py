from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from describe.kit import AMOUNT, describe, keep, put
from describe.test_scaffold import NOT_COLUMNS, expected, wide
from forceglue.cli.main import main
from forceglue.mapping.load import load_project
from forceglue.simulated.salesforce import OrgServer


def call(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(main, [*words, "--mappings", str(folder)], catch_exceptions=False)


def test_pull_scaffold_and_check(folder: Path, server: OrgServer) -> None:
    result = call(folder, "scaffold", "Account", "Contact")
    assert result.exit_code == 0, result.output
    assert "Account: " in result.output and "new, 7 columns" in result.output
    assert sorted(p.name for p in (folder / "catalog").glob("*.json")) == ["Account.json", "Contact.json"]
    assert call(folder, "check").exit_code == 0
    server.org.add_field("Account", {"name": "Region__c", "type": "string", "length": 40})
    assert "Region__c: new field string(40)" in call(folder, "catalog", "pull").output
    result = call(folder, "scaffold", "Account")
    assert result.exit_code == 0
    assert "Region__c: new column region__c, string" in result.output


def test_an_object_of_500_fields_from_the_org(folder: Path, server: OrgServer) -> None:
    server.org.define({**wide(), "keyPrefix": "a0W"})
    assert call(folder, "scaffold", "Wide__c").exit_code == 0
    assert call(folder, "check").output == "2 files checked, no problem\n"
    assert call(folder, "drift").exit_code == 0
    columns = {c.field: c.type or "string" for c in load_project(folder).columns("wide__c")}
    read = [f for f in wide()["fields"] if f["type"] not in NOT_COLUMNS]
    assert {f["name"]: columns[f["name"]] for f in read} == {f["name"]: expected(f) for f in read}


def test_all_of_an_org_with_one_word(folder: Path, server: OrgServer) -> None:
    result = call(folder, "scaffold", "--all", "--json")
    assert [(o["object"], o["outcome"]) for o in json.loads(result.stdout)["objects"]] == [
        ("Account", "new"),
        ("Contact", "new"),
    ]
    assert call(folder, "check").exit_code == 0


def test_offline_calls_nothing(folder: Path, server: OrgServer) -> None:
    result = call(folder, "scaffold", "Account", "--offline")
    assert result.exit_code == 1 and "no snapshot is kept of it" in result.stderr
    assert server.usage.log == ()


def test_without_a_connection_and_a_snapshot(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SF_TOKEN_URL", "SF_BROKER_URL", "SF_SECRET"):
        monkeypatch.delenv(name, raising=False)
    result = call(folder, "scaffold", "Account")
    assert result.exit_code == 1 and "`forceglue catalog pull Account` makes one" in result.stderr
    assert call(folder, "scaffold").exit_code == 2


def test_a_mapping_of_a_person_is_a_failure_only_by_name(folder: Path) -> None:
    keep(folder, describe(AMOUNT))
    put(folder, "objects/account.yaml", "mapping: account\nsource: Account\n")
    result = call(folder, "scaffold", "Account", "--offline")
    assert result.exit_code == 1 and "--force adds the columns" in result.output
    result = call(folder, "scaffold", "--all", "--offline")
    assert result.exit_code == 0
    assert result.output == "1 mapping that scaffold did not make was left alone; --force adds what it lacks.\n"
