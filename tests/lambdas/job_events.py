"""Events as Lambda hands them to the job trigger: batches of its queue, ends of runs of the job."""

from __future__ import annotations

import json
import uuid
from typing import Any


def ingested(correlation_id: str | None = "7f3a", **more: Any) -> str:
    """The event of a file, as a rule brings it to a queue."""
    detail = {"state": "success", "object": "landing/in/dev-Salesforce-Account/7f3a/a.parquet", "rows": 3}
    detail |= {"correlation_id": correlation_id} if correlation_id else {}
    return json.dumps(
        {
            "version": "0", "id": "e-1", "detail-type": "file-ingested", "source": "forceglue.ingest",
            "account": "123456789012", "time": "2026-11-30T10:00:00Z", "region": "eu-west-1", "resources": [],
            "detail": detail, **more,
        }
    )  # fmt: skip


def batch(*bodies: str) -> dict[str, Any]:
    return {
        "Records": [
            {
                "messageId": f"m-{number}", "receiptHandle": uuid.uuid4().hex, "body": body, "messageAttributes": {},
                "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1", "SenderId": "s",
                               "ApproximateFirstReceiveTimestamp": "1"},
                "md5OfBody": "", "eventSource": "aws:sqs", "awsRegion": "eu-west-1",
                "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:files",
            }
            for number, body in enumerate(bodies)
        ]
    }  # fmt: skip


def ended(job: str, run: str, state: str = "SUCCEEDED", message: str = "") -> dict[str, Any]:
    return {
        "version": "0", "id": "e-2", "detail-type": "Glue Job State Change", "source": "aws.glue",
        "detail": {"jobName": job, "severity": "INFO", "state": state, "jobRunId": run, "message": message},
    }  # fmt: skip
