"""SQL expressions of the mappings: which columns they see, and whether they see only their own row."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp

_SELECT = "SELECT "
_PLAIN = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)?")
_WORDS = frozenset({"null", "true", "false", "current_date", "current_timestamp", "current_user", "now"})

# Why a function cannot stand in a mapping, and which. sqlglot knows the common aggregates; these it does not.
_REASONS = {
    "calls Java code": "reflect java_method try_reflect",
    "tells the place of a file; use the traceability columns": (
        "input_file_name input_file_block_start input_file_block_length"
    ),
    "depends on how Spark splits the work": "monotonically_increasing_id spark_partition_id",
    "gives another value on each run": "rand random randn uuid shuffle randstr uniform",
    "stops the whole run; write a rule of severity `fail`": "raise_error assert_true",
    "reads the session, not the row": (
        "current_user session_user user current_catalog current_database current_schema version"
    ),
    "is an aggregate: it sees other rows": (
        "every some any bool_and bool_or count_min_sketch histogram_numeric try_sum try_avg regr_r2 product kurtosis "
        "bitmap_construct_agg bitmap_or_agg hll_sketch_agg hll_union_agg grouping grouping_id percentile_approx "
        "listagg string_agg"
    ),
    "makes several rows of one": (
        "explode explode_outer posexplode posexplode_outer inline inline_outer stack json_tuple variant_explode "
        "variant_explode_outer range sql_keywords"
    ),
    "is a window function: it sees other rows": (
        "row_number rank dense_rank percent_rank cume_dist ntile lag lead nth_value window window_time session_window"
    ),
}
_REFUSED = {name: reason for reason, names in _REASONS.items() for name in names.split()}


class _Refused(ValueError):
    """Why an expression cannot stand in a mapping."""


def is_plain(sql: str) -> bool:
    """A bare `column` or `alias.column`, which needs no parser."""
    return _PLAIN.fullmatch(sql.strip()) is not None and sql.strip().lower() not in _WORDS


def columns_in(sql: str) -> tuple[str, ...]:
    """The columns that an expression reads, as `column` or `alias.column`, in order, each once. Not those of a lambda.

    Raises:
        ValueError: the text does not parse; `complaint` says so in words.
    """
    if is_plain(sql):
        return (sql.strip(),)
    from sqlglot import exp

    return tuple(dict.fromkeys(_dotted(column) for column in _tree(sql).find_all(exp.Column, bfs=False)))


def complaint(sql: str, *, predicate: bool) -> str | None:
    """Why this text cannot be an expression over one row, or None.

    Args:
        predicate: it must be true or false, as a rule or a `where` is.
    """
    found = examine(sql, predicate=predicate)
    return None if found is None else found[1]


def examine(sql: str, *, predicate: bool) -> tuple[str, str] | None:
    """As `complaint`, with the kind before it: `syntax`, `reach` or `condition`."""
    if is_plain(sql):
        return None
    try:
        tree = _tree(sql)
    except _Refused as refused:
        return "syntax", str(refused)
    try:
        _own_row_only(tree)
    except _Refused as refused:
        return "reach", str(refused)
    if predicate and not _may_be_true(tree):
        return "condition", "is a value, not a condition that is true or false"
    return None


def rewrite(sql: str, resolve: Callable[[str], str]) -> str:
    """The expression with each column replaced by what `resolve` gives for it, quoted where Spark needs it.

    `resolve` takes and gives `column` or `alias.column`. Text that needs no change is returned as it is.
    """
    if is_plain(sql):
        return _quoted(resolve(sql.strip()))
    from sqlglot import exp

    places: list[tuple[int, int, str]] = []
    for column in _tree(sql).find_all(exp.Column):
        name, parts = _dotted(column), column.parts
        target = resolve(name)
        if target != name:
            places.append((parts[0].meta["start"], parts[-1].meta["end"] + 1, _quoted(target)))
    for start, end, target in sorted(places, reverse=True):
        sql = sql[: start - len(_SELECT)] + target + sql[end - len(_SELECT) :]
    return sql


def tree(sql: str) -> exp.Expr:
    """The tree of an expression that `examine` finds nothing wrong with."""
    return _tree(sql)


def _quoted(name: str) -> str:
    parts = name.split(".", 1)
    return ".".join(part if _PLAIN.fullmatch(part) else "`" + part.replace("`", "``") + "`" for part in parts)


@lru_cache(maxsize=4096)
def _tree(sql: str) -> exp.Expr:
    """The expression's tree; refuses what is not one expression."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        statements = sqlglot.parse(_SELECT + sql, dialect="spark")
    except SqlglotError as error:
        found = getattr(error, "errors", None) or [{}]
        said = str(found[0].get("description") or error).strip().rstrip(".")
        near = str(found[0].get("highlight") or "").strip()
        raise _Refused(f"does not parse: {said}" + (f", at `{near}`" if near else "")) from None
    select = statements[0] if len(statements) == 1 else None
    if not isinstance(select, exp.Select):
        raise _Refused("is not one expression: only a single value or condition may stand here")
    further = [name.rstrip("_") for name, value in select.args.items() if value and name != "expressions"]
    if further:
        raise _Refused(f"has a clause of a query ({', '.join(further)}); an expression sees its own row only")
    if len(select.expressions) != 1:
        raise _Refused("is not one expression: a list of them, or none, stands here")
    tree: exp.Expr = select.expressions[0]
    if isinstance(tree, (exp.Alias, exp.Aliases)):
        raise _Refused(f"has a name at its end (`{tree.output_name}`); the column's name stands before the colon")
    return tree


