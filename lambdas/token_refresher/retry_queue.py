"""Users that are to be tried again, or that a run had no time for: one message each, to the retry function."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

_BATCH = 10
"""Messages of one call."""
_LONGEST = 900


class QueueError(Exception):
    """SQS did not take messages."""


class RetryQueue:
    """Sends.

    Args:
        sqs: a client of SQS.
    """

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs, self._url = sqs, url

    def send(self, users: Sequence[str], delay: int) -> None:
        """One message for each user, to be read after so many seconds (900 at most).

        Raises:
            QueueError: SQS refused some; those users are still due, and the next run meets them.
        """
        refused = 0
        for start in range(0, len(users), _BATCH):
            entries = [
                {"Id": str(number), "MessageBody": json.dumps({"user_id": user}), "DelaySeconds": delay}
                for number, user in enumerate(users[start : start + _BATCH])
            ]
            answer = self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)
            refused += len(answer.get("Failed", ()))
        if refused:
            raise QueueError(f"SQS did not take {refused} of {len(users)} messages; the next run meets those users.")

    def later(self, receipt: str, times: int) -> None:
        """A message that was read so many times comes again after a minute, then two, up to a quarter of an hour."""
        seconds = min(60 * 2 ** min(times - 1, 10), _LONGEST)
        self._sqs.change_message_visibility(QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=seconds)
