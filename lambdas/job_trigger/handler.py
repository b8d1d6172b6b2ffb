"""The one entry, for three kinds of events: files from the queue, the end of a run from Glue, the sweep's schedule."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from common.aws import client
from common.telling import telling
from forceglue.errors import UsageError
from job_trigger.gathering import correlation_id
from job_trigger.glue_job import GlueJob, Seen
from job_trigger.settings import TriggerSettings, trigger_settings
from job_trigger.store import Store
from job_trigger.trigger import Trigger
from job_trigger.watch import Watch

_told = telling("job-trigger")
logger, metrics, tracer = _told.logger, _told.metrics, _told.tracer
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)

RUN_STATE = "Glue Job State Change"
SWEEP = "sweep"


@cache
def settings() -> TriggerSettings:
    """The settings of this instance."""
    return trigger_settings(os.environ)


@cache
def trigger() -> Trigger:
    """The trigger of this instance."""
    told = settings()
    store = Store(client("dynamodb"), told.table, told.job)
    job = GlueJob(client("glue"), told.job, told.arguments)
    return Trigger(store, job, Watch(told.job, told.bus, told.source, logger, metrics), told.pace)


@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    """Lambda's entry. Of a batch the answer names the messages that are to come again."""
    if "Records" in event:
        return _files(event)
    if event.get("detail-type") == RUN_STATE:
        _run_state(event["detail"])
    elif SWEEP in event:
        trigger().drive(looks=True)
        trigger().waits()
    else:
        raise UsageError(
            f"an event of another kind ({event.get('detail-type', 'unknown')!r}): there are batches of the queue, "
            f"{RUN_STATE!r}, and {{{SWEEP!r}: true}} of the schedule."
        )
    return {}


def _files(event: dict[str, Any]) -> dict[str, Any]:
    ids: list[str] = []

    def gather(record: SQSRecord) -> None:
        try:
            ids.append(correlation_id(record.body))
        except UsageError:
            logger.exception("a message is not taken", extra={"message_id": record.message_id})
            raise

    with processor(event["Records"], gather):
        processor.process()
    trigger().note(ids)
    trigger().drive()
    return dict(processor.response())


def _run_state(detail: dict[str, Any]) -> None:
    if detail.get("jobName") != settings().job:
        return
    trigger().ended(Seen(str(detail["jobRunId"]), str(detail["state"]), str(detail.get("message", ""))))
    trigger().drive()
