"""The functions of Spark SQL, so that a misspelled one is found without Spark."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from itertools import pairwise

from forceglue.mapping.names import nearest

# written like functions, known to the parser alone
_SYNTAX = frozenset({"try_cast", "timestampadd", "timestampdiff", "timediff", "percentile_cont", "percentile_disc"})


def unknown_functions(sql: str) -> tuple[str, ...]:
    """Names that an expression calls and that Spark does not know, as they are said, in order, each once.

    The list is that of Spark 3.5 (`SHOW SYSTEM FUNCTIONS`); later versions have all of it.
    """
    import sqlglot
    from sqlglot import TokenType

    tokens = sqlglot.tokenize(sql, dialect="spark")
    called = (
        name.text
        for name, after in pairwise(tokens)
        if name.token_type == TokenType.VAR and after.token_type == TokenType.L_PAREN
    )
    return tuple(dict.fromkeys(name for name in called if name.lower() not in _known() | _SYNTAX))


def nearest_function(name: str) -> str | None:
    """The known function that is spelled most alike."""
    return nearest(name.lower(), sorted(_known()))


@cache
def _known() -> frozenset[str]:
    return frozenset(files(__package__).joinpath("functions.txt").read_text("ascii").split())
