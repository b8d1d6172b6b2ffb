from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from describe.kit import AMOUNT, describe, keep, put
from describe.test_scaffold import wide
from flows.kit import as_api, complaints
from forceglue.cli.main import main


def call(tmp_path: Path, *words: str) -> Result:
    out = ("--out", str(tmp_path / "made" / "flows.yaml"), "--mappings", str(tmp_path))
    return CliRunner().invoke(main, ["flows", *words, *out], catch_exceptions=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put(tmp_path, "objects/account.yaml", "mapping: account\nsource: Account\n")
    keep(tmp_path, describe(AMOUNT))
    return tmp_path


def test_a_new_mapping_file_is_found_by_check_and_written_by_the_next_call(folder: Path) -> None:
    said = call(folder)
    assert said.exit_code == 0 and "2 flows of 1 object, written to" in said.output
    assert call(folder, "--check").exit_code == 0
    put(folder, "objects/task_status.yaml", "mapping: task_status\nsource: TaskStatus\n")
    put(folder, "objects/contact.yaml", "mapping: contact\nsource: Contact\n")
    said = call(folder, "--check")
    assert said.exit_code == 1
    assert "Salesforce-Contact: new" in said.output and "Salesforce-Contact.full: new" in said.output
    assert "Account" not in said.output
    said = call(folder)
    assert said.exit_code == 0
    assert (
        "TaskStatus: no flow: Bulk API 2.0 refuses it; `forceglue extract TaskStatus` reads it by REST" in said.stderr
    )
    assert call(folder, "--check").exit_code == 0


def test_a_mapping_that_is_gone_or_changed_is_told(folder: Path) -> None:
    put(folder, "objects/contact.yaml", "mapping: contact\nsource: Contact\n")
    call(folder)
    (folder / "objects" / "contact.yaml").unlink()
    put(folder, "objects/account.yaml", "mapping: account\nsource: Account\ncolumns: {amount: Amount__c}\n")
    said = call(folder, "--check")
    assert "Salesforce-Contact: gone" in said.output and "Salesforce-Account: changed" in said.output


def test_the_environment_is_the_default_of_the_prefix(folder: Path) -> None:
    put(folder, "project.yaml", "environments: {dev: {params: {EnvPrefix: etldev}}, prod: {}, not-a-prefix: {}}\n")
    for env, prefix in (("dev", "etldev"), ("prod", "prod"), ("not-a-prefix", None)):
        call(folder, "--env", env)
        template = yaml.safe_load((folder / "made" / "flows.yaml").read_text("utf-8"))
        assert template["Parameters"]["EnvPrefix"].get("Default") == prefix


def test_several_stacks_are_several_files(folder: Path) -> None:
    said = call(folder, "--stacks", "2")
    assert said.exit_code == 0
    assert sorted(path.name for path in (folder / "made").iterdir()) == ["flows-1.yaml", "flows-2.yaml"]
    assert call(folder, "--stacks", "2", "--check").exit_code == 0


def test_flows_of_a_scaffolded_object_of_500_fields_are_what_appflow_takes(tmp_path: Path) -> None:
    keep(tmp_path, wide())
    scaffold = ("scaffold", "Wide__c", "--offline", "--mappings", str(tmp_path))
    assert CliRunner().invoke(main, scaffold, catch_exceptions=False).exit_code == 0
    assert call(tmp_path).exit_code == 0
    template = yaml.safe_load((tmp_path / "made" / "flows.yaml").read_text("utf-8"))
    found = [one for one in template["Resources"].values() if one["Type"] == "AWS::AppFlow::Flow"]
    assert [complaints(one) for one in found] == ["", ""]
    (first, *_) = as_api(found[0])["tasks"]
    unread = {f["name"] for f in wide()["fields"] if f["type"] in {"address", "location", "base64"}}
    assert first["taskType"] == "Filter" and len(first["sourceFields"]) > 400
    assert len(unread) > 0 and not unread & {*first["sourceFields"]}


def test_flows_of_a_project_that_was_just_begun(tmp_path: Path) -> None:
    begun = CliRunner().invoke(main, ["init", str(tmp_path / "ours")], catch_exceptions=False)
    assert begun.exit_code == 0, begun.output
    out = tmp_path / "flows.yaml"
    words = ["flows", "--mappings", str(tmp_path / "ours" / "mappings"), "--out", str(out)]
    assert CliRunner().invoke(main, words, catch_exceptions=False).exit_code == 0
    template = yaml.safe_load(out.read_text("utf-8"))
    found = [one for one in template["Resources"].values() if one["Type"] == "AWS::AppFlow::Flow"]
    assert len(found) >= 2 and not any(map(complaints, found))


@pytest.mark.parametrize("every", ["0 hours", "61 days", "soon", "1 week"])
def test_a_span_that_appflow_does_not_know_is_refused(folder: Path, every: str) -> None:
    said = call(folder, "--every", every)
    assert said.exit_code == 2 and "15 minutes" in said.output


def test_mapping_errors_end_with_2_and_write_nothing(folder: Path) -> None:
    put(folder, "objects/bad.yaml", "mapping: bad\nsuorce: Account\n")
    assert call(folder).exit_code == 2
    assert not (folder / "made").exists()


def test_a_file_that_is_no_yaml_is_told(folder: Path) -> None:
    put(folder, "made/flows.yaml", "a: [\n")
    said = call(folder, "--check")
    assert said.exit_code == 2 and "is no template" in said.output
