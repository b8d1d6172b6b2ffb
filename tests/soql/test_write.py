import pytest
from hypothesis import given
from hypothesis import strategies as st

from forceglue.soql import ast
from forceglue.soql.parse import SoqlError, parse
from forceglue.soql.write import literal, write

NAMES = st.sampled_from(["Id", "Name", "Account.Owner.Name", "Code__c", "Order__r.Id"])
TEXTS = st.text(max_size=20)
VALUES = st.one_of(
    TEXTS.map(lambda said: ast.Given("text", said, 0)),
    st.sampled_from(["1", "-2.5e3", "+7"]).map(lambda said: ast.Given("number", said, 0)),
    st.sampled_from(["2024-01-01", "1999-12-31"]).map(lambda said: ast.Given("date", said, 0)),
    st.just(ast.Given("datetime", "2024-01-01T00:00:00.000+0000", 0)),
    st.sampled_from(["NULL", "TRUE", "TODAY", "LAST_N_DAYS:3"]).map(lambda said: ast.Given("word", said, 0)),
)
PATHS = NAMES.map(lambda said: ast.Path(said, 0))
CALLS = st.builds(lambda name, path: ast.Call(name, path, 0), st.sampled_from(["COUNT", "MAX", "DAY_ONLY"]), PATHS)
OPERANDS = st.one_of(PATHS, CALLS)
PATTERNS = st.lists(st.one_of(st.sampled_from(["\\%", "\\_", "\\\\", "%", "_", "'", "\n"]), st.characters(
    exclude_characters="\\", exclude_categories=["Cs"])), max_size=8).map("".join)  # fmt: skip
COMPARED = st.one_of(
    st.builds(ast.Compared, OPERANDS, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), VALUES),
    st.builds(lambda o, said: ast.Compared(o, "LIKE", ast.Given("text", said, 0)), PATHS, PATTERNS),
    st.builds(ast.Within, PATHS, st.lists(VALUES, min_size=1, max_size=3).map(tuple), st.booleans()),
    st.builds(ast.Includes, PATHS, st.lists(VALUES, min_size=1, max_size=3).map(tuple), st.booleans()),
)
CONDITIONS = st.recursive(
    COMPARED,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: ast.AllOf(tuple(parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: ast.AnyOf(tuple(parts))),
        inner.map(ast.NoneOf),
    ),
    max_leaves=6,
)
ITEMS = st.one_of(
    st.builds(ast.Item, PATHS, st.sampled_from([None, "total"])),
    st.builds(ast.Item, CALLS),
    st.just(ast.Item(ast.Call("COUNT", None, 0))),
    st.just(ast.FieldsOf("ALL", 0)),
)
QUERIES = st.builds(
    lambda items, where, order, limit, offset, alias: ast.Query(
        "", tuple(items), ast.Path("Account", 0), alias, where, order=tuple(order), limit=limit, offset=offset
    ),
    st.lists(ITEMS, min_size=1, max_size=3),
    st.none() | CONDITIONS,
    st.lists(st.builds(ast.Ordered, OPERANDS, st.sampled_from(["ASC", "DESC"]), st.sampled_from(["FIRST", "LAST"])),
             max_size=2),
    st.none() | st.integers(0, 9_999),
    st.none() | st.integers(0, 9_999),
    st.none() | st.just("a"),
)  # fmt: skip


def without_places(value):
    """What was read, but for where it stood."""
    if isinstance(value, tuple):
        return tuple(map(without_places, value))
    if not hasattr(value, "__dataclass_fields__"):
        return value
    return type(value).__name__, {
        name: without_places(getattr(value, name)) for name in value.__dataclass_fields__ if name not in ("at", "text")
    } | ({"said": value.text} if isinstance(value, (ast.Given, ast.Path)) else {})


@given(QUERIES)
def test_a_query_that_is_written_and_read_says_the_same(query):
    assert without_places(parse(write(query))) == without_places(query)


@given(TEXTS)
def test_a_text_is_one_value_whatever_is_in_it(said):
    query = parse(f"SELECT Id FROM Account WHERE Name = {literal(said)} AND Id = 'x'")
    first, _ = query.where.parts
    assert first.value == ast.Given("text", said, first.value.at)


@pytest.mark.parametrize(
    "soql",
    [
        "SELECT Id, (SELECT Id FROM Contacts WHERE Email != NULL LIMIT 5) FROM Account",
        "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact WHERE Name LIKE 'a%')",
        "SELECT StageName, COUNT(Id) n FROM Opportunity GROUP BY StageName HAVING COUNT(Id) > 1",
        "SELECT Id FROM Account USING SCOPE MINE WHERE Id != NULL WITH SECURITY_ENFORCED LIMIT 1 FOR VIEW, REFERENCE",
        "SELECT Id FROM Account ALL ROWS",
    ],
)
def test_what_is_written_is_what_was_said(soql):
    assert write(parse(soql)) == soql


def test_what_is_nested_too_deeply_is_told():
    with pytest.raises(SoqlError, match="deeply"):
        parse(f"SELECT Id FROM Account WHERE {'NOT ' * 20_000} Id = 'x'")
