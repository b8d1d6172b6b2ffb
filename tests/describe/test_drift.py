from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from describe.kit import put
from describe.test_access import PERMISSIONS
from forceglue.describe.drift import Finding, ObjectDrift, drift
from forceglue.describe.pull import pull
from forceglue.describe.scaffold import scaffold
from forceglue.landing.store import Store
from forceglue.mapping.load import load_project, read_project
from forceglue.salesforce.client import Salesforce
from forceglue.simulated.salesforce import Org

TYPED = """
    mapping: account
    source: Account
    refresh: never
    columns:
      id: Id
      cash: {from: Amount__c, type: "decimal(18,2)"}
      twice: {sql: "Amount__c * 2", type: double}
      stage: Stage__c
      double: {from: Double__c, type: "decimal(38,18)"}
      boss: owner.Name
    lookups: {owner: {object: User, by: OwnerId}}
"""
EVERYTHING = "mapping: account\nsource: Account\nrefresh: every_run\n"


@pytest.fixture
def kept(folder: Path, client: Salesforce) -> Path:
    """A project whose snapshot is what the org says."""
    put(folder, "objects/account.yaml", TYPED)
    put(folder, "objects/user.yaml", "mapping: user\nsource: User\n")
    list(pull(read_project(folder).project, client, ["Account"]))
    return folder


def drifted(folder: Path, client: Salesforce, *names: str, warehouse: Path | None = None) -> ObjectDrift:
    store = Store(str(warehouse)) if warehouse else None
    (found,) = drift(load_project(folder, checked=False), client, names or ("Account",), warehouse=store)
    return found


def told(found: ObjectDrift) -> list[tuple[str, str, str]]:
    return [(f.field, f.kind, f.severity) for f in found.findings]


def only(found: ObjectDrift) -> Finding:
    (finding,) = found.findings
    return finding


def test_nothing_has_changed(kept: Path, client: Salesforce) -> None:
    found = drifted(kept, client)
    assert (found.findings, found.grave, found.snapshot, found.table) == ((), False, True, None)
    assert (found.mapping, found.policy) == ("account", "evolve")


@pytest.mark.parametrize(
    ("field", "facts", "expected", "effect"),
    [
        ("Amount__c", {"precision": 16}, ("precision_changed", "told"), "columns cash, twice hold it as before"),
        ("Amount__c", {"scale": 4}, ("precision_changed", "loses"), "cash is decimal(18,2): decimal(18,2) has room for 2 of 4 digits after the point, and rows with such values are set aside"),
        ("Amount__c", {"type": "string", "length": 80}, ("type_changed", "loses"), "column cash is decimal(18,2): only values that look like decimal(18,2) fit"),
        ("Amount__c", {"type": "boolean"}, ("type_changed", "loses"), "no value of it is a decimal(18,2)"),
        ("Amount__c", {"type": "address"}, ("type_changed", "loses"), "not read any more (compound"),
        ("Stage__c", {"type": "textarea", "length": 32000}, ("type_changed", "told"), "column stage holds it as before"),
        ("Stage__c", {"length": 40}, ("length_changed", "told"), "any length"),
        ("Stage__c", {"picklistValues": ["New", "Won", "Lost"]}, ("picklist_value_new", "told"), "comes through as text"),
        ("Stage__c", {"picklistValues": ["New"]}, ("picklist_value_gone", "told"), "no new one gets it"),
        ("Double__c", {"calculatedFormula": "Amount__c * 3"}, ("formula_changed", "loses"), "column double: records keep the value of the old formula until they change themselves"),
        ("OwnerId", {"referenceTo": ["Group"]}, ("reference_changed", "loses"), "lookup owner looks into an object"),
        ("OwnerId", {"referenceTo": ["Group", "User", "Queue"]}, ("reference_changed", "told"), "as before"),
    ],
)  # fmt: skip
def test_a_field_that_changes(
    kept: Path, org: Org, client: Salesforce, field: str, facts: dict[str, Any], expected: tuple[str, str], effect: str
) -> None:
    org.change_field("Account", field, **facts)
    finding = next(f for f in drifted(kept, client).findings if f.field == field)
    assert (finding.kind, finding.severity) == expected
    assert effect in finding.effect


def test_a_new_label_is_no_drift(kept: Path, org: Org, client: Salesforce) -> None:
    org.change_field("Account", "Amount__c", label="Worth", inlineHelpText="net")
    assert drifted(kept, client).findings == ()


def test_a_picklist_value_and_its_words(kept: Path, org: Org, client: Salesforce) -> None:
    org.change_field("Account", "Stage__c", picklistValues=["New", "Won", "Lost"])
    found = drifted(kept, client)
    assert only(found).after == "Lost" and only(found).columns == ("stage",) and not found.grave


