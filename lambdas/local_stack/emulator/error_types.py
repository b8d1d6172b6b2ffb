"""Errors of Python handlers carry their class and stack trace, as on AWS; Step Functions retry and catch by that name.

ministack says `Runtime.HandlerError` for each.
"""

from __future__ import annotations

import re
from typing import Any

from ministack.services import lambda_svc

_BEGIN = "Traceback (most recent call last):"
_NAMED = re.compile(r"([A-Za-z_][\w.]*)(?::|$)")


def apply() -> None:
    """Corrects it."""
    original = lambda_svc._execute_function_warm

    def execute(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        result: dict[str, Any] = original(func, event, request_id)
        body = result.get("body")
        if result.get("error") and isinstance(body, dict) and body.get("errorType") == "Runtime.HandlerError":
            name, trace = named(str(result.get("log") or ""))
            if name:
                body |= {"errorType": name, "stackTrace": trace}
        return result

    lambda_svc._execute_function_warm = execute


def named(log: str) -> tuple[str, list[str]]:
    """The class of the last error that a log tells, and the lines of its trace; empty where it tells none."""
    lines = log[log.rfind(_BEGIN) :].splitlines()[1:] if _BEGIN in log else []
    names = [found[1] for line in lines if (found := _NAMED.match(line))]
    return (names[-1].rpartition(".")[2] if names else ""), [line for line in lines if line.startswith("  ")]
