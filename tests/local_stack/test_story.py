from __future__ import annotations

import json
from pathlib import Path

import pytest

from forceglue.errors import SetupError
from local_stack import story
from local_stack.place import Place


def event(second: int, source: str, kind: str, **detail: object) -> str:
    return json.dumps(
        {"time": f"2026-01-01T00:00:{second:02}Z", "source": source, "detail-type": kind, "detail": detail}
    )


EVENTS = [
    event(3, "forceglue.job", "mapping-finished", correlation_id="e1", mapping="contact", status="unchanged"),
    event(2, "forceglue.job-trigger", "job-started", correlation_id="e1", files=2, job_run_id="jr_0123456789abcdef"),
    event(1, "forceglue.ingest", "file-ingested", correlation_id="e1", salesforce_object="Account", rows=3, state="success"),
    event(1, "aws.s3", "Object Created", object={"key": "in/dev-Salesforce-Account/e1/1"}),
    event(4, "forceglue.ingest", "file-ingestion", correlation_id="e2", state="error", code="LND001", message="m" * 500),
]  # fmt: skip


def test_events_are_told_in_their_order_under_their_correlation_id() -> None:
    lines = list(story.told(story.read(EVENTS)))
    assert [line.strip() for line in lines if line.startswith("\n")][:2] == ["e1", "e2"]
    assert "ingest       file-ingested        salesforce_object=Account state=success rows=3" in lines[1]
    assert lines[2].endswith("job-started          files=2 job_run_id=jr_01234567…")
    assert "state=error code=LND001 message=mmm" in lines[4] and len(lines[4]) < 300
    assert lines[-1] == "\n2 quiet events are not shown; --all shows them"


def test_all_of_them_where_they_are_asked_for() -> None:
    lines = "\n".join(story.told(story.read(EVENTS), every=True))
    assert "mapping=contact status=unchanged" in lines
    assert "in/dev-Salesforce-Account/e1/1" in lines
    assert "without a correlation id" in lines


def test_a_stack_that_is_not_up_is_told(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="`make up` writes it"):
        story.events(Place(tmp_path))
