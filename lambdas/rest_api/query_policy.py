"""What a query may do: read fields of mapped objects, in so many rows, and nothing else.

A query is read by the grammar, looked through, and written anew: what Salesforce gets holds nothing that was not
understood here, and every text in it is escaped by us.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from common.api.callers import Caller
from common.api.problems import Problem
from forceglue.soql import ast
from rest_api.objects import KnownObject, Objects
from rest_api.relations import Relations

CHILD_ROWS = 200
"""Records of a query inside another one, for each record of the outer one."""
_DEEPEST = 5
_AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"})
_DATES = frozenset({
    "CALENDAR_MONTH", "CALENDAR_QUARTER", "CALENDAR_YEAR", "DAY_IN_MONTH", "DAY_IN_WEEK", "DAY_IN_YEAR", "DAY_ONLY",
    "FISCAL_MONTH", "FISCAL_QUARTER", "FISCAL_YEAR", "HOUR_IN_DAY", "WEEK_IN_MONTH", "WEEK_IN_YEAR",
})  # fmt: skip
_FUNCTIONS = _AGGREGATES | _DATES | {"TOLABEL", "CONVERTCURRENCY", "FORMAT"}


def refuse(message: str) -> Problem:
    return Problem(400, "QUERY_ERROR", message)


class QueryPolicy:
    """Looks through queries.

    Args:
        rows: that a query may give.
    """

    def __init__(self, objects: Objects, relations: Relations, rows: int) -> None:
        self._objects, self._relations, self._rows = objects, relations, rows

    def allowed(self, query: ast.Query, caller: Caller) -> tuple[ast.Query, frozenset[str], bool]:
        """The query with its limits, the objects that it reads, and whether the limit is ours.

        Raises:
            Problem: 400 for what no query may do, 403 for an object that this caller may not read.
        """
        look = _Look(self._objects, self._relations, query)
        look.through()
        caller.must("read", *sorted(look.read))
        counts = bool(query.items) and all(_is_bare_count(item) for item in query.items) and not query.group
        if query.limit is not None and query.limit > self._rows:
            raise refuse(f"LIMIT is {query.limit}, and at most {self._rows} rows are given; narrow the query")
        ours = query.limit is None and not counts
        made = replace(query, items=tuple(map(_with_limit, query.items)), limit=self._rows if ours else query.limit)
        return made, frozenset(look.read), ours


def _is_bare_count(item: object) -> bool:
    return isinstance(item, ast.Item) and item.operand == ast.Call("COUNT", None, item.operand.at)


def _with_limit(
    item: ast.Item | ast.FieldsOf | ast.Children | ast.TypeOf,
) -> ast.Item | ast.FieldsOf | ast.Children | ast.TypeOf:
    if not isinstance(item, ast.Children):
        return item
    said = item.query.limit
    if said is not None and said > CHILD_ROWS:
        raise refuse(f"LIMIT of a query inside another is {said}, and at most {CHILD_ROWS} records are given of each")
    return replace(item, query=replace(item.query, limit=CHILD_ROWS if said is None else said))


def _only_reads(query: ast.Query) -> None:
    """FOR UPDATE locks records, FOR VIEW notes that they were seen; ALL ROWS is what was deleted."""
    if query.all_rows:
        raise refuse("ALL ROWS is not allowed: deleted records are not given")
    if query.words:
        raise refuse(f"{' '.join(query.words[0])} is not allowed")


class _Look:
    """One query and those inside it."""

    def __init__(self, objects: Objects, relations: Relations, query: ast.Query) -> None:
        self._objects, self._relations, self._query = objects, relations, query
        self.read: set[str] = set()

    def through(self) -> None:
        self._one(self._query, self._known(self._query.target.text), depth=0)

    def _known(self, name: str) -> KnownObject:
        found = self._objects.find(name)
        if found is None or found.name.lower() != name.lower():
            raise refuse(f"Object {name[:80]} cannot be queried: it has no mapping")
        self.read.add(found.name)
        return found

    def _one(self, query: ast.Query, target: KnownObject, depth: int) -> None:
        _only_reads(query)
        here = _Here(self, target, {target.name.lower(), query.target.text.lower(), (query.alias or "").lower()})
        for item in query.items:
            match item:
                case ast.Item(operand):
                    here.must(operand)
                case ast.Children(inner):
                    self._children(inner, target, depth)
                case ast.FieldsOf():
                    raise refuse("FIELDS() is not allowed: name the fields")
                case ast.TypeOf():
                    raise refuse("TYPEOF is not allowed: name a field of the relationship")
        for operand in (*query.group, *(key.operand for key in query.order)):
            here.must(operand)
        for condition in (query.where, query.having):
            if condition is not None:
                self._condition(condition, here, depth)

    def _children(self, query: ast.Query, target: KnownObject, depth: int) -> None:
        if depth:
            raise refuse("A query inside a query holds no further one")
        child = self._relations.child(target, query.target.text)
        if child is None:
            raise refuse(f"{target.name} has no child relationship {query.target.text[:80]}")
        self._one(query, self._known(child), depth + 1)

    def _condition(self, condition: ast.Condition, here: _Here, depth: int) -> None:
        for part in _parts(condition):
            here.must(part.operand)
            if isinstance(part, ast.Within) and isinstance(part.members, ast.Query):
                if depth:
                    raise refuse("A query inside a query holds no further one")
                inner = part.members
                if any(not isinstance(item, ast.Item) for item in inner.items) or len(inner.items) != 1:
                    raise refuse("A query inside IN (…) selects one field")
                self._one(inner, self._known(inner.target.text), depth + 1)

    def parents(self, one: KnownObject, step: str) -> list[KnownObject]:
        """The objects that a relationship leads to; a query may go there where all of them are mapped."""
        names = self._relations.parents(one, step)
        if not names:
            raise refuse(f"{one.name} has no relationship {step[:80]}")
        return [self._known(name) for name in names]


class _Here:
    """The names that one query may use."""

    def __init__(self, look: _Look, target: KnownObject, own: set[str]) -> None:
        self._look, self._target, self._own = look, target, own

    def must(self, operand: ast.Operand) -> None:
        """Raises `Problem` for a field or function that the query may not use."""
        if isinstance(operand, ast.Call):
            if operand.function not in _FUNCTIONS or operand.more:
                raise refuse(f"{operand.function[:80]}() is not allowed")
            if operand.path is None:
                if operand.function != "COUNT":
                    raise refuse(f"{operand.function}() needs a field")
                return
            operand = operand.path
        *steps, name = operand.parts
        if steps and steps[0].lower() in self._own and not self._is_relationship(steps[0]):
            steps = steps[1:]
        if len(steps) > _DEEPEST:
            raise refuse(f"{operand.text[:80]}: at most {_DEEPEST} relationships are allowed")
        here = [self._target]
        for step in steps:
            here = [parent for one in here for parent in self._look.parents(one, step)]
        for one in here:
            if one.field(name) is None and not (steps and name.lower() == "type"):
                raise refuse(f"{one.name} has no field {name[:80]} that may be read")

    def _is_relationship(self, step: str) -> bool:
        return step.lower() in self._target.parents


def _parts(condition: ast.Condition) -> Iterator[ast.Compared | ast.Within | ast.Includes]:
    """The comparisons of a condition; without recursion, however deep it is."""
    left = [condition]
    while left:
        match one := left.pop():
            case ast.AllOf(parts) | ast.AnyOf(parts):
                left += parts
            case ast.NoneOf(part):
                left.append(part)
            case _:
                yield one
