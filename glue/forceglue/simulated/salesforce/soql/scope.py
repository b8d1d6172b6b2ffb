"""Names of a query as columns of the store: paths through relationships become joins, functions become SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forceglue.simulated.salesforce.schema import Field, ObjectSchema
from forceglue.simulated.salesforce.soql.trouble import (
    at_place,
    malformed,
    no_such_column,
    no_such_relationship,
    no_such_type,
)
from forceglue.simulated.salesforce.store import quoted
from forceglue.simulated.salesforce.wire import NUMBERS, WHOLE
from forceglue.soql import ast

if TYPE_CHECKING:
    from forceglue.simulated.salesforce.org import Org

_DEEPEST = 5
_DATE_PARTS = {
    "CALENDAR_YEAR": "CAST(substr({0}, 1, 4) AS INTEGER)",
    "CALENDAR_QUARTER": "(CAST(substr({0}, 6, 2) AS INTEGER) + 2) / 3",
    "CALENDAR_MONTH": "CAST(substr({0}, 6, 2) AS INTEGER)",
    "DAY_IN_MONTH": "CAST(substr({0}, 9, 2) AS INTEGER)",
    "DAY_IN_WEEK": "CAST(strftime('%w', {0}) AS INTEGER) + 1",
    "DAY_IN_YEAR": "CAST(strftime('%j', {0}) AS INTEGER)",
    "WEEK_IN_YEAR": "(CAST(strftime('%j', {0}) AS INTEGER) + 6) / 7",
    "WEEK_IN_MONTH": "(CAST(substr({0}, 9, 2) AS INTEGER) + 6) / 7",
    "HOUR_IN_DAY": "CAST(substr({0}, 12, 2) AS INTEGER)",
}
_DATE_PARTS |= {name.replace("CALENDAR", "FISCAL"): sql for name, sql in _DATE_PARTS.items() if "CALENDAR" in name}
AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"})


@dataclass(frozen=True)
class Column:
    """A value of each row.

    Attributes:
        sql: the expression in the store's SQL.
        kind: the describe type of the value.
        field: the field that it is, or is made of; None for a count.
        owner: the object that the field belongs to.
        aggregated: over several rows.
    """

    sql: str
    kind: str
    field: Field | None
    owner: ObjectSchema
    aggregated: bool = False


class Scope:
    """The tables of one query.

    Args:
        level: how deep the query is inside another one; names of tables do not clash.
    """

    def __init__(self, org: Org, query: ast.Query, level: int = 0) -> None:
        schema = org.find(query.target.text)
        if schema is None or not schema.can("queryable"):
            raise no_such_type(query.text, query.target.at, query.target.text)
        self.org, self.query, self.schema, self.level = org, query, schema, level
        self.base = f"t{level}"
        self._joins: dict[tuple[str, ...], tuple[str, str]] = {}

    @property
    def joins(self) -> str:
        """The tables that paths lead to, joined."""
        return "".join(f" {sql}" for _, sql in self._joins.values())

    def plain_parts(self, path: ast.Path) -> tuple[str, ...]:
        """A path without the query's own name for its object."""
        parts = path.parts
        own = {self.schema.name.lower(), (self.query.alias or self.schema.name).lower()}
        if len(parts) > 1 and parts[0].lower() in own and self.schema.relationship(parts[0]) is None:
            return parts[1:]
        return parts

    def column(self, operand: ast.Operand) -> Column:
        """The column of a field or function.

        Raises:
            ApiError: there is no such thing, with its place.
        """
        return self.field(operand) if isinstance(operand, ast.Path) else self._function(operand)

    def field(self, path: ast.Path) -> Column:
        """The column of a field, by a path of at most five relationships."""
        *steps, name = self.plain_parts(path)
        if len(steps) > _DEEPEST:
            raise malformed(self.query.text, path.at, "only 5 levels of relationships are allowed")
        schema, table = self.schema, self.base
        for at, step in enumerate(steps):
            link = schema.relationship(step)
            if link is None:
                raise no_such_relationship(self.query.text, path.at, step)
            if len(link.references) > 1:
                if at < len(steps) - 1:
                    raise no_such_relationship(self.query.text, path.at, steps[at + 1])
                return self._of_any(path, schema, table, link, tuple(steps), name)
            target = self.org.find(link.references[0])
            if target is None:
                raise no_such_relationship(self.query.text, path.at, step)
            table = self._joined(tuple(steps[: at + 1]), target, f"{table}.{quoted(link.name)}")
            schema = target
        found = schema.field(name)
        if found is None:
            raise no_such_column(self.query.text, path.at, name, schema.name)
        return Column(f"{table}.{quoted(found.name)}", found.type, found, schema)

    def id_of(self, steps: tuple[str, ...]) -> str:
        """The column with the id of the record that a path of relationships leads to."""
        *before, last = steps
        if not before:
            schema, table = self.schema, self.base
        else:
            inner = self.field(ast.Path(".".join([*before, "Id"]), 0))
            schema, table = inner.owner, inner.sql.partition(".")[0]
        link = schema.relationship(last)
        if link is not None and len(link.references) > 1:
            return f"{table}.{quoted(link.name)}"
        return self.field(ast.Path(".".join([*steps, "Id"]), 0)).sql

    def _joined(self, key: tuple[str, ...], target: ObjectSchema, reference: str) -> str:
        lower = tuple(step.lower() for step in key)
        if lower not in self._joins:
            table = f"{self.base}j{len(self._joins)}"
            self._joins[lower] = (
                table,
                f'LEFT JOIN {quoted(target.name)} AS {table} ON {table}."Id" = {reference}',
            )
        return self._joins[lower][0]

    def _of_any(
        self, path: ast.Path, schema: ObjectSchema, table: str, link: Field, steps: tuple[str, ...], name: str
    ) -> Column:
        """A field of what a reference to several objects points to: `What.Type`, `Owner.Name`."""
        reference = f"{table}.{quoted(link.name)}"
        targets = [found for target in link.references if (found := self.org.find(target))]
        if name.lower() == "type":
            cases = "".join(f" WHEN '{entry.prefix}' THEN '{entry.name}'" for entry in targets if entry.prefix)
            sql = f"CASE substr({reference}, 1, 3){cases} END" if cases else "NULL"
            return Column(sql, "picklist", None, schema)
        having = [(entry, field) for entry in targets if (field := entry.field(name))]
        if not having:
            raise no_such_column(self.query.text, path.at, name, "Name")
        tables = [self._joined((*steps, f"({entry.name})"), entry, reference) for entry, _ in having]
        values = [f"{joined}.{quoted(field.name)}" for joined, (_, field) in zip(tables, having, strict=True)]
        owner, field = having[0]
        return Column(values[0] if len(values) == 1 else f"coalesce({', '.join(values)})", field.type, field, owner)

    def _function(self, call: ast.Call) -> Column:
        text, name = self.query.text, call.function
        if name == "COUNT" and call.path is None:
            return Column("count(*)", "int", None, self.schema, aggregated=True)
        if call.path is None or call.more:
            raise malformed(text, call.at, f"unexpected token: '{name}'")
        inner = self.field(call.path)
        if name in AGGREGATES:
            return self._aggregate(call, inner)
        if name == "DAY_ONLY":
            self._must(call, inner, inner.kind == "datetime")
            return Column(f"substr({inner.sql}, 1, 10)", "date", inner.field, inner.owner)
        if name in _DATE_PARTS:
            self._must(call, inner, inner.kind in ("date", "datetime"))
            return Column(_DATE_PARTS[name].format(inner.sql), "int", inner.field, inner.owner)
        if name == "TOLABEL" and inner.field is not None:
            return Column(_labels(inner), "string", inner.field, inner.owner)
        if name == "CONVERTCURRENCY":
            self._must(call, inner, inner.kind == "currency")
            return inner
        raise malformed(text, call.at, f"unexpected token: '{name}'")

    def _aggregate(self, call: ast.Call, inner: Column) -> Column:
        name, sql, kind = call.function, inner.sql, inner.kind
        if inner.field is not None and not inner.field["aggregatable"]:
            raise malformed(self.query.text, call.at, f"field {inner.field.name} does not support aggregate operator")
        if name in ("COUNT", "COUNT_DISTINCT"):
            distinct = "DISTINCT " if name == "COUNT_DISTINCT" else ""
            return Column(f"count({distinct}{sql})", "int", inner.field, inner.owner, aggregated=True)
        numeric = kind in NUMBERS or kind in WHOLE
        if name in ("SUM", "AVG"):
            self._must(call, inner, numeric)
            if name == "SUM" and kind in WHOLE:
                return Column(f"sum(CAST({sql} AS INTEGER))", kind, inner.field, inner.owner, aggregated=True)
            kind = "double" if name == "AVG" else kind
        if kind in WHOLE:
            return Column(f"{name.lower()}(CAST({sql} AS INTEGER))", kind, inner.field, inner.owner, aggregated=True)
        function = f"sf_{name.lower()}" if numeric else name.lower()
        return Column(f"{function}({sql})", kind, inner.field, inner.owner, aggregated=True)

    def _must(self, call: ast.Call, inner: Column, fits: bool) -> None:
        if not fits:
            name = inner.field.name if inner.field else ""
            raise at_place(
                self.query.text, call.at, "INVALID_FIELD", f"field {name} does not support operator {call.function}"
            )


def _labels(inner: Column) -> str:
    choices = inner.field["picklistValues"] if inner.field else []
    cases = "".join(f" WHEN {_sql_text(entry['value'])} THEN {_sql_text(entry['label'])}" for entry in choices)
    return f"CASE {inner.sql}{cases} ELSE {inner.sql} END" if cases else inner.sql


def _sql_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
