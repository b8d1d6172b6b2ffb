"""The two entries: a run, started every 30 minutes; and users that are to be tried again, from a queue."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError

from common.aws import client
from common.connecting import connect
from common.telling import telling
from forceglue.errors import SetupError, UsageError
from forceglue.salesforce.settings import Connection
from token_refresher.notify import Notices
from token_refresher.outcome import Outcome, Statistics
from token_refresher.refreshing import Refreshing
from token_refresher.retry_queue import QueueError, RetryQueue
from token_refresher.running import AppRefusedError, Run
from token_refresher.settings import RefresherSettings, refresher_settings
from token_refresher.user_secrets import Secrets
from token_refresher.users import Users

_told = telling("token-refresher")
logger, metrics, tracer = _told.logger, _told.metrics, _told.tracer
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)

_MARGIN = 60.0
"""Seconds that are kept of the function's time: who is begun ends, who is left is handed on."""
_ANSWER = 5.0
"""Seconds that the retry function keeps beside those of a refresh."""
_EACH_HIS_OWN = "each user's own"
_METRICS = {
    "users_queried": "UsersQueried",
    "tokens_refreshed": "TokensRefreshed",
    "tokens_skipped": "TokensSkipped",
    "failures": "RefreshFailures",
    "users_revoked": "UsersRevoked",
    "users_in_doubt": "UsersInDoubt",
    "users_left": "UsersLeft",
}


class TryAgain(Exception):
    """A user of the queue failed in a way that passes: its message comes again, and ends among the dead letters."""


class Parts:
    """What a run is made of."""

    def __init__(self, settings: RefresherSettings, app: Connection) -> None:
        self.settings = settings
        self.users = Users(client("dynamodb"), settings.table, settings.shards)
        self.secrets = Secrets(client("secretsmanager"))
        self.queue = RetryQueue(client("sqs"), settings.queue)
        notices = Notices(client("sns"), settings.topic, logger, metrics)
        self.refreshing = Refreshing(settings, self.users, self.secrets, notices, app)


def parts() -> Parts:
    """The parts, with the app as its secret says now."""
    return _parts(_settings(), _app())


@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context
def handler(_: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """A run; its answer says what became of everybody who was due."""
    began, run = time.perf_counter(), None
    problem: Exception | None = None
    logger.info("token refresher invoked")
    try:
        one = parts()
        deadline = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - _MARGIN
        run = Run(one.settings, one.users, one.secrets, one.queue, one.refreshing, deadline)
        run.all()
    except (UsageError, SetupError, AppRefusedError, QueueError, BotoCoreError, ClientError) as error:
        problem = error
        logger.exception("the run was not finished")
        metrics.add_metric(name="RunFailed", unit=MetricUnit.Count, value=1)
    finally:
        statistics = run.statistics if run is not None else Statistics()
        took = (time.perf_counter() - began) * 1000
        _tell(statistics)
        metrics.add_metric(name="FailuresPercent", unit=MetricUnit.Percent, value=statistics.percent)
        metrics.add_metric(name="RunMs", unit=MetricUnit.Milliseconds, value=round(took, 2))
        logger.info("token refresh completed", extra={"statistics": statistics.told(), "duration_ms": round(took, 2)})
    answer = {
        "statusCode": 200 if problem is None else 500,
        "timestamp": datetime.now(UTC).isoformat(),
        "statistics": statistics.told(),
        "duration_ms": round(took, 2),
    }
    return answer if problem is None else answer | {"error": type(problem).__name__, "message": str(problem)}


@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
@logger.inject_lambda_context
def retry(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Users of the queue; the answer names the messages that are to come again."""
    one, statistics = parts(), Statistics()

    def refresh(record: Any) -> None:
        left = context.get_remaining_time_in_millis() / 1000
        if left < one.settings.lease + _ANSWER:
            raise TryAgain("the function's time is over")
        outcome = _again(one, str(json.loads(record.body)["user_id"]))
        statistics.add(outcome)
        if outcome.kind == "again" or outcome.stops:
            one.queue.later(record.receipt_handle, int(record.attributes.approximate_receive_count))
            raise TryAgain(f"{outcome.error}: {outcome.message}")

    answer = process_partial_response(event=event, record_handler=refresh, processor=processor, context=context)
    _tell(statistics)
    logger.info("users tried again", extra={"statistics": statistics.told()})
    return dict(answer)


def _again(one: Parts, user_id: str) -> Outcome:
    user = one.users.get(user_id)
    if user is None or user.status != "active":
        return Outcome(user_id, "skipped")
    return one.refreshing.one(user, one.secrets.read([user.secret])[user.secret])


def _tell(statistics: Statistics) -> None:
    told = statistics.told()
    for name, metric in _METRICS.items():
        metrics.add_metric(name=metric, unit=MetricUnit.Count, value=told[name])


@cache
def _settings() -> RefresherSettings:
    return refresher_settings(os.environ)


@cache
def _parts(settings: RefresherSettings, app: Connection) -> Parts:
    return Parts(settings, app)


def _app() -> Connection:
    """The app; the refresh token in it is a placeholder, which each user's own takes the place of."""
    app = connect({**os.environ, "SF_REFRESH_TOKEN": _EACH_HIS_OWN})
    if app.flow != "refresh":
        raise UsageError(f"the app is to be asked by {app.flow}, and users' tokens by refresh: give no private key.")
    return replace(app, refresh_token=_EACH_HIS_OWN)