def _own_row_only(tree: exp.Expr) -> None:
    from sqlglot import exp

    for node in tree.walk():
        if node.comments:
            raise _Refused("has a comment; comments stand behind `#`, outside the expression")
        if isinstance(node, (exp.Query, exp.Subquery)) or (isinstance(node, exp.In) and node.args.get("query")):
            raise _Refused("has a subquery; use a lookup (object mapping) or a join (dataset)")
        if isinstance(node, exp.Window):
            raise _Refused("has a window; an expression sees its own row only")
        if isinstance(node, (exp.Placeholder, exp.Parameter, exp.SessionParameter)):
            raise _Refused("has a parameter that nothing fills; `${NAME}` is filled from the environment's params")
        if isinstance(node, exp.Star):
            raise _Refused("has `*`; name the columns")
        if isinstance(node, exp.Command):
            raise _Refused("is a command, not an expression")
        if isinstance(node, exp.Func) or type(node).__name__ in {"Any", "Exists"}:
            _allowed_function(node)


def _allowed_function(node: exp.Expr) -> None:
    from sqlglot import exp

    if isinstance(node, exp.Anonymous):
        names = [str(node.this).lower()]
    elif isinstance(node, exp.Func):
        names = [name.lower() for name in type(node).sql_names()]
    else:
        names = [type(node).__name__.lower()]
    if isinstance(node, exp.Exists) and isinstance(node.args.get("expression"), exp.Lambda):
        return
    for name in names:
        if name in _REFUSED:
            raise _Refused(f"`{name}` {_REFUSED[name]}")
    if isinstance(node, exp.AggFunc):
        raise _Refused(f"`{names[0]}` is an aggregate: it sees other rows")
    if isinstance(node, exp.UDTF):
        raise _Refused(f"`{names[0]}` makes several rows of one")


def _may_be_true(tree: exp.Expr) -> bool:
    """False where the outermost part is plainly a number, a text or a date."""
    from sqlglot import exp

    while isinstance(tree, exp.Paren):
        tree = tree.this
    arithmetic = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg, exp.Length, exp.Year)
    texts = (exp.Literal, exp.Concat, exp.DPipe, exp.Upper, exp.Lower, exp.Trim, exp.Struct, exp.Array, exp.Tuple)
    return not isinstance(tree, arithmetic + texts)


def _dotted(column: exp.Column) -> str:
    return ".".join(part.name for part in column.parts)
