from __future__ import annotations

import json

from aws_lambda_powertools.utilities.data_classes import CloudFormationCustomResourceEvent
from hypothesis import given
from hypothesis import strategies as st

from common.cloudformation import MOST_BYTES, Answer, body, physical_id

EVENT = {
    "RequestType": "Create", "ResponseURL": "https://example.com/", "RequestId": "r" * 36,
    "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/" + "s" * 128 + "/" + "i" * 36,
    "LogicalResourceId": "L" * 255, "ResourceType": "Custom::ActiveFlows",
}  # fmt: skip


@given(st.none() | st.text(max_size=6000), st.dictionaries(st.text(max_size=99), st.text(max_size=999), max_size=9))
def test_an_answer_is_never_longer_than_cloudformation_takes(failed: str | None, data: dict[str, str]) -> None:
    told = body(CloudFormationCustomResourceEvent(EVENT), Answer(failed, data))
    assert len(json.dumps(told).encode()) <= MOST_BYTES
    assert told["Status"] == ("SUCCESS" if failed is None else "FAILED")


def test_a_short_reason_stays_as_it_is() -> None:
    assert body(CloudFormationCustomResourceEvent(EVENT), Answer("größe: 1"))["Reason"] == "größe: 1"


def test_a_resource_keeps_its_name_for_life() -> None:
    created = physical_id(CloudFormationCustomResourceEvent(EVENT))
    assert created == physical_id(CloudFormationCustomResourceEvent(EVENT))
    updated = EVENT | {"PhysicalResourceId": "made-by-an-older-version"}
    assert physical_id(CloudFormationCustomResourceEvent(updated)) == "made-by-an-older-version"
