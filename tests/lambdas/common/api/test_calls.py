"""What every API makes of an event: its transaction, its caller, its body, its refusals."""

from __future__ import annotations

import uuid

import pytest

from common.api.callers import caller_of
from common.api.problems import Problem, of_salesforce, of_validation
from common.api.reading import json_of, must_be_json
from common.api.transaction import Transaction
from forceglue.errors import LimitReachedError, OutcomeUnknownError, SalesforceBusyError, SalesforceError, SignInError


def test_a_transaction_is_the_callers_or_a_new_one() -> None:
    headers = {"x-correlation-id": "c-1", "X-APPLICATION-LABEL": "Billing System"}
    one = Transaction.of({"path": "/a", "httpMethod": "GET", "headers": headers}, "f")
    assert (one.correlation_id, one.application_label, one.path, one.method) == ("c-1", "Billing System", "/a", "GET")
    assert one.headers == {"X-Correlation-Id": "c-1", "X-Application-Label": "Billing System"}
    new = Transaction.of({"path": "/a", "httpMethod": "GET", "headers": None}, "f")
    assert uuid.UUID(new.correlation_id) and new.application_label == "f"


def test_an_http_api_tells_path_and_method_elsewhere() -> None:
    one = Transaction.of({"requestContext": {"http": {"path": "/a", "method": "PUT"}}, "headers": {}}, "f")
    assert (one.path, one.method) == ("/a", "PUT")


@pytest.mark.parametrize("said", ["", "a\nb", "x" * 129, "<b>", "{}", " a", "ü"])
def test_what_could_forge_a_log_line_is_not_taken(said: str) -> None:
    assert Transaction.of({"headers": {"X-Correlation-Id": said}}, "f").correlation_id != said


@pytest.mark.parametrize(
    ("context", "who", "scopes"),
    [
        ({"identity": {"userArn": "arn:me"}}, "arn:me", {"all"}),
        ({}, "anonymous", {"all"}),
        ({"authorizer": {"claims": {"client_id": "c", "scope": "fg/read fg/write:Account other/delete"}}}, "c",
         {"read", "write:account"}),
        ({"authorizer": {"jwt": {"claims": {"sub": "s", "scope": "fg/READ"}}}}, "s", {"read"}),
        ({"authorizer": {"principalId": "p", "scope": "read,delete"}}, "p", {"read", "delete"}),
        ({"authorizer": {"claims": {"client_id": "c"}}}, "c", set()),
        ({"authorizer": {"claims": {"client_id": "c", "scope": "fgx/read xfg/read"}}}, "c", set()),
    ],
)  # fmt: skip
def test_a_caller_has_the_scopes_of_its_token(context: dict[str, object], who: str, scopes: set[str]) -> None:
    one = caller_of({"requestContext": context}, "fg", frozenset({"all"}))
    assert (one.id, one.scopes) == (who, scopes)


@pytest.mark.parametrize("text", ["", "{", "NaN", "[Infinity]", '"\\ud800"', '{"a": "\\udfff"}', "[" * 50_000])
def test_what_is_no_json_is_told(text: str) -> None:
    with pytest.raises(Problem) as refused:
        json_of(text)
    assert (refused.value.status, refused.value.code) == (400, "INVALID_JSON")


def test_json_is_what_it_says() -> None:
    assert json_of('{"a": "\\ud83d\\ude00 ü", "b": 1e3}') == {"a": "😀 ü", "b": 1000.0}


@pytest.mark.parametrize(("kind", "fits"), [
    ("application/json", True), ("Application/JSON; charset=utf-8", True), ("", True), ("text/plain", False),
    ("application/x-www-form-urlencoded", False), ("multipart/form-data; boundary=x", False),
])  # fmt: skip
def test_a_body_is_json(kind: str, fits: bool) -> None:
    event = {"body": "{}", "headers": {"Content-Type": kind}}
    if fits:
        must_be_json(event)
    else:
        with pytest.raises(Problem, match="application/json"):
            must_be_json(event)
    must_be_json({"body": None, "headers": {"Content-Type": kind}})


def refusal(code: str, status: int = 400, *fields: str) -> SalesforceError:
    return SalesforceError("x", code=code, status=status, reason="words", fields=fields)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (refusal("NOT_FOUND", 404), 404, "NOT_FOUND"),
        (refusal("ENTITY_IS_DELETED", 404), 404, "NOT_FOUND"),
        (refusal("MALFORMED_ID", 400, "Id"), 404, "NOT_FOUND"),
        (refusal("INVALID_CROSS_REFERENCE_KEY", 400, "AccountId"), 400, "VALIDATION_ERROR"),
        (refusal("FIELD_CUSTOM_VALIDATION_EXCEPTION", 400, "Phone"), 400, "VALIDATION_ERROR"),
        (refusal("REQUIRED_FIELD_MISSING", 400, "Name"), 400, "MISSING_PARAMETERS"),
        (refusal("DUPLICATES_DETECTED"), 409, "DUPLICATE"),
        (refusal("DUPLICATE_VALUE"), 409, "DUPLICATE"),
        (refusal("", 300), 409, "AMBIGUOUS"),
        (refusal("", 412), 412, "PRECONDITION_FAILED"),
        (refusal("INSUFFICIENT_ACCESS_OR_READONLY"), 403, "FORBIDDEN"),
        (refusal("API_DISABLED_FOR_ORG", 403), 403, "FORBIDDEN"),
        (refusal("UNKNOWN", 418), 500, "SALESFORCE_ERROR"),
        (SignInError("x", reason="no"), 500, "AUTH_ERROR"),
        (LimitReachedError("x"), 429, "LIMIT_EXCEEDED"),
        (SalesforceBusyError("x", code="UNABLE_TO_LOCK_ROW"), 503, "ROW_LOCKED"),
        (SalesforceBusyError("x"), 503, "UNAVAILABLE"),
        (OutcomeUnknownError("x"), 504, "OUTCOME_UNKNOWN"),
    ],
)
def test_each_error_of_salesforce_is_one_of_ours(error: SalesforceError, status: int, code: str) -> None:
    problem = of_salesforce(error, "Account")
    assert (problem.status, problem.code) == (status, code)
    assert (status in (429, 503)) == ("Retry-After" in problem.headers)


def test_missing_fields_are_named_together() -> None:
    missing = [{"type": "missing", "loc": ("body", name), "msg": "Field required"} for name in ("Name", "CloseDate")]
    problem = of_validation(missing)
    assert (problem.code, problem.message) == ("MISSING_PARAMETERS", "Required field missing: Name, CloseDate")
    both = of_validation([*missing, {"type": "x", "loc": ("query", "fields"), "msg": "no"}])
    assert (both.code, both.message) == ("VALIDATION_ERROR", "Required field missing: Name, CloseDate; fields: no")
