"""The three entries: a file that landed, a flow run that ended, and the sweep for whatever no event told of."""

from __future__ import annotations

import json
import os
import time
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError

from common import bus
from common.telling import telling
from forceglue.errors import ForceglueError, UsageError
from forceglue.landing.sidecar import Caller
from ingest.flows import FlowRun, flow_run
from ingest.landed import landed
from ingest.settings import IngestSettings, ingest_settings

if TYPE_CHECKING:
    from ingest.mappings import Mappings
    from ingest.timed import TimedStore
    from ingest.turn import Ingest, Turn

_told = telling("ingest")
logger, metrics, tracer = _told.logger, _told.metrics, _told.tracer
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)

_MARGIN, _SHARE = 60.0, 0.2
"""What is kept of the function's time, to move a file that was read and to tell of it: seconds, at most this share."""
_METRICS = {
    "ingested": "FilesIngested",
    "rejected": "FilesRejected",
    "told_again": "FilesToldAgain",
    "ignored": "FilesIgnored",
    "gone": "FilesGone",
    "left": "FilesLeft",
}


@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Files that landed, in an event of EventBridge or a notification of S3; the answer says what became of each.

    What fails is raised when every file had its turn, and Lambda brings the event again.
    """
    began, settings = time.perf_counter(), _settings()
    files, turns, failed = landed(event), [], []
    if not files:
        logger.warning("the event tells of no file", extra={"detail_type": event.get("detail-type")})
    for file in files:
        try:
            logger.set_correlation_id(_parts().correlation_id(file))
            one = _parts().turn(file, _caller(context), _until(context))
            bus.put(settings.bus, settings.source, [one.event] if one.event else [])
        except (ForceglueError, OSError, BotoCoreError, ClientError) as error:
            logger.exception("the file was not ingested", extra={"key": file.key, "event_id": file.event})
            failed.append(error)
        else:
            _tell(one)
            turns.append(one)
    took = (time.perf_counter() - began) * 1000
    metrics.add_metric(name="IngestMs", unit=MetricUnit.Milliseconds, value=round(took, 2))
    if failed:
        raise failed[0] if len(failed) == 1 else ExceptionGroup("files were not ingested", failed)
    return {"files": [{"key": one.key, "status": one.status} for one in turns]}


def _tell(turn: Turn) -> None:
    """A line of the log and the metrics of a file; a rejected one is no failure of the function."""
    kind, detail = turn.event or ("", {})
    say = logger.warning if turn.why else logger.info
    say(
        f"file {turn.status}",
        extra={"key": turn.key, "event": kind, "moved_to": detail.get("moved_to"), "rows": turn.rows, "why": turn.why},
    )
    metrics.add_metric(name=_METRICS[turn.status], unit=MetricUnit.Count, value=1)
    if turn.status == "ingested":
        metrics.add_metric(name="RowsIngested", unit=MetricUnit.Count, value=turn.rows)


@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context(clear_state=True)
def reconcile(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Flow runs that ended, from the queue; the answer names those whose files are still on their way."""

    def one(record: Any) -> None:
        run = flow_run(json.loads(record.body))
        logger.set_correlation_id(run.execution)
        _reconcile(run)

    return dict(process_partial_response(event=event, record_handler=one, processor=processor, context=context))


def _reconcile(run: FlowRun) -> None:
    from ingest.reconciling import Reconciling, StillLanding

    settings = _settings()
    try:
        found = Reconciling(_store(), settings).compare(run)
    except StillLanding:
        metrics.add_metric(name="FlowsWaiting", unit=MetricUnit.Count, value=1)
        raise
    if found is None:
        metrics.add_metric(name="FlowsReconciled", unit=MetricUnit.Count, value=0)
        logger.info("the flow run was reconciled before, or landed elsewhere", extra={"flow": run.flow})
        return
    bus.put(settings.bus, settings.source, [found.event])
    found.keep()
    logger.info("flow run reconciled", extra={"result": found.event[1]})
    metrics.add_metric(name="FlowsReconciled", unit=MetricUnit.Count, value=1)
    differs = found.state not in ("equal", "failed")
    metrics.add_metric(name="FlowsDifferent", unit=MetricUnit.Count, value=int(differs))
    metrics.add_metric(name="FlowsFailed", unit=MetricUnit.Count, value=int(found.state == "failed"))


@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context(clear_state=True)
def sweep(_event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Files and flow runs that no event told of: they are announced again, to the same two functions."""
    from ingest.sweeping import Sweeping

    settings = _settings()
    sweeping = Sweeping(_store(), settings, _mappings())
    overdue, stranded = sweeping.files()
    bus.put(settings.bus, settings.source, overdue)
    metrics.add_metric(name="FilesOverdue", unit=MetricUnit.Count, value=len(overdue))
    metrics.add_metric(name="FilesStranded", unit=MetricUnit.Count, value=len(stranded))
    for key in stranded[:100]:
        logger.warning("the file lies in in/ and nobody ingests it", extra={"key": key})
    runs = sweeping.flow_runs()
    metrics.add_metric(name="FlowsOverdue", unit=MetricUnit.Count, value=runs)
    told = {"files_overdue": len(overdue), "files_stranded": len(stranded), "flow_runs_overdue": runs}
    logger.info("swept", extra=told)
    return told


def _caller(context: LambdaContext) -> Caller:
    return Caller(context.function_name, context.function_version, context.aws_request_id)


def _until(context: LambdaContext) -> float:
    left = context.get_remaining_time_in_millis() / 1000
    return time.monotonic() + left - min(_MARGIN, left * _SHARE)


@cache
def _settings() -> IngestSettings:
    return ingest_settings(os.environ)


@cache
def _store() -> TimedStore:
    from ingest.timed import TimedStore

    settings = _settings()
    if not settings.bucket:
        raise UsageError(
            f"LANDING is {settings.landing!r}: files that land are told of by S3; give s3://bucket/prefix."
        )
    return TimedStore(settings.landing)


@cache
def _mappings() -> Mappings:
    from ingest.mappings import Mappings

    return Mappings(_settings())


@cache
def _parts() -> Ingest:
    from ingest.turn import Ingest

    return Ingest(_store(), _settings().bucket, _settings().prefix, _mappings())
