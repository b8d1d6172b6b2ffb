"""Settings of the REST API, from its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from common.api.callers import scopes_in
from common.environment import Settings

FUNCTION, VERSION = "aws_salesforce_lambda", "1.0.0"
"""How the API calls itself."""


@dataclass(frozen=True)
class ApiSettings:
    """What the API is told.

    Attributes:
        audit_queue: where entries of the audit go.
        idempotency_table: answers that are kept for an idempotency key.
        state_key: the KMS key that cursors are sealed with.
        objects: the file with objects and fields, made of the mappings.
        scope_prefix: the resource server of scopes.
        iam_scopes: what callers may do who come by IAM and carry no scopes.
        query_rows: rows that a query may give.
        personal: fields whose values the audit masks, beside those that are known as such: `Field` or `Object.Field`.
    """

    audit_queue: str
    idempotency_table: str
    state_key: str
    objects: str
    scope_prefix: str
    iam_scopes: frozenset[str]
    query_rows: int
    personal: frozenset[str]


def api_settings(environ: Mapping[str, str]) -> ApiSettings:
    """Raises `UsageError` with every problem."""
    given = Settings(environ)
    made = ApiSettings(
        audit_queue=given.text("AUDIT_QUEUE_URL", "the queue of the audit"),
        idempotency_table=given.text("IDEMPOTENCY_TABLE", "the table of idempotency keys"),
        state_key=given.text("STATE_KEY", "the KMS key that cursors are sealed with"),
        objects=given.text("OBJECTS", "the file of objects and fields", ""),
        scope_prefix=given.text("SCOPE_PREFIX", "the resource server of scopes", "forceglue"),
        iam_scopes=scopes_in(given.text("IAM_SCOPES", "what callers by IAM may do", "read write delete"), ""),
        query_rows=int(given.number("QUERY_ROWS", 50_000, least=1, most=50_000_000)),
        personal=frozenset(given.text("PERSONAL_FIELDS", "more fields to mask", "").lower().replace(",", " ").split()),
    )
    given.done()
    return made
