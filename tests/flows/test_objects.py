from __future__ import annotations

from pathlib import Path

import pytest

from describe.kit import AMOUNT, DOUBLE, OWNER, describe, field, keep, put
from forceglue.errors import UsageError
from forceglue.flows.objects import FlowObject, LeftOut, flow_objects
from forceglue.landing.layout import folder_parts
from forceglue.landing.objects import ObjectNames
from forceglue.mapping.load import load_project


def read(folder: Path) -> dict[str, FlowObject]:
    return {one.name: one for one in flow_objects(load_project(folder, checked=False))[0]}


def left_out(folder: Path) -> dict[str, LeftOut]:
    return {one.name: one for one in flow_objects(load_project(folder, checked=False))[1]}


def test_a_mapping_file_is_all_that_an_object_needs(tmp_path: Path) -> None:
    put(tmp_path, "objects/a.yaml", "mapping: order_product\nsource: OrderItem\n")
    keep(tmp_path, describe(AMOUNT, name="OrderItem", label="Order Product"))
    (one,) = read(tmp_path).values()
    assert one == FlowObject("OrderItem", "Order-Product", None, (), "SystemModstamp", True)


def test_where_columns_are_named_those_fields_land_and_what_tells_records_and_versions_apart(tmp_path: Path) -> None:
    keep(tmp_path, describe(AMOUNT, OWNER, DOUBLE, field("Other__c"), field("Region__c")))
    put(
        tmp_path, "objects/a.yaml",
        """
        mapping: account
        source: Account
        columns: {amount: amount__c, owner: o.Name}
        where: region__c <> 'x'
        lookups: {o: {object: User, by: OwnerId}}
        """,
    )  # fmt: skip
    one = read(tmp_path)["Account"]
    assert one.fields == ("Id", "IsDeleted", "SystemModstamp", "Amount__c", "OwnerId", "Region__c")
    assert one.never == () and one.notes == ()


def test_what_may_not_or_cannot_be_read_is_left_out_of_everything(tmp_path: Path) -> None:
    put(tmp_path, "project.yaml", "objects: {never_read: [secret__c, another__c]}\n")
    put(tmp_path, "objects/a.yaml", "mapping: account\nsource: Account\n")
    keep(tmp_path, describe(field("Secret__c"), field("BillingAddress", "address"), field("Body", "base64")))
    assert read(tmp_path)["Account"].never == ("Secret__c", "BillingAddress", "Body")


def test_an_object_outside_the_catalog_lands_with_every_field_but_those_never_read(tmp_path: Path) -> None:
    put(tmp_path, "project.yaml", "objects: {never_read: [Secret__c]}\n")
    put(tmp_path, "objects/a.yaml", "mapping: thing\nsource: Thing__c\ncolumns: {a: A__c}\n")
    one = read(tmp_path)["Thing__c"]
    assert (one.fields, one.never, one.cursor, one.token) == (None, ("Secret__c",), "SystemModstamp", "Thing__c")
    assert "forceglue catalog pull Thing__c" in one.notes[0]


def test_a_field_that_the_catalog_does_not_have_would_fail_the_whole_flow_and_is_told(tmp_path: Path) -> None:
    put(tmp_path, "objects/a.yaml", "mapping: account\nsource: Account\ncolumns: {a: Amount__c, b: Amuont__c}\n")
    keep(tmp_path, describe(AMOUNT))
    one = read(tmp_path)["Account"]
    assert "Amount__c" in (one.fields or ()) and "Amuont__c" not in (one.fields or ())
    assert one.notes == ("left out, for the catalog has no such field: Amuont__c",)


def test_several_mappings_of_one_object_share_its_flows(tmp_path: Path) -> None:
    put(tmp_path, "objects/a.yaml", "mapping: a\nsource: Account\ncolumns: {a: Amount__c}\ntarget: {deletes: keep}\n")
    put(tmp_path, "objects/b.yaml", "mapping: b\nsource: account\ncolumns: {o: OwnerId}\n")
    keep(tmp_path, describe(AMOUNT, OWNER))
    one = read(tmp_path)["Account"]
    assert {"Amount__c", "OwnerId"} <= {*(one.fields or ())} and one.deleted


@pytest.mark.parametrize(
    ("mapping", "has_field", "expected"),
    [("", True, True), ("target: {deletes: keep}\n", True, False), ("target: {deletes: delete}\n", True, True),
     ("target: {write: scd2}\n", True, True), ("", False, False)],
)  # fmt: skip
def test_deleted_records_land_where_the_mapping_does_something_with_them(
    tmp_path: Path, mapping: str, has_field: bool, expected: bool
) -> None:
    put(tmp_path, "objects/a.yaml", f"mapping: account\nsource: Account\n{mapping}")
    described = describe()
    described["fields"] = [f for f in described["fields"] if has_field or f["name"] != "IsDeleted"]
    keep(tmp_path, described)
    assert read(tmp_path)["Account"].deleted is expected


