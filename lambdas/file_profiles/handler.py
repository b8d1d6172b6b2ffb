"""The three entries: a file came in; read a part of it; end it. Between them stands a state machine."""

from __future__ import annotations

import json
import os
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from common.aws import CONFIG, client
from common.bus import put
from common.telling import telling
from file_profiles.concluding import Concluding, Conclusion, too_many
from file_profiles.failures import Failures
from file_profiles.incoming import IncomingFile, incoming
from file_profiles.objects import Objects
from file_profiles.part import PartReader
from file_profiles.profiles import profile_of, text_of
from file_profiles.progress import Progress
from file_profiles.settings import FileSettings, file_settings
from forceglue.profiles.reasons import FileRefused

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.parameters import SSMProvider

_told = telling("file-profiles")
logger, metrics, tracer = _told.logger, _told.metrics, _told.tracer

_PATIENT = CONFIG.merge(Config(read_timeout=120))
"""S3 copies a large object within one call."""
_MARGIN = 30_000
"""Milliseconds that are kept for writing what was read."""


@tracer.capture_lambda_handler(capture_response=False)
@logger.inject_lambda_context
def start(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    """An object was created in the incoming bucket: its run is started, once however often the event comes."""
    settings, detail = _settings(), event["detail"]
    file = incoming(detail, settings.env)
    if file is None:
        logger.info("no file of a source in this environment", extra={"object": _object(detail)})
        return {"status": "ignored", "object": _object(detail)}
    logger.append_keys(correlation_id=file.run)
    machines = client("stepfunctions")
    try:
        # the same name for the same upload: Step Functions starts it once
        machines.start_execution(
            stateMachineArn=settings.machine,
            name=file.run,
            input=json.dumps({"file": file.plain(), "progress": None}, sort_keys=True),
        )
    except machines.exceptions.ExecutionAlreadyExists:
        logger.info("the file's run was started before", extra={"object": _object(detail)})
        return {"status": "repeated", "run": file.run}
    logger.info("the file's run is started", extra={"object": _object(detail), "bytes": file.size})
    return {"status": "started", "run": file.run}


@tracer.capture_lambda_handler(capture_response=False)
@logger.inject_lambda_context
def read(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The next part of a file; the answer is the progress that the next call, or the end, takes."""
    file, progress = IncomingFile(**event["file"]), Progress.of(event.get("progress"))
    logger.append_keys(correlation_id=file.run)
    settings = _settings()
    reader = PartReader(Objects(client("s3", _PATIENT)), lambda: context.get_remaining_time_in_millis() < _MARGIN)
    try:
        first = not progress.profile
        progress.profile = progress.profile or text_of(_provider(), settings, file.source)
        profile = profile_of(progress.profile, f"{file.source}.json")
        if first:
            progress.started_at = str(event["started_at"])
            reader.begin(file, profile, progress)
        reader.read(file, profile, progress)
        if progress.status == "rows" and too_many(progress.failed, progress):
            progress.status = "done"  # no row is started of a file that is set aside in any case
    except FileRefused as refused:
        progress.status, progress.code, progress.message = "refused", refused.code.value, refused.message
    counts = {name: getattr(progress, name) for name in ("status", "rows", "failed", "dropped", "parts", "code")}
    logger.info("a part is read", extra=counts)
    return progress.plain()


@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
@logger.inject_lambda_context
def conclude(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    """The end of a file; the answer is the result of the run."""
    file, progress = IncomingFile(**event["file"]), Progress.of(event["progress"])
    logger.append_keys(correlation_id=file.run)
    settings = _settings()
    failures = Failures(client("dynamodb"), settings.rejects)
    at = datetime.fromisoformat(str(event["started_at"]))
    made = Concluding(Objects(client("s3", _PATIENT)), failures, settings.landing).conclude(file, progress, at)
    told = made.told()
    kind = "file-processed" if made.code is None else "file-processing"
    put(settings.bus, settings.event_source, [(kind, told | {"execution": event["execution"]})])
    _count(made)
    logger.info("the file is at its end", extra={name: told.get(name) for name in _LOGGED})
    return told


_LOGGED = ("state", "code", "rows", "RowsProcessed", "RowsFailed", "RowsDropped", "RowsNotStarted", "moved_to")
_METRICS = {
    "processed": "RowsProcessed",
    "failed": "RowsFailed",
    "files_processed": "FilesProcessed",
    "files_failed": "FilesFailed",
}


def _count(made: Conclusion) -> None:
    """By environment, for alarms, and by source, for the dashboard."""
    failed = made.code is not None
    files = {"files_processed": int(not failed), "files_failed": int(failed)}
    counts = {"processed": made.processed, "failed": made.failed, **files}
    metrics.add_dimensions(source=made.file.source)
    for what, value in counts.items():
        metrics.add_metric(name=_METRICS[what], unit=MetricUnit.Count, value=value)


def _object(detail: dict[str, Any]) -> str:
    return f"{detail['bucket']['name']}/{detail['object']['key']}"


@cache
def _settings() -> FileSettings:
    return file_settings(os.environ)


@cache
def _provider() -> SSMProvider:
    from aws_lambda_powertools.utilities.parameters import SSMProvider

    return SSMProvider(boto3_client=client("ssm"))
