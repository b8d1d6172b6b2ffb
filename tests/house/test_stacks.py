"""All stacks together: each environment's file gives what they ask for, and no two of them make the same name."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest

from deploy import settings
from deploy.templates import templates
from deploy.values import Values, Waits, refused

ALL = templates()
ENVIRONMENTS = sorted(path.stem for path in settings.FOLDER.glob("*.yaml"))
# properties that name something; two of a kind with the same name cannot be in one account
NAMES = ("FunctionName", "QueueName", "TableName", "TopicName", "LogGroupName", "AlarmName", "RoleName", "BucketName",
         "AliasName", "DashboardName", "StateMachineName", "RuleName", "Name", "ManagedPolicyName", "SecretName")  # fmt: skip


def values(environment: str) -> Values:
    facts = {"env": environment, "account": "123456789012", "region": "eu-west-1"}
    secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:{}-AbCdEf"
    return Values(environment, settings.read(environment), facts, secret.format, ALL)


def test_there_are_the_three_environments() -> None:
    assert {"dev", "nonprod", "prod"} <= set(ENVIRONMENTS)
    assert settings.read("prod").protected


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_what_a_stack_needs_is_given_or_comes_from_an_earlier_one(environment: str) -> None:
    asked = values(environment)
    for template in ALL.values():
        for name, declared in template.parameters.items():
            try:
                value = asked.one(template, name)
            except Waits:
                continue
            assert value is not None or "Default" in declared, f"{template.name}: {name}"
            assert value is None or refused(declared, value) is None, f"{template.name}: {name}: {value}"


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_what_a_file_gives_is_read_by_somebody(environment: str) -> None:
    told = settings.read(environment)
    assert set(told.parameters) <= {name for template in ALL.values() for name in template.parameters}
    for stack, own in told.stacks.items():
        assert set(own) <= set(ALL[stack].parameters), stack


@pytest.mark.parametrize("path", sorted(settings.FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_file_names_secrets_and_holds_none(path: Path) -> None:
    for line in path.read_text("utf-8").splitlines():
        name, _, value = line.partition(":")
        if "Secret" in name and not name.lstrip().startswith("#"):
            assert value.strip().startswith("${secret:"), line


def test_every_parameter_is_described_and_the_environment_is_one() -> None:
    for template in ALL.values():
        assert "EnvPrefix" in template.parameters, template.name
        for name, declared in template.parameters.items():
            assert declared.get("Description", "").strip(), f"{template.name}: {name}"


def test_no_two_stacks_make_the_same_name_and_each_name_has_the_environment() -> None:
    made: dict[tuple[str, str], list[str]] = defaultdict(list)
    for template in ALL.values():
        resources = template.body["Resources"]
        for logical, resource in resources.items():
            for key in NAMES:
                name = resource.get("Properties", {}).get(key)
                # the name of another resource is not made here
                if name is None or (
                    isinstance(name, dict) and {name.get("Ref"), *name.get("Fn::GetAtt", ())} & set(resources)
                ):
                    continue
                made[resource["Type"], json.dumps(name)].append(f"{template.name}.{logical}")
                assert "${EnvPrefix}" in json.dumps(name), f"{template.name}.{logical}: {key}: {name}"
    assert {name: places for name, places in made.items() if len(places) > 1} == {}


def test_the_stacks_names_are_names_that_cloudformation_takes() -> None:
    assert [template.stack("dev") for template in ALL.values()][:3] == ["dev-storage", "dev-glue", "dev-tokens"]
    for template in ALL.values():
        assert template.stack("dev").replace("-", "").isalnum()


def test_every_stack_is_in_the_table_of_the_readme() -> None:
    readme = (
        (settings.FOLDER.parent / "README.md").read_text("utf-8").partition("\n## Deploy\n")[2].partition("\n## ")[0]
    )
    for name in ALL:
        assert f"| `{name}` |" in readme, f"lambdas/README.md, Deploy: a line for the stack {name}"
