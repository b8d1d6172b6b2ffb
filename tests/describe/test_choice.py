from __future__ import annotations

from pathlib import Path

import pytest

from describe.kit import put
from forceglue.describe.choice import Chosen, chosen, did_you_mean
from forceglue.errors import UsageError
from forceglue.mapping.load import read_project

ORG = [{"name": "Account", "queryable": True}, {"name": "Customer"}, {"name": "Paid__e", "queryable": False}]


def names(folder: Path, *asked: str, everything: bool = False) -> list[tuple[str, bool]]:
    found = chosen(read_project(folder).project, ORG, asked, everything=everything)
    return [(one.name, one.why_not is None) for one in found]


def test_objects_mappings_and_tables_each_once(folder: Path) -> None:
    put(folder, "a.yaml", "mapping: customer\nsource: Account\n")
    put(folder, "b.yaml", "mapping: lead\nsource: Lead\n")
    assert names(folder) == [("Account", True), ("Lead", False)]
    assert names(folder, "aCCount", "account", "lead", "Paid__e") == [
        ("Account", True),
        ("Lead", False),
        ("Paid__e", True),
    ]
    assert names(folder, "customer") == [("Customer", True)]  # an object of the org goes before a mapping's name
    assert names(folder, "lead", everything=True) == [("Lead", False), ("Account", True), ("Customer", True)]


def test_nothing_is_meant(folder: Path) -> None:
    with pytest.raises(UsageError, match="Name objects, or say --all"):
        names(folder)


def test_why_an_object_is_not_there() -> None:
    assert "profile or permission set" in (Chosen("X", None).why_not or "")
    assert did_you_mean("Acount", ["Account"]) == " (did you mean Account?)" and did_you_mean("zzz", []) == ""
