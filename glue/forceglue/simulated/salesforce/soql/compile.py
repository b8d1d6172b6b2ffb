# ruff: noqa: S608 - names come from the schema and are quoted, values are parameters
"""A parsed query and the org's objects become SQL, and the shape of each answered record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from forceglue.simulated.salesforce.errors import ApiError
from forceglue.simulated.salesforce.relationships import child_links
from forceglue.simulated.salesforce.rows import part_key
from forceglue.simulated.salesforce.schema import Field, ObjectSchema
from forceglue.simulated.salesforce.soql.conditions import Conditions, Sql
from forceglue.simulated.salesforce.soql.scope import AGGREGATES, Column, Scope
from forceglue.simulated.salesforce.soql.trouble import at_place, malformed, no_such_relationship
from forceglue.simulated.salesforce.store import quoted
from forceglue.simulated.salesforce.wire import IDS, NUMBERS, WHOLE
from forceglue.soql import ast

if TYPE_CHECKING:
    from forceglue.simulated.salesforce.org import Org

_OFFSET_MOST = 2_000
_FIELDS_MOST = 200
AGGREGATE_ROWS = 2_000


@dataclass(frozen=True)
class Leaf:
    """One value: the key that it has in the answer, which column of the row it is, and its describe type."""

    key: str
    at: int
    kind: str


@dataclass
class Group:
    """A record that another points to (`id_at` says which column has its id), or a compound value."""

    key: str
    id_at: int | None = None
    type: str = ""
    nodes: list[Leaf | Group] = field(default_factory=list)


@dataclass(frozen=True)
class ChildQuery:
    """Records that point to each of a query's own: `(SELECT Id FROM Contacts)`.

    Attributes:
        key: the relationship's name in the answer.
        link: the column of the child that points to the parent.
    """

    key: str
    link: str
    compiled: Compiled


@dataclass(frozen=True)
class Compiled:
    """A query, ready to run.

    Attributes:
        columns: SQL of each value of a row; the first is the record's id unless the query is aggregated.
        nodes: the shape of an answered record.
        headers: the CSV header of each selected value and the place of its column.
        source: FROM with joins; `where` and `tail` (GROUP BY, ORDER BY) are apart.
        counted: a bare `COUNT()`.
    """

    query: ast.Query
    schema: ObjectSchema
    columns: tuple[str, ...]
    nodes: tuple[Leaf | Group, ...]
    headers: tuple[tuple[str, int, str], ...]
    selected: tuple[Field | None, ...]
    source: str
    joins: str
    where: str
    tail: str
    params: tuple[Any, ...]
    tail_params: tuple[Any, ...] = ()
    aggregated: bool = False
    counted: bool = False
    children: tuple[ChildQuery, ...] = ()

    @property
    def limit(self) -> str:
        """LIMIT and OFFSET."""
        query = self.query
        if query.limit is None and query.offset is None:
            return ""
        return f" LIMIT {-1 if query.limit is None else query.limit} OFFSET {query.offset or 0}"

    def select(self, columns: Sequence[str]) -> str:
        """The statement for these columns."""
        return f"SELECT {', '.join(columns)} FROM {self.source}{self.joins}{self.where}{self.tail}{self.limit}"

    @property
    def schema_table(self) -> str:
        """What the query's own table is called in the statement."""
        return self.source.rpartition(" ")[2]

    def by_row(self) -> str:
        """The statement that reads the rows whose numbers a JSON list holds, in that order."""
        table = self.schema_table
        return (
            f"SELECT {', '.join(self.columns)} FROM json_each(?) AS wanted CROSS JOIN {self.source} "
            f'ON {table}."_row" = wanted.value{self.joins}'
        )

    @property
    def all_params(self) -> tuple[Any, ...]:
        return self.params + self.tail_params


def compile_query(org: Org, query: ast.Query, *, deleted: bool = False, level: int = 0) -> Compiled:
    """Checks a query against the org's objects and translates it.

    Args:
        deleted: whether it sees records in the recycle bin (queryAll).

    Raises:
        ApiError: what Salesforce says to such a query.
    """
    return _Compiler(org, query, deleted, level).compiled()


