"""A query that was read, as text again: only what was understood is in it, and every text is escaped anew."""

from __future__ import annotations

import re

from forceglue.soql import ast

_ESCAPED = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
_SIGNS = re.compile(r"[\\'\n\r\t\x08\x0c]")
_IN_PATTERN = re.compile(r"['\n\r\t\x08\x0c]")


def literal(text: str) -> str:
    r"""A text as a value of a query: `O'Neil` → `'O\'Neil'`."""
    return "'" + _SIGNS.sub(lambda found: _ESCAPED[found[0]], text) + "'"


def write(query: ast.Query) -> str:
    """The query's text."""
    words = dict(query.words)
    parts = [
        f"SELECT {', '.join(map(_item, query.items))}",
        f"FROM {query.target.text}" + (f" {query.alias}" if query.alias else ""),
        f"USING {words['USING']}" if "USING" in words else "",
        f"WHERE {_condition(query.where)}" if query.where is not None else "",
        f"WITH {words['WITH']}" if "WITH" in words else "",
        f"GROUP BY {', '.join(map(_operand, query.group))}" if query.group else "",
        f"HAVING {_condition(query.having)}" if query.having is not None else "",
        f"ORDER BY {', '.join(map(_ordered, query.order))}" if query.order else "",
        f"LIMIT {query.limit}" if query.limit is not None else "",
        f"OFFSET {query.offset}" if query.offset is not None else "",
        f"FOR {words['FOR']}" if "FOR" in words else "",
        "ALL ROWS" if query.all_rows else "",
    ]
    return " ".join(part for part in parts if part)


def _item(item: ast.Item | ast.FieldsOf | ast.Children | ast.TypeOf) -> str:
    match item:
        case ast.Item(operand, alias):
            return _operand(operand) + (f" {alias}" if alias else "")
        case ast.FieldsOf(which):
            return f"FIELDS({which})"
        case ast.Children(query):
            return f"({write(query)})"
        case ast.TypeOf():
            raise ValueError("what TYPEOF chooses is not kept")


def _operand(operand: ast.Operand) -> str:
    if isinstance(operand, ast.Path):
        return operand.text
    if operand.more:
        raise ValueError("what a function takes beside a field is not kept")
    return f"{operand.function}({operand.path.text if operand.path else ''})"


def _condition(condition: ast.Condition) -> str:
    match condition:
        case ast.AllOf(parts):
            return f"({' AND '.join(map(_condition, parts))})"
        case ast.AnyOf(parts):
            return f"({' OR '.join(map(_condition, parts))})"
        case ast.NoneOf(part):
            return f"(NOT {_condition(part)})"
        case ast.Compared(operand, "LIKE", value):
            return f"{_operand(operand)} LIKE {_pattern(value.text)}"
        case ast.Compared(operand, operator, value):
            return f"{_operand(operand)} {operator} {_value(value)}"
        case ast.Within(operand, members, negated):
            inner = write(members) if isinstance(members, ast.Query) else ", ".join(map(_value, members))
            return f"{_operand(operand)} {'NOT IN' if negated else 'IN'} ({inner})"
        case ast.Includes(operand, members, negated):
            return f"{_operand(operand)} {'EXCLUDES' if negated else 'INCLUDES'} ({', '.join(map(_value, members))})"


def _value(value: ast.Given) -> str:
    return literal(value.text) if value.kind == "text" else value.text


def _pattern(text: str) -> str:
    r"""A pattern of LIKE keeps its own escapes (`\%`, `\_`, `\\`); a backslash is never alone in it."""
    return "'" + _IN_PATTERN.sub(lambda found: _ESCAPED[found[0]], text) + "'"


def _ordered(entry: ast.Ordered) -> str:
    return f"{_operand(entry.operand)} {entry.direction} NULLS {entry.nulls}"
