from __future__ import annotations

from typing import Any

import pytest

from describe.kit import AMOUNT, DOUBLE, OWNER, STAGE, describe, field
from forceglue.describe.changes import Change, changes, learnt
from forceglue.mapping.catalog import object_from_describe


def between(before: dict[str, Any], after: dict[str, Any]) -> tuple[Change, ...]:
    return changes(object_from_describe(describe(before)), object_from_describe(describe(after)))


@pytest.mark.parametrize(
    ("before", "other", "told"),
    [
        (AMOUNT, {"type": "string", "length": 80, "precision": 0}, "Amount__c: type currency(18,2) → string(80)"),
        (AMOUNT, {"precision": 16, "scale": 4}, "Amount__c: digits currency(18,2) → currency(16,4)"),
        (AMOUNT, {"calculated": True}, "Amount__c: type currency(18,2) → formula: currency(18,2)"),
        (AMOUNT, {"label": "Sum"}, "Amount__c: label Amount → Sum"),
        (STAGE, {"length": 40}, "Stage__c: length 255 → 40"),
        (STAGE, {"picklistValues": ["New", "Won", "Lost"]}, "Stage__c: new picklist value Lost"),
        (STAGE, {"picklistValues": ["New"]}, "Stage__c: picklist value no longer there Won"),
        (DOUBLE, {"calculatedFormula": "Amount__c\n * 3"}, "Double__c: formula Amount__c * 2 → Amount__c * 3"),
        (OWNER, {"referenceTo": ["User"]}, "OwnerId: points to Group, User → User"),
    ],
)
def test_each_difference_in_words(before: dict[str, Any], other: dict[str, Any], told: str) -> None:
    assert [str(change) for change in between(before, before | other)] == [told]


@pytest.mark.parametrize("same", [AMOUNT, STAGE, DOUBLE, OWNER])
def test_no_difference(same: dict[str, Any]) -> None:
    assert between(same, same) == ()
    turned = {**same, "referenceTo": [*reversed(same.get("referenceTo", []))]}
    assert between(same, turned) == ()  # order says nothing


def test_fields_that_come_and_go() -> None:
    assert [str(change) for change in between(AMOUNT, STAGE)] == [
        "Stage__c: new field picklist(255)",
        "Amount__c: field no longer there currency(18,2)",
    ]


def test_names_without_facts_learn_them_silently() -> None:
    before = object_from_describe({"name": "Account", "fields": [{"name": "Id"}, {"name": "amount__c"}]})
    after = object_from_describe({"name": "Account", "fields": [field("Id", "id"), AMOUNT]})
    assert (changes(before, after), learnt(before, after)) == ((), 2)
