"""Describes, snapshots and small projects for the tests of `forceglue.describe`."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

from forceglue.describe import snapshot

Describe = dict[str, Any]


def field(name: str, kind: str = "string", **facts: Any) -> Describe:
    return {"name": name, "type": kind, **facts}


SYSTEM = [
    field("Id", "id", label="Account ID", length=18, nillable=False),
    field("IsDeleted", "boolean", label="Deleted", nillable=False, permissionable=False),
    field("SystemModstamp", "datetime", label="System Modstamp", nillable=False, permissionable=False),
]
AMOUNT = field("Amount__c", "currency", label="Amount", precision=18, scale=2, custom=True)
OWNER = field("OwnerId", "reference", label="Owner ID", referenceTo=["Group", "User"], relationshipName="Owner")
STAGE = field(
    "Stage__c", "picklist", label="Stage", length=255, custom=True, inlineHelpText="How far the deal is",
    picklistValues=[{"value": "New", "active": True}, {"value": "Old", "active": False}, {"value": "Won"}],
)  # fmt: skip
DOUBLE = field(
    "Double__c", "double", label="Twice", precision=18, scale=2, calculated=True, calculatedFormula="Amount__c * 2",
    custom=True,
)  # fmt: skip


def describe(*fields: Describe, name: str = "Account", **facts: Any) -> Describe:
    return {"name": name, "label": name, "queryable": True, "keyPrefix": "001", "fields": [*SYSTEM, *fields], **facts}


def keep(folder: Path, *described: Describe) -> None:
    """Puts snapshots into a mappings folder."""
    for one in described:
        there = snapshot.find(folder, one["name"])
        snapshot.write(folder, snapshot.slim(one, there.facts if there else None))


def put(folder: Path, file: str, text: str) -> Path:
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(dedent(text).lstrip("\n").encode())
    return path
