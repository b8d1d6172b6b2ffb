"""From a query's text to what it says. Lark reads the grammar: a well-kept parser, and errors know their place."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedEOF, UnexpectedInput, UnexpectedToken
from lark.exceptions import VisitError
from lark.visitors import v_args

from forceglue.soql import ast

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
LONGEST = 100_000


class SoqlError(ValueError):
    """What is no SOQL.

    Attributes:
        at: the place in the text.
        message: what is there.
    """

    def __init__(self, at: int, message: str) -> None:
        self.at, self.message = at, message
        super().__init__(f"{message} (at character {at + 1})")


@lru_cache(maxsize=1)
def _grammar() -> Lark:
    text = (files(__package__) / "grammar.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", lexer="contextual", propagate_positions=True)


@lru_cache(maxsize=256)
def parse(text: str) -> ast.Query:
    """What the query says.

    Raises:
        SoqlError: it says nothing, with the place.
    """
    if len(text) > LONGEST:
        raise SoqlError(LONGEST, f"a statement has at most {LONGEST} characters")
    try:
        tree = _grammar().parse(text)
        found: ast.Query = _Reader().read(text, tree)
    except UnexpectedEOF:
        raise SoqlError(len(text), "unexpected token: '<EOF>'") from None
    except UnexpectedToken as error:
        if error.token.type == "$END":
            raise SoqlError(len(text), "unexpected token: '<EOF>'") from None
        raise SoqlError(error.token.start_pos or 0, f"unexpected token: '{error.token}'") from None
    except UnexpectedInput as error:
        at = error.pos_in_stream or 0
        wrong = re.match(r"\w+|.", text[at:], re.DOTALL)
        raise SoqlError(at, f"unexpected token: '{wrong[0] if wrong else '<EOF>'}'") from None
    except VisitError as error:
        if isinstance(error.orig_exc, SoqlError):
            raise error.orig_exc from None
        raise
    except RecursionError:
        raise SoqlError(0, "the conditions are nested too deeply") from None
    return found


def _unescaped(quoted: str) -> str:
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), quoted[1:-1], flags=re.DOTALL)


def _like(quoted: str) -> str:
    r"""A LIKE pattern keeps `\_` and `\%`."""
    return re.sub(
        r"\\(.)",
        lambda found: found[0] if found[1] in "_%\\" else _ESCAPES.get(found[1], found[1]),
        quoted[1:-1],
        flags=re.DOTALL,
    )


def _at(token: Token) -> int:
    return token.start_pos or 0


def _path(token: Token) -> ast.Path:
    return ast.Path(str(token), _at(token))


def _called(function: Token, path: Token | None = None, *more: Any) -> ast.Call:
    return ast.Call(str(function).upper(), None if path is None else _path(path), _at(function), len(more))


@v_args(inline=True)
class _Reader(Transformer[Token, Any]):
    """Builds `ast` from the bottom up."""

    _text = ""

    def read(self, text: str, tree: Any) -> ast.Query:
        """The query of a tree."""
        self._text = text
        found: ast.Query = self.transform(tree)
        return found

    def alias(self, name: Token) -> str:
        return str(name)

    def field(self, path: Token, alias: str | None = None) -> ast.Item:
        return ast.Item(_path(path), alias)

    def argument(self, token: Token) -> Token:
        return token

    def aggregate(self, function: Token, *rest: Any) -> ast.Item:
        alias = rest[-1] if rest and type(rest[-1]) is str else None
        return ast.Item(_called(function, *(entry for entry in rest if isinstance(entry, Token))), alias)

    def fields_all(self, which: Token) -> ast.FieldsOf:
        return ast.FieldsOf(str(which).upper(), _at(which))

    def subquery_item(self, query: ast.Query) -> ast.Children:
        return ast.Children(query, query.target.at)

    def typeof(self, path: Token, *_: Any) -> ast.TypeOf:
        return ast.TypeOf(_at(path))

    def names(self, *_: Token) -> None:
        return None

    def items(self, *found: Any) -> tuple[Any, ...]:
        return found

    def target(self, name: Token, alias: Token | None = None) -> dict[str, Any]:
        return {"target": _path(name), "alias": None if alias is None else str(alias)}

    def using(self, scope: Token) -> dict[str, Any]:
        if scope.lower() not in ("everything", "mine"):
            raise SoqlError(_at(scope), f"invalid scope: {scope}")
        return {"words": (("USING", f"SCOPE {scope.upper()}"),)}

    def with_clause(self, what: Any) -> dict[str, Any]:
        if isinstance(what, Token) and what.upper() in ("SECURITY_ENFORCED", "USER_MODE", "SYSTEM_MODE"):
            return {"words": (("WITH", str(what.upper())),)}
        at = _at(what) if isinstance(what, Token) else 0
        raise SoqlError(at, "WITH is not supported here")

    def for_clause(self, *what: Token) -> dict[str, Any]:
        if wrong := [entry for entry in what if entry.upper() not in ("VIEW", "REFERENCE")]:
            raise SoqlError(_at(wrong[0]), f"unexpected token: '{wrong[0]}'")
        return {"words": (("FOR", ", ".join(str(entry.upper()) for entry in what)),)}

    def all_rows(self) -> dict[str, Any]:
        return {"all_rows": True}

    def operand(self, path: Token) -> ast.Path:
        return _path(path)

    grouped = operand

    def call(self, function: Token, *rest: Token) -> ast.Call:
        return _called(function, *rest)

    def text(self, token: Token) -> ast.Given:
        return ast.Given("text", str(token), _at(token))

    def number(self, token: Token) -> ast.Given:
        return ast.Given("number", str(token), _at(token))

    def datetime(self, token: Token) -> ast.Given:
        return ast.Given("datetime", str(token), _at(token))

    def date(self, token: Token) -> ast.Given:
        return ast.Given("date", str(token), _at(token))

    def word(self, token: Token) -> ast.Given:
        return ast.Given("word", str(token).upper(), _at(token))

    def members(self, *values: ast.Given) -> tuple[ast.Given, ...]:
        return tuple(_plain(value) for value in values)

    def compared(self, operand: ast.Operand, operator: Token, value: ast.Given) -> ast.Compared:
        name = "!=" if operator == "<>" else str(operator).upper()
        if name == "LIKE":
            if value.kind != "text":
                raise SoqlError(value.at, f"unexpected token: '{value.text}'")
            return ast.Compared(operand, name, ast.Given("text", _like(value.text), value.at))
        return ast.Compared(operand, name, _plain(value))

    def within(self, operand: ast.Operand, members: Any) -> ast.Within:
        return ast.Within(operand, members, negated=False)

    def without(self, operand: ast.Operand, members: Any) -> ast.Within:
        return ast.Within(operand, members, negated=True)

    def includes(self, operand: ast.Operand, members: tuple[ast.Given, ...]) -> ast.Includes:
        return ast.Includes(operand, members, negated=False)

    def excludes(self, operand: ast.Operand, members: tuple[ast.Given, ...]) -> ast.Includes:
        return ast.Includes(operand, members, negated=True)

    def all_of(self, *parts: ast.Condition) -> ast.AllOf:
        return ast.AllOf(parts)

    def any_of(self, *parts: ast.Condition) -> ast.AnyOf:
        return ast.AnyOf(parts)

    def none_of(self, part: ast.Condition) -> ast.NoneOf:
        return ast.NoneOf(part)

    def where(self, condition: ast.Condition) -> dict[str, Any]:
        return {"where": condition}

    def having(self, condition: ast.Condition) -> dict[str, Any]:
        return {"having": condition}

    def group(self, *parts: Any) -> dict[str, Any]:
        having = parts[-1] if isinstance(parts[-1], dict) else {}
        return {"group": tuple(part for part in parts if not isinstance(part, dict)), **having}

    def direction(self, token: Token) -> str:
        return str(token).upper()

    nulls = direction

    def ordered(self, operand: ast.Operand, *more: str) -> ast.Ordered:
        direction: ast.Direction = "DESC" if "DESC" in more else "ASC"
        return ast.Ordered(operand, direction, "LAST" if "LAST" in more else "FIRST")

    def order(self, *keys: ast.Ordered) -> dict[str, Any]:
        return {"order": keys}

    def _count(self, token: Token) -> int:
        if not token.isdigit():
            raise SoqlError(_at(token), f"unexpected token: '{token}'")
        return int(token)

    def limit(self, token: Token) -> dict[str, Any]:
        return {"limit": self._count(token)}

    def offset(self, token: Token) -> dict[str, Any]:
        return {"offset": self._count(token)}

    def start(self, items: tuple[Any, ...], *clauses: dict[str, Any]) -> ast.Query:
        said: dict[str, Any] = {}
        for clause in clauses:
            said |= clause | ({"words": said.get("words", ()) + clause["words"]} if "words" in clause else {})
        return ast.Query(self._text, items, **said)


def _plain(value: ast.Given) -> ast.Given:
    return value if value.kind != "text" else ast.Given("text", _unescaped(value.text), value.at)
