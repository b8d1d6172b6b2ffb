"""Who needs a person is told by SNS, once, and again only after the user signed in anew."""

from __future__ import annotations

import json
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from botocore.exceptions import BotoCoreError, ClientError


class Notices:
    """Tells of users.

    Args:
        sns: a client of SNS.
        topic: the ARN of the topic; each message has the attribute `status`, for filters.
    """

    def __init__(self, sns: Any, topic: str, logger: Logger, metrics: Metrics) -> None:
        self._sns, self._topic, self._logger, self._metrics = sns, topic, logger, metrics

    def tell(self, user: str, status: str, reason: str, remedy: str) -> None:
        """Publishes one message. The user is marked already: where SNS does not answer, the log and an alarm tell."""
        told = {"user_id": user, "status": status, "reason": reason, "what_to_do": remedy}
        try:
            self._sns.publish(
                TopicArn=self._topic,
                Subject=f"Salesforce token of a user: {status}",
                Message=json.dumps(told),
                MessageAttributes={"status": {"DataType": "String", "StringValue": status}},
            )
        except (BotoCoreError, ClientError):
            self._metrics.add_metric(name="NoticeFailed", unit=MetricUnit.Count, value=1)
            self._logger.exception("nobody was told of a user", extra=told)
