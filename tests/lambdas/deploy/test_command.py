"""The command line: what it hands on, and its exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError
from click.testing import CliRunner

from deploy import __main__ as command
from deploy.change import DeploymentFailed
from forceglue.errors import UsageError
from tests.house.lock import ROOT


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str, fails: Exception | None = None) -> tuple[Any, dict[str, Any]]:
    told: dict[str, Any] = {}

    def deploy(environment: str, stacks: tuple[str, ...], parameters: dict[str, str], **more: Any) -> dict[str, Any]:
        told.update(environment=environment, stacks=stacks, parameters=parameters, **more)
        if fails:
            raise fails
        return {"storage": {"KeyArn": "arn:k"}}

    monkeypatch.setattr(command, "deploy", deploy)
    return CliRunner().invoke(command.main, list(arguments)), told


def test_stacks_and_parameters_are_handed_on_and_outputs_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    done, told = run(monkeypatch, "dev", "storage", "glue", "-p", "A=1=2", "-p", "glue.B=", "--dry-run")
    assert (done.exit_code, done.output) == (0, "storage.KeyArn=arn:k\n")
    assert told["stacks"] == ("storage", "glue") and told["dry_run"] is True
    assert told["parameters"] == {"A": "1=2", "glue.B": ""}
    assert told["source"].mappings == ROOT / "mappings"


@pytest.mark.parametrize(
    ("fails", "code", "said"),
    [
        (UsageError("nothing was changed"), 2, "Error: nothing was changed"),
        (DeploymentFailed("dev-glue", "ROLLBACK_COMPLETE", ("Role: no",)), 1, "dev-glue is ROLLBACK_COMPLETE:\n  Role: no"),
        (NoCredentialsError(), 1, "Unable to locate credentials"),
    ],
)  # fmt: skip
def test_what_is_wrong_ends_with_2_and_what_failed_with_1(
    monkeypatch: pytest.MonkeyPatch, fails: Exception, code: int, said: str
) -> None:
    done, _ = run(monkeypatch, "dev", fails=fails)
    assert done.exit_code == code and said in done.output


def test_a_parameter_without_a_value_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    done, told = run(monkeypatch, "dev", "-p", "A")
    assert done.exit_code == 2 and "A: write NAME=VALUE" in done.output and not told


def test_it_is_a_module_of_its_own() -> None:
    environment = {"PYTHONPATH": str(ROOT / "lambdas"), "PATH": os.environ["PATH"]}
    said = subprocess.run(
        [sys.executable, "-m", "deploy", "--help"], capture_output=True, text=True, check=True, env=environment
    )
    assert "ENVIRONMENT" in said.stdout
