"""The REST API behind API Gateway; who may call at all is API Gateway's business (IAM or Cognito, see the template)."""

from __future__ import annotations

import json
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestUnsupportedContentType, RequestValidationError
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from common.api.answers import failure
from common.api.callers import caller_of
from common.api.problems import Problem, of_validation
from common.api.reading import json_of, must_be_json
from common.api.transaction import Transaction
from common.telling import telling
from forceglue.errors import SetupError, UsageError
from rest_api import routes
from rest_api.asking import Asking
from rest_api.parts import parts
from rest_api.repeated import Repeats

_told = telling("rest-api")
logger, metrics, tracer = _told.logger, _told.metrics, _told.tracer


def _answered(body: dict[str, Any]) -> str:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)


app = APIGatewayRestResolver(enable_validation=True, serializer=_answered, json_body_deserializer=json_of)
app.include_router(routes.router)


@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """One call."""
    transaction = Transaction.of(event, context.function_name)
    logger.set_correlation_id(transaction.correlation_id)
    logger.append_keys(application_label=transaction.application_label)
    try:
        answer = _resolved(event, context, transaction)
    except Problem as problem:
        answer = _plain(problem)
    answer["multiValueHeaders"] = {
        **answer.get("multiValueHeaders", {}),
        **{name: [value] for name, value in transaction.headers.items()},
    }
    status = int(answer["statusCode"])
    # no more of the path: a value of an external id may stand in it
    place = "/".join(transaction.path.split("/")[:3])
    logger.info("answered", extra={"method": transaction.method, "place": place, "status": status})
    metrics.add_metric(name="Answered", unit=MetricUnit.Count, value=1)
    if status >= 500:
        metrics.add_metric(name="AnsweredWithError", unit=MetricUnit.Count, value=1)
    return answer


def _resolved(event: dict[str, Any], context: LambdaContext, transaction: Transaction) -> dict[str, Any]:
    must_be_json(event)
    try:
        made = parts(_told)
    except UsageError:
        if not transaction.path.endswith("/health"):
            logger.exception("the function's settings are not complete")
            raise Problem(
                500, "INTERNAL_ERROR", "The function's settings are not complete; its log says which"
            ) from None
        made = None
    prefix, otherwise = (made.settings.scope_prefix, made.settings.iam_scopes) if made else ("", frozenset[str]())
    asking = Asking(transaction, caller_of(event, prefix, otherwise))
    table = made.settings.idempotency_table if made else ""
    repeats = Repeats(table, asking, str(event.get("body") or ""), context)
    app.context.update(parts=made, asking=asking, repeats=repeats)
    return app.resolve(event, context)


@app.get("/openapi.json", include_in_schema=False)
def description() -> Response[str]:
    from rest_api.openapi import spec

    return Response(200, content_types.APPLICATION_JSON, json.dumps(spec(app, _base())))


@app.get("/docs", include_in_schema=False)
def docs() -> Response[str]:
    from rest_api.openapi import page, spec

    return Response(200, content_types.TEXT_HTML, page(spec(app, _base())))


def _base() -> str:
    """The path before the API's own: the stage, at API Gateway's own address."""
    asked = app.current_event.request_context.path or ""
    own = app.current_event.path
    return asked.removesuffix(own) if asked.endswith(own) else ""


def _response(problem: Problem) -> Response[Any]:
    body: Any = failure(problem.message, problem.code)
    return Response(problem.status, content_types.APPLICATION_JSON, body, headers=dict(problem.headers))


def _plain(problem: Problem) -> dict[str, Any]:
    """The same where nothing was routed yet."""
    headers = {"Content-Type": ["application/json"], **{name: [value] for name, value in problem.headers.items()}}
    return {
        "statusCode": problem.status,
        "multiValueHeaders": headers,
        "body": _answered(failure(problem.message, problem.code)),
        "isBase64Encoded": False,
    }


def refused(problem: Problem) -> Response[Any]:
    """What was refused on purpose."""
    return _response(problem)


def invalid(error: RequestValidationError) -> Response[Any]:
    """A request, or an answer of our own, that does not fit."""
    found = list(error.errors())
    if any(one["loc"][0] == "response" for one in found):
        places = [".".join(map(str, one["loc"])) for one in found]
        logger.error("the answer does not fit its own description", extra={"places": places})
        return _response(Problem(500, "INTERNAL_ERROR", "The answer does not fit its description"))
    return _response(of_validation(found))


def unsupported(_: RequestUnsupportedContentType) -> Response[Any]:
    """A body that is no JSON."""
    return _response(Problem(415, "UNSUPPORTED_MEDIA_TYPE", "The request body must be JSON (application/json)"))


def not_set_up(error: Exception) -> Response[Any]:
    """The way to Salesforce is not described, or cannot be read."""
    logger.error("the function is not set up", extra={"problem": str(error)})
    return _response(Problem(500, "AUTH_ERROR", "Authentication failed: the way to Salesforce is not set up"))


def nowhere(_: NotFoundError) -> Response[Any]:
    """No route: of another method, or of none."""
    path, method = app.context["_path"], app.current_event.http_method
    routes_here = [route for route in (*app._static_routes, *app._dynamic_routes) if route.rule.match(path)]  # noqa: SLF001
    allowed = sorted({route.method for route in routes_here})
    if allowed:
        problem = Problem(405, "METHOD_NOT_ALLOWED", f"{method} is not allowed here", Allow=", ".join(allowed))
        return _response(problem)
    return _response(Problem(404, "NOT_FOUND", f"Nothing is at {path[:200]}"))


def unhandled(error: Exception) -> Response[Any]:
    """A fault of our own: the caller is answered, the log holds it, the alarm on errors counts it."""
    logger.error("unhandled", exc_info=error)
    metrics.add_metric(name="Unhandled", unit=MetricUnit.Count, value=1)
    return _response(Problem(500, "INTERNAL_ERROR", "Internal error; the log has it under this correlation id"))


app.exception_handler_manager.update_exception_handlers(
    {
        Problem: refused,
        RequestValidationError: invalid,
        RequestUnsupportedContentType: unsupported,
        UsageError: not_set_up,
        SetupError: not_set_up,
        NotFoundError: nowhere,
        Exception: unhandled,
    }
)
