"""`GET /sf/token` behind API Gateway; who may call is API Gateway's business (IAM or Cognito, see the template)."""

from __future__ import annotations

import json
import os
import re
import time
from functools import cache
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from common.aws import client
from common.connecting import connect
from common.sealed import Sealer
from common.telling import telling
from forceglue.errors import SetupError, UsageError
from token_broker.broker import Broker, NoToken
from token_broker.settings import broker_settings
from token_broker.store import TokenStore
from token_broker.watch import Watch

_told = telling("token-broker")
logger, metrics, tracer = _told.logger, _told.metrics, _told.tracer
app = APIGatewayRestResolver()

_HASH = re.compile(r"[0-9a-f]{64}")
_MARGIN = 3.0
"""Seconds that are kept of the function's time, to answer in."""


@cache
def broker() -> Broker:
    """The broker of this instance, with its memory."""
    settings = broker_settings(os.environ)
    store = TokenStore(client("dynamodb"), settings.table, settings.pk)
    return Broker(settings, store, Sealer(client("kms"), settings.key), connect, Watch(logger, metrics))


@app.get("/sf/token")
def token() -> Response[str]:
    """The token, as OAuth answers write it, or why there is none."""
    stale = app.current_event.get_query_string_value("stale") or ""
    if stale and not _HASH.fullmatch(stale):
        return _refused(400, "invalid_request", "stale is no SHA-256: give that of the refused token, 64 hex digits.")
    left = app.lambda_context.get_remaining_time_in_millis() / 1000 - _MARGIN
    try:
        one = broker()
        given = one.token(stale, min(left, one.patience), left)
    except (UsageError, SetupError) as error:
        logger.exception("the broker is not set up")
        return _refused(500, "not_set_up", str(error))
    except NoToken as none:
        return _refused(
            502 if none.retry_after is None else 503, none.failure.code, none.failure.said, none.retry_after
        )
    body = {
        "access_token": given.access_token,
        "instance_url": given.instance_url,
        "token_type": "Bearer",
        "expires_in": max(0, int(given.expires_at - time.time())),
    }
    return _answer(200, body)


@app.not_found
def no_such_path(_: NotFoundError) -> Response[str]:
    return _refused(404, "not_found", "there is GET /sf/token, and nothing else.")


@app.exception_handler(Exception)  # type: ignore[untyped-decorator]
def failed(error: Exception) -> Response[str]:
    """What nobody foresaw: its kind goes to the log with the trace, its words to nobody."""
    logger.error("the call failed", exc_info=error)
    metrics.add_metric(name="BrokerFailed", unit=MetricUnit.Count, value=1)
    return _refused(500, "internal", "the broker failed; see its log by the request id.")


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Lambda's entry."""
    began = time.perf_counter()
    try:
        return app.resolve(event, context)
    finally:
        took = (time.perf_counter() - began) * 1000
        metrics.add_metric(name="BrokerLatencyMs", unit=MetricUnit.Milliseconds, value=round(took, 3))


def _refused(status: int, code: str, said: str, retry_after: float | None = None) -> Response[str]:
    """The one envelope of errors, that of OAuth (RFC 6749); what may be tried again has `Retry-After`."""
    headers = {} if retry_after is None else {"Retry-After": str(max(1, round(retry_after)))}
    request = app.current_event.request_context.request_id
    return _answer(status, {"error": code, "error_description": said, "request_id": request}, headers)


def _answer(status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> Response[str]:
    return Response(
        status_code=status,
        content_type=content_types.APPLICATION_JSON,
        body=json.dumps(body),
        headers={"Cache-Control": "no-store", **(headers or {})},
    )