@pytest.mark.parametrize(
    ("fields", "cursor"),
    [
        ([field("SystemModstamp", "datetime"), field("LastModifiedDate", "datetime")], "SystemModstamp"),
        ([field("CreatedDate", "datetime"), field("LastModifiedDate", "datetime")], "LastModifiedDate"),
        ([field("SystemModstamp", "string"), field("CreatedDate", "datetime")], "CreatedDate"),
        ([{"name": "SystemModstamp"}], "SystemModstamp"),
        ([field("Name")], None),
    ],
)
def test_what_tells_a_change_is_the_best_stamp_that_the_object_has(tmp_path, fields, cursor) -> None:
    put(tmp_path, "objects/a.yaml", "mapping: account\nsource: Account\n")
    keep(tmp_path, {"name": "Account", "label": "Account", "fields": [field("Id", "id"), *fields]})
    one = read(tmp_path)["Account"]
    assert one.cursor == cursor
    assert any("reads it whole" in note for note in one.notes) == (cursor is None)


def test_formula_fields_are_told_of_for_no_stamp_moves_with_them(tmp_path: Path) -> None:
    put(tmp_path, "objects/a.yaml", "mapping: account\nsource: Account\n")
    keep(tmp_path, describe(AMOUNT, DOUBLE))
    assert "forceglue extract Account --refresh" in read(tmp_path)["Account"].notes[0]


@pytest.mark.parametrize(
    ("source", "why", "instead"),
    [
        ("Ready__e", "a platform event", "events start"),
        ("AccountChangeEvent", "an event", "events start"),
        ("TaskStatus", "Bulk API 2.0 refuses it", "forceglue extract TaskStatus"),
        ("Order__x", "an external object", "forceglue extract Order__x"),
        ("Vote", "names the parent's Ids", "land its files yourself"),
        ("Old__b", "a big object", "land its files yourself"),
    ],
)
def test_what_bulk_cannot_read_has_no_flow_and_a_reason(tmp_path: Path, source: str, why: str, instead: str) -> None:
    put(tmp_path, "objects/a.yaml", f"mapping: a\nsource: {source}\n")
    assert read(tmp_path) == {}
    assert why in left_out(tmp_path)[source].why and instead in left_out(tmp_path)[source].instead


def test_what_describe_calls_not_queryable_has_no_flow(tmp_path: Path) -> None:
    put(tmp_path, "objects/a.yaml", "mapping: a\nsource: Thing\n")
    keep(tmp_path, describe(name="Thing", queryable=False))
    assert "not queryable" in left_out(tmp_path)["Thing"].why


USES = """
    mapping: account
    source: Account
    columns: {owner: owner.Name}
    lookups: {owner: {object: User, by: OwnerId}}
"""
DATASET = """
    mapping: report
    from: account
    joins: [{table: contact_role, by: {id: account_id}}]
    columns: {id: id}
"""


@pytest.mark.parametrize(("unmapped", "names"), [("load", {"Account", "User", "ContactRole"}), ("ignore", {"Account"})])
def test_what_lookups_and_datasets_read_without_a_mapping_has_flows_if_it_is_loaded(
    tmp_path: Path, unmapped: str, names: set[str]
) -> None:
    put(tmp_path, "project.yaml", f"unmapped: {unmapped}\n")
    put(tmp_path, "objects/account.yaml", USES)
    put(tmp_path, "datasets/report.yaml", DATASET)
    keep(tmp_path, describe(OWNER), describe(name="ContactRole"), describe(name="Unused"))
    assert read(tmp_path).keys() == names


def test_a_label_that_leads_elsewhere_does_not_name_the_folder(tmp_path: Path) -> None:
    put(tmp_path, "objects/a.yaml", "mapping: product\nsource: Product2\n")
    put(tmp_path, "objects/b.yaml", "mapping: own\nsource: Own__c\n")
    keep(tmp_path, describe(name="Product2", label="Product"), describe(name="Own__c", label="Product2"))
    assert {name: one.token for name, one in read(tmp_path).items()} == {"Product2": "Product", "Own__c": "Own__c"}


def test_a_label_that_two_objects_have_names_neither_of_their_folders(tmp_path: Path) -> None:
    put(tmp_path, "objects/a.yaml", "mapping: a\nsource: A__c\n")
    put(tmp_path, "objects/b.yaml", "mapping: b\nsource: B__c\n")
    keep(tmp_path, describe(name="A__c", label="Thing"), describe(name="B__c", label="thing"))
    assert {one.token for one in read(tmp_path).values()} == {"A__c", "B__c"}


def test_the_landing_finds_the_object_of_both_its_flows(tmp_path: Path) -> None:
    put(tmp_path, "objects/a.yaml", "mapping: a\nsource: A__c\n")
    put(tmp_path, "objects/b.yaml", "mapping: b\nsource: B__c\n")
    put(tmp_path, "objects/c.yaml", "mapping: c\nsource: C__c\n")
    keep(tmp_path, describe(name="A__c", label="Straße & Ort"), describe(name="B__c", label="A"))
    keep(tmp_path, describe(name="C__c", label="Tank.full"))
    project = load_project(tmp_path)
    for name, one in read(tmp_path).items():
        for ending in ("", ".full"):
            env, token = folder_parts(f"dev-Salesforce-{one.token}{ending}")
            assert (env, ObjectNames(project).find(token)) == ("dev", name)


def test_a_project_without_mappings_is_told_what_to_do(tmp_path: Path) -> None:
    put(tmp_path, "project.yaml", "version: 1\n")
    with pytest.raises(UsageError, match="forceglue scaffold"):
        read(tmp_path)
