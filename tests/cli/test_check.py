from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from forceglue.cli.check import check

GOOD = "mapping: lead\nsource: Lead\n"
BAD = "mapping: account\nsource: Account\ncolums: {}\ntarget: {write: sdc2}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lead.yaml").write_text(GOOD)
    return tmp_path


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(check, [*words, "--mappings", str(folder)])


def test_all_is_well(folder: Path) -> None:
    result = run(folder)
    assert (result.exit_code, result.output.strip()) == (0, "1 file checked, no problem")


def test_problems_are_shown_by_file_with_a_summary(folder: Path) -> None:
    (folder / "account.yaml").write_text(BAD)
    result = run(folder)
    assert result.exit_code == 2
    assert f"{folder}/account.yaml" in result.output
    assert "3  FG-MAP-001  colums: `colums` is no word of the language here" in result.output
    assert "did you mean: columns" in result.output
    assert "4  FG-MAP-004  target.write" in result.output
    assert "2 problems in 1 of 2 files. mappings/ERRORS.md explains each code." in result.output


def test_json(folder: Path) -> None:
    (folder / "account.yaml").write_text(BAD)
    result = run(folder, "--json")
    told = json.loads(result.output)
    assert result.exit_code == 2
    assert told["files"] == 2
    assert [(p["code"], p["file"], p["line"], p["nearest"]) for p in told["problems"]] == [
        ("FG-MAP-001", "account.yaml", 3, "columns"),
        ("FG-MAP-004", "account.yaml", 4, "scd2"),
    ]


def test_names(folder: Path) -> None:
    (folder / "account.yaml").write_text(BAD)
    assert run(folder, "lead").exit_code == 0
    assert run(folder, "account").exit_code == 2
    unknown = run(folder, "acount")
    assert unknown.exit_code == 2
    assert 'did you mean "account"' in unknown.output


def test_env_and_params(folder: Path) -> None:
    (folder / "project.yaml").write_text("environments: {dev: {params: {A: x}}, prod: {}}\n")
    (folder / "lead.yaml").write_text(GOOD + "description: ${A}\n")
    assert run(folder, "--env", "dev").exit_code == 0
    assert run(folder, "--env", "prod").exit_code == 2
    assert run(folder).exit_code == 2
    assert run(folder, "--param", "A=1").exit_code == 0
    assert run(folder, "--param", "A").exit_code == 2
    assert "No environment" in run(folder, "--env", "x").output


def test_the_folder_must_be_there(tmp_path: Path) -> None:
    assert run(tmp_path / "nothing").exit_code == 2


def test_a_warning_is_told_and_is_no_failure(folder: Path) -> None:
    (folder / "catalog").mkdir()
    fields = [{"name": "Id", "type": "id"}, {"name": "Size__c", "type": "string"}]
    (folder / "catalog" / "Lead.json").write_text(json.dumps({"name": "Lead", "fields": fields}))
    (folder / "lead.yaml").write_text(f"{GOOD}columns: {{size: {{from: Size__c, type: int}}}}\n")
    result = run(folder)
    assert result.exit_code == 0
    assert "FG-TYP-004 warning  columns.size.type: `Size__c` is a string field: only values that look like int fit" in (
        result.output
    )
    assert "1 warning in 1 of 1 file." in result.output
    assert [p["level"] for p in json.loads(run(folder, "--json").output)["problems"]] == ["warning"]
    (folder / "account.yaml").write_text(BAD)
    result = run(folder)
    assert result.exit_code == 2 and "2 problems and 1 warning in 2 of 2 files." in result.output
