"""CloudFormation: a stack's change set, its execution, and what failed in it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from forceglue.errors import ForceglueError

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
# the first deployment of a stack failed: nothing is left of it, and CloudFormation takes no change of it
BROKEN = "ROLLBACK_COMPLETE"
NEW = frozenset({None, "REVIEW_IN_PROGRESS", BROKEN, "DELETE_COMPLETE"})
READY = frozenset(
    {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"}
)
_NO_CHANGE = ("didn't contain changes", "No updates are to be performed")


class DeploymentFailed(ForceglueError, RuntimeError):
    """A stack could not be made or changed; CloudFormation has taken back what it had begun.

    Attributes:
        stack: its name.
        reasons: what failed in it, the first failure first.
    """

    def __init__(self, stack: str, status: str, reasons: tuple[str, ...]) -> None:
        self.stack, self.reasons = stack, reasons
        said = "\n  ".join(reasons) or "CloudFormation gives no reason"
        super().__init__(
            f"{stack} is {status}:\n  {said}\nMend it and deploy again: what is done already has no change."
        )


@dataclass(frozen=True)
class Change:
    """What a change set would do to one resource."""

    action: str
    name: str
    kind: str
    replaces: str

    def __str__(self) -> str:
        replaced = {"True": ", replaced", "Conditional": ", perhaps replaced"}.get(self.replaces, "")
        return f"{self.action.lower():7} {self.name} ({self.kind}{replaced})"


@dataclass(frozen=True)
class Stacks:
    """The stacks of an account and region.

    Attributes:
        client: boto3's client of CloudFormation.
        every: seconds between two looks at what is going on.
    """

    client: Any
    every: float = 5.0

    def found(self, stack: str) -> Mapping[str, Any] | None:
        """What CloudFormation says of a stack; None if there is none."""
        from botocore.exceptions import ClientError

        try:
            described: list[Mapping[str, Any]] = self.client.describe_stacks(StackName=stack)["Stacks"]
        except ClientError as error:
            if "does not exist" in error.response["Error"]["Message"]:
                return None
            raise
        return described[0]

    def status(self, stack: str) -> str | None:
        """Its status; None if there is none."""
        found = self.found(stack)
        return None if found is None else str(found["StackStatus"])

    def outputs(self, stack: str) -> dict[str, str] | None:
        """What a deployed stack gives; None where it is not deployed."""
        found = self.found(stack)
        if found is None or found["StackStatus"] in NEW:
            return None
        return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}

    def propose(self, stack: str, told: Mapping[str, Any]) -> str | None:
        """Makes a change set; its address, or None if nothing would change.

        Args:
            stack: the stack's name.
            told: TemplateBody or TemplateURL, Parameters and Tags, as CloudFormation takes them.

        Raises:
            DeploymentFailed: CloudFormation cannot make one of it.
        """
        status = self.status(stack)
        if status == BROKEN:
            self.delete(stack)
            status = None
        from botocore.exceptions import ClientError

        name = f"deploy-{time.time_ns()}"
        kind = "CREATE" if status in NEW else "UPDATE"
        try:
            address: str = self.client.create_change_set(
                StackName=stack, ChangeSetName=name, ChangeSetType=kind, Capabilities=CAPABILITIES, **told
            )["Id"]
        except ClientError as error:
            raise DeploymentFailed(stack, "not changed", (error.response["Error"]["Message"],)) from error
        while True:
            said = self.client.describe_change_set(ChangeSetName=address, StackName=stack)
            if said["Status"] not in {"CREATE_PENDING", "CREATE_IN_PROGRESS"}:
                break
            time.sleep(self.every / 2)
        if said["Status"] == "CREATE_COMPLETE":
            return address
        self.drop(stack, address)
        reason = said.get("StatusReason", "")
        if kind == "UPDATE" and any(words in reason for words in _NO_CHANGE):
            return None
        raise DeploymentFailed(stack, "not changed", (reason,))

    def changes(self, stack: str, address: str) -> Iterator[Change]:
        """What a change set would do."""
        for page in self.client.get_paginator("describe_change_set").paginate(ChangeSetName=address, StackName=stack):
            for one in (change["ResourceChange"] for change in page["Changes"] if change["Type"] == "Resource"):
                yield Change(
                    one["Action"], one["LogicalResourceId"], one["ResourceType"], one.get("Replacement", "False")
                )

    def drop(self, stack: str, address: str) -> None:
        """Removes a change set, and the stack that was begun for it alone."""
        self.client.delete_change_set(ChangeSetName=address, StackName=stack)
        if self.status(stack) == "REVIEW_IN_PROGRESS":
            self.delete(stack)

    def execute(self, stack: str, address: str) -> None:
        """Carries a change set out and waits for the end of it.

        Raises:
            DeploymentFailed: with what failed.
        """
        last = next(self._events(stack), {}).get("EventId")
        self.client.execute_change_set(ChangeSetName=address, StackName=stack)
        # of events, since a stack's status may for a moment still be the one before
        while (status := self._status_since(stack, last)) is None or status.endswith("_IN_PROGRESS"):
            time.sleep(self.every)
        if status not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
            raise DeploymentFailed(stack, status, tuple(self._reasons(stack, last)))

    def protect(self, stack: str, protected: bool) -> None:
        """Turns termination protection on or off, where it is not so already."""
        found = self.found(stack)
        if found is not None and found.get("EnableTerminationProtection", False) is not protected:
            self.client.update_termination_protection(StackName=stack, EnableTerminationProtection=protected)

    def delete(self, stack: str) -> None:
        """Deletes a stack and waits until it is gone."""
        found = self.found(stack)
        if found is None:
            return
        self.client.delete_stack(StackName=stack)
        while (status := self.status(found["StackId"])) not in {None, "DELETE_COMPLETE"}:
            if status == "DELETE_FAILED":
                raise DeploymentFailed(stack, status, tuple(self._reasons(stack, None)))
            time.sleep(self.every)

    def _events(self, stack: str) -> Iterator[Mapping[str, Any]]:
        """Its events, the newest first."""
        for page in self.client.get_paginator("describe_stack_events").paginate(StackName=stack):
            yield from page["StackEvents"]

    def _since(self, stack: str, last: str | None) -> Iterator[Mapping[str, Any]]:
        return takewhile(lambda event: event["EventId"] != last, self._events(stack))

    def _status_since(self, stack: str, last: str | None) -> str | None:
        own = (one for one in self._since(stack, last) if one["PhysicalResourceId"] == one["StackId"])
        found: str | None = next(own, {}).get("ResourceStatus")
        return found

    def _reasons(self, stack: str, last: str | None) -> Iterator[str]:
        for event in reversed(list(self._since(stack, last))):
            reason = event.get("ResourceStatusReason", "")
            # those that were cancelled are not what failed
            if event["ResourceStatus"].endswith("_FAILED") and "cancelled" not in reason:
                yield f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason or event['ResourceStatus']}"
