"""The envelope of every answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def success(data: Any) -> dict[str, Any]:
    """What was asked for."""
    return {"success": True, "data": data, "timestamp": timestamp()}


def failure(message: str, code: str) -> dict[str, Any]:
    """Why there is nothing: for a person, and for a program."""
    return {"success": False, "error": message, "error_code": code, "timestamp": timestamp()}


def timestamp() -> str:
    """Now in UTC, to the microsecond, without a zone: `2025-01-15T10:30:00.000000`."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
