"""`/query` and `/queryAll`, and the pages that follow."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forceglue.simulated.salesforce.errors import ApiError
from forceglue.simulated.salesforce.http import Answer, Call
from forceglue.simulated.salesforce.query import PAGE, PAGE_LEAST

if TYPE_CHECKING:
    from forceglue.simulated.salesforce.desk import Desk


def _page_size(call: Call) -> int:
    """What `Sforce-Query-Options: batchSize=…` asks for, within what is allowed."""
    found = re.search(r"batchSize\s*=\s*(\d+)", call.headers.get("sforce-query-options", ""), re.IGNORECASE)
    return min(PAGE, max(PAGE_LEAST, int(found[1]))) if found else PAGE


def _first(desk: Desk, call: Call, *, deleted: bool) -> Answer:
    if "q" not in call.query:
        raise ApiError("MALFORMED_QUERY", "SOQL statement is required")
    body = desk.queries.start(call.query["q"], version=call.version, deleted=deleted, size=_page_size(call))
    return Answer(200, body=body)


def query(desk: Desk, call: Call) -> Answer:
    """`GET /query?q=…`."""
    return _first(desk, call, deleted=False)


def query_all(desk: Desk, call: Call) -> Answer:
    """`GET /queryAll?q=…`: with what is in the recycle bin."""
    return _first(desk, call, deleted=True)


def more(desk: Desk, call: Call) -> Answer:
    """`GET /query/<locator>`."""
    return Answer(200, body=desk.queries.more(call.at["locator"], version=call.version, size=_page_size(call)))


ROUTES = (
    ("GET", "/query", query),
    ("GET", "/queryAll", query_all),
    ("GET", "/query/{locator}", more),
    ("GET", "/queryAll/{locator}", more),
)
