"""The comparison of org and tables: equal values are equal in whatever form, and each way to differ is found."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from forceglue.demo.proof import Proof, prove
from forceglue.mapping.load import load_project
from forceglue.mapping.project import Project
from forceglue.simulated.salesforce.clock import SetClock
from forceglue.simulated.salesforce.org import Org

NOW = datetime(2026, 11, 15, 10, 30, 0, 250_000, tzinfo=UTC)
DESCRIBE = {
    "name": "Account",
    "keyPrefix": "001",
    "fields": [
        {"name": "Id", "type": "id"},
        {"name": "Name", "type": "string", "length": 255},
        {"name": "Revenue__c", "type": "currency", "precision": 18, "scale": 2},
        {"name": "Size__c", "type": "int"},
        {"name": "Day__c", "type": "date"},
        {"name": "Active__c", "type": "boolean"},
        {"name": "Logo__c", "type": "base64"},
        {"name": "Secret__c", "type": "string", "length": 80},
        {"name": "MasterRecordId", "type": "reference", "referenceTo": ["Account"]},
        {"name": "IsDeleted", "type": "boolean"},
        {"name": "SystemModstamp", "type": "datetime"},
    ],
}
FIRST = {
    "Name": "first", "Revenue__c": "12500000", "Size__c": 7, "Day__c": "2026-11-15", "Active__c": True,
    "Secret__c": "hush",
}  # fmt: skip
TEXTS = {
    "name": "first", "revenue__c": "1.25E7", "size__c": "7", "day__c": "2026-11-15", "active__c": "true",
    "masterrecordid": None, "isdeleted": False, "systemmodstamp": "2026-11-15T10:30:00.250+0000",
}  # fmt: skip
TYPED = {
    **TEXTS, "revenue__c": Decimal("12500000.000"), "size__c": 7, "day__c": date(2026, 11, 15), "active__c": True,
    "systemmodstamp": NOW,
}  # fmt: skip


@pytest.fixture
def org() -> Iterator[Org]:
    with Org(clock=SetClock(NOW)) as made:
        made.define(DESCRIBE)
        yield made


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "project.yaml").write_text("objects: {naming: lower, never_read: [Secret__c]}\n")
    (tmp_path / "mappings" / "customer.yaml").write_text("mapping: customer\nsource: Account\n")
    return load_project(tmp_path / "mappings", checked=False)


def table(folder: Path, *rows: dict[str, Any]) -> Path:
    write_deltalake(str(folder / "customer"), pa.Table.from_pylist(list(rows)), mode="overwrite")
    return folder


@pytest.mark.parametrize("row", [TEXTS, TYPED, {**TEXTS, "masterrecordid": ""}])
def test_the_same_values_in_any_form_are_the_same(org: Org, project: Project, tmp_path: Path, row: Any) -> None:
    key = org.insert("Account", FIRST)
    found = prove(org, project, table(tmp_path, {"id": key, **row}))
    assert found == Proof(objects=1, records=1, values=9)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Name", "First"), ("Name", None), ("Revenue__c", "12500000.01"), ("Revenue__c", None), ("Size__c", "8"),
        ("Day__c", "2026-11-16"), ("Active__c", "false"), ("MasterRecordId", "001000000000001AAA"),
        ("SystemModstamp", "2026-11-15T10:30:00.251Z"), ("IsDeleted", True),
    ],
)  # fmt: skip
def test_another_value_is_told(org: Org, project: Project, tmp_path: Path, field: str, value: Any) -> None:
    key = org.insert("Account", FIRST)
    found = prove(org, project, table(tmp_path, {"id": key, **TEXTS, field.lower(): value}))
    assert found.differences == ((f"Account.{field}", f"1 records differ, {key} for one"),)


def test_a_field_that_never_landed_is_told_where_the_org_has_a_value(
    org: Org, project: Project, tmp_path: Path
) -> None:
    key = org.insert("Account", FIRST)
    found = prove(org, project, table(tmp_path, {"id": key, **{k: v for k, v in TEXTS.items() if k != "size__c"}}))
    assert [where for where, _ in found.differences] == ["Account.Size__c"]


def test_a_record_that_is_missing_or_there_twice(org: Org, project: Project, tmp_path: Path) -> None:
    key, other = org.insert("Account", FIRST), org.insert("Account", FIRST)
    row = {"id": key, **TEXTS}
    assert prove(org, project, table(tmp_path, row)).differences == (
        ("Account", f"1 records are not in the table, {other} for one"),
    )
    twice = prove(org, project, table(tmp_path, row, row, {**row, "id": other}))
    assert twice.differences == (("Account", "the table holds a record twice"),)


def test_no_table_is_told_unless_nothing_is_to_be_in_it(org: Org, project: Project, tmp_path: Path) -> None:
    assert prove(org, project, tmp_path).differences == ()
    org.insert("Account", FIRST)
    assert prove(org, project, tmp_path).differences == (("Account", "there is no table customer"),)


def test_what_the_org_has_purged_must_be_deleted_in_the_table(org: Org, project: Project, tmp_path: Path) -> None:
    key, gone = org.insert("Account", FIRST), org.insert("Account", FIRST)
    org.purge("Account", gone)
    rows = {"id": key, **TEXTS}, {"id": gone, **TEXTS}
    alive = prove(org, project, table(tmp_path, *rows))
    assert alive.differences == (("Account", f"1 records live in the table alone, {gone} for one"),)
    marked = prove(org, project, table(tmp_path, rows[0], {**rows[1], "isdeleted": True}))
    assert (marked.differences, marked.purged) == ((), 1)


def test_deleted_and_merged_records_are_counted(org: Org, project: Project, tmp_path: Path) -> None:
    master, loser, other = (org.insert("Account", FIRST) for _ in range(3))
    org.clock.advance(timedelta(seconds=1))  # type: ignore[attr-defined]  # the clock above
    org.merge("Account", master, [loser])
    org.delete("Account", other)
    later = {"systemmodstamp": "2026-11-15T10:30:01.250Z"}
    rows = (
        {"id": master, **TEXTS, **later},
        {"id": loser, **TEXTS, **later, "isdeleted": True, "masterrecordid": master},
        {"id": other, **TEXTS, **later, "isdeleted": True},
    )
    found = prove(org, project, table(tmp_path, *rows))
    assert (found.differences, found.deleted, found.merged) == ((), 2, 1)
