"""The entry: CloudFormation hands the macro a template, and takes another."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from common.telling import telling
from multiply_flows.multiply import MultiplyError, multiplied

_told = telling("multiply-flows")
logger, metrics, tracer = _told.logger, _told.metrics, _told.tracer


@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context
def handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    """The template multiplied, or all that is wrong with it: the stack's change set fails with these words."""
    request, fragment = event["requestId"], event["fragment"]
    logger.append_keys(correlation_id=request)
    try:
        made = multiplied(fragment, event.get("templateParameterValues") or {})
    except MultiplyError as error:
        logger.warning("the template cannot be multiplied", extra={"problems": error.problems})
        metrics.add_metric(name="TemplatesRefused", unit=MetricUnit.Count, value=1)
        return {"requestId": request, "status": "failure", "fragment": fragment, "errorMessage": str(error)}
    before, after = len(fragment["Resources"]), len(made["Resources"])
    logger.info("template multiplied", extra={"resources": {"before": before, "after": after}})
    metrics.add_metric(name="TemplatesMultiplied", unit=MetricUnit.Count, value=1)
    return {"requestId": request, "status": "success", "fragment": made}
