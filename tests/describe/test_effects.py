from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from forceglue.describe.changes import Change
from forceglue.describe.effects import Effects
from forceglue.describe.uses import Uses
from forceglue.mapping.catalog import CatalogField
from forceglue.mapping.model import ObjectMapping, ProjectSettings
from forceglue.mapping.project import Project

FIELDS = ("Id", "Amount", "SystemModstamp", "IsDeleted", "Flag")


def effects(table: dict[str, str] | None = None, **said: Any) -> Effects:
    mapping = ObjectMapping.model_validate({"mapping": "a", "source": "A", **said})
    full = Project(Path(), ProjectSettings(), {}, {}).with_defaults(mapping)
    return Effects(Uses(full, FIELDS), table or {})


@pytest.mark.parametrize(
    ("field", "said", "severity", "words"),
    [
        ("Id", {}, "stops", "it is the key"),
        ("SystemModstamp", {}, "loses", "left to chance"),
        ("IsDeleted", {}, "loses", "deleted records are not told"),
        ("Flag", {"columns": {"id": "Id"}, "where": "Flag = 'x'"}, "loses", "the condition sees null"),
        ("Flag", {"columns": {"id": "Id"}}, "told", "no column reads it"),
        ("Flag", {"on_drift": "freeze"}, "stops", "on_drift is freeze"),
        ("Flag", {"on_drift": "ignore"}, "loses", "column flag: the column stays"),
    ],
)
def test_a_field_that_is_missing(field: str, said: dict[str, Any], severity: str, words: str) -> None:
    found = effects(**said).missing(field)
    assert found[0] == severity and words in found[1]


@pytest.mark.parametrize(
    ("table", "said", "severity"),
    [
        ({}, {}, "told"),  # text
        ({"amount": "decimal(10,2)"}, {}, "loses"),  # the type of the table, where the mapping says none
        ({"amount": "decimal(10,2)"}, {"columns": {"amount": {"from": "Amount", "type": "string"}}}, "told"),
        ({}, {"columns": {"amount": {"from": "Amount", "type": "decimal(10,2)"}}}, "loses"),
        ({}, {"columns": {"amount": {"from": "Amount", "type": "double"}}}, "told"),
        ({}, {"on_drift": "freeze"}, "told"),  # text is not frozen
        ({"amount": "double"}, {"on_drift": "freeze"}, "stops"),
    ],
)
def test_more_digits(table: dict[str, str], said: dict[str, Any], severity: str) -> None:
    change = Change("Amount", "precision_changed", "currency(10,2)", "currency(12,4)")
    assert effects(table, **said).of(change, CatalogField("Amount", "currency", precision=12, scale=4))[0] == severity


@pytest.mark.parametrize(("key", "severity"), [(None, "loses"), ("Code", "told")])
def test_a_reference_that_points_elsewhere_matters_where_an_id_is_looked_up(key: str | None, severity: str) -> None:
    lookups = {"other": {"object": "B", "by": "Flag", "key": key}}
    change = Change("Flag", "reference_changed", "B", "C")
    now = CatalogField("Flag", "reference", references=("C",))
    assert effects(lookups=lookups).of(change, now)[0] == severity
