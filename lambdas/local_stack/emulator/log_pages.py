"""`FilterLogEvents` comes in pages, as on AWS: whoever follows `nextToken` gets every event.

ministack gives the first ten thousand and says nothing of the others.
"""

from __future__ import annotations

import json
from typing import Any

from ministack.core.responses import json_response
from ministack.services import cloudwatch_logs

_MOST = 10_000


def apply() -> None:
    """Corrects it."""
    original = cloudwatch_logs._filter_log_events

    def filtered(data: dict[str, Any]) -> Any:
        token, limit = data.get("nextToken"), min(int(data.get("limit") or _MOST), _MOST)
        # a token is the time of the last event, and how many events of that time were given
        since, given = (int(part) for part in token.split("/")) if token else (data.get("startTime"), 0)
        status, _, body = answer = original({**data, "startTime": since, "limit": _MOST})
        if status >= 400:
            return answer
        told = json.loads(body)
        found = told["events"]
        page = found[given : given + limit]
        if page and (len(found) > given + limit or len(found) == _MOST):
            last = page[-1]["timestamp"]
            same = sum(event["timestamp"] == last for event in found[: given + len(page)])
            told["nextToken"] = f"{last}/{same}"
        return json_response({**told, "events": page})

    cloudwatch_logs._filter_log_events = filtered
