"""The entry: messages of the audit's queue; the answer names those that are to come again."""

from __future__ import annotations

import json
import os
from functools import cache
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from audit_writer.settings import WriterSettings, writer_settings
from audit_writer.table import write
from common.aws import client
from common.telling import telling

_told = telling("audit-writer")
logger, metrics, tracer = _told.logger, _told.metrics, _told.tracer
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
_LONGEST = 900


@cache
def settings() -> WriterSettings:
    return writer_settings(os.environ)


@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Writes the entries of each message; one that fails does not hold up the others."""
    return dict(process_partial_response(event=event, record_handler=_message, processor=processor, context=context))


def _message(record: SQSRecord) -> None:
    entries = json.loads(record.body)
    try:
        write(client("dynamodb"), settings().table, entries)
    except Exception:
        # the longer the table is busy, the more seldom it is asked; whatever is wrong, the message comes again
        times = int(record.attributes.approximate_receive_count or 1)
        wait = min(10 * 2 ** min(times - 1, 10), _LONGEST)
        client("sqs").change_message_visibility(
            QueueUrl=settings().queue, ReceiptHandle=record.receipt_handle, VisibilityTimeout=wait
        )
        logger.warning("entries were not written; they come again", exc_info=True, extra={"again_in_s": wait})
        metrics.add_metric(name="AuditPutOff", unit=MetricUnit.Count, value=len(entries))
        raise
    metrics.add_metric(name="AuditWritten", unit=MetricUnit.Count, value=len(entries))
