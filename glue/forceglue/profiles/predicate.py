"""Rules of a profile: the same Spark SQL predicates as in a mapping, judged row by row without Spark.

What is known is the part of SQL that needs one row and no session. Both sides of a comparison are of one kind, so that
nothing hangs on how Spark would make them alike; null is unknown, as in SQL. A test asks Spark for each form. One thing
differs: sums and products of whole numbers do not overflow here.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from forceglue.mapping import sql as expressions
from forceglue.mapping.types import plain_type
from forceglue.profiles.cast import CastError, caster

if TYPE_CHECKING:
    from sqlglot import exp

Kind = Literal["text", "number", "boolean", "date", "timestamp"]
Row = Mapping[str, Any]
Evaluate = Callable[[Row], Any]

ALLOWED = (
    "comparisons of like with like, and, or, not, is null, in, between, like, rlike, + - *, length, trim, upper, "
    "lower, coalesce"
)


class PredicateError(ValueError):
    """Why a rule cannot be judged without Spark."""

    def __init__(self, why: str, allowed: str = ALLOWED) -> None:
        self.allowed = allowed
        super().__init__(why)


def kind_of_type(type_name: str | None) -> Kind:
    """The kind of values that a column of a type has."""
    plain = plain_type(type_name or "string")
    if plain == "string":
        return "text"
    if plain in ("boolean", "date"):
        return plain  # type: ignore[return-value]  # these two are kinds
    return "timestamp" if plain.startswith("timestamp") else "number"


def predicate(sql: str, kinds: Mapping[str, Kind]) -> Callable[[Row], bool | None]:
    """What judges a row: true, false, or None for unknown.

    Args:
        kinds: the row's columns; the rule names them without regard to case.

    Raises:
        PredicateError: the rule needs Spark, or compares what is not alike.
    """
    kind, evaluate = _Compiler(kinds).expression(expressions.tree(sql))
    if kind not in ("boolean", None):
        raise PredicateError("is a value, not a condition that is true or false")
    return evaluate


class _Compiler:
    """Turns a tree into closures, each with the kind of what it gives; None is the kind of `null`."""

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self._columns = {name.lower(): name for name in kinds}
        self._kinds = kinds

    def expression(self, node: exp.Expr) -> tuple[Kind | None, Evaluate]:
        made = getattr(self, f"_{type(node).__name__.lower()}", None)
        if made is None:
            raise PredicateError(f"has `{node.sql(dialect='spark')}`, which needs Spark")
        found: tuple[Kind | None, Evaluate] = made(node)
        return found

    # values

    def _paren(self, node: exp.Expr) -> tuple[Kind | None, Evaluate]:
        return self.expression(node.this)

    def _column(self, node: exp.Expr) -> tuple[Kind | None, Evaluate]:
        name = self._columns.get(node.name.lower())
        if name is None or len(node.parts) > 1:  # type: ignore[attr-defined]  # a Column has parts
            raise PredicateError(f"reads `{node.sql(dialect='spark')}`, which is no column of the row")
        return self._kinds[name], lambda row: row[name]

    def _literal(self, node: exp.Expr) -> tuple[Kind | None, Evaluate]:
        if node.is_string:
            text = node.name
            return "text", lambda _: text
        number = float(node.name) if "e" in node.name.lower() else Decimal(node.name)
        return "number", lambda _: number

    def _boolean(self, node: exp.Expr) -> tuple[Kind | None, Evaluate]:
        value = bool(node.this)
        return "boolean", lambda _: value

    def _null(self, _: exp.Expr) -> tuple[Kind | None, Evaluate]:
        return None, lambda _: None

    def _neg(self, node: exp.Expr) -> tuple[Kind | None, Evaluate]:
        inner = self._of(node.this, "number")
        return "number", lambda row: None if (value := inner(row)) is None else -value

    def _cast(self, node: exp.Expr) -> tuple[Kind | None, Evaluate]:
        """`date '2024-01-01'`, `timestamp '…'`: a literal of a type; of anything else, Spark must say what it is."""
        kind = str(node.args["to"].this.value).lower()
        if not node.this.is_string or kind not in ("date", "timestamp", "timestamptz", "timestampltz"):
            raise PredicateError("has a cast; a column has its `type` already")
        made: Kind = "date" if kind == "date" else "timestamp"
        value = _moment(node.this.name, made)
        return made, lambda _: value

    def _add(self, node: exp.Expr) -> tuple[Kind | None, Evaluate]:
        return self._arithmetic(node, operator.add)

    def _sub(self, node: exp.Expr) -> tuple[Kind | None, Evaluate]:
        return self._arithmetic(node, operator.sub)

    def _mul(self, node: exp.Expr) -> tuple[Kind | None, Evaluate]:
        return self._arithmetic(node, operator.mul)

    def _arithmetic(self, node: exp.Expr, work: Callable[[Any, Any], Any]) -> tuple[Kind | None, Evaluate]:
        left, right = self._of(node.this, "number"), self._of(node.expression, "number")
        return "number", _strict(lambda a, b: work(*_exact(a, b)), left, right)

    def _length(self, node: exp.Expr) -> tuple[Kind | None, Evaluate]:
        return "number", self._text(node, len)

    def _trim(self, node: exp.Expr) -> tuple[Kind | None, Evaluate]:
        if node.args.get("expression") is not None or node.args.get("position"):
            raise PredicateError("has a `trim` of other characters than blanks")
        return "text", self._text(node, lambda text: text.strip(" "))

    def _upper(self, node: exp.Expr) -> tuple[Kind | None, Evaluate]:
        return "text", self._text(node, str.upper)

    def _lower(self, node: exp.Expr) -> tuple[Kind | None, Evaluate]:
        return "text", self._text(node, str.lower)

    def _text(self, node: exp.Expr, work: Callable[[str], Any]) -> Evaluate:
        inner = self._of(node.this, "text")
        return lambda row: None if (value := inner(row)) is None else work(value)

    def _coalesce(self, node: exp.Expr) -> tuple[Kind | None, Evaluate]:
        kind, parts = self._alike([node.this, *node.expressions], "coalesce")
        return kind, lambda row: next((value for part in parts if (value := part(row)) is not None), None)

    # conditions

    def _and(self, node: exp.Expr) -> tuple[Kind | None, Evaluate]:
        left, right = self._of(node.this, "boolean"), self._of(node.expression, "boolean")
        return "boolean", lambda row: _both(left(row), right(row))

    def _or(self, node: exp.Expr) -> tuple[Kind | None, Evaluate]:
        left, right = self._of(node.this, "boolean"), self._of(node.expression, "boolean")
        return "boolean", lambda row: _not(_both(_not(left(row)), _not(right(row))))

    def _not(self, node: exp.Expr) -> tuple[Kind | None, Evaluate]:
        inner = self._of(node.this, "boolean")
        return "boolean", lambda row: _not(inner(row))

    def _is(self, node: exp.Expr) -> tuple[Kind | None, Evaluate]:
        _, inner = self.expression(node.this)
        wanted = type(node.expression).__name__.lower()
        if wanted == "null":
            return "boolean", lambda row: inner(row) is None
        if wanted == "boolean":
            inner, value = self._of(node.this, "boolean"), bool(node.expression.this)
            return "boolean", lambda row: inner(row) is value
        raise PredicateError(f"has `{node.sql(dialect='spark')}`, which needs Spark")

    def _eq(self, node: exp.Expr) -> tuple[Kind | None, Evaluate]:
        return self._compared(node, operator.eq)

    def _neq(self, node: exp.Expr) -> tuple[Kind | None, Evaluate]:
        return self._compared(node, operator.ne)

    def _lt(self, node: exp.Expr) -> tuple[Kind | None, Evaluate]:
        return self._compared(node, operator.lt)

    def _lte(self, node: exp.Expr) -> tuple[Kind | None, Evaluate]:
        return self._compared(node, operator.le)

    def _gt(self, node: exp.Expr) -> tuple[Kind | None, Evaluate]:
        return self._compared(node, operator.gt)

    def _gte(self, node: exp.Expr) -> tuple[Kind | None, Evaluate]:
        return self._compared(node, operator.ge)

    def _nullsafeeq(self, node: exp.Expr) -> tuple[Kind | None, Evaluate]:
        _, (left, right) = self._alike([node.this, node.expression], "<=>")
        return "boolean", lambda row: _same(left(row), right(row))

    def _compared(self, node: exp.Expr, work: Callable[[Any, Any], bool]) -> tuple[Kind | None, Evaluate]:
        _, (left, right) = self._alike([node.this, node.expression], node.sql(dialect="spark"))
        return "boolean", _strict(lambda a, b: work(*_exact(a, b)), left, right)

    def _between(self, node: exp.Expr) -> tuple[Kind | None, Evaluate]:
        _, (value, low, high) = self._alike([node.this, node.args["low"], node.args["high"]], "between")
        above = _strict(lambda a, b: operator.ge(*_exact(a, b)), value, low)
        below = _strict(lambda a, b: operator.le(*_exact(a, b)), value, high)
        return "boolean", _negated(node, lambda row: _both(above(row), below(row)))

    def _in(self, node: exp.Expr) -> tuple[Kind | None, Evaluate]:
        _, (value, *listed) = self._alike([node.this, *node.expressions], "in")

        def among(row: Row) -> bool | None:
            found, others = value(row), [one(row) for one in listed]
            if found is None:
                return None
            if any(_same(found, other) for other in others if other is not None):
                return True
            return None if None in others else False

        return "boolean", _negated(node, among)

    def _like(self, node: exp.Expr) -> tuple[Kind | None, Evaluate]:
        return "boolean", self._matching(node, _like_pattern(self._pattern(node), "\\").fullmatch)

    def _escape(self, node: exp.Expr) -> tuple[Kind | None, Evaluate]:
        like = node.this
        if type(like).__name__ != "Like":
            raise PredicateError("has an `escape` that belongs to no `like`")
        return "boolean", self._matching(like, _like_pattern(self._pattern(like), node.expression.name).fullmatch)

    def _regexplike(self, node: exp.Expr) -> tuple[Kind | None, Evaluate]:
        try:
            return "boolean", self._matching(node, re.compile(self._pattern(node)).search)
        except re.error as error:
            raise PredicateError(f"has a pattern that does not parse: {error.msg}") from None

    def _matching(self, node: exp.Expr, work: Callable[[str], Any]) -> Evaluate:
        return _negated(node, self._text(node, lambda text: work(text) is not None))

    def _pattern(self, node: exp.Expr) -> str:
        if not node.expression.is_string:
            raise PredicateError("has a pattern that is no text in quotes")
        return str(node.expression.name)

    # kinds

    def _of(self, node: exp.Expr, wanted: Kind) -> Evaluate:
        kind, evaluate = self.expression(node)
        if kind not in (wanted, None):
            raise PredicateError(f"takes `{node.sql(dialect='spark')}` for a {wanted}, and it is a {kind}")
        return evaluate

    def _alike(self, nodes: list[exp.Expr], said: str) -> tuple[Kind | None, list[Evaluate]]:
        """Values of one kind; text in quotes beside a day or moment is one."""
        made = [self.expression(node) for node in nodes]
        kinds = dict.fromkeys(kind for kind, _ in made if kind is not None)
        for kind in ("timestamp", "date"):
            if kind in kinds and "text" in kinds:
                made = [
                    (kind, _always(_moment(node.name, kind))) if one[0] == "text" and node.is_string else one
                    for node, one in zip(nodes, made, strict=True)
                ]
                kinds = dict.fromkeys(kind for kind, _ in made if kind is not None)
        if len(kinds) > 1:
            raise PredicateError(f"compares a {' with a '.join(kinds)} in `{said}`", "values of one kind; set `type`")
        return next(iter(kinds), None), [evaluate for _, evaluate in made]


def _moment(text: str, kind: str) -> date | datetime:
    try:
        return caster(kind)(text)  # type: ignore[return-value]  # of these two kinds
    except CastError:
        raise PredicateError(
            f"has '{text}', which is no {kind}", "a day as 2024-01-31, a moment as 2024-01-31T08:00:00Z"
        ) from None


def _always(value: Any) -> Evaluate:
    return lambda _: value


def _strict(work: Callable[[Any, Any], Any], left: Evaluate, right: Evaluate) -> Evaluate:
    """Unknown where one side is."""

    def evaluate(row: Row) -> Any:
        a, b = left(row), right(row)
        return None if a is None or b is None else work(a, b)

    return evaluate


def _exact(a: Any, b: Any) -> tuple[Any, Any]:
    """Two values that can be compared: a decimal beside a double becomes one, as in Spark."""
    if isinstance(a, float) and isinstance(b, Decimal):
        return a, float(b)
    return (float(a), b) if isinstance(a, Decimal) and isinstance(b, float) else (a, b)


def _same(a: Any, b: Any) -> bool:
    if a is None or b is None:
        return a is b
    a, b = _exact(a, b)
    return bool(a == b)


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def _both(a: bool | None, b: bool | None) -> bool | None:
    if a is False or b is False:
        return False
    return None if a is None or b is None else True


def _negated(node: exp.Expr, evaluate: Evaluate) -> Evaluate:
    """`not like` and the like, where the parser says so on the node itself."""
    return (lambda row: _not(evaluate(row))) if node.args.get("negate") else evaluate


def _like_pattern(pattern: str, escape: str) -> re.Pattern[str]:
    made, plain = "", False
    for character in pattern:
        if plain or character not in ("%", "_", escape):
            made, plain = made + re.escape(character), False
        elif character == escape:
            plain = True
        else:
            made += ".*" if character == "%" else "."
    return re.compile(made, re.DOTALL)
