"""From a query's text to what it says, with Salesforce's words for what is wrong."""

from __future__ import annotations

from forceglue.simulated.salesforce.errors import ApiError
from forceglue.simulated.salesforce.soql.trouble import malformed
from forceglue.soql import ast
from forceglue.soql.parse import LONGEST, SoqlError
from forceglue.soql.parse import parse as read

__all__ = ("parse",)


def parse(text: str) -> ast.Query:
    """What the query says.

    Raises:
        ApiError: MALFORMED_QUERY, with the place.
    """
    if len(text) > LONGEST:
        raise ApiError("QUERY_TOO_COMPLICATED", "SOQL statements cannot be longer than 100000 characters.")
    if not text.strip():
        raise ApiError("MALFORMED_QUERY", "unexpected token: <EOF>")
    try:
        return read(text)
    except SoqlError as error:
        raise malformed(text, error.at, error.message) from None
