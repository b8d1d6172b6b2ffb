"""Each invocation counts in CloudWatch (`AWS/Lambda`), and so do the metrics that a function logs in EMF, as on AWS.

ministack counts only what is invoked through the API, and leaves EMF in the log: no alarm would ever ring.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

from ministack.services import cloudwatch, lambda_svc

_REST_SECONDS = 1.0
_counted = threading.Event()


def apply() -> None:
    """Corrects it."""
    emit_logs, emit_metrics = lambda_svc._emit_lambda_logs, lambda_svc._emit_lambda_metrics

    def logged(func: Any, request_id: str, text: str, error: bool, duration_ms: int, **more: Any) -> None:
        emit_logs(func, request_id, text, error, duration_ms, **more)
        name = str((func.get("config") or func).get("FunctionName", ""))
        emit_metrics(name, duration_ms=max(duration_ms, 1), error=error, throttle=False)
        for line in text.splitlines():
            for metric in embedded(line):
                cloudwatch.record_metric(*metric)
        _counted.set()

    def throttled(name: str, duration_ms: float, error: bool, throttle: bool) -> None:
        if throttle:  # every other invocation was counted when it was logged
            emit_metrics(name, duration_ms=duration_ms, error=error, throttle=throttle)

    lambda_svc._emit_lambda_logs = logged
    lambda_svc._emit_lambda_metrics = throttled
    threading.Thread(target=_watch, name="alarms", daemon=True).start()


def _watch() -> None:
    """Looks at the alarms when something was counted; all of them, so not for each of a crowd of invocations."""
    while True:
        _counted.wait()
        _counted.clear()
        cloudwatch._evaluate_all_alarms()
        time.sleep(_REST_SECONDS)


def embedded(line: str) -> Iterator[tuple[str, str, float, str, dict[str, str]]]:
    """The metrics of a log line in EMF: namespace, name, value, unit, dimensions. Other lines have none."""
    if '"CloudWatchMetrics"' not in line:
        return
    try:
        told = json.loads(line[line.index("{") :])
    except ValueError:
        return
    for directive in told.get("_aws", {}).get("CloudWatchMetrics", []):
        for names in directive.get("Dimensions") or [[]]:
            dimensions = {name: str(told[name]) for name in names if name in told}
            for metric in directive.get("Metrics", []):
                values = told.get(metric["Name"], [])
                for value in values if isinstance(values, list) else [values]:
                    unit = metric.get("Unit", "None")
                    yield directive["Namespace"], metric["Name"], float(value), unit, dimensions
