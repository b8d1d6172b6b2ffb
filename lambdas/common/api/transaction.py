"""The context of one call: it goes from service to service, into every log line, and back to the caller."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

CORRELATION, LABEL = "X-Correlation-Id", "X-Application-Label"
_TOLD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/ -]{0,127}")
"""What is taken from a caller as it is: it stands in logs and headers."""


@dataclass(frozen=True)
class Transaction:
    """One call.

    Attributes:
        time: when it came, ISO 8601 in UTC.
        correlation_id: the caller's, or a new one.
        application_label: the system that calls; the function's name where it does not say.
    """

    time: str
    correlation_id: str
    application_label: str
    path: str
    method: str

    @classmethod
    def of(cls, event: Mapping[str, Any], function_name: str) -> Transaction:
        """The transaction of an event of API Gateway, of a REST or an HTTP API."""
        headers = lower_headers(event)
        http = (event.get("requestContext") or {}).get("http") or {}
        return cls(
            datetime.now(UTC).isoformat(),
            _said(headers.get(CORRELATION.lower())) or str(uuid.uuid4()),
            _said(headers.get(LABEL.lower())) or function_name,
            str(event.get("path") or http.get("path") or ""),
            str(event.get("httpMethod") or http.get("method") or ""),
        )

    @property
    def headers(self) -> dict[str, str]:
        """What a further service is told, and the caller."""
        return {CORRELATION: self.correlation_id, LABEL: self.application_label}


def lower_headers(event: Mapping[str, Any]) -> dict[str, str]:
    """The headers of an event by lower-case name."""
    return {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}


def _said(text: str | None) -> str | None:
    return text if text and _TOLD.fullmatch(text) else None
