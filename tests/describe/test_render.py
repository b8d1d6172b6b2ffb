from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from describe.kit import AMOUNT, DOUBLE, OWNER, STAGE, describe, field
from forceglue.describe.columns import MadeColumn, MadeMapping, made
from forceglue.describe.render import mapping_text
from forceglue.mapping import params, yaml
from forceglue.mapping.catalog import object_from_describe
from forceglue.mapping.model import ObjectDefaults


def test_a_file_as_a_person_reads_it() -> None:
    known = object_from_describe(describe(AMOUNT, OWNER, STAGE, DOUBLE, field("Home__c", "address"), label="Customer"))
    assert mapping_text(made(known, "account", ObjectDefaults()), schema=True).splitlines() == [
        "# yaml-language-server: $schema=../mapping.schema.json",
        "# Made by `forceglue scaffold Account`; made again, it keeps what you have changed.",
        "mapping: account",
        "source: Account",
        "description: Customer",
        "refresh: daily  # formula fields change without their record: never, every_run, daily, weekly or {every: 3 days}",
        "# not read: Home__c (compound: its parts are columns)",
        "columns:",
        "  id: Id",
        "  is_deleted: {from: IsDeleted, type: boolean}",
        "  system_modstamp: {from: SystemModstamp, type: timestamp}",
        '  amount__c: {from: Amount__c, type: "decimal(18,2)"}',
        "  owner_id: OwnerId  # reference to Group, User",
        '  stage__c: {from: Stage__c, description: "How far the deal is"}',
        '  double__c: {from: Double__c, type: "decimal(38,18)", description: "Twice"}  # formula: Amount__c * 2',
    ]


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(TEXT, TEXT, TEXT)
def test_no_text_of_salesforce_breaks_the_file(label: str, help_text: str, formula: str) -> None:
    said = " ".join(help_text.split()) or None
    columns = (MadeColumn("id", "Id"), MadeColumn("x", "X__c", "date", said, formula), MadeColumn("y", "Y__c"))
    made_of = MadeMapping("account", "Account", columns, {"description": " ".join(label.split()) or "-"})
    document = yaml.read(mapping_text(made_of, schema=False), "x.yaml")
    assert document.problems == ()
    read = params.fill(document.value, {})
    x = {"from": "X__c", "type": "date"} | ({"description": said} if said else {})
    assert read["columns"] == {"id": "Id", "x": x, "y": "Y__c"}
    assert read["description"] == made_of.words["description"]
    assert params.fill("${HOME}", {}) == "${HOME}"


def test_a_parameter_in_a_help_text_is_no_parameter() -> None:
    column = MadeColumn("x", "X__c", None, "costs ${PRICE} and $${PRICE}")
    text = mapping_text(MadeMapping("a", "A", (column,)), schema=False)
    document = yaml.read(text, "x.yaml")
    assert list(params.unknown(document.value, ())) == []
    assert params.fill(document.value, {"PRICE": "9"})["columns"]["x"]["description"] == column.description
