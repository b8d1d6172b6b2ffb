"""Which columns of a line come in pieces: neighbours of one input that nothing else asks for."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forceglue.mapping.expand import OutputColumn
from forceglue.transform.pieces import Piece, laid_out

FEW, MANY = 3, 4


def column(name: str) -> OutputColumn:
    """`a.x` is a field of `a`, `x` a constant, `=x` an expression."""
    if name.startswith("="):
        return OutputColumn(name, sql=name[1:])
    return OutputColumn(name, field=name) if "." in name else OutputColumn(name)


def told(names: Sequence[str], asked: Sequence[str] = (), aliases: Sequence[str] = ("a", "b")) -> list[str | list[str]]:
    made = laid_out([column(n) for n in names], asked=asked, aliases=aliases, cells=lambda _, __: "")
    return [[c.name for c in part.columns] if isinstance(part, Piece) else part.name for part in made.parts]


def fields(alias: str, count: int, start: int = 0) -> list[str]:
    return [f"{alias}.{i}" for i in range(start, start + count)]


def test_neighbours_of_one_input_are_a_piece_and_the_first_column_is_none() -> None:
    assert told(fields("a", MANY + 1)) == ["a.0", fields("a", MANY, 1)]
    assert told(["k", *fields("a", MANY), *fields("b", MANY)]) == ["k", fields("a", MANY), fields("b", MANY)]


def test_few_neighbours_stay_columns() -> None:
    assert told(["k", *fields("a", FEW), *fields("b", FEW)]) == ["k", *fields("a", FEW), *fields("b", FEW)]


def test_constants_go_along_with_what_is_before_them_and_make_no_piece_of_their_own() -> None:
    assert told(["k", *fields("a", MANY), "c1", "c2", *fields("b", 1)]) == [
        "k", [*fields("a", MANY), "c1", "c2"], "b.0",
    ]  # fmt: skip
    assert told(["k", *[f"c{i}" for i in range(MANY)]]) == ["k", *[f"c{i}" for i in range(MANY)]]
    assert told(["k", *fields("a", FEW), "c1"]) == ["k", *fields("a", FEW), "c1"]


@pytest.mark.parametrize("how", ["asked", "expression", "large input"])
def test_what_must_be_a_column_parts_its_neighbours(how: str) -> None:
    between = {"asked": "a.9", "expression": "=f(x)", "large input": "c.1"}[how]
    names = ["k", *fields("a", MANY), between, *fields("a", MANY, 4)]
    assert told(names, asked=["a.9"]) == ["k", fields("a", MANY), between, fields("a", MANY, 4)]


def test_a_type_that_is_said_makes_a_column() -> None:
    typed = OutputColumn("t", field="a.t", type="int")
    made = laid_out(
        [column("k"), *map(column, fields("a", MANY)), typed], asked=(), aliases=["a"], cells=lambda _, __: ""
    )
    assert made.columns == (column("k"), typed)


@given(
    st.lists(st.sampled_from(["a.x", "b.x", "c.x", "k", "=e"]), min_size=1, max_size=40),
    st.sets(st.integers(0, 39), max_size=4),
)
def test_every_column_is_there_once_and_in_its_order(kinds: list[str], numbers: set[int]) -> None:
    names = [f"{kind}{i}" for i, kind in enumerate(kinds)]
    asked = [names[n] for n in numbers if n < len(names)]
    parts = told(names, asked)
    assert [n for part in parts for n in (part if isinstance(part, list) else [part])] == names
    assert {*asked, names[0]} <= {part for part in parts if isinstance(part, str)}
