"""A small project: three objects, one dataset of two of them, and text that wants to be code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml

from forceglue.mapping.load import Project, load_project

if TYPE_CHECKING:
    from pathlib import Path

NASTY = "</script><script>alert(1)</script>\"'&"
FIELDS = {
    "Order": ["Id", "AccountId", "Type", "CreatedById", "SystemModstamp", "IsDeleted"],
    "User": ["Id", "Name", "SystemModstamp"],
    "Case": ["Id", "SystemModstamp", "IsDeleted"],
}
OBJECTS = {
    "order": {
        "source": "Order",
        "description": f"A sales order {NASTY}",
        "quality": {"quarantine": {"has_account": {"sql": "account_id is not null", "description": "Someone pays"}}},
    },
    "user": {"source": "User", "columns": {"id": "Id", "name": {"from": "Name", "description": "First and last"}}},
    "case": {"source": "Case"},
}
DATASET = {
    "from": "order",
    "grain": "One row an order.",
    "key": "Order_ID",
    "joins": [{"table": "user", "as": "creator", "by": {"created_by_id": "id"}}],
    "columns": [
        {"Order_ID": "id", "Kind": "type", "Creator": "creator.name"},
        {"Both": {"sql": "concat(type, creator.name)"}, "System": {"value": "SF"}},
        {"empty": ["Tax"]},
    ],
    "deliver": [{"csv": {"file": "Orders_{now:%Y}.csv"}}],
    "examples": [{"name": "one order", "given": {"order": [{"id": "1"}], "user": []}, "expect": [{"Order_ID": "1"}]}],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "mappings"
    for name in ("catalog", "objects", "datasets"):
        (root / name).mkdir(parents=True)
    for api, fields in FIELDS.items():
        described = {"name": api, "label": api, "fields": [{"name": f, "type": "string"} for f in fields]}
        (root / "catalog" / f"{api}.json").write_text(json.dumps(described))
    for name, body in OBJECTS.items():
        (root / "objects" / f"{name}.yaml").write_text(yaml.safe_dump({"mapping": name, **body}, sort_keys=False))
    (root / "datasets" / "sales.yaml").write_text(yaml.safe_dump({"mapping": "Sales", **DATASET}, sort_keys=False))
    return root


@pytest.fixture
def project(folder: Path) -> Project:
    return load_project(folder)


@pytest.fixture
def nasty() -> str:
    return NASTY
