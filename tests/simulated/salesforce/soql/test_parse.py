import pytest

from forceglue.simulated.salesforce.errors import ApiError
from forceglue.simulated.salesforce.soql.parse import parse
from forceglue.soql import ast


def test_what_a_query_says():
    query = parse(
        "select Id, Account.Name n, count(Id) FROM Order o WHERE (A = 'x\\'y' or B > 2024-01-01T00:00:00Z) AND NOT C "
        "IN ('a', null) GROUP BY Id HAVING count(Id) > 1 ORDER BY D desc nulls last, E LIMIT 5 OFFSET 3"
    )
    assert [item.alias for item in query.items] == [None, "n", None]
    assert query.items[1].operand.parts == ("Account", "Name")
    assert query.items[2].operand.function == "COUNT"
    assert (query.target.text, query.alias, query.limit, query.offset) == ("Order", "o", 5, 3)
    either, none = query.where.parts
    assert [part.value.text for part in either.parts] == ["x'y", "2024-01-01T00:00:00Z"]
    assert isinstance(none, ast.NoneOf)
    assert [member.kind for member in none.part.members] == ["text", "word"]
    assert [(key.operand.text, key.direction, key.nulls) for key in query.order] == [
        ("D", "DESC", "LAST"), ("E", "ASC", "FIRST"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["Order", "Group", "From__c", "Limit__c", "Case", "Event"])
def test_objects_and_fields_may_look_like_words_of_the_language(name):
    query = parse(f"SELECT {name}__x FROM {name} WHERE {name}__x = 1 ORDER BY {name}__x LIMIT 1")
    assert query.target.text == name


def test_where_a_name_stands_is_known():
    query = parse("SELECT Id,\n Name FROM Account")
    assert query.text[query.items[1].operand.at :].startswith("Name")


@pytest.mark.parametrize(
    ("soql", "row", "column"),
    [("SELECT Id FROM", 1, 15), ("SELECT Id,, Name FROM A", 1, 11), ("SELECT Id\nFROM A\nWHERE b ~ 1", 3, 9)],
)
def test_the_place_of_a_mistake(soql, row, column):
    with pytest.raises(ApiError, match=rf"Row:{row}:Column:{column}\b"):
        parse(soql)
