"""Which fields are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from forceglue.extract.fields import choose
from forceglue.mapping.model import ObjectMapping, ProjectSettings
from forceglue.mapping.model.project import ObjectDefaults
from forceglue.mapping.project import Project

FIELDS = {
    "Id": "id", "Name": "string", "IsDeleted": "boolean", "SystemModstamp": "datetime", "MasterRecordId": "reference",
    "Amount": "currency", "BillingAddress": "address", "BillingStreet": "textarea", "Where__c": "location",
    "Body": "base64", "StageName": "picklist", "Secret__c": "string", "AccountId": "reference", "CloseDate": "date",
}  # fmt: skip
DESCRIBE = {
    "name": "Opportunity",
    "fields": [{"name": n, "type": k, "precision": 18, "scale": 2} for n, k in FIELDS.items()],
}


def with_defaults(**said: Any) -> ObjectMapping:
    settings = ProjectSettings(objects=ObjectDefaults(never_read=("secret__C",)))
    return Project(Path(), settings, {}, {}).with_defaults(ObjectMapping(mapping="o", source="Opportunity", **said))


def chosen(**said: Any) -> Any:
    return choose(DESCRIBE, [with_defaults(**said)])


def test_everything_but_compound_base64_and_never_read() -> None:
    found = chosen()
    assert set(found.left_out) == {"BillingAddress", "Where__c", "Body", "Secret__c"}
    assert [f.name for f in found.fields] == [n for n in FIELDS if n not in found.left_out]
    assert "base64" in found.left_out["Body"] and found.left_out["Secret__c"] == "never_read"
    assert found.kinds["Amount"] == "decimal(22,2)" and found.missing == ()


@pytest.mark.parametrize(
    "said",
    [
        {"columns": {"stage": "StageName"}, "rest": "keep"},
        {"columns": [{"stage": "StageName"}, {"all": "Opportunity"}]},
    ],
)
def test_where_others_pass_all_are_read(said: dict[str, Any]) -> None:
    assert len(chosen(**said).fields) == len(FIELDS) - 4


def test_a_mapping_that_names_its_columns_gets_those_and_what_is_needed() -> None:
    found = chosen(
        columns={
            "stage": "stage_name",
            "year": {"sql": "year(CloseDate)", "type": "int"},
            "account_name": "account.Name",
            "nothing": None,
        },
        lookups={"account": {"object": "Account", "by": "AccountId"}},
        where="Amount > 0",
    )
    assert {f.name for f in found.fields} == {
        "Id", "IsDeleted", "SystemModstamp", "MasterRecordId", "StageName", "CloseDate", "AccountId", "Amount",
    }  # fmt: skip


def test_only_of_all_is_a_name() -> None:
    found = chosen(columns=[{"all": "Opportunity", "only": ["Name"]}])
    assert {f.name for f in found.fields} == {"Id", "IsDeleted", "SystemModstamp", "MasterRecordId", "Name"}


def test_what_describe_lacks_is_told_and_not_read() -> None:
    found = chosen(columns={"a": "Gone__c", "b": "Name", "c": {"sql": "upper(Also_Gone__c)"}, "d": "Secret__c"})
    assert found.missing == ("Also_Gone__c", "Gone__c") and "Name" in found.kinds and "Secret__c" not in found.kinds


def test_two_mappings_of_an_object_get_what_both_need() -> None:
    one, other = with_defaults(columns={"a": "Name"}, exclude=("StageName",)), with_defaults(columns={"b": "StageName"})
    found = choose(DESCRIBE, [one, other])
    assert {"Name", "StageName"} <= found.kinds.keys() and "Amount" not in found.kinds
    assert set(found.left_out) >= {"Secret__c"} and "StageName" not in found.left_out
    assert len(choose(DESCRIBE, [one, with_defaults()]).fields) == len(FIELDS) - 4
