"""What a message of the queue says: an event of the bus, that a file was ingested."""

from __future__ import annotations

import json
from typing import Any

from forceglue.errors import UsageError

FILE_INGESTED = "file-ingested"


def correlation_id(body: str) -> str:
    """The correlation id of a `file-ingested` event; its own id where it has none.

    Raises:
        UsageError: it is no such event. Its text is not quoted.
    """
    try:
        event: Any = json.loads(body)
    except ValueError:
        event = None
    if not isinstance(event, dict) or event.get("detail-type") != FILE_INGESTED:
        raise UsageError(
            f"a message of the queue is no {FILE_INGESTED} event of EventBridge. The rule that fills the queue must "
            "send the events as they are, and no others."
        )
    detail = event.get("detail")
    told = detail.get("correlation_id") if isinstance(detail, dict) else None
    return str(told or event.get("id") or "unknown")
