from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forceglue.mapping.names import NameIndex, column_name, match, nearest, snake, squash, table_name

NAME = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
FIELD = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,15}", fullmatch=True)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("AccountContactRelation", "account_contact_relation"),
        ("Branch__c", "branch__c"),
        ("vlocity_cmt__OrderStatus__c", "vlocity_cmt__order_status__c"),
        ("Pricebook2Id", "pricebook2_id"),
        ("SystemModstamp", "system_modstamp"),
        ("HTTPServer", "http_server"),
        ("My Field (x)", "my_field_x"),
        ("???", "_"),
    ],
)
def test_snake(name: str, expected: str) -> None:
    assert snake(name) == expected == table_name(name)


@given(NAME)
def test_snake_done_twice_changes_nothing_more(name: str) -> None:
    assert snake(snake(name)) == snake(name)


@given(FIELD)
def test_snake_keeps_what_the_name_says(name: str) -> None:
    assert squash(snake(name)) == squash(name)


@pytest.mark.parametrize(
    ("naming", "expected"), [("lower", "closedate"), ("snake", "close_date"), ("source", "CloseDate")]
)
def test_column_name(naming: str, expected: str) -> None:
    assert column_name("CloseDate", naming) == expected  # type: ignore[arg-type]  # parametrised


def test_match_prefers_the_exact_name_then_any_case_then_no_underscores() -> None:
    assert match("id", ["ID", "id"]) == "id"
    assert match("ID", ["x", "id"]) == "id"
    assert match("created_by_id", ["createdbyid"]) == "createdbyid"
    assert match("createdbyid", ["created_by_id"]) == "created_by_id"
    assert match("nothing", ["id"]) is None


def test_match_does_not_guess_between_two_names_without_underscores() -> None:
    assert match("ab_c", ["a_bc", "abc_"]) is None


@given(st.lists(FIELD, max_size=8), FIELD)
def test_match_gives_only_candidates_that_share_all_letters(names: list[str], wanted: str) -> None:
    found = match(wanted, names)
    assert found is None or (found in names and squash(found) == squash(wanted))


@given(st.lists(FIELD, min_size=1, max_size=8), st.data())
def test_a_candidate_in_any_case_is_found(names: list[str], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(names))
    for written in (name, name.upper(), name.lower()):
        found = match(written, names)
        assert found is not None
        assert found.lower() == name.lower()
    assert match(name, names) == name


@given(st.lists(FIELD, max_size=8), FIELD)
def test_match_of_a_match_is_itself(names: list[str], wanted: str) -> None:
    found = match(wanted, names)
    assert found is None or NameIndex(names).match(found) == found


def test_nearest() -> None:
    assert nearest("AcountId", ["AccountId", "OwnerId"]) == "AccountId"
    assert nearest("Stage", ["StageName", "Id"]) == "StageName"
    assert nearest("xyz", ["StageName"]) is None
