"""CloudFormation as far as a deployment meets it: change sets, statuses that lag behind, events, failures on demand."""

# ruff: noqa: N803 - arguments have the names that CloudFormation gave them

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.exceptions import ClientError

BUCKET = "acme-dev-sourcecode"
STALE_LOOKS = 2
BUCKET = "acme-dev-sourcecode"


def refused(message: str) -> ClientError:
    return ClientError({"Error": {"Code": "ValidationError", "Message": message}}, "any")


@dataclass
class Stack:
    name: str
    status: str
    told: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    protected: bool = False
    events: list[dict[str, Any]] = field(default_factory=list)
    looks: int = 0
    new: int = 0

    @property
    def id(self) -> str:
        return f"arn:stack/{self.name}"

    def event(self, status: str, resource: str = "", reason: str = "") -> None:
        own = not resource
        self.events.insert(0, {
            "EventId": f"{self.name}-{len(self.events)}", "StackId": self.id, "ResourceStatus": status,
            "ResourceStatusReason": reason, "LogicalResourceId": resource or self.name,
            "PhysicalResourceId": self.id if own else resource,
            "ResourceType": "AWS::CloudFormation::Stack" if own else "AWS::SQS::Queue",
        })  # fmt: skip


class Formation:
    """A client. `outputs` says what a stack gives, `fails` which of them fail, and with what."""

    def __init__(self, outputs: dict[str, dict[str, str]] | None = None) -> None:
        self.stacks: dict[str, Stack] = {}
        self.sets: dict[str, dict[str, Any]] = {}
        self.outputs = outputs or {}
        self.fails: dict[str, list[tuple[str, str]]] = {}
        self.executed: list[str] = []
        self.sent: dict[str, dict[str, Any]] = {}

    def _stack(self, name: str) -> Stack:
        found = self.stacks.get(name.removeprefix("arn:stack/"))
        if found is None:
            raise refused(f"Stack with id {name} does not exist")
        return found

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        stack = self._stack(StackName)
        return {"Stacks": [{
            "StackName": stack.name, "StackId": stack.id, "StackStatus": stack.status,
            "EnableTerminationProtection": stack.protected,
            "Outputs": [{"OutputKey": name, "OutputValue": value} for name, value in stack.outputs.items()],
        }]}  # fmt: skip

    def create_change_set(self, **told: Any) -> dict[str, str]:
        name, kind = told["StackName"], told["ChangeSetType"]
        self.sent[name] = told
        if kind == "CREATE":
            if name in self.stacks and self.stacks[name].status != "REVIEW_IN_PROGRESS":
                raise refused(f"Stack {name} already exists")
            self.stacks[name] = Stack(name, "REVIEW_IN_PROGRESS")
        elif self._stack(name).status == "ROLLBACK_COMPLETE":
            raise refused(f"Stack {name} is in ROLLBACK_COMPLETE state and can not be updated")
        kept = {key: told[key] for key in sorted(told) if key not in {"ChangeSetName", "ChangeSetType"}}
        address = f"arn:set/{told['ChangeSetName']}"
        same = json.dumps(kept) == self.stacks[name].told
        self.sets[address] = {"stack": name, "told": json.dumps(kept), "same": same, "looks": 0}
        return {"Id": address}

    def describe_change_set(self, ChangeSetName: str, StackName: str) -> dict[str, Any]:
        found = self.sets[ChangeSetName]
        found["looks"] += 1
        if found["looks"] == 1:
            return {"Status": "CREATE_PENDING"}
        if found["same"]:
            reason = "The submitted information didn't contain changes. Submit different information."
            return {"Status": "FAILED", "StatusReason": reason, "Changes": []}
        change = {
            "Action": "Add",
            "LogicalResourceId": "Queue",
            "ResourceType": "AWS::SQS::Queue",
            "Replacement": "True",
        }
        return {"Status": "CREATE_COMPLETE", "Changes": [{"Type": "Resource", "ResourceChange": change}]}

    def delete_change_set(self, ChangeSetName: str, StackName: str) -> None:
        del self.sets[ChangeSetName]

    def execute_change_set(self, ChangeSetName: str, StackName: str) -> None:
        stack = self.stacks[StackName]
        self.executed.append(StackName)
        new = stack.status == "REVIEW_IN_PROGRESS"
        verb = "CREATE" if new else "UPDATE"
        known = len(stack.events)
        stack.event(f"{verb}_IN_PROGRESS")
        if failures := self.fails.get(StackName):
            for resource, reason in failures:
                stack.event(f"{verb}_FAILED", resource, reason)
            stack.status = "ROLLBACK_COMPLETE" if new else "UPDATE_ROLLBACK_COMPLETE"
        else:
            stack.told = self.sets.pop(ChangeSetName)["told"]
            stack.outputs = self.outputs.get(StackName, {})
            stack.status = f"{verb}_COMPLETE"
        stack.event(stack.status)
        stack.looks, stack.new = -STALE_LOOKS, len(stack.events) - known

    def describe_stack_events(self, StackName: str) -> dict[str, Any]:
        """At the first looks after a change nothing of it is seen yet, then that it began, then its end."""
        stack = self._stack(StackName)
        stack.looks += 1
        unseen = {-1: stack.new, 0: stack.new - 1}.get(stack.looks, 0)
        return {"StackEvents": stack.events[unseen:]}

    def get_paginator(self, call: str) -> Any:
        client = self

        class Pages:
            def paginate(self, **told: Any) -> Any:
                yield getattr(client, call)(**told)

        return Pages()

    def update_termination_protection(self, StackName: str, EnableTerminationProtection: bool) -> None:
        self._stack(StackName).protected = EnableTerminationProtection

    def delete_stack(self, StackName: str) -> None:
        del self.stacks[StackName]


@dataclass
class Session:
    """A boto3 session with this CloudFormation in place of AWS's; the other services are the server's."""

    formation: Formation
    region_name: str | None = "eu-west-1"
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = self.formation if service == "cloudformation" else boto3.client(service)
        return self.clients[service]
