# ruff: noqa: S608 - names come from the schema and are quoted, values are parameters
"""WHERE and HAVING in the store's SQL. Every condition is true or false, as in SOQL; none is unknown."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

from forceglue.simulated.salesforce.errors import ApiError
from forceglue.simulated.salesforce.soql.dates import Span, span
from forceglue.simulated.salesforce.soql.scope import Column, Scope
from forceglue.simulated.salesforce.soql.trouble import at_place, cannot, malformed
from forceglue.simulated.salesforce.wire import IDS, NUMBERS, WHOLE, NotOfType, moment, parsed_moment, stored
from forceglue.soql import ast

Sql = tuple[str, list[Any]]
_TYPED = frozenset({"boolean", "date", "time"})
_LITERALS = {
    **dict.fromkeys((*NUMBERS, *WHOLE), "number"), "boolean": "word", "date": "date", "datetime": "datetime",
}  # fmt: skip
_ORDERED = frozenset({"<", "<=", ">", ">="})


class Conditions:
    """Translates the conditions of one query.

    Args:
        select: compiles a query inside IN (...) to SQL.
    """

    def __init__(self, scope: Scope, today: date, select: Any) -> None:
        self._scope, self._today, self._select = scope, today, select

    def sql(self, condition: ast.Condition) -> Sql:
        """The condition and its parameters.

        Raises:
            ApiError: a field that cannot be filtered, or a value that does not suit it.
        """
        match condition:
            case ast.AllOf(parts):
                return self._joined(" AND ", parts)
            case ast.AnyOf(parts):
                return self._joined(" OR ", parts)
            case ast.NoneOf(part):
                text, params = self.sql(part)
                return f"(({text}) IS NOT 1)", params
            case ast.Compared():
                return self._compared(condition)
            case ast.Within():
                return self._within(condition)
            case ast.Includes():
                return self._includes(condition)

    def _joined(self, word: str, parts: tuple[ast.Condition, ...]) -> Sql:
        found = [self.sql(part) for part in parts]
        return f"({word.join(text for text, _ in found)})", [param for _, params in found for param in params]

    def _column(self, operand: ast.Operand) -> Column:
        column = self._scope.column(operand)
        direct = isinstance(operand, ast.Path)
        if direct and column.field is not None and not column.field["filterable"]:
            raise cannot(self._scope.query.text, operand.at, column.field.name, "filtered")
        return column

    def _compared(self, condition: ast.Compared) -> Sql:
        column, operator, value = self._column(condition.operand), condition.operator, condition.value
        if operator == "LIKE":
            if column.kind in NUMBERS or column.kind in WHOLE or column.kind in ("boolean", "date", "datetime"):
                raise at_place(self._scope.query.text, value.at, "INVALID_QUERY_FILTER_OPERATOR", "invalid operator")
            return f"({column.sql} LIKE ? ESCAPE '\\')", [value.text]
        if _nothing(value):
            if operator not in ("=", "!="):
                return "0", []
            return f"({column.sql} IS {'NOT ' if operator == '!=' else ''}NULL)", []
        if column.kind == "multipicklist" and operator in ("=", "!="):
            return self._same_choices(column, value, operator)
        if value.kind == "word" and column.kind in ("date", "datetime"):
            return self._in_span(column, operator, self._days(column, value))
        sql, param = self._comparable(column), self._value(column, value)
        if operator in _ORDERED:
            return f"({sql} {operator} ?)", [param]
        return f"({sql} IS {'NOT ' if operator == '!=' else ''}?)", [param]

    def _comparable(self, column: Column) -> str:
        if column.kind in NUMBERS or column.kind in WHOLE:
            return f"CAST({column.sql} AS REAL)"
        return column.sql

    def _days(self, column: Column, value: ast.Given) -> Span:
        days = span(value.text, self._today)
        if days is None:
            raise self._wrong(column, value)
        return days

    def _in_span(self, column: Column, operator: str, days: Span) -> Sql:
        clock = "T00:00:00.000Z" if column.kind == "datetime" else ""
        start, end = (f"{day.isoformat()}{clock}" for day in days)
        sql = column.sql
        if operator in ("=", "!="):
            within = f"({sql} >= ? AND {sql} < ?)"
            return (within if operator == "=" else f"({within} IS NOT 1)"), [start, end]
        limit, sign = {"<": (start, "<"), ">=": (start, ">="), "<=": (end, "<"), ">": (end, ">=")}[operator]
        return f"({sql} {sign} ?)", [limit]

    def _within(self, condition: ast.Within) -> Sql:
        column, members = self._column(condition.operand), condition.members
        if isinstance(members, ast.Query):
            if column.kind not in IDS:
                raise malformed(
                    self._scope.query.text,
                    condition.operand.at,
                    "The left operand of a semi-join must be an id or a reference field",
                )
            inner, params = self._select(members)
            text = f"({column.sql} IN ({inner}))"
        elif column.kind in ("date", "datetime"):
            each = tuple(ast.Compared(condition.operand, "=", member) for member in members)
            text, params = self.sql(ast.AnyOf(each))
        else:
            params = [json.dumps([self._value(column, member) for member in members if not _nothing(member)])]
            text = f"({self._comparable(column)} IN (SELECT value FROM json_each(?)))"
            if any(_nothing(member) for member in members):
                text = f"({text} OR {column.sql} IS NULL)"
        return (f"({text} IS NOT 1)" if condition.negated else text), params

    def _includes(self, condition: ast.Includes) -> Sql:
        column = self._column(condition.operand)
        if column.kind != "multipicklist":
            raise at_place(
                self._scope.query.text,
                condition.operand.at,
                "INVALID_QUERY_FILTER_OPERATOR",
                f"includes and excludes operators are valid only on multi-select picklists, not on {column.kind}",
            )
        params: list[Any] = []
        sets = []
        for member in condition.members:
            wanted = [entry for entry in member.text.split(";") if entry]
            params += [f"%;{_escaped(entry)};%" for entry in wanted]
            sets.append("(" + " AND ".join([f"(';' || {column.sql} || ';') LIKE ? ESCAPE '\\'"] * len(wanted)) + ")")
        text = f"({' OR '.join(sets)})"
        return (f"({text} IS NOT 1)" if condition.negated else text), params

    def _same_choices(self, column: Column, value: ast.Given, operator: str) -> Sql:
        wanted = [entry for entry in value.text.split(";") if entry]
        each = [f"(';' || {column.sql} || ';') LIKE ? ESCAPE '\\'"] * len(wanted)
        count = f"length({column.sql}) - length(replace({column.sql}, ';', '')) = {len(wanted) - 1}"
        text = f"({' AND '.join([*each, count])})"
        return (text if operator == "=" else f"({text} IS NOT 1)"), [f"%;{_escaped(entry)};%" for entry in wanted]

    def _value(self, column: Column, value: ast.Given) -> Any:
        """A literal as the store compares it. Raises ApiError when it does not suit the field."""
        kind = column.kind
        wanted = _LITERALS.get(kind, "text")
        fits = value.kind == wanted and (wanted != "word" or value.text in ("TRUE", "FALSE"))
        if not fits:
            raise self._wrong(column, value)
        try:
            if wanted == "number":
                return float(value.text)
            if wanted == "datetime":
                return moment(parsed_moment(value.text))
            if kind in _TYPED or kind in IDS:
                return stored(kind, value.text)
        except NotOfType:
            if kind not in IDS:
                raise self._wrong(column, value) from None
            name = column.field.name if column.field else ""
            raise at_place(
                self._scope.query.text, value.at, "INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {name}"
            ) from None
        return value.text

    def _wrong(self, column: Column, value: ast.Given) -> ApiError:
        name = column.field.name if column.field else "expr"
        kind = {"datetime": "dateTime", "currency": "double", "percent": "double"}.get(column.kind, column.kind)
        bare = column.kind in NUMBERS or column.kind in WHOLE or column.kind in ("boolean", "date", "datetime")
        quotes = "should not be enclosed in quotes" if bare else "should be enclosed in quotes"
        message = f"value of filter criterion for field '{name}' must be of type {kind} and {quotes}"
        return at_place(self._scope.query.text, value.at, "INVALID_FIELD", message)


def _nothing(value: ast.Given) -> bool:
    return (value.kind == "word" and value.text == "NULL") or (value.kind == "text" and not value.text)


def _escaped(text: str) -> str:
    return re.sub(r"([%_\\])", r"\\\1", text)
