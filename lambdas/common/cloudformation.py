"""A custom resource's answer to CloudFormation: there is always one, or the stack waits for it.

Own code: Powertools has nothing; crhelper brings boto3 into the cold start, logs the address of the answer, at which
whoever reads it can answer, and names resources by chance, so that a request that comes twice makes two.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import urllib3
from aws_lambda_powertools.utilities.data_classes import CloudFormationCustomResourceEvent

MOST_BYTES = 4096
"""Of an answer, by CloudFormation; a longer one counts as none."""
_MOST_REASON = 2500
_TRIES = 5


class NotAnsweredError(Exception):
    """CloudFormation's address took no answer. Its address is a secret and is not told."""


@dataclass(frozen=True)
class Answer:
    """What CloudFormation is told.

    Attributes:
        failed: why the request failed and what to do; None: it succeeded.
        data: what a template can read by `Fn::GetAtt`.
    """

    failed: str | None = None
    data: Mapping[str, str] = field(default_factory=dict)


def physical_id(request: CloudFormationCustomResourceEvent) -> str:
    """The name of the resource, the same for every request of its life: another one would have the old one deleted."""
    stack = request.stack_id.split("/")
    return request.physical_resource_id or f"{stack[1] if len(stack) > 1 else 'stack'}-{request.logical_resource_id}"


def body(request: CloudFormationCustomResourceEvent, answer: Answer) -> dict[str, Any]:
    """The answer as CloudFormation reads it, within what it takes."""
    told = {
        "Status": "SUCCESS" if answer.failed is None else "FAILED",
        "PhysicalResourceId": physical_id(request),
        "StackId": request.stack_id,
        "RequestId": request.request_id,
        "LogicalResourceId": request.logical_resource_id,
        "Reason": _cut(answer.failed or ""),
        "Data": dict(answer.data),
    }
    return told if len(json.dumps(told)) <= MOST_BYTES else told | {"Data": {}}


def send(request: CloudFormationCustomResourceEvent, answer: Answer) -> None:
    """Puts the answer where CloudFormation looks for it.

    Raises:
        NotAnsweredError: it was not taken, though tried again.
    """
    sent = json.dumps(body(request, answer)).encode()
    for tried in range(1, _TRIES + 1):
        problem = _put(request.response_url, sent)
        if problem is None:
            return
        if tried < _TRIES:
            time.sleep(0.2 * 2**tried)
    raise NotAnsweredError(f"CloudFormation took no answer to request {request.request_id}: {problem}")


def _put(address: str, sent: bytes) -> str | None:
    """What is wrong; None where the answer was taken."""
    with urllib3.PoolManager() as web:
        try:
            # the signature of the address holds for an empty type
            response = web.request("PUT", address, body=sent, headers={"content-type": ""}, timeout=5, retries=False)
        except urllib3.exceptions.HTTPError as error:
            return type(error).__name__
    return None if response.status < 300 else f"HTTP {response.status}"


def _cut(reason: str) -> str:
    """The reason, no longer than the answer may be once it is JSON."""
    while len(json.dumps(reason)) > _MOST_REASON:
        reason = reason[: len(reason) * 9 // 10].rstrip() + "…"
    return reason
