"""Refusals: what a caller is told, and how errors of Salesforce and of validation become that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from forceglue.errors import (
    LimitReachedError,
    OutcomeUnknownError,
    SalesforceBusyError,
    SalesforceError,
    SignInError,
)

BUSY_SECONDS, LIMIT_SECONDS = 5, 900
"""`Retry-After`: of what passes soon, and of the calls of 24 hours, which free themselves little by little."""
_GONE = frozenset({"NOT_FOUND", "ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "MALFORMED_ID", "INVALID_ID_FIELD"})
_DUPLICATE = frozenset({"DUPLICATE_VALUE", "DUPLICATES_DETECTED", "DUPLICATE_EXTERNAL_ID"})
_RIGHTS = frozenset(
    {"INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY", "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"}
)
_ROW_LOCKED = "UNABLE_TO_LOCK_ROW"


class Problem(Exception):
    """A call that is refused.

    Attributes:
        status: of HTTP.
        code: for programs.
        message: for persons: what, where, what to do.
        headers: of the answer, such as `Retry-After`.
    """

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        self.status, self.code, self.message = status, code, message
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        super().__init__(message)


def not_found(what: str) -> Problem:
    return Problem(404, "NOT_FOUND", f"{what} not found")


def of_salesforce(error: SalesforceError, what: str) -> Problem:
    """What an error of Salesforce is to the caller.

    Args:
        what: the kind of record that was asked for, such as `Account`.
    """
    if isinstance(error, SignInError):
        return Problem(500, "AUTH_ERROR", f"Authentication failed: {error.reason or error.code or 'no token'}")
    if isinstance(error, LimitReachedError):
        return Problem(
            429, "LIMIT_EXCEEDED", "Salesforce takes no more calls of this org for now", Retry_After=f"{LIMIT_SECONDS}"
        )
    if isinstance(error, OutcomeUnknownError):
        return Problem(
            504, "OUTCOME_UNKNOWN", "Salesforce's answer was lost: the change may have been made. Look before you retry"
        )
    if isinstance(error, SalesforceBusyError):
        if error.code == _ROW_LOCKED:
            return Problem(503, "ROW_LOCKED", "Another change holds the record; try again", Retry_After="1")
        return Problem(503, "UNAVAILABLE", "Salesforce is busy; try again", Retry_After=f"{BUSY_SECONDS}")
    return _refused(error, what)


def _refused(error: SalesforceError, what: str) -> Problem:
    named = set(error.fields) - {"Id"}
    if error.status == 412:
        return Problem(412, "PRECONDITION_FAILED", f"{what} was changed meanwhile; read it again")
    if error.status == 300:
        return Problem(409, "AMBIGUOUS", f"Several records of {what} have this external id")
    if error.code in _GONE and not named:
        return not_found(what)
    if error.code in _DUPLICATE:
        return Problem(409, "DUPLICATE", record_error(error))
    if error.code == "REQUIRED_FIELD_MISSING":
        return Problem(400, "MISSING_PARAMETERS", record_error(error))
    if error.status == 403 or error.code in _RIGHTS:
        return Problem(403, "FORBIDDEN", f"Salesforce does not let this service do that: {error.code}")
    if error.status in (400, 404):
        return Problem(400, "VALIDATION_ERROR", record_error(error))
    return Problem(500, "SALESFORCE_ERROR", f"Salesforce refuses the call: {error.code or error.status}")


def record_error(error: SalesforceError) -> str:
    """What is wrong with one record, with the fields that are to blame."""
    if isinstance(error, SalesforceBusyError):
        return f"{error.code or 'UNAVAILABLE'}: Salesforce was busy; send the record again"
    if error.code == "REQUIRED_FIELD_MISSING" and error.fields:
        return f"Required field missing: {', '.join(dict.fromkeys(error.fields))}"
    said = error.reason or error.code
    unsaid = [name for name in dict.fromkeys(error.fields) if name not in said]
    return f"{', '.join(unsaid)}: {said}" if unsaid else said


def of_validation(errors: Iterable[Mapping[str, Any]]) -> Problem:
    """What pydantic found wrong with a request, each with the field it is about."""
    found = list(errors)
    if any(one["type"] == "json_invalid" for one in found):
        return Problem(400, "INVALID_JSON", "Invalid JSON in request body")
    missing = [_place(one) for one in found if one["type"] == "missing"]
    told = [f"{_place(one)}: {one['msg']}" for one in found if one["type"] != "missing"]
    if missing:
        told.insert(0, f"Required field missing: {', '.join(missing)}")
    code = "MISSING_PARAMETERS" if missing and len(missing) == len(found) else "VALIDATION_ERROR"
    return Problem(400, code, "; ".join(told))


def _place(error: Mapping[str, Any]) -> str:
    """Where a value stands: `Name`, `0.Name`, `fields`; `body` where there is none at all."""
    steps = [str(step) for step in error["loc"]]
    return ".".join(steps[1:]) or steps[0]
