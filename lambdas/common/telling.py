"""What a function tells: structured logs, EMF metrics, traces; made once for each function.

No token, secret or personal data is handed to any of them. Traces hold no return values (`capture_response=False`): a
return value may be a token.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from aws_lambda_powertools import Logger, Metrics, Tracer

NAMESPACE = "forceglue"


@dataclass(frozen=True)
class Telling:
    """Powertools' three, for one function."""

    logger: Logger
    metrics: Metrics
    tracer: Tracer


def telling(service: str) -> Telling:
    """Logger, metrics and tracer of the function `service`; what is patched for traces is patched once."""
    metrics = Metrics(namespace=NAMESPACE, service=service)
    # several environments may share an account: their metrics and alarms must not mix
    metrics.set_default_dimensions(env=os.environ.get("ENV", "local"))
    return Telling(Logger(service=service), metrics, Tracer(service=service, patch_modules=("botocore", "requests")))
