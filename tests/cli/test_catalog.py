from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from describe.kit import put
from forceglue.cli.main import main
from forceglue.simulated.salesforce import OrgServer


def pull(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["catalog", "pull", *words, "--mappings", str(folder)], catch_exceptions=False)


def test_pull_tells_what_is_new_and_what_has_changed(folder: Path, server: OrgServer) -> None:
    put(folder, "objects/account.yaml", "mapping: account\nsource: Account\n")
    result = pull(folder)
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "Account: new, 7 fields",
        f"1 new, 0 changed, 0 same in {folder / 'catalog'}",
    ]
    assert pull(folder).output == f"0 new, 0 changed, 1 same in {folder / 'catalog'}\n"
    server.org.hide_field("Account", "Amount__c")
    for number in range(30):
        server.org.add_field("Account", {"name": f"N{number}__c", "type": "boolean"})
    told = pull(folder).output
    assert "N0__c: new field boolean" in told and "and 11 more" in told


def test_an_object_that_is_not_there(folder: Path, server: OrgServer) -> None:
    result = pull(folder, "Contact", "Lead")
    assert result.exit_code == 1
    assert "Contact: new" in result.stdout
    assert "Lead: not pulled: the org has no such object, or this user may not see it" in result.stderr
    assert "profile or permission set" in result.stderr


def test_json(folder: Path, server: OrgServer) -> None:
    pull(folder, "Account")
    server.org.change_field("Account", "Amount__c", scale=4)
    found = json.loads(pull(folder, "Account", "Gone__c", "--json").stdout)["objects"]
    assert [(o["object"], o["outcome"]) for o in found] == [("Gone__c", "failed"), ("Account", "changed")]
    assert found[1]["changes"] == [
        {"field": "Amount__c", "kind": "precision_changed", "before": "currency(18,2)", "after": "currency(18,4)"}
    ]


def test_without_a_connection(folder: Path, monkeypatch: object) -> None:
    result = CliRunner(env={"SF_TOKEN_URL": None, "SF_BROKER_URL": None, "SF_SECRET": None}).invoke(
        main, ["catalog", "pull", "Account", "--mappings", str(folder)]
    )
    assert result.exit_code == 2 and "SF_TOKEN_URL" in result.stderr


def test_no_secret_is_shown(folder: Path, server: OrgServer) -> None:
    for result in (pull(folder, "Account"), pull(folder, "Account", "--json"), pull(folder, "Nothing")):
        assert "app-secret" not in result.output and "00D" not in result.output
