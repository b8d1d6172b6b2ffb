"""With `AUTH=true` every call is asked for its right, and functions have those of their roles: policies are tried.

ministack knows no condition keys of single services (an event's source, an item's key, what a text is encrypted for): a
condition on one would never be met. Here it is taken as met. That everything goes over TLS is taken as so, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.core import iam_evaluator

_UNKNOWN = ("events:source", "dynamodb:leadingkeys", "kms:encryptioncontext", "kms:viaservice", "kms:resourcealiases")
_OF_TLS = ("aws:securetransport", "s3:tlsversion")


def apply() -> None:
    """Corrects it."""
    original = iam_evaluator._conditions_met

    def met(conditions: Mapping[str, Mapping[str, Any]] | None, context: Any) -> bool:
        told = conditions or {}
        if any(key.lower().startswith(_OF_TLS) for keys in told.values() for key in keys):
            return False  # such a statement refuses what is not
        known = {
            operator: {key: value for key, value in keys.items() if not key.lower().startswith(_UNKNOWN)}
            for operator, keys in told.items()
        }
        return bool(original({operator: keys for operator, keys in known.items() if keys}, context))

    iam_evaluator._conditions_met = met
