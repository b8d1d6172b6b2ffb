"""The pipelines of Azure DevOps and GitHub: what they call is there, one package goes to all, and no key is stored."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy import settings
from tests.house.lock import ROOT
from tests.house.templates import listed, told

AZURE = ROOT / ".azuredevops" / "deploy.yml"
GITHUB = ROOT / ".github" / "workflows"
ORDER = ["dev", "nonprod", "prod"]
FILES = [AZURE, *sorted(GITHUB.glob("*.yml"))]


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader)
    return found


def text(path: Path) -> str:
    """What it does, without what is said about it."""
    return re.sub(r"(?m)^\s*#.*$", "", path.read_text("utf-8"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name + "/" + path.name)
def test_what_a_pipeline_calls_is_there(path: Path) -> None:
    goals = re.findall(r"\bmake ([a-z-]+)", text(path))
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for goal in goals:
        assert re.search(rf"(?m)^{goal}:", makefile), goal
    for script in re.findall(r"(?m)(?:run|script): (\.[\w/.-]+)$", text(path)):
        assert os.access(ROOT / script, os.X_OK), script


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name + "/" + path.name)
def test_no_key_of_aws_is_stored(path: Path) -> None:
    assert not re.search(r"AWS_SECRET|AWS_ACCESS_KEY|aws-secret-access-key|secrets\.", text(path))


def test_each_environment_of_a_pipeline_has_a_file_of_parameters() -> None:
    (environments,) = [one["default"] for one in read(AZURE)["parameters"] if one["name"] == "environments"]
    calls = [job for job in read(GITHUB / "deploy.yml")["jobs"].values() if "uses" in job]
    assert environments == [call["with"]["environment"] for call in calls] == ORDER
    for name in ORDER:
        assert (settings.FOLDER / f"{name}.yaml").is_file()


def test_github_deploys_one_after_the_other_after_the_tests_and_from_main_only() -> None:
    jobs = read(GITHUB / "deploy.yml")["jobs"]
    assert jobs["dev"]["needs"] == ["test", "package"] and jobs["dev"]["if"] == "github.ref == 'refs/heads/main'"
    assert (jobs["nonprod"]["needs"], jobs["prod"]["needs"]) == ("dev", "nonprod")
    steps = read(GITHUB / "deploy-to.yml")["jobs"]
    assert steps["deploy"]["needs"] == "plan"
    assert steps["deploy"]["environment"] == "${{ inputs.environment }}" and "environment" not in steps["plan"]
    assert read(GITHUB / "deploy-to.yml")["permissions"]["id-token"] == "write"
    assert read(GITHUB / "deploy.yml")["permissions"] == {"contents": "read"}


def test_azure_deploys_after_the_tests_from_main_only_and_waits_for_the_approval() -> None:
    first, each = read(AZURE)["stages"]
    assert {job["job"] for job in first["jobs"]} == {"test", "package"}
    (stages,) = each.values()
    plan, deploy = stages
    assert "refs/heads/main" in plan["condition"] and "succeeded()" in plan["condition"]
    # without a condition of its own a stage is left out where the one before it was
    assert "condition" not in deploy and "dependsOn" not in deploy
    (job,) = deploy["jobs"]
    assert job["environment"] == "forceglue-${{ environment }}"


@pytest.mark.parametrize("path", [AZURE, GITHUB / "deploy-to.yml"], ids=["azure", "github"])
def test_what_was_packaged_once_is_deployed_and_shown_before(path: Path) -> None:
    calls = re.findall(r"make deploy ENV=(\$\{\{.*?\}\}) (.*)", text(path))
    assert [more.strip() for _, more in calls] == ["BUILT=1 ARGS=--dry-run", "BUILT=1"]


def test_what_was_built_before_is_not_built_again() -> None:
    planned = subprocess.run(
        ["make", "--dry-run", "-C", str(ROOT), "deploy", "ENV=dev", "BUILT=1"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "-m deploy dev" in planned
    assert "out/lambdas" not in planned and "-m build" not in planned


def test_without_an_environment_it_asks_for_one() -> None:
    done = subprocess.run(
        ["make", "-C", str(ROOT), "deploy", "BUILT=1"], capture_output=True, text=True, check=False,
        env={name: value for name, value in os.environ.items() if name != "ENV"},
    )  # fmt: skip
    assert done.returncode != 0 and "which environment? make deploy ENV=dev" in done.stderr


# The roles that pipelines take


@pytest.fixture(scope="module")
def account() -> dict[str, Any]:
    return told(ROOT / "lambdas" / "deploy" / "account.yaml")


def test_cfn_lint_has_nothing_to_say_of_the_roles() -> None:
    linter = Path(sys.executable).with_name("cfn-lint")
    template = ROOT / "lambdas" / "deploy" / "account.yaml"
    environment = os.environ | {"AWS_DEFAULT_REGION": "eu-west-1"}
    said = subprocess.run([str(linter), str(template)], capture_output=True, text=True, check=False, env=environment)
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.parametrize(("role", "subject"), [("Deploy", "DeploySubject"), ("Plan", "PlanSubject")])
def test_a_role_is_taken_by_one_subject_in_full(account: dict[str, Any], role: str, subject: str) -> None:
    given, _ = account["Resources"][role]["Properties"]["AssumeRolePolicyDocument"]["Fn::Sub"]
    (statement,) = json.loads(given)["Statement"]
    assert statement["Condition"] == {
        "StringEquals": {"${Issuer}:aud": "${Audience}", "${Issuer}:sub": f"${{{subject}}}"}
    }
    pattern = account["Parameters"][subject]["AllowedPattern"]
    assert not re.fullmatch(pattern, "repo:us/forceglue:*")


def test_who_looks_changes_no_stack_and_no_code(account: dict[str, Any]) -> None:
    documents = [
        account["Resources"]["Look"]["Properties"]["PolicyDocument"],
        *(one["PolicyDocument"] for one in account["Resources"]["Plan"]["Properties"]["Policies"]),
    ]
    statements = [one for document in documents for one in document["Statement"]]
    actions = {action for one in statements for action in listed(one["Action"])}
    assert not actions & {"cloudformation:ExecuteChangeSet", "secretsmanager:GetSecretValue", "s3:DeleteObject"}
    assert not [action for action in actions if "*" in action]
    (put,) = [one for one in statements if "s3:PutObject" in listed(one["Action"])]
    assert put["Resource"]["Fn::Sub"].endswith("-sourcecode/templates/*")
