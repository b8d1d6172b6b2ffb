"""The runs of flows as AppFlow itself lists them, for those whose event never came.

botocore has no paginator for these calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from common.aws import client
from ingest.flows import FlowRun, recorded


def runs(prefix: str, since: datetime) -> Iterator[FlowRun]:
    """Runs that have ended and began after `since`, of all flows whose names begin so."""
    for flow in _flows(prefix, since):
        for record in _records(flow, since):
            run = recorded(flow, record)
            if run is not None:
                yield run


def _flows(prefix: str, since: datetime) -> Iterator[str]:
    for page in _pages("list_flows"):
        for flow in page.get("flows", ()):
            ran = flow.get("lastRunExecutionDetails", {}).get("mostRecentExecutionTime")
            if flow["flowName"].startswith(prefix) and ran is not None and ran >= since:
                yield flow["flowName"]


def _records(flow: str, since: datetime) -> Iterator[dict[str, Any]]:
    for page in _pages("describe_flow_execution_records", flowName=flow):
        found = page.get("flowExecutions", [])
        yield from (one for one in found if one["startedAt"] >= since)
        # AppFlow lists the newest first, and does not promise it
        if found and found[0]["startedAt"] >= found[-1]["startedAt"] and found[-1]["startedAt"] < since:
            return


def _pages(operation: str, **given: Any) -> Iterator[dict[str, Any]]:
    call, token = getattr(client("appflow"), operation), None
    while True:
        page = call(**given, **({"nextToken": token} if token else {}))
        yield page
        token = page.get("nextToken")
        if not token:
            return
