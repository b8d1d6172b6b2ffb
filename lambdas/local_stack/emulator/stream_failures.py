"""Streams of DynamoDB keep to what an event source mapping says of failures, as on AWS.

`ReportBatchItemFailures`, `MaximumRetryAttempts`, `BisectBatchOnFunctionError` and the `OnFailure` destination.
ministack tries a raise for ever, and takes a partial failure for success: the records would be lost without a word.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from ministack.services import dynamodb, lambda_svc

_FIRST_SECONDS, _MOST_SECONDS = 0.2, 5.0


@dataclass
class _Standing:
    """Where a mapping stands: at which position it failed how often, and how many records it tries at most."""

    position: int = -1
    failures: int = 0
    most: int = 10**9


_standing: dict[str, _Standing] = {}


def apply() -> None:
    """Corrects it."""
    lambda_svc._poll_dynamodb_streams = _poll


def _poll() -> bool:
    moved = False
    for account, region, mapping in lambda_svc._iter_all_esms():
        of_account = lambda_svc._request_account_id.set(account)
        of_region = lambda_svc._request_region.set(region)
        try:
            moved = _look(mapping) or moved
        finally:
            lambda_svc._request_account_id.reset(of_account)
            lambda_svc._request_region.reset(of_region)
    return moved


def _look(mapping: dict[str, Any]) -> bool:
    """Hands on one batch, if there is one; whether the mapping came further."""
    arn, uid = str(mapping.get("EventSourceArn", "")), mapping["UUID"]
    if not mapping.get("Enabled", True) or ":dynamodb:" not in arn:
        return False
    name = arn.partition(":table/")[2].partition("/")[0]
    table = dynamodb._tables.get(name)
    func, _ = lambda_svc._get_func_record_for_qualifier(mapping["FunctionName"], mapping.get("Qualifier"))
    resting = lambda_svc._esm_backoff_until.get(uid, 0) > time.time()
    if func is None or not table or table.get("LatestStreamArn") != arn or resting:
        return False
    standing = _standing.setdefault(uid, _Standing())
    position = _position(mapping, name)
    most = min(int(mapping.get("BatchSize") or 100), standing.most)
    records = dynamodb.stream_records_since(name, position, most)
    if not records:
        return False
    wanted = lambda_svc._apply_filter_criteria(records, mapping)
    if not wanted:
        return _go(uid, position + len(records))
    result = lambda_svc._execute_function(func, {"Records": wanted})
    failed = _first_failed(mapping, result, records)
    if failed is None:
        mapping["LastProcessingResult"] = f"OK - {len(wanted)} records"
        return _go(uid, position + len(records))
    mapping["LastProcessingResult"] = "PROBLEM: Function call failed"
    return _after_failure(mapping, func, result, records, position, failed)


def _position(mapping: dict[str, Any], table: str) -> int:
    horizon, end = dynamodb.stream_start_position(table), dynamodb.stream_end_position(table)
    first = horizon if mapping.get("StartingPosition") == "TRIM_HORIZON" else end
    with lambda_svc._dynamodb_stream_positions_lock:
        return max(int(lambda_svc._dynamodb_stream_positions.setdefault(mapping["UUID"], first)), int(horizon))


def _go(uid: str, position: int) -> bool:
    """On from there, with whole batches again."""
    with lambda_svc._dynamodb_stream_positions_lock:
        lambda_svc._dynamodb_stream_positions[uid] = position
    _standing.pop(uid, None)
    return True


def _first_failed(mapping: dict[str, Any], result: dict[str, Any], records: list[Any]) -> int | None:
    if result.get("error"):
        return 0
    body = result.get("body")
    if "ReportBatchItemFailures" not in (mapping.get("FunctionResponseTypes") or []) or not isinstance(body, dict):
        return None
    numbers = [str(record["dynamodb"]["SequenceNumber"]) for record in records]
    said = [str(one.get("itemIdentifier")) for one in body.get("batchItemFailures") or []]
    # an identifier that nobody knows fails the whole batch
    return min((numbers.index(one) if one in numbers else 0 for one in said), default=None)


def _after_failure(
    mapping: dict[str, Any], func: Any, result: dict[str, Any], records: list[Any], position: int, failed: int
) -> bool:
    uid = mapping["UUID"]
    if failed:  # what came before it is done
        _go(uid, position + failed)
        position, records = position + failed, records[failed:]
    standing = _standing.setdefault(uid, _Standing())
    if mapping.get("BisectBatchOnFunctionError") and len(records) > 1:  # halving uses up no try
        standing.most = max(1, len(records) // 2)
        return True
    standing.failures = standing.failures + 1 if standing.position == position else 1
    standing.position = position
    tries, longest = mapping.get("MaximumRetryAttempts"), mapping.get("MaximumRecordAgeInSeconds") or -1
    tries = -1 if tries is None else int(tries)
    oldest = min(float(one["dynamodb"].get("ApproximateCreationDateTime", time.time())) for one in records)
    tried, aged = 0 <= tries < standing.failures, 0 < longest < time.time() - oldest
    if tried or aged:
        why = "RetryAttemptsExhausted" if tried else "MaxRecordAgeExceeded"
        lambda_svc._send_ddb_stream_failure_record(mapping, func, records, mapping["EventSourceArn"], result, why)
        return _go(uid, position + len(records))
    rest = min(_FIRST_SECONDS * 2 ** (standing.failures - 1), _MOST_SECONDS)
    lambda_svc._esm_backoff_until[uid] = time.time() + rest
    return bool(failed)
