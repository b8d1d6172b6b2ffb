from __future__ import annotations

import pytest

from describe.kit import AMOUNT, DOUBLE, OWNER, STAGE, describe, field
from forceglue.describe.columns import MadeColumn, made
from forceglue.mapping.catalog import object_from_describe
from forceglue.mapping.model import ObjectDefaults

KINDS = {
    "id": None, "reference": None, "string": None, "textarea": None, "email": None, "phone": None, "url": None,
    "combobox": None, "encryptedstring": None, "picklist": None, "multipicklist": None, "boolean": "boolean",
    "int": "bigint", "long": "bigint", "double": "decimal(18,4)", "currency": "decimal(18,4)",
    "percent": "decimal(18,4)", "date": "date", "datetime": "timestamp", "time": None, "anyType": None,
    "datacategorygroupreference": None, "masterrecord": None,
}  # fmt: skip
"""Every type of a describe → the type of the column."""


@pytest.mark.parametrize(("kind", "expected"), KINDS.items())
def test_the_type_of_every_type(kind: str, expected: str | None) -> None:
    known = object_from_describe(describe(field("X__c", kind, precision=18, scale=4)))
    (column,) = (c for c in made(known, "account", ObjectDefaults()).columns if c.field == "X__c")
    assert (column.name, column.type) == ("x__c", expected)


@pytest.mark.parametrize("kind", ["address", "location", "base64", "complexvalue", "json", "junctionIdList"])
def test_what_is_not_read(kind: str) -> None:
    found = made(object_from_describe(describe(field("X__c", kind))), "account", ObjectDefaults())
    assert "X__c" in found.left_out and all(c.field != "X__c" for c in found.columns)


def test_comments_of_a_column() -> None:
    found = made(object_from_describe(describe(AMOUNT, OWNER, STAGE, DOUBLE)), "account", ObjectDefaults())
    assert found.columns[3:] == (
        MadeColumn("amount__c", "Amount__c", "decimal(18,2)"),
        MadeColumn("owner_id", "OwnerId", None, None, "reference to Group, User"),
        MadeColumn("stage__c", "Stage__c", None, "How far the deal is"),
        MadeColumn("double__c", "Double__c", "decimal(38,18)", "Twice", "formula: Amount__c * 2"),
    )
    assert found.words == {"refresh": "daily"}


def test_what_the_project_says_is_not_repeated_and_what_does_not_fit_is_said() -> None:
    plain = object_from_describe(describe())
    assert made(plain, "account", ObjectDefaults()).words == {}
    history = {"name": "AccountHistory", "label": "Account History", "fields": [
        field("Id", "id"), field("CreatedDate", "datetime"), field("OldValue", "anyType")]}  # fmt: skip
    assert made(object_from_describe(history), "h", ObjectDefaults()).words == {"order_by": "CreatedDate"}
    event = {"name": "Paid__e", "label": "Paid", "fields": [field("ReplayId"), field("CreatedDate", "datetime")]}
    assert made(object_from_describe(event), "p", ObjectDefaults()).words == {
        "key": "ReplayId",
        "order_by": "CreatedDate",
    }
    with pytest.raises(ValueError, match=r"has no field Id, which records are told apart by: write its mapping"):
        made(object_from_describe({"name": "X", "fields": [field("A")]}), "x", ObjectDefaults())


def test_names_follow_the_convention_and_are_told_apart() -> None:
    known = object_from_describe(describe(field("CloseDate", "date"), field("Close_Date", "date"), field("Secret__c")))
    for naming, names in (("snake", ["close_date", "close_date_2"]), ("lower", ["closedate", "close_date"]),
                          ("source", ["CloseDate", "Close_Date"])):  # fmt: skip
        defaults = ObjectDefaults(naming=naming, never_read=("secret__c",))  # type: ignore[arg-type]
        found = made(known, "account", defaults)
        assert [c.name for c in found.columns[3:]] == names
        assert found.left_out == {"Secret__c": "never_read"}
    assert [c.name for c in made(known, "a", ObjectDefaults(), naming="source").columns[3:5]] == [
        "CloseDate",
        "Close_Date",
    ]
