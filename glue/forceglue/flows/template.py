"""The CloudFormation templates of all flows: the same mappings always give the same text."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from forceglue.errors import UsageError
from forceglue.flows.difference import ACTIVATION
from forceglue.flows.flow import Every, Resource, flows
from forceglue.flows.objects import FlowObject, LeftOut

MOST_RESOURCES, MOST_BYTES = 500, 1_000_000
"""CloudFormation's own limits of a template."""
MADE_BY = "# Made by `forceglue flows` from the mappings. Edit those, and make it again.\n"
_OTHERS = 1  # resources of a template that are no flow
_PARAMETERS: Resource = {
    "EnvPrefix": {
        "Type": "String",
        "AllowedPattern": "[a-z][a-z0-9]{1,15}",
        "Description": "The environment, which every flow's name begins with.",
    },
    "LandingBucket": {
        "Type": "String",
        "Description": "Where files land. Its policy must let appflow.amazonaws.com write.",
    },
    "KeyArn": {
        "Type": "String",
        "AllowedPattern": "arn:[a-z-]+:kms:[a-z0-9-]+:\\d{12}:key/.+",
        "Description": "The KMS key of what the flows keep.",
    },
    "ConnectorProfile": {
        "Type": "String",
        "Default": "",
        "Description": "Salesforce's connector profile; empty for the one at SSM's /ENV/salesforce/connectorName.",
    },
    "RunFull": {
        "Type": "String",
        "Default": "false",
        "AllowedValues": ["true", "false"],
        "Description": "Whether full flows run now: all if this was false before, else those that never did.",
    },
}


@dataclass(frozen=True)
class Request:
    """What a person may choose.

    Attributes:
        env: the environment that EnvPrefix is unless told otherwise; None: it must be told.
        stacks: into how many templates the objects are divided.
    """

    env: str | None = None
    every: Every = field(default_factory=Every)
    stacks: int = 1


def templates(objects: Sequence[FlowObject], left_out: Sequence[LeftOut], asked: Request) -> list[Resource]:
    """The templates, `asked.stacks` of them.

    Raises:
        UsageError: one is larger than CloudFormation takes; the message says how many stacks it needs.
    """
    made = []
    for number in range(asked.stacks):
        here = [one for one in objects if stack_of(one.name, asked.stacks) == number]
        found: dict[str, Resource] = {}
        for one in here:
            found |= flows(one, asked.every)
        made.append(_template(found, left_out if number == 0 else (), asked))
    if problem := _too_large(made):
        raise UsageError(f"{problem} Divide the flows: --stacks {_enough(objects, made, asked)}.")
    return made


def stack_of(name: str, stacks: int) -> int:
    """The stack of an object, by its name alone: a flow never moves because of another mapping."""
    return int.from_bytes(hashlib.sha256(b"stack " + name.encode()).digest()[:8]) % stacks


def text(template: Resource) -> str:
    """A template as YAML."""
    import yaml

    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True  # CloudFormation knows no aliases

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
            super().increase_indent(flow, indentless=False)

    return MADE_BY + yaml.dump(template, Dumper=Plain, sort_keys=False, allow_unicode=True, width=110)


def _template(found: dict[str, Resource], left_out: Sequence[LeftOut], asked: Request) -> Resource:
    parameters = json.loads(json.dumps(_PARAMETERS))
    if asked.env:
        parameters["EnvPrefix"]["Default"] = asked.env
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "AppFlow flows from Salesforce into the landing, made by `forceglue flows` from the mappings.",
        "Metadata": {"ObjectsWithoutFlows": {one.name: str(one) for one in left_out}},
        "Parameters": parameters,
        "Conditions": {"NamesConnector": {"Fn::Not": [{"Fn::Equals": [{"Ref": "ConnectorProfile"}, ""]}]}},
        "Resources": {**found, **({ACTIVATION: _activation(found)} if found else {})},
    }


def _activation(found: Mapping[str, Resource]) -> Resource:
    """What starts the flows when all are there: CloudFormation makes them as drafts.

    A flow's own `FlowStatus: Active` would not do: CloudFormation does not see that AppFlow has switched a flow off,
    and leaves it off when the stack is deployed again.
    """
    mark = hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()[:16]
    return {
        "Type": "Custom::ActiveFlows",
        "Properties": {
            "ServiceToken": {"Fn::Sub": "{{resolve:ssm:/${EnvPrefix}/cfn-cr-lambda/activateflows}}"},
            "ServiceTimeout": 900,
            "RunFull": {"Ref": "RunFull"},
            "Made": mark,  # a change of any flow looks after all of them again
            "Flows": [{"Ref": name} for name in found],
        },
    }


def _too_large(made: Sequence[Resource]) -> str | None:
    for template in made:
        count, size = len(template["Resources"]), len(text(template).encode())
        if count > MOST_RESOURCES:
            return f"A template would have {count} resources, and CloudFormation takes {MOST_RESOURCES}."
        if size > MOST_BYTES:
            return f"A template would have {size:,} bytes, and CloudFormation takes {MOST_BYTES:,} bytes."
    return None


def _enough(objects: Sequence[FlowObject], made: Sequence[Resource], asked: Request) -> int:
    """The least number of stacks that holds all: names fall into stacks unevenly, so it is tried."""
    size = {one.name: len(text(flows(one, asked.every)).encode()) for one in objects}
    spare = max(len(text({**template, "Resources": {}}).encode()) for template in made) + 1000
    for stacks in range(asked.stacks + 1, max(2, len(objects)) * 4):
        shares: dict[int, list[str]] = {}
        for one in objects:
            shares.setdefault(stack_of(one.name, stacks), []).append(one.name)
        fits = all(
            2 * len(share) + _OTHERS <= MOST_RESOURCES
            and spare + sum(math.ceil(size[name] * 1.1) + 60 for name in share) <= MOST_BYTES
            for share in shares.values()
        )
        if fits:
            return stacks
    return asked.stacks + 1
