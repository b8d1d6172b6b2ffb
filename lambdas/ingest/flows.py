"""Runs of AppFlow's flows: what a run announces when it ends, in its event or in the list of its executions.

All counts of the event are text, and its times end with a zone in brackets (`2023-08-29T12:55:32.049Z[UTC]`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from forceglue.errors import UsageError

_ZONE = re.compile(r"\[[^\]]*\]$")


@dataclass(frozen=True)
class FlowRun:
    """One run of a flow.

    Attributes:
        flow, execution: its folder under `in/`, and the folder of the run in that.
        succeeded: whether AppFlow says so; `status` are its words.
        announced: records that it says it wrote.
        began, ended: with their zone.
        destination: `s3://bucket/prefix` that the flow writes below; None where that is not said.
    """

    flow: str
    execution: str
    succeeded: bool
    status: str
    announced: int
    began: datetime
    ended: datetime
    destination: str | None = None

    def message(self) -> dict[str, Any]:
        """The run as the sweep writes it into the queue."""
        return asdict(self) | {"began": self.began.isoformat(), "ended": self.ended.isoformat()}


def flow_run(message: Mapping[str, Any]) -> FlowRun:
    """The run that a message of the queue tells of: AppFlow's event at the end of a run, or the sweep's own.

    Raises:
        UsageError: it is neither.
    """
    try:
        if "detail" in message:
            return _event(message["detail"])
        times = {name: _time(message[name]) for name in ("began", "ended")}
        return FlowRun(**{**message, **times})
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"the message tells of no flow run ({type(error).__name__}: {error}): AppFlow's own at a run's end does."
        ) from error


def _event(detail: Mapping[str, Any]) -> FlowRun:
    status = str(detail["status"])
    ended = _time(detail["end-time"])
    return FlowRun(
        str(detail["flow-name"]),
        str(detail["execution-id"]),
        "success" in status.casefold(),
        status,
        _count(detail, "num-of-records-processed") - _count(detail, "num-of-record-failures"),
        _time(detail.get("start-time") or detail["end-time"]),
        ended,
        str(detail["destination-object"]) if detail.get("destination-object") else None,
    )


def recorded(flow: str, record: Mapping[str, Any]) -> FlowRun | None:
    """The run of a record of `DescribeFlowExecutionRecords`; None while it is running."""
    status = str(record["executionStatus"])
    if status in ("InProgress", "CancelStarted"):
        return None
    result = record.get("executionResult", {})
    ended = record.get("lastUpdatedAt") or record["startedAt"]
    count = int(result.get("recordsProcessed") or 0)
    return FlowRun(
        flow, record["executionId"], status == "Successful", status, count,
        record["startedAt"].astimezone(UTC), ended.astimezone(UTC),
    )  # fmt: skip


def _count(detail: Mapping[str, Any], name: str) -> int:
    return int(detail.get(name) or 0)


def _time(said: Any) -> datetime:
    at = datetime.fromisoformat(_ZONE.sub("", str(said)))
    return at if at.tzinfo else at.replace(tzinfo=UTC)
