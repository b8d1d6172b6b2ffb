from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from forceglue.mapping.expand import TRACEABILITY, OutputColumn, dataset_columns, find_column, object_columns
from forceglue.mapping.model import DatasetMapping, ObjectMapping

FIELDS = ("Id", "Name", "AccountId", "IsDeleted", "SystemModstamp", "Secret__c")
BASE = {"mapping": "thing", "source": "Thing", "key": "Id", "order_by": "SystemModstamp", "deleted": "IsDeleted"}


def thing(**words: object) -> ObjectMapping:
    return ObjectMapping.model_validate({**BASE, "naming": "snake", **words})


def pairs(columns: tuple[OutputColumn, ...]) -> list[tuple[str, str | None]]:
    return [(column.name, column.field) for column in columns]


def test_without_columns_every_field_is_kept_in_order() -> None:
    found = object_columns(thing(), FIELDS)
    assert pairs(found) == [
        ("id", "Id"),
        ("name", "Name"),
        ("account_id", "AccountId"),
        ("is_deleted", "IsDeleted"),
        ("system_modstamp", "SystemModstamp"),
        ("secret__c", "Secret__c"),
    ]
    assert [column.type for column in found] == [None, None, None, "boolean", None, None]


def test_named_columns_get_key_order_and_deleted_added() -> None:
    found = object_columns(thing(columns={"title": "name", "n": None, "c": {"value": 5}}), FIELDS)
    assert pairs(found) == [
        ("title", "Name"),
        ("n", None),
        ("c", None),
        ("id", "Id"),
        ("system_modstamp", "SystemModstamp"),
        ("is_deleted", "IsDeleted"),
    ]
    assert found[-1].type == "boolean"
    assert found[2].value == 5


def test_a_mapping_that_names_key_and_deleted_itself_gets_no_second() -> None:
    found = object_columns(thing(columns={"thing_id": "ID", "gone": "isdeleted", "at": "systemmodstamp"}), FIELDS)
    assert pairs(found) == [("thing_id", "Id"), ("gone", "IsDeleted"), ("at", "SystemModstamp")]
    assert found[1].type == "boolean"


def test_an_object_without_order_field_does_not_get_one_but_always_a_deleted_column() -> None:
    found = object_columns(thing(columns={"n": "Name"}), ("Id", "Name"))
    assert pairs(found) == [("n", "Name"), ("id", "Id"), ("is_deleted", "IsDeleted")]


def test_all_takes_what_no_named_column_takes() -> None:
    blocks = [{"all": "Thing", "except": ["AccountId"], "named": "t_{name}"}, {"title": "Name"}, {"empty": ["later"]}]
    found = object_columns(thing(columns=blocks), FIELDS)
    assert [name for name, _ in pairs(found)] == [
        "t_id",
        "t_is_deleted",
        "t_system_modstamp",
        "t_secret__c",
        "title",
        "later",
    ]


def test_only_keeps_its_own_order() -> None:
    found = object_columns(thing(columns=[{"all": "Thing", "only": ["Name", "Id", "AccountId"]}]), FIELDS)
    assert [field for _, field in pairs(found)][:3] == ["Name", "Id", "AccountId"]


def test_rest_keeps_what_the_columns_leave() -> None:
    found = object_columns(thing(columns={"title": "Name"}, rest="keep"), FIELDS)
    assert pairs(found)[:2] == [("title", "Name"), ("id", "Id")]
    assert len(found) == len(FIELDS)


def test_a_kept_field_never_takes_the_name_of_another_column() -> None:
    found = object_columns(thing(columns={"name": "AccountId"}, rest="keep"), FIELDS)
    assert ("name_2", "Name") in pairs(found)


def test_never_read_is_nowhere_in_any_case() -> None:
    found = object_columns(thing(never_read=["SECRET__C"]), FIELDS)
    assert "Secret__c" not in [column.field for column in found]


def test_a_field_that_no_file_carried_stays_as_written() -> None:
    assert pairs(object_columns(thing(columns={"x": "Never__c"}), FIELDS))[0] == ("x", "Never__c")


@given(st.lists(st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}", fullmatch=True), max_size=12), st.booleans())
def test_no_column_stands_twice_and_no_field_is_lost(fields: list[str], named: bool) -> None:
    words: dict[str, object] = {"columns": {"name": "Name", "id": "X"}, "rest": "keep"} if named else {}
    found = object_columns(thing(**words), fields)
    names = [column.name.lower() for column in found]
    assert len(names) == len(set(names))
    assert {field.lower() for field in fields} <= {(column.field or "").lower() for column in found}


def deals(**words: object) -> DatasetMapping:
    return DatasetMapping.model_validate({"mapping": "deals", "from": "opportunity", **words})


INPUTS = {"opportunity": ("id", "name", "account_id", *TRACEABILITY), "acc": ("id", "name", "createdbyid")}
JOIN = [{"table": "account", "as": "acc", "by": {"account_id": "id"}}]


def test_dataset_columns_find_their_input() -> None:
    columns = {
        "A": "ID",
        "B": "acc.Created_By_Id",
        "C": "createdbyid",
        "D": {"sql": "upper(name)"},
        "E": None,
        "F": {"value": "x"},
    }
    found = dataset_columns(deals(columns=columns, joins=JOIN), INPUTS)
    assert pairs(found) == [
        ("A", "opportunity.id"), ("B", "acc.createdbyid"), ("C", "acc.createdbyid"), ("D", None), ("E", None), ("F", None),
    ]  # fmt: skip
    assert found[3].sql == "upper(name)"


def test_all_of_an_input_leaves_traceability_out_and_lets_named_columns_win() -> None:
    found = dataset_columns(deals(columns=[{"all": "opportunity"}, {"name": "acc.name"}], joins=JOIN), INPUTS)
    assert pairs(found) == [("id", "opportunity.id"), ("account_id", "opportunity.account_id"), ("name", "acc.name")]


def test_only_may_name_traceability() -> None:
    blocks = [{"all": "opportunity", "only": ["filename", "id"], "named": "(o) {name}"}]
    found = dataset_columns(deals(columns=blocks), INPUTS)
    assert pairs(found) == [("(o) filename", "opportunity.filename"), ("(o) id", "opportunity.id")]


def test_a_lookup_finds_a_column_by_its_name_or_by_its_field() -> None:
    columns = (OutputColumn("account_name", "Name"), OutputColumn("created_by_id", "CreatedById"))
    assert find_column("Name", columns) == columns[0]
    assert find_column("createdbyid", columns) == columns[1]
    assert find_column("Industry", columns) is None
