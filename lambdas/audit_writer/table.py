"""The table of the audit: of each record its changes, by their times."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from common.items import Values

_A_CALL = 25
_WAITS = (0.1, 0.4, 1.6)
"""Seconds before what the table did not take is sent again; then it is left to the queue, which has more time."""


class TableBusyError(Exception):
    """The table took not all entries. Their message comes again; what was written is written again, as it is."""


def item(entry: Mapping[str, Any]) -> Values:
    """An entry as an item; the same entry is always the same item."""
    texts = ("id", "timestamp", "operation", "object", "record_id", "caller", "application_label", "correlation_id")
    return {
        "record": {"S": f"{entry['object']}#{entry['record_id']}"},
        "at": {"S": f"{entry['timestamp']}#{entry['id']}"},
        **{name: {"S": str(entry[name])} for name in texts},
        **{name: {"S": json.dumps(entry[name], ensure_ascii=False)} for name in ("before", "after")},
    }


def write(dynamodb: Any, table: str, entries: Sequence[Mapping[str, Any]]) -> None:
    """Writes them all.

    Raises:
        TableBusyError: the table was busy for longer than a few seconds.
        botocore.exceptions.ClientError: the call itself was refused.
    """
    items = [item(entry) for entry in entries]
    for start in range(0, len(items), _A_CALL):
        left: list[Any] = [{"PutRequest": {"Item": one}} for one in items[start : start + _A_CALL]]
        for wait in (*_WAITS, None):
            left = dynamodb.batch_write_item(RequestItems={table: left}).get("UnprocessedItems", {}).get(table, [])
            if not left:
                break
            if wait is None:
                raise TableBusyError(f"{table} did not take {len(left)} entries")
            time.sleep(wait)
