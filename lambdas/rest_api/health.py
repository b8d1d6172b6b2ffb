"""Whether Salesforce can be reached; whoever asks is answered, whatever is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from common.api.problems import of_salesforce
from forceglue.errors import SalesforceError, SetupError, UsageError
from rest_api.parts import Parts
from rest_api.settings import FUNCTION, VERSION


def health(parts: Callable[[], Parts]) -> dict[str, Any]:
    """Healthy, or degraded with the reason."""
    try:
        parts().probe()
    except SalesforceError as error:
        return _degraded(of_salesforce(error, "Salesforce").message)
    except (UsageError, SetupError):
        return _degraded("The function's settings are not complete; its log says which")
    return {"status": "healthy", "salesforce_connected": True, "function": FUNCTION, "version": VERSION}


def _degraded(why: str) -> dict[str, Any]:
    return {"status": "degraded", "salesforce_connected": False, "error": why}
