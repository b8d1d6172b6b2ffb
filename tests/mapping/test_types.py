from __future__ import annotations

import pytest

from forceglue.mapping.types import decimal_complaint, is_decimal, is_scalar, nearest_type, plain_type


@pytest.mark.parametrize(
    "text", ["string", "INT", "bigint", "smallint", "double", "float", "boolean", "date", "timestamp", "binary"]
)
def test_scalars(text: str) -> None:
    assert is_scalar(text)


@pytest.mark.parametrize("text", ["decimal(18,2)", "decimal(38, 38)", "DECIMAL(5)", "numeric(1,0)"])
def test_decimals(text: str) -> None:
    assert is_decimal(text)
    assert decimal_complaint(text) is None


@pytest.mark.parametrize(
    "text", ["decimal", "decimal(0)", "decimal(39,2)", "decimal(5,6)", "decimal(a)", "decimal(5,2", "decimal 5"]
)
def test_decimals_that_are_none(text: str) -> None:
    assert is_decimal(text)
    assert decimal_complaint(text) is not None


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("text", "string"),
        ("varchar(10)", "string"),
        ("datetime", "timestamp"),
        ("boolen", "boolean"),
        ("currency", "decimal(18,2)"),
    ],
)
def test_what_people_mean(text: str, near: str) -> None:
    assert nearest_type(text) == near


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("DECIMAL(18, 2)", "decimal(18,2)"),
        ("dec(9)", "decimal(9,0)"),
        ("numeric", "decimal(10,0)"),
        ("Long", "bigint"),
        ("integer", "int"),
        ("array<int>", "array<int>"),
    ],
)
def test_the_spelling_that_tables_have(said: str, plain: str) -> None:
    assert plain_type(said) == plain
    assert plain_type(plain) == plain
