from __future__ import annotations

import json
from pathlib import Path

import pytest

from forceglue.mapping.catalog import CatalogField, load_catalog, object_from_describe


def test_a_describe_is_read_in_its_order(tmp_path: Path) -> None:
    field = {
        "name": "Amount", "type": "currency", "label": "How much", "inlineHelpText": "In AUD", "precision": 18, "scale": 2,
        "nillable": True, "calculated": False, "referenceTo": [], "somethingElse": 1,
    }  # fmt: skip
    (tmp_path / "Opportunity.json").write_text(
        json.dumps({"name": "Opportunity", "label": "Deal", "fields": [{"name": "Id"}, field], "more": 1})
    )
    catalog, problems = load_catalog(tmp_path)
    assert problems == ()
    found = catalog.get("oPPORTUNITY")
    assert found is not None
    assert (found.label, found.field_names) == ("Deal", ("Id", "Amount"))
    amount = found.field("amount")
    assert amount is not None
    assert (amount.description, amount.precision, amount.nullable, amount.spark_type) == (
        "In AUD",
        18,
        True,
        "decimal(18,2)",
    )
    assert catalog.get("Account") is None


def test_no_folder_is_an_empty_catalog(tmp_path: Path) -> None:
    catalog, problems = load_catalog(tmp_path / "nothing")
    assert (len(catalog), problems) == (0, ())


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"name": "A"}', '{"name": "A", "fields": [{}]}', "\x00"])
def test_a_file_that_is_no_describe(tmp_path: Path, text: str) -> None:
    (tmp_path / "A.json").write_text(text)
    (tmp_path / "B.json").write_text('{"name": "B", "fields": []}')
    catalog, problems = load_catalog(tmp_path)
    assert [p.code for p in problems] == ["FG-CAT-001"]
    assert catalog.names == ("B",)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("boolean", "boolean"), ("datetime", "timestamp"), ("date", "date"), ("int", "bigint"), ("long", "bigint"), ("time", "string"), ("anyType", "string"), ("double", "double"), ("picklist", "string"), ("id", "string"), (None, None)],
)  # fmt: skip
def test_types(kind: str | None, expected: str | None) -> None:
    assert CatalogField("x", kind).spark_type == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"precision": 18, "scale": 2}, "decimal(18,2)"),
        ({"precision": 5}, "decimal(5,0)"),
        ({"precision": 38, "scale": 20}, "decimal(38,20)"),
        ({"precision": 40, "scale": 2}, "double"),
        ({}, "double"),
        ({"precision": 18, "scale": 2, "calculated": True}, "decimal(38,18)"),
        ({"precision": 30, "scale": 2, "calculated": True}, "decimal(38,10)"),
        ({"precision": 18, "scale": 18, "calculated": True}, "decimal(38,18)"),
        ({"precision": 38, "scale": 2, "calculated": True}, "decimal(38,2)"),
    ],
)
def test_numbers_have_the_digits_that_describe_says(facts: dict[str, int], expected: str) -> None:
    for kind in ("currency", "double", "percent"):
        assert CatalogField("x", kind, **facts).spark_type == expected  # type: ignore[arg-type]


def test_picklist_values_are_the_active_ones_in_both_forms() -> None:
    described = [{"value": "New", "active": True}, {"value": "Old", "active": False}]
    fields = [{"name": "A", "picklistValues": described}, {"name": "B", "picklistValues": ["New"]}, {"name": "C"}]
    found = object_from_describe({"name": "X", "fields": fields})
    assert [field.picklist for field in found.fields] == [("New",), ("New",), None]


def test_compound_fields() -> None:
    found = object_from_describe(
        {"name": "A", "fields": [{"name": "BillingAddress", "type": "address"}, {"name": "B"}]}
    )
    assert [field.compound for field in found.fields] == [True, False]
