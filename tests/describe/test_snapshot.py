from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from describe.kit import AMOUNT, DOUBLE, OWNER, STAGE, describe, field
from forceglue.describe import snapshot
from forceglue.mapping.catalog import object_from_describe
from forceglue.simulated.salesforce.describe import full_field


def test_a_field_is_a_line_with_the_facts_that_say_something() -> None:
    text = snapshot.as_text(snapshot.slim(describe(AMOUNT, OWNER, STAGE, DOUBLE)))
    assert text.splitlines() == [
        "{",
        '  "name": "Account",',
        '  "label": "Account",',
        '  "keyPrefix": "001",',
        '  "fields": [',
        '    {"name": "Id", "type": "id", "label": "Account ID", "length": 18, "nillable": false},',
        '    {"name": "IsDeleted", "type": "boolean", "label": "Deleted", "nillable": false, "permissionable": false},',
        (
            '    {"name": "SystemModstamp", "type": "datetime", "label": "System Modstamp", "nillable": false, '
            '"permissionable": false},'
        ),
        '    {"name": "Amount__c", "type": "currency", "label": "Amount", "precision": 18, "scale": 2, "custom": true},',
        (
            '    {"name": "OwnerId", "type": "reference", "label": "Owner ID", "referenceTo": ["Group", "User"], '
            '"relationshipName": "Owner"},'
        ),
        (
            '    {"name": "Stage__c", "type": "picklist", "label": "Stage", "inlineHelpText": "How far the deal is", '
            '"length": 255, "custom": true, "picklistValues": ["New", "Won"]},'
        ),
        (
            '    {"name": "Double__c", "type": "double", "label": "Twice", "precision": 18, "scale": 2, "custom": true, '
            '"calculated": true, "calculatedFormula": "Amount__c * 2"}'
        ),
        "  ]",
        "}",
    ]


def test_the_order_of_a_snapshot_outlives_that_of_describe() -> None:
    before = snapshot.slim(describe(AMOUNT, OWNER))
    after = describe(STAGE, OWNER, AMOUNT)
    after["fields"].reverse()
    names = [entry["name"] for entry in snapshot.slim(after, before)["fields"]]
    assert names == ["Id", "IsDeleted", "SystemModstamp", "Amount__c", "OwnerId", "Stage__c"]
    assert snapshot.slim(describe(OWNER), before)["fields"][-1]["name"] == "OwnerId"


def test_no_digit_after_the_point_is_said_too() -> None:
    (kept,) = snapshot.slim({"name": "A", "label": "A", "fields": [field("N__c", "double", precision=5, scale=0)]})[
        "fields"
    ]
    assert kept == {"name": "N__c", "type": "double", "precision": 5, "scale": 0}


def test_what_describe_sends_besides_is_not_kept() -> None:
    whole = {**describe(), "urls": {"x": 1}, "childRelationships": [{}], "fields": [full_field(AMOUNT)]}
    kept = snapshot.slim(whole)
    assert set(kept) == {"name", "label", "keyPrefix", "fields"}
    assert kept["fields"] == [
        {"name": "Amount__c", "type": "currency", "label": "Amount", "precision": 18, "scale": 2, "custom": True}
    ]


FIELDS = st.builds(
    lambda name, label, kind, scale, help_text: field(
        name, kind, label=label, precision=18, scale=scale, inlineHelpText=help_text, referenceTo=["A"] if scale else []
    ),
    st.from_regex(r"[A-Z][A-Za-z0-9_]{0,20}", fullmatch=True), st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from(["string", "double", "picklist", "boolean"]), st.integers(0, 18),
    st.none() | st.text(st.characters(exclude_categories=["Cs"])),
)  # fmt: skip


@given(st.lists(FIELDS, unique_by=lambda f: f["name"].lower()))
def test_what_is_kept_is_what_was_said(fields: list[dict[str, object]]) -> None:
    whole = {"name": "A", "label": "A", "fields": [full_field(entry) for entry in fields]}
    kept = json.loads(snapshot.as_text(snapshot.slim(whole)))
    for was, found in zip(object_from_describe(whole).fields, object_from_describe(kept).fields, strict=True):
        facts = ("name", "type", "spark_type", "calculated", "references", "custom", "permissionable", "part_of")
        assert [getattr(found, fact) for fact in facts] == [getattr(was, fact) for fact in facts]
        assert (found.description or None, found.label or "") == (was.description or None, was.label or "")
    assert snapshot.slim(kept, kept) == kept  # kept again it is the same


def test_a_snapshot_is_found_in_any_case_and_written_to_its_file(tmp_path: Path) -> None:
    assert snapshot.find(tmp_path, "Account") is None
    assert snapshot.write(tmp_path, snapshot.slim(describe())) == "catalog/Account.json"
    found = snapshot.find(tmp_path, "aCCOUNT")
    assert found is not None and (found.file, found.object.label) == ("catalog/Account.json", "Account")
    assert [path.name for path in (tmp_path / "catalog").iterdir()] == ["Account.json"]  # no temporary file is left


@pytest.mark.parametrize("text", ["{", "[]", '{"name": "A"}', "\xff"])
def test_a_file_that_is_no_describe(tmp_path: Path, text: str) -> None:
    (tmp_path / "catalog").mkdir()
    (tmp_path / "catalog" / "A.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=r"catalog/A\.json is no describe"):
        snapshot.find(tmp_path, "A")
