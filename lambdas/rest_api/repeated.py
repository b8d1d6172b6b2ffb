"""Idempotency keys: a POST that comes again with its key is answered as the first time (Powertools, on DynamoDB)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from common.api.problems import Problem
from rest_api.asking import Asking

KEPT_SECONDS = 24 * 3600
_UNKNOWN = "OUTCOME_UNKNOWN"


class Repeats:
    """The keys of one call.

    Args:
        body: of the request: another one under the same key is refused.
        context: of Lambda, which says when the call is over in any case.
    """

    def __init__(self, table: str, asking: Asking, body: str, context: Any) -> None:
        self._table, self._asking, self._body, self._context = table, asking, body, context

    def once(self, key: str | None, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What `make` gives, or gave. A refusal is not kept, so that the caller may mend the request and come again.

        Raises:
            Problem: 409 while the first call is under way, or where the key came with another body.
        """
        if key is None:
            return make()
        # imported here: it brings boto3, and most calls have no key
        from aws_lambda_powertools.utilities.idempotency import idempotent_function
        from aws_lambda_powertools.utilities.idempotency.config import IdempotencyConfig
        from aws_lambda_powertools.utilities.idempotency.exceptions import (
            IdempotencyAlreadyInProgressError,
            IdempotencyPersistenceLayerError,
            IdempotencyValidationError,
        )

        config = IdempotencyConfig(
            event_key_jmespath="[caller, path, key]",
            payload_validation_jmespath="body",
            expires_after_seconds=KEPT_SECONDS,
            raise_on_no_idempotency_key=True,
            lambda_context=self._context,
        )

        def work(asked: dict[str, str]) -> dict[str, Any]:  # noqa: ARG001  # what the key and the body are taken from
            try:
                return make()
            except Problem as problem:
                if problem.code != _UNKNOWN:
                    raise
                # kept like an answer: whoever sends it again must not make it twice
                return {_UNKNOWN: problem.message}

        asked = {
            "caller": self._asking.caller.id,
            "path": self._asking.transaction.path,
            "key": key,
            "body": self._body,
        }
        once = idempotent_function(
            work,
            data_keyword_argument="asked",
            persistence_store=_store(self._table),
            config=config,
            key_prefix="rest-api",
        )
        try:
            answer: dict[str, Any] = once(asked=asked)
        except IdempotencyAlreadyInProgressError:
            raise Problem(
                409, "IN_PROGRESS", "The first request with this Idempotency-Key is under way", Retry_After="1"
            ) from None
        except IdempotencyValidationError:
            raise Problem(409, "IDEMPOTENCY_CONFLICT", "This Idempotency-Key came with another body before") from None
        except IdempotencyPersistenceLayerError:
            raise Problem(
                503, "UNAVAILABLE", "Idempotency keys cannot be looked up; try again", Retry_After="5"
            ) from None
        if _UNKNOWN in answer:
            raise Problem(504, _UNKNOWN, answer[_UNKNOWN])
        return answer


def _store(table: str) -> Any:
    from aws_lambda_powertools.utilities.idempotency.persistence.dynamodb import DynamoDBPersistenceLayer

    from common.aws import client

    return DynamoDBPersistenceLayer(table_name=table, boto3_client=client("dynamodb"))
