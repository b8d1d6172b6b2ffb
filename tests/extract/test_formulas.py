"""Which fields a refresh reads, and how often."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from forceglue.extract.fields import choose
from forceglue.extract.formulas import Refreshing, refreshing
from forceglue.mapping.model import ObjectMapping, ProjectSettings
from forceglue.mapping.project import Project

FIELDS = {
    "Id": "id", "Name": "string", "IsDeleted": "boolean", "SystemModstamp": "datetime", "Amount": "currency",
    "Status": "picklist", "Score__c": "double", "Total__c": "currency", "OwnerRef__c": "string", "Number__c": "string",
}  # fmt: skip
CALCULATED = {"Score__c", "Total__c", "OwnerRef__c"}
DESCRIBE = {
    "name": "Deal__c",
    "fields": [
        {"name": n, "type": k, "precision": 18, "scale": 2, "calculated": n in CALCULATED} for n, k in FIELDS.items()
    ],
}
DAY = timedelta(days=1)


def refresh_of(*said: dict[str, Any], asked: bool = False, **settings: Any) -> Refreshing | None:
    project = Project(Path(), ProjectSettings(**settings), {}, {})
    mappings = [project.with_defaults(ObjectMapping(mapping="d", source="Deal__c", **one)) for one in said]
    return refreshing(DESCRIBE, mappings, choose(DESCRIBE, mappings), asked=asked)


def read(*said: dict[str, Any], **more: Any) -> set[str]:
    found = refresh_of(*said, **more)
    assert found is not None
    return {field.name for field in found.fields} - {"Id", "SystemModstamp"}


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        ({"columns": {"a": "Score__c", "b": "Name"}}, {"Score__c"}),
        ({"columns": {"a": "score_c"}}, {"Score__c"}),
        ({"columns": {"a": {"sql": "Score__c * Amount"}, "b": {"sql": "upper(Name)"}}}, {"Score__c", "Amount"}),
        ({"columns": {"a": "Name"}, "where": "Total__c > Amount"}, {"Total__c", "Amount"}),
        ({"columns": {"a": "owner.Name"}, "lookups": {"owner": {"object": "User", "by": "OwnerRef__c"}}}, {"OwnerRef__c"}),
        (
            {"columns": {"a": {"sql": "concat(owner.Name, Score__c)"}},
             "lookups": {"owner": {"object": "User", "by": "Number__c"}}},
            {"Score__c", "Number__c"},
        ),
        ({"columns": {"a": "Score__c"}, "key": "Number__c", "order_by": "Status"}, {"Score__c", "Number__c", "Status"}),
        ({}, CALCULATED),
        ({"columns": [{"a": "Name"}, {"all": "Deal__c", "except": ["Score__c"]}]}, {"Total__c", "OwnerRef__c"}),
        ({"exclude": ("Score__c",)}, {"Total__c", "OwnerRef__c"}),
        ({"columns": {"a": "Status"}, "refresh": {"every": "daily", "also": ["status"]}}, {"Status"}),
    ],
)  # fmt: skip
def test_the_fields(said: dict[str, Any], fields: set[str]) -> None:
    assert read(said) == fields


@pytest.mark.parametrize(
    "said",
    [
        {"columns": {"a": "Name"}},
        {"columns": {"a": "Score__c"}, "refresh": "never"},
        {"target": {"write": "append"}},
        {"target": {"write": "snapshot"}},
        {"target": {"write": "replace"}},
        {"columns": {"a": "Name"}, "refresh": {"every": "daily", "also": ["Status", "Gone__c"]}},
        {"columns": [{"all": "Deal__c", "except": sorted(CALCULATED)}]},
    ],
)
def test_nothing_to_refresh(said: dict[str, Any]) -> None:
    assert refresh_of(said) is None


def test_the_most_frequent_wins_and_each_gets_its_fields() -> None:
    one, other = {"columns": {"a": "Score__c"}, "refresh": "weekly"}, {"columns": {"a": "Total__c"}, "refresh": "daily"}
    never = {"columns": {"a": "OwnerRef__c"}, "refresh": "never"}
    found = refresh_of(one, other, never)
    assert found is not None and found.every == DAY and found.formulas == ("Score__c", "Total__c")
    assert read(one, other, never, asked=True) == CALCULATED


def test_what_nobody_says_is_daily_and_the_project_may_say_it() -> None:
    for settings, every in (({}, DAY), ({"objects": {"refresh": "weekly"}}, 7 * DAY)):
        found = refresh_of({}, **settings)
        assert found is not None and found.every == every
    assert refresh_of({}, objects={"refresh": "never"}) is None
    found = refresh_of({"refresh": "every_run"}, objects={"refresh": "never"})
    assert found is not None and found.every == timedelta(0)
