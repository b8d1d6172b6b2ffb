from __future__ import annotations

from pathlib import Path

import pytest

from describe.kit import describe, put
from forceglue.describe.pull import Pulled, pull
from forceglue.errors import UsageError
from forceglue.mapping.load import read_project
from forceglue.salesforce.client import Salesforce
from forceglue.simulated.salesforce import Org


def pulled(folder: Path, client: Salesforce, *names: str, everything: bool = False) -> dict[str, Pulled]:
    project = read_project(folder).project
    return {one.object: one for one in pull(project, client, names, everything=everything)}


def test_the_sources_of_all_mappings(folder: Path, client: Salesforce) -> None:
    put(folder, "objects/account.yaml", "mapping: account\nsource: Account\n")
    found = pulled(folder, client)
    assert [(one.object, one.outcome, one.file) for one in found.values()] == [
        ("Account", "new", "catalog/Account.json")
    ]
    known = read_project(folder).project.catalog.get("Account")
    assert known is not None
    amount = known.field("Amount__c")
    assert amount is not None and amount.spark_type == "decimal(18,2)"
    assert pulled(folder, client)["Account"].outcome == "same"


def test_by_mapping_table_or_object_in_any_case(folder: Path, client: Salesforce) -> None:
    put(folder, "objects/customer.yaml", "mapping: customer\nsource: Account\n")
    assert list(pulled(folder, client, "customer", "cONTACT")) == ["Account", "Contact"]


def test_everything_that_can_be_queried(folder: Path, org: Org, client: Salesforce) -> None:
    org.define(describe(name="Paid__e", queryable=False), describe(name="ListView", keyPrefix="00B"))
    assert set(pulled(folder, client, everything=True)) == {"Account", "Contact", "ListView"}


def test_many_objects_come_in_batches(folder: Path, org: Org, client: Salesforce) -> None:
    org.define(*(describe(name=f"Thing{i}__c", keyPrefix=None) for i in range(60)))
    found = pulled(folder, client, everything=True)
    assert len(found) == 62 and {one.outcome for one in found.values()} == {"new"}
    assert len(list((folder / "catalog").glob("*.json"))) == 62


def test_what_has_changed_is_told_and_little_of_the_file_differs(folder: Path, org: Org, client: Salesforce) -> None:
    pulled(folder, client, "Account")
    before = (folder / "catalog" / "Account.json").read_text().splitlines()
    org.add_field("Account", {"name": "Region__c", "type": "string", "length": 40})
    org.change_field("Account", "Amount__c", precision=16)
    org.remove_field("Account", "Double__c")
    found = pulled(folder, client, "Account")["Account"]
    assert [str(change) for change in found.changes] == [
        "Amount__c: digits currency(18,2) → currency(16,2)",
        "Region__c: new field string(40)",
        "Double__c: field no longer there formula: double(18,2)",
    ]
    after = (folder / "catalog" / "Account.json").read_text().splitlines()
    assert len(set(before) ^ set(after)) == 4


def test_an_object_that_is_gone_is_told_and_the_others_are_pulled(folder: Path, client: Salesforce) -> None:
    found = pulled(folder, client, "Acount", "Contact")
    assert (found["Acount"].outcome, found["Contact"].outcome) == ("failed", "new")
    assert "this user may not see it" in (found["Acount"].error or "")
    assert "did you mean Account?" in (found["Acount"].error or "")


def test_an_object_that_describe_refuses(folder: Path, org: Org, client: Salesforce, server: object) -> None:
    put(folder, "catalog/Account.json", '{"name": "Account", "fields": []}')
    listed = client.objects()
    client.objects = lambda: [*listed, {"name": "Secret__c", "queryable": True}]  # type: ignore[method-assign]
    found = pulled(folder, client, "Secret__c", "Account")
    assert found["Secret__c"].outcome == "failed" and "permissions" in (found["Secret__c"].error or "")
    assert not (folder / "catalog" / "Secret__c.json").exists()
    assert found["Account"].outcome == "changed"


def test_a_broken_snapshot_is_mended(folder: Path, client: Salesforce) -> None:
    put(folder, "catalog/Account.json", "{")
    assert pulled(folder, client, "Account")["Account"].outcome == "new"
    assert read_project(folder).problems == ()


def test_nothing_to_pull(folder: Path, client: Salesforce) -> None:
    with pytest.raises(UsageError, match="say --all"):
        pulled(folder, client)