@pytest.mark.parametrize(
    ("mapping", "severity", "effect"),
    [
        (TYPED, "told", "`forceglue scaffold Account` adds those that it made"),
        (EVERYTHING, "changes", "column region__c is added"),
        (EVERYTHING + "on_drift: freeze\n", "stops", "nothing is loaded until `forceglue catalog pull` makes it known"),
        (EVERYTHING + "on_drift: ignore\n", "told", "left out until `forceglue catalog pull`"),
        (EVERYTHING + "never_read: [region__c]\n", "told", "never_read"),
    ],
)
def test_a_new_field_under_each_policy(
    kept: Path, org: Org, client: Salesforce, mapping: str, severity: str, effect: str
) -> None:
    put(kept, "objects/account.yaml", mapping)
    org.add_field("Account", {"name": "Region__c", "type": "string", "length": 40})
    finding = only(drifted(kept, client))
    assert (finding.field, finding.kind, finding.severity) == ("Region__c", "field_new", severity)
    assert effect in finding.effect


def test_a_field_that_is_gone_or_hidden_and_nobody_can_tell(kept: Path, org: Org, client: Salesforce) -> None:
    org.hide_field("Account", "Amount__c")
    finding = only(drifted(kept, client))
    assert (finding.kind, finding.severity, finding.columns) == ("field_hidden", "loses", ("cash", "twice"))
    assert finding.effect.startswith(
        "hidden by field-level security, or deleted: columns cash, twice: the column stays"
    )
    assert "profile or permission set" in finding.effect


def test_a_field_that_is_gone_and_one_that_is_hidden_told_apart(kept: Path, org: Org, client: Salesforce) -> None:
    org.define(PERMISSIONS)
    org.load("FieldPermissions", [
        {"Field": "Account.Amount__c", "SobjectType": "Account", "PermissionsRead": True}])  # fmt: skip
    org.hide_field("Account", "Amount__c")
    org.remove_field("Account", "Stage__c")
    found = drifted(kept, client)
    assert told(found) == [("Amount__c", "field_hidden", "loses"), ("Stage__c", "field_gone", "loses")]
    assert found.findings[0].effect.startswith("hidden by field-level security: ")
    assert "hidden" not in found.findings[1].effect


def test_a_standard_field_that_is_missing_is_hidden(kept: Path, org: Org, client: Salesforce) -> None:
    org.hide_field("Account", "OwnerId")
    finding = only(drifted(kept, client))
    assert (finding.kind, finding.severity) == ("field_hidden", "loses")
    assert "lookup owner finds nothing" in finding.effect


def test_a_missing_field_under_freeze_and_one_that_nobody_reads(kept: Path, org: Org, client: Salesforce) -> None:
    put(kept, "objects/account.yaml", TYPED.replace("refresh: never", "refresh: never\n    on_drift: freeze"))
    org.remove_field("Account", "Stage__c")
    assert only(drifted(kept, client)).severity == "stops"
    put(kept, "objects/account.yaml", "mapping: account\nsource: Account\ncolumns: {id: Id}\n")
    found = drifted(kept, client)
    assert told(found) == [("Stage__c", "field_gone", "told")] and not found.grave


def test_a_retyped_field_under_freeze(kept: Path, org: Org, client: Salesforce) -> None:
    put(kept, "objects/account.yaml", TYPED.replace("refresh: never", "refresh: never\n    on_drift: freeze"))
    org.change_field("Account", "Amount__c", precision=16)
    assert only(drifted(kept, client)).severity == "stops"


def test_the_key_is_missing(kept: Path, org: Org, client: Salesforce) -> None:
    put(kept, "objects/account.yaml", "mapping: account\nsource: Account\nkey: Stage__c\ncolumns: {stage: Stage__c}\n")
    org.remove_field("Account", "Stage__c")
    assert only(drifted(kept, client)).severity == "stops"


def test_a_field_that_becomes_a_formula(kept: Path, org: Org, client: Salesforce) -> None:
    put(
        kept,
        "objects/account.yaml",
        TYPED.replace("    refresh: never\n", "").replace(
            '      double: {from: Double__c, type: "decimal(38,18)"}\n', ""
        ),
    )
    org.change_field("Account", "Amount__c", calculated=True, calculatedFormula="1")
    finding = next(f for f in drifted(kept, client).findings if f.field == "Amount__c")
    assert finding.severity == "loses" and "must say `refresh:`" in finding.effect


def test_a_formula_that_is_refreshed(kept: Path, org: Org, client: Salesforce) -> None:
    put(kept, "objects/account.yaml", EVERYTHING)
    org.change_field("Account", "Double__c", calculatedFormula="Amount__c * 3")
    assert only(drifted(kept, client)).severity == "told"


