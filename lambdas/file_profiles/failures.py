"""Rows whose state machine failed: written by the file's state machine, an item each, read here when the file ends.

An item has the key `run`, `line`; `error` is the name of the error, `execution` the ARN where more is to be seen. What
the row says is in neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from forceglue.profiles.reasons import RowReason


class Failures:
    """The table.

    Args:
        dynamodb: a client of DynamoDB.
    """

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb, self._table = dynamodb, table

    def count(self, run: str) -> int:
        """How many rows of a run failed."""
        return sum(page["Count"] for page in self._pages(run, Select="COUNT"))

    def of(self, run: str) -> Iterator[dict[str, Any]]:
        """Each, by line, as the rejects file has it."""
        for page in self._pages(run):
            for item in page["Items"]:
                reason = {"code": RowReason.ROW_MACHINE.value, "error": item["error"]["S"]}
                yield {"line": int(item["line"]["N"]), "reasons": [reason], "execution": item["execution"]["S"]}

    def _pages(self, run: str, **more: Any) -> Any:
        return self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="#run = :run",
            ExpressionAttributeNames={"#run": "run"},
            ExpressionAttributeValues={":run": {"S": run}},
            **more,
        )
