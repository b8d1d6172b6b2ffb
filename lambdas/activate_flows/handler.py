"""The entry: a request of CloudFormation to make, change or delete a `Custom::ActiveFlows`."""

from __future__ import annotations

import time
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes import CloudFormationCustomResourceEvent
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError

from activate_flows.activation import Activation, Outcome
from activate_flows.appflow import AppFlow, TimeOverError
from activate_flows.wanted import Wanted, wanted
from common.aws import client
from common.cloudformation import Answer, body, send
from common.telling import telling
from forceglue.errors import UsageError

_told = telling("activate-flows")
logger, metrics, tracer = _told.logger, _told.metrics, _told.tracer

_MARGIN = 45.0
"""Seconds that are kept of the function's time: the longest call ends, and the answer is given."""
_METRICS = {
    "activated": "FlowsActivated",
    "stopped": "FlowsStopped",
    "run": "FullRunsStarted",
}


@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Does what is asked, and tells CloudFormation what came of it, whatever that is."""
    request = CloudFormationCustomResourceEvent(event)
    logger.append_keys(correlation_id=request.request_id)
    # what CloudFormation hears if this function ends in a way that nobody thought of
    answer = Answer(f"the function ended with an error of its own: its log has it by {context.aws_request_id}")
    try:
        answer = _done(request, time.monotonic() + context.get_remaining_time_in_millis() / 1000 - _MARGIN)
    finally:
        metrics.add_metric(name="ActivationFailed", unit=MetricUnit.Count, value=int(answer.failed is not None))
        send(request, answer)
    return body(request, answer)


def _done(request: CloudFormationCustomResourceEvent, deadline: float) -> Answer:
    try:
        new = wanted(request.resource_properties)
    except UsageError as error:
        # of what could not be made, nothing is left to be taken away
        return Answer() if request.request_type == "Delete" else _failed([str(error)])
    activation = Activation(AppFlow(client("appflow"), deadline), request.request_id)
    try:
        if request.request_type == "Delete":
            activation.stop(new)
        else:
            activation.start(new, _old(request))
    except TimeOverError:
        activation.outcome.problems.append("the function's time was over before all flows were listed: deploy again")
    except (ClientError, BotoCoreError) as error:
        activation.outcome.problems.append(f"the flows could not be listed: {error}")
    return _answer(activation.outcome)


def _old(request: CloudFormationCustomResourceEvent) -> Wanted | None:
    if request.request_type != "Update":
        return None
    try:
        return wanted(request.old_resource_properties)
    except UsageError:
        return None  # a state that never came to be


def _answer(outcome: Outcome) -> Answer:
    told = vars(outcome)
    for name, metric in _METRICS.items():
        metrics.add_metric(name=metric, unit=MetricUnit.Count, value=len(told[name]))
    logger.info("flows looked after", extra={"flows": told})
    if outcome.problems:
        return _failed(outcome.problems)
    return Answer(data={name.title(): str(len(flows)) for name, flows in told.items() if name != "problems"})


def _failed(problems: list[str]) -> Answer:
    logger.error("not all flows are as they should be", extra={"problems": problems})
    return Answer("\n".join(problems))
