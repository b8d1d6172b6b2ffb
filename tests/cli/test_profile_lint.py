"""`profile-lint` by file, by source, and against what SSM holds; without AWS where none is asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from click.testing import CliRunner, Result
from moto import mock_aws

from forceglue.cli.profile_lint import profile_lint
from profiles.kit import text

NAME = "/crm/file-profiles/dev/small.json"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "small.json").write_text(text())
    return tmp_path


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(profile_lint, [*words, "--mappings", str(folder)])


@pytest.mark.parametrize("words", [(), ("small",), ("{}/profiles/small.json",)])
def test_a_sound_profile_by_any_name(folder: Path, words: tuple[str, ...]) -> None:
    result = run(folder, *(word.format(folder) for word in words))
    assert (result.exit_code, result.output.strip()) == (0, "1 profile checked, no problem")


def test_problems_end_with_code_2_and_tell_what_to_do(folder: Path) -> None:
    (folder / "profiles" / "bad.json").write_text(text(parserId="csv_pip", maxBytes=-1))
    result = run(folder)
    assert result.exit_code == 2
    for told in ("bad.json", "FG-MAP-004", "did you mean: csv_pipe", "FG-MAP-005", "mend: ", "2 problems in 1 of 2"):
        assert told in result.output


def test_a_warning_ends_with_code_0(folder: Path) -> None:
    (folder / "profiles" / "small.json").write_text(text(description="x" * 4100))
    result = run(folder)
    assert result.exit_code == 0 and "FG-PRO-003" in result.output


def test_as_json(folder: Path) -> None:
    (folder / "profiles" / "small.json").write_text(text(maxBytes=-1))
    told = json.loads(run(folder, "small", "--json").output)
    assert told["files"] == 1 and [one["path"] for one in told["problems"]] == ["maxBytes"]


def test_a_name_that_is_nobodys_is_told_the_nearest(folder: Path) -> None:
    result = run(folder, "smal")
    assert result.exit_code == 2 and "Did you mean small?" in result.output


def test_nothing_to_check_is_an_error(tmp_path: Path) -> None:
    assert run(tmp_path).exit_code == 2


@pytest.fixture
def ssm(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield boto3.client("ssm")


def test_what_is_stored_is_checked_and_compared(folder: Path, ssm) -> None:
    assert "nothing is stored as " + NAME in run(folder, "small", "--ssm").output
    ssm.put_parameter(Name=NAME, Value=json.dumps(json.loads(text()), indent=4), Type="String")
    assert run(folder, "small", "--ssm").output.strip() == "2 profiles checked, no problem"
    ssm.put_parameter(Name=NAME, Value=text(maxBytes=-1), Type="String", Overwrite=True)
    result = run(folder, "--ssm")
    assert result.exit_code == 2 and "FG-PRO-007" in result.output and "FG-MAP-005" in result.output


def test_a_source_that_is_only_stored(folder: Path, ssm) -> None:
    ssm.put_parameter(Name=NAME.replace("small", "other"), Value=text(), Type="String")
    assert run(folder, "other", "--ssm").output.strip() == "1 profile checked, no problem"
    assert "3 profiles" not in run(folder, "--ssm").output
    result = run(folder, "neither", "--ssm")
    assert result.exit_code == 2 and "/crm/file-profiles/dev/neither.json" in result.output


def test_it_is_a_command_of_its_own_and_starts_neither_java_nor_aws(folder: Path) -> None:
    code = (
        "import sys; from forceglue.cli.profile_lint import profile_lint; profile_lint(standalone_mode=False); "
        "print(sorted({'pyspark', 'boto3', 'pyarrow', 'great_expectations'} & sys.modules.keys()))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code, "--mappings", str(folder)], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "glue")},
    )  # fmt: skip
    assert said.stdout.splitlines()[-1] == "[]"
    assert Path(sys.executable).with_name("profile-lint").is_file()
