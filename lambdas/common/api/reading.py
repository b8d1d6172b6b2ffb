"""Bodies of requests: JSON, read strictly, so that what is sent on is what was meant."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from common.api.problems import Problem
from common.api.transaction import lower_headers


def json_of(text: str) -> Any:
    """The body's value.

    Raises:
        Problem: it is no JSON (400), `NaN` and halves of surrogate pairs among what is none.
    """
    try:
        value = json.loads(text, parse_constant=_none)
        if "\\u" in text or not text.isascii():
            # a half of a surrogate pair is no character; UTF-8 has no form for it
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Problem(400, "INVALID_JSON", "Invalid JSON in request body") from None
    return value


def must_be_json(event: Mapping[str, Any]) -> None:
    """Raises `Problem` (415) where there is a body and it does not say that it is JSON."""
    kind = lower_headers(event).get("content-type", "").partition(";")[0].strip().lower()
    if event.get("body") and kind and kind != "application/json":
        raise Problem(415, "UNSUPPORTED_MEDIA_TYPE", f"The request body must be application/json, and is {kind[:80]}")


def _none(word: str) -> NoReturn:
    raise ValueError(word)