def test_what_a_lost_field_reaches(kept: Path, org: Org, client: Salesforce) -> None:
    put(kept, "datasets/deals.yaml", """
        mapping: Deals
        from: account
        columns: {Value: cash, Twice: twice, Stage: stage}
    """)  # fmt: skip
    put(kept, "objects/contact.yaml", """
        mapping: contact
        source: Contact
        columns: {id: Id, worth: account.cash}
        lookups: {account: {object: Account, by: Id, key: Id}}
    """)  # fmt: skip
    org.hide_field("Account", "Amount__c")
    finding = only(drifted(kept, client))
    assert finding.reaches == ("contact.worth", "Deals.Value", "Deals.Twice")


def test_an_object_that_is_gone(kept: Path, client: Salesforce) -> None:
    found = drifted(kept, client, "Acount")
    assert told(found) == [("", "object_gone", "stops")]
    assert "did you mean Account?" in only(found).effect and "permission set" in only(found).effect


def test_without_a_snapshot_the_mapping_is_compared_with_the_org(folder: Path, client: Salesforce) -> None:
    put(folder, "objects/account.yaml", "mapping: account\nsource: Account\ncolumns: {id: Id, x: Amont__c}\n")
    found = drifted(folder, client)
    assert not found.snapshot and told(found) == [("amont__c", "field_unknown", "loses")]
    assert "did you mean Amount__c?" in only(found).effect


def test_all_mappings_and_an_object_without_one(kept: Path, org: Org, client: Salesforce) -> None:
    found = list(drift(load_project(kept, checked=False), client, ()))
    assert [(one.object, one.mapping) for one in found] == [("Account", "account"), ("User", "user")]
    assert (drifted(kept, client, "Contact").mapping, drifted(kept, client, "Contact").snapshot) == (None, False)


def test_an_object_with_two_mappings_is_told_for_each(kept: Path, org: Org, client: Salesforce) -> None:
    put(kept, "objects/other.yaml", "mapping: other\nsource: Account\ncolumns: {id: Id}\n")
    org.hide_field("Account", "Amount__c")
    found = list(drift(load_project(kept, checked=False), client, ["Account"]))
    assert [(one.mapping, one.grave) for one in found] == [("account", True), ("other", False)]


def test_the_table_beside_the_mapping(kept: Path, client: Salesforce, tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse"
    assert drifted(kept, client, warehouse=warehouse).table is False
    columns = {
        "id": pa.string(), "cash": pa.decimal128(16, 2), "twice": pa.float64(), "stage": pa.string(),
        "old": pa.int64(), "boss": pa.string(), "system_modstamp": pa.string(), "is_deleted": pa.bool_(),
        "run_id": pa.string(),
    }  # fmt: skip
    write_deltalake(str(warehouse / "account"), pa.table({n: pa.array([None], t) for n, t in columns.items()}))
    found = drifted(kept, client, warehouse=warehouse)
    assert found.table is True
    assert [(f.field, f.kind, f.severity, f.before, f.after) for f in found.findings] == [
        ("cash", "table_type", "stops", "decimal(16,2)", "decimal(18,2)"),
        ("double", "table_column", "changes", None, "decimal(38,18)"),
        ("old", "table_column", "told", "bigint", None),
    ]
    assert "--full-refresh" in found.findings[0].effect


def test_a_new_field_is_told_once_though_the_table_lacks_it_too(
    kept: Path, org: Org, client: Salesforce, tmp_path: Path
) -> None:
    put(kept, "objects/account.yaml", EVERYTHING)
    names = ("id", "is_deleted", "system_modstamp", "amount__c", "owner_id", "stage__c")
    write_deltalake(str(tmp_path / "w" / "account"), pa.table({name: pa.array([None], pa.string()) for name in names}))
    org.add_field("Account", {"name": "Region__c", "type": "string", "length": 40})
    found = drifted(kept, client, warehouse=tmp_path / "w")
    assert told(found) == [
        ("Region__c", "field_new", "changes"),
        ("is_deleted", "table_type", "stops"),
        ("double__c", "table_column", "changes"),
    ]


def test_what_scaffold_made_has_no_drift_from_its_org(folder: Path, client: Salesforce) -> None:
    list(pull(read_project(folder).project, client, everything=True))
    assert all(one.outcome == "new" for one in scaffold(read_project(folder), everything=True))
    found = list(drift(load_project(folder), client))
    assert [(one.object, one.findings) for one in found] == [("Account", ()), ("Contact", ())]
    assert json.dumps([one.to_dict() for one in found])
