from __future__ import annotations

import pytest

from forceglue.mapping.sql import columns_in, complaint, examine, rewrite


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("CloseDate", ("CloseDate",)),
        ("account.Name", ("account.Name",)),
        ("year(CloseDate)", ("CloseDate",)),
        ("`(acc) name` is not null and x > 1", ("(acc) name", "x")),
        ("filter(xs, x -> x > low)", ("xs", "low")),
        ("aggregate(xs, 0, (acc, x) -> acc + x + z)", ("xs", "z")),
        ("coalesce(a.x, b, a.x)", ("a.x", "b")),
        ("current_date()", ()),
        ("1", ()),
        ("null", ()),
    ],
)
def test_columns_in(text: str, columns: tuple[str, ...]) -> None:
    assert columns_in(text) == columns


@pytest.mark.parametrize(
    "text",
    ["stage is not null", "opportunity_name not like 'TEST %'", "amount >= 0 and not deleted", "a <=> b", "x in (1, 2)",
     "exists(xs, x -> x > 1)", "case when a then true else false end", "regexp_like(a, '^x')", "a rlike 'x'", "true",
     "date(a) <= current_date()", "try_cast(a as int) > 1", "a between 1 and 2", "is_deleted", "coalesce(a, false)"],
)  # fmt: skip
def test_conditions_over_the_own_row_are_fine(text: str) -> None:
    assert complaint(text, predicate=True) is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("year(CloseDate", "syntax"),
        ("a = b)", "syntax"),
        ("", "syntax"),
        ("a b", "syntax"),
        ("a, b", "syntax"),
        ("a; drop table x", "syntax"),
        ("a from t", "syntax"),
        ("drop table x", "syntax"),
        ("a where b", "syntax"),
        ("(select max(x) from t)", "reach"),
        ("a in (select b from t)", "reach"),
        ("exists(select 1)", "reach"),
        ("max(a) > 1", "reach"),
        ("count(*) > 1", "reach"),
        ("every(a)", "reach"),
        ("sum(a) filter (where b) > 1", "reach"),
        ("row_number() over (partition by a order by b) = 1", "reach"),
        ("lag(a) = 1", "reach"),
        ("explode(a)", "reach"),
        ("explode_outer(a)", "reach"),
        ("inline(a)", "reach"),
        ("reflect('java.lang.System', 'exit', 1)", "reach"),
        ("java_method('a', 'b')", "reach"),
        ("input_file_name() = 'x'", "reach"),
        ("monotonically_increasing_id() = 1", "reach"),
        ("rand() > 0.5", "reach"),
        ("transform(xs, x -> uuid())", "reach"),
        ("raise_error('x')", "reach"),
        ("current_user() = 'x'", "reach"),
        (":x = 1", "reach"),
        ("struct(*) = 1", "reach"),
        ("a = 1 -- b", "reach"),
        ("amount + 1", "condition"),
        ("upper(a)", "condition"),
        ("'text'", "condition"),
    ],
)
def test_refused(text: str, kind: str) -> None:
    found = examine(text, predicate=True)
    assert found is not None
    assert found[0] == kind
    assert complaint(text, predicate=True) == found[1]


def test_a_value_is_fine_where_no_condition_is_asked() -> None:
    assert complaint("amount + 1", predicate=False) is None


def test_rewrite_changes_the_names_and_nothing_else() -> None:
    names = {"X": "x y", "c.d": "c.D e"}
    text = "coalesce(`(a) b`, c.d, X)  > 1 and X::int is null"
    assert rewrite(text, lambda n: names.get(n, n)) == "coalesce(`(a) b`, c.`D e`, `x y`)  > 1 and `x y`::int is null"
    assert rewrite("a", lambda n: "b c") == "`b c`"
    assert rewrite("A  +  b", lambda n: n) == "A  +  b"
