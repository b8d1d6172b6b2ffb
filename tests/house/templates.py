"""The templates of the functions' stacks, read with their short forms (`!Sub`) written out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cfnlint.decode.cfn_yaml import load

from tests.house.lock import ROOT

LAMBDAS = ROOT / "lambdas"
TEMPLATES = sorted((LAMBDAS / "templates").glob("*.yaml"))


def told(path: Path) -> dict[str, Any]:
    """The template as plain values."""
    template: dict[str, Any] = json.loads(json.dumps(load(str(path)), default=str))
    return template


def of_type(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {name: one["Properties"] for name, one in template["Resources"].items() if one["Type"] == kind}


def functions_of(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The functions, each with what the template says of all of them."""
    shared = template.get("Globals", {}).get("Function", {})
    return {name: shared | own for name, own in of_type(template, "AWS::Serverless::Function").items()}


def rights(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Everything that gives rights."""
    return of_type(template, "AWS::IAM::Role") | of_type(template, "AWS::IAM::ManagedPolicy")


def statements(given: dict[str, Any]) -> list[dict[str, Any]]:
    """The statements of a role or policy, those of a condition among them."""
    policies = given.get("Policies", [given])
    found = [one for policy in policies for one in policy["PolicyDocument"]["Statement"]]
    return [one["Fn::If"][1] if "Fn::If" in one else one for one in found]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def code(function: str) -> str:
    """The text of a function's own modules and of what all share."""
    files = [*(LAMBDAS / function).glob("*.py"), *(LAMBDAS / "common").glob("*.py")]
    return "\n".join(path.read_text("utf-8") for path in files)