class _Compiler:
    def __init__(self, org: Org, query: ast.Query, deleted: bool, level: int) -> None:
        self._org, self._query, self._deleted, self._level = org, query, deleted, level
        self._scope = Scope(org, query, level)
        self._conditions = Conditions(self._scope, org.at().date(), self._semi_join)
        self._columns: list[str] = []
        self._headers: list[tuple[str, int, str]] = []
        self._selected: list[Field | None] = []

    def compiled(self) -> Compiled:
        query, scope = self._query, self._scope
        self._refuse_what_is_not_done()
        calls = [item.operand for item in query.items if isinstance(item, ast.Item)]
        aggregated = bool(query.group) or any(isinstance(c, ast.Call) and c.function in AGGREGATES for c in calls)
        counted = aggregated and calls == [call for call in calls if _bare_count(call)] and not query.group
        nodes = self._aggregated() if aggregated else self._plain()
        where, params = self._where()
        tail, tail_params = self._tail(aggregated)
        return Compiled(
            query, scope.schema, tuple(self._columns), tuple(nodes), tuple(self._headers), tuple(self._selected),
            f"{quoted(scope.schema.name)} AS {scope.base}", scope.joins, where, tail, tuple(params),
            tuple(tail_params), aggregated, counted, tuple(self._children(aggregated)),
        )  # fmt: skip

    def _refuse_what_is_not_done(self) -> None:
        query = self._query
        for item in query.items:
            if isinstance(item, ast.TypeOf):
                raise malformed(query.text, item.at, "typeof is not supported by this simulated org")
        if query.all_rows:
            raise malformed(query.text, len(query.text), "ALL ROWS not allowed in this context")
        if (query.offset or 0) > _OFFSET_MOST:
            raise ApiError("NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {_OFFSET_MOST}")

    def _children(self, aggregated: bool) -> Iterator[ChildQuery]:
        for item in self._query.items:
            if not isinstance(item, ast.Children):
                continue
            name, text = item.query.target, self._query.text
            found = next(
                (c for c in child_links(self._org, self._scope.schema) if c[0].lower() == name.text.lower()), None
            )
            if found is None:
                raise no_such_relationship(text, name.at, name.text)
            if aggregated or self._level:
                raise malformed(text, name.at, "a nested query is not allowed here")
            key, other, link = found
            inner = replace(item.query, target=ast.Path(other.name, name.at))
            compiled = compile_query(self._org, inner, deleted=self._deleted, level=self._level + 1)
            if compiled.aggregated:
                raise malformed(text, name.at, "a nested query cannot be aggregated")
            yield ChildQuery(key, f"{compiled.schema_table}.{quoted(link.name)}", compiled)

    # what is selected

    def _take(self, column: Column, header: str) -> int:
        """Selects a column and gives its place in the row."""
        self._columns.append(column.sql)
        self._headers.append((header, len(self._columns) - 1, column.kind))
        self._selected.append(column.field)
        return len(self._columns) - 1

    def _items(self) -> Iterator[ast.Item]:
        for item in self._query.items:
            if isinstance(item, ast.Item):
                yield item
            elif isinstance(item, ast.FieldsOf):
                yield from self._fields_of(item)

    def _fields_of(self, item: ast.FieldsOf) -> Iterator[ast.Item]:
        if item.which not in ("ALL", "STANDARD", "CUSTOM"):
            raise malformed(self._query.text, item.at, f"unexpected token: '{item.which}'")
        if item.which != "STANDARD" and (self._query.limit is None or self._query.limit > _FIELDS_MOST):
            raise malformed(
                self._query.text, item.at, f"The SOQL FIELDS function must have a LIMIT of at most {_FIELDS_MOST}"
            )
        for entry in self._scope.schema.seen:
            if item.which == "ALL" or entry["custom"] == (item.which == "CUSTOM"):
                yield ast.Item(ast.Path(entry.name, item.at))

    def _plain(self) -> list[Leaf | Group]:
        """One row a record."""
        self._columns.append(f'{self._scope.base}."Id"')
        root = Group("")
        seen = set()
        for item in self._items():
            operand = item.operand
            path = operand if isinstance(operand, ast.Path) else operand.path
            if path is None:
                raise malformed(self._query.text, operand.at, "unexpected token: '('")
            if isinstance(operand, ast.Call) and operand.function not in ("TOLABEL", "CONVERTCURRENCY"):
                raise malformed(
                    self._query.text, operand.at, f"field must be grouped or aggregated: {operand.function}"
                )
            parts = self._scope.plain_parts(path)
            if (key := tuple(part.lower() for part in parts)) in seen:
                raise at_place(self._query.text, operand.at, "INVALID_FIELD", f"duplicate field selected: {path.text}")
            seen.add(key)
            self._add(root, operand, parts, item.alias)
        return root.nodes

    def _add(self, root: Group, operand: ast.Operand, parts: tuple[str, ...], alias: str | None) -> None:
        if isinstance(operand, ast.Path) and len(parts) == 1:
            found = self._scope.schema.field(parts[0])
            if found is not None and found.compound:
                root.nodes.append(self._compound(found))
                return
        column = self._scope.column(operand)
        place, names = root, []
        for step in parts[:-1]:
            names.append(step)
            place = self._inside(place, names)
        name = column.field.name if column.field is not None else parts[-1]
        header = ".".join([*self._shown(parts[:-1]), name])
        place.nodes.append(Leaf(alias or name, self._take(column, header), column.kind))

    def _shown(self, steps: Sequence[str]) -> list[str]:
        """Relationship names as describe writes them."""
        shown, schema = [], self._scope.schema
        for step in steps:
            link = schema.relationship(step)
            shown.append(link["relationshipName"] if link is not None else step)
            target = self._org.find(link.references[0]) if link is not None else None
            schema = target or schema
        return shown

    def _inside(self, place: Group, names: list[str]) -> Group:
        key = self._shown(names)[-1]
        for node in place.nodes:
            if isinstance(node, Group) and node.key == key:
                return node
        self._columns.append(self._scope.id_of(tuple(names)))
        column = self._scope.field(ast.Path(".".join([*names, "Id"]), 0))
        made = Group(key, len(self._columns) - 1, column.owner.name)
        place.nodes.append(made)
        return made

    def _compound(self, found: Field) -> Group:
        made = Group(found.name)
        for part in self._scope.schema.parts(found):
            self._columns.append(f"{self._scope.base}.{quoted(part.name)}")
            made.nodes.append(Leaf(part_key(found, part), len(self._columns) - 1, part.type))
        made.nodes.sort(key=lambda node: node.key)
        self._headers.append((found.name, -1, found.type))
        self._selected.append(found)
        return made

    def _aggregated(self) -> list[Leaf | Group]:
        """One row a group."""
        grouped = {self._scope.column(operand).sql for operand in self._query.group}
        nodes: list[Leaf | Group] = []
        unnamed = 0
        for item in self._items():
            column = self._scope.column(item.operand)
            if not column.aggregated and column.sql not in grouped:
                name = item.operand.text if isinstance(item.operand, ast.Path) else item.operand.function
                raise malformed(self._query.text, item.operand.at, f"Field must be grouped or aggregated: {name}")
            key = item.alias
            if key is None and isinstance(item.operand, ast.Path) and column.field is not None:
                key = column.field.name
            elif key is None:
                key, unnamed = f"expr{unnamed}", unnamed + 1
            if any(node.key.lower() == key.lower() for node in nodes):
                raise malformed(self._query.text, item.operand.at, f"duplicate alias: {key}")
            nodes.append(Leaf(key, self._take(column, key), column.kind))
        return nodes

    # which rows, in which order

    def _where(self) -> Sql:
        found: list[Sql] = []
        if not self._deleted and self._scope.schema.any_field("IsDeleted") is not None:
            found.append((f"{self._scope.base}.\"IsDeleted\" = 'false'", []))
        if self._query.where is not None:
            found.append(self._conditions.sql(self._query.where))
        if not found:
            return "", []
        params = [param for _, some in found for param in some]
        return f" WHERE {' AND '.join(text for text, _ in found)}", params

    def _tail(self, aggregated: bool) -> Sql:
        text = ""
        params: list[Any] = []
        if self._query.group:
            for operand in self._query.group:
                self._groupable(operand)
            text += " GROUP BY " + ", ".join(self._scope.column(operand).sql for operand in self._query.group)
        if self._query.having is not None:
            having, params = self._conditions.sql(self._query.having)
            text += f" HAVING {having}"
        keys = [self._key(entry, aggregated) for entry in self._query.order]
        if not aggregated:
            keys.append(f'{self._scope.base}."_row"')
        return text + (f" ORDER BY {', '.join(keys)}" if keys else ""), params

    def _groupable(self, operand: ast.Operand) -> None:
        column = self._scope.column(operand)
        if isinstance(operand, ast.Path) and column.field is not None and not column.field["groupable"]:
            message = f"field '{column.field.name}' can not be grouped in a query call"
            raise malformed(self._query.text, operand.at, message)

    def _key(self, entry: ast.Ordered, aggregated: bool) -> str:
        column = self._scope.column(entry.operand)
        if column.field is not None and not column.field["sortable"] and not column.aggregated:
            message = f"field '{column.field.name}' can not be sorted in a query call"
            raise malformed(self._query.text, entry.operand.at, message)
        if column.aggregated and not aggregated:
            raise malformed(self._query.text, entry.operand.at, "Ordered field must be grouped or aggregated")
        numeric = column.kind in NUMBERS or column.kind in WHOLE
        sql = f"CAST({column.sql} AS REAL)" if numeric else column.sql
        return f"{sql} {entry.direction} NULLS {entry.nulls}"

    def _semi_join(self, query: ast.Query) -> Sql:
        """A query inside IN (...): one field that is an id or a reference."""
        inner = compile_query(self._org, query, deleted=self._deleted, level=self._level + 1)
        if len(inner.headers) != 1 or inner.aggregated or inner.headers[0][2] not in IDS:
            raise malformed(
                self._query.text, query.target.at, "The inner select of a semi-join must select one id or reference"
            )
        column = inner.columns[inner.headers[0][1]]
        return f"SELECT {column} FROM {inner.source}{inner.joins}{inner.where}{inner.limit}", list(inner.params)


def _bare_count(operand: ast.Operand) -> bool:
    return isinstance(operand, ast.Call) and operand.function == "COUNT" and operand.path is None
