"""The item in DynamoDB: read whole, written whole, and only onto the version that was read."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

from common.items import Values, number, plain
from forceglue.errors import TransientError
from job_trigger.record import NONE, Files, Record

_TRIES = 60


class Contended(TransientError):
    """Others changed the item each time between its reading and its writing."""


class Store:
    """One item.

    Args:
        dynamodb: a client of DynamoDB.
        table, job: the table and the item's key, the job's name; its attribute is `PK`.
    """

    def __init__(self, dynamodb: Any, table: str, job: str) -> None:
        self._dynamodb, self._table, self._key = dynamodb, table, {"PK": {"S": job}}

    def read(self) -> Record:
        """The item as it is now (a consistent read)."""
        answer = self._dynamodb.get_item(TableName=self._table, Key=self._key, ConsistentRead=True)
        return _record(answer.get("Item"))

    def write(self, seen: Record, record: Record) -> bool:
        """Writes `record` if the item is still as it was `seen`; False where it is not."""
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item={**self._key, **_item(record, seen.version + 1)},
                ConditionExpression="attribute_not_exists(PK)" if not seen.version else "#version = :seen",
                **(
                    {
                        "ExpressionAttributeNames": {"#version": "version"},
                        "ExpressionAttributeValues": {":seen": number(seen.version)},
                    }
                    if seen.version
                    else {}
                ),
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def change(self, make: Callable[[Record], Record | None]) -> Record | None:
        """Makes a change of the item as it is now, however often another comes first.

        Args:
            make: the record after it; None: there is nothing to change.

        Returns:
            What was written, or None.

        Raises:
            Contended: others were always quicker.
        """
        for tries in range(_TRIES):
            seen = self.read()
            record = make(seen)
            if record is None:
                return None
            if self.write(seen, record):
                return record
            time.sleep(random.uniform(0, min(0.5, 0.01 * 2 ** min(tries, 10))))
        raise Contended(f"the item of {self._key['PK']['S']} was changed by others {_TRIES} times; try again.")


def _item(record: Record, version: int) -> Values:
    return {
        "version": number(version),
        "waiting": _of_files(record.waiting),
        "going": _of_files(record.going),
        "phase": {"S": record.phase},
        "gathering": {"S": record.gathering},
        "run_id": {"S": record.run_id},
        "at": number(record.at),
        "failures": number(record.failures),
        "not_before": number(record.not_before),
        "because": {"S": record.because},
    }


def _of_files(files: Files) -> dict[str, Any]:
    return {
        "M": {
            "count": number(files.count),
            "ids": {"L": [{"S": one} for one in files.ids]},
            "more": {"BOOL": files.more},
            "since": number(files.since),
        }
    }


def _record(item: Values | None) -> Record:
    if not item:
        return Record()
    told = plain(item)
    return Record(
        version=int(told["version"]),
        waiting=_files(told["waiting"]),
        going=_files(told["going"]),
        phase=told["phase"],
        gathering=told["gathering"],
        run_id=told["run_id"],
        at=float(told["at"]),
        failures=int(told["failures"]),
        not_before=float(told["not_before"]),
        because=told["because"],
    )


def _files(item: Values) -> Files:
    told = plain(item)
    count = int(told["count"])
    return Files(count, tuple(one["S"] for one in told["ids"]), told["more"], float(told["since"])) if count else NONE
