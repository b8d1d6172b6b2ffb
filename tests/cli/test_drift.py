from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from describe.kit import put
from forceglue.cli.main import main
from forceglue.simulated.salesforce import OrgServer


def call(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(main, [*words, "--mappings", str(folder)], catch_exceptions=False)


@pytest.fixture
def kept(folder: Path, server: OrgServer) -> Path:
    assert call(folder, "scaffold", "Account", "Contact").exit_code == 0
    return folder


def test_exit_codes_and_words(kept: Path, server: OrgServer) -> None:
    result = call(kept, "drift")
    assert (result.exit_code, result.output) == (0, "2 compared, 0 differ, 0 stop or lose values.\n")
    server.org.change_field("Account", "Stage__c", length=40)
    result = call(kept, "drift")
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "Account → account (on_drift: evolve)",
        "  told     Stage__c length changed 255 → 40: text holds any length",
        "2 compared, 1 differ, 0 stop or lose values.",
        "`forceglue catalog pull` takes what Salesforce says over into the snapshots.",
    ]
    assert call(kept, "drift", "--strict").exit_code == 1
    server.org.hide_field("Account", "Amount__c")
    result = call(kept, "drift", "account")
    assert result.exit_code == 1
    assert (
        "  loses    Amount__c field hidden currency(18,2): hidden by field-level security, or deleted" in result.output
    )
    assert call(kept, "drift", "Contact").exit_code == 0


def test_json(kept: Path, server: OrgServer) -> None:
    server.org.remove_field("Account", "Stage__c")
    result = call(kept, "drift", "--format", "json")
    told = json.loads(result.stdout)
    assert result.exit_code == 1 and (told["differ"], told["stop_or_lose"]) == (1, 1)
    (finding,) = told["objects"][0]["findings"]
    assert (finding["field"], finding["severity"], finding["columns"]) == ("Stage__c", "loses", ["stage__c"])


def test_after_a_pull_there_is_no_drift_but_check_tells(kept: Path, server: OrgServer) -> None:
    server.org.change_field("Account", "Amount__c", scale=6)
    assert call(kept, "drift").exit_code == 1
    call(kept, "catalog", "pull")
    assert call(kept, "drift").exit_code == 0
    result = call(kept, "check")
    assert result.exit_code == 0 and "FG-TYP-004 warning" in result.output
    assert "type decimal(18,2) → decimal(18,6)" in call(kept, "scaffold", "Account").output
    assert "no problem" in call(kept, "check").output


def test_wrong_calls(folder: Path, server: OrgServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert call(folder, "drift").exit_code == 2  # no mapping
    put(folder, "objects/account.yaml", "mapping: account\nsource: Account\ncolums: {}\n")
    result = call(folder, "drift")
    assert result.exit_code == 2 and "FG-MAP-001" in result.output
    put(folder, "objects/account.yaml", "mapping: account\nsource: Account\n")
    result = call(folder, "drift", "Leed")
    assert result.exit_code == 1 and "object gone" in result.output
    monkeypatch.delenv("SF_TOKEN_URL")
    assert call(folder, "drift").exit_code == 2
