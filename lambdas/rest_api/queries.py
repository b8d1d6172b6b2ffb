"""`POST /query`: a query by the policy, in pages; the cursor of the next page is good for its caller alone."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from common.api.problems import Problem, of_salesforce
from forceglue.errors import SalesforceError, UsageError
from forceglue.salesforce.client import RestPage, Salesforce
from rest_api.asking import Asking
from rest_api.objects import Objects
from rest_api.query_policy import QueryPolicy, refuse
from rest_api.relations import Relations

if TYPE_CHECKING:
    from common.sealed import Sealer

_SALESFORCE_SAYS = frozenset({"VALIDATION_ERROR", "NOT_FOUND", "MISSING_PARAMETERS"})


class QueryService:
    """Runs queries.

    Args:
        sealer: seals cursors: Salesforce's own would be good for everybody, who all share one user there.
        rows: that a query may give.
    """

    def __init__(
        self, org: Callable[[], Salesforce], objects: Objects, sealer: Callable[[], Sealer], rows: int
    ) -> None:
        self._org, self._sealer, self._rows = org, sealer, rows
        self._policy = QueryPolicy(objects, Relations(org), rows)

    def ask(self, asking: Asking, soql: str | None, cursor: str | None) -> dict[str, Any]:
        """A page: the first of `soql`, or the one that `cursor` names."""
        if (soql is None) == (cursor is None):
            raise Problem(400, "MISSING_PARAMETERS", "Give soql, or the cursor of a next page")
        try:
            if cursor is not None:
                return self._next(asking, cursor)
            return self._first(asking, soql or "")
        except SalesforceError as error:
            problem = of_salesforce(error, "Query")
            if problem.code in _SALESFORCE_SAYS:
                raise refuse(error.reason.strip() or error.code) from error
            raise problem from error

    def _first(self, asking: Asking, soql: str) -> dict[str, Any]:
        # the grammar is needed by those who query alone
        from forceglue.soql.parse import SoqlError, parse
        from forceglue.soql.write import write

        try:
            read = parse(soql)
        except SoqlError as error:
            raise refuse(f"Invalid SOQL: {error}") from None
        query, objects, ours = self._policy.allowed(read, asking.caller)
        try:
            page = self._org().query_page(soql=write(query), exact=False)
        except UsageError as error:
            raise refuse(str(error)) from None
        except RecursionError:
            raise refuse("The conditions are nested too deeply") from None
        answer = self._page(asking, page, sorted(objects))
        return answer | ({"limited_to": self._rows} if ours and page.total >= self._rows else {})

    def _next(self, asking: Asking, cursor: str) -> dict[str, Any]:
        from common.sealed import SealError

        sealed = _unpacked(cursor)
        try:
            told = json.loads(self._sealer().open(sealed, _context(asking)))
        except SealError:
            raise refuse("The cursor is not one of this caller's") from None
        asking.caller.must("read", *told["objects"])
        return self._page(asking, self._org().query_page(at=told["next"], exact=False), told["objects"])

    def _page(self, asking: Asking, page: RestPage, objects: list[str]) -> dict[str, Any]:
        answer = {"total_size": page.total, "done": page.next is None, "records": [_shown(one) for one in page.records]}
        if page.next is not None:
            told = json.dumps({"next": page.next, "objects": objects})
            sealed = self._sealer().seal(told, _context(asking))
            answer["next_cursor"] = base64.urlsafe_b64encode(sealed).decode().rstrip("=")
        return answer


def _context(asking: Asking) -> dict[str, str]:
    return {"what": "cursor", "caller": asking.caller.id}


def _unpacked(cursor: str) -> bytes:
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise refuse("The cursor is not one of this caller's") from None


def _shown(value: Any) -> Any:
    """A record without `attributes`; records inside it as in an answer of their own."""
    if isinstance(value, dict):
        if "records" in value and "totalSize" in value:
            return {
                "total_size": int(value["totalSize"]),
                "done": value["done"],
                "records": [_shown(one) for one in value["records"]],
            }
        return {key: _shown(inner) for key, inner in value.items() if key != "attributes"}
    return value
