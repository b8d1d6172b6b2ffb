"""A lookup by another field than the key: several records may share it, and rows are still not multiplied."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from deltalake import DeltaTable

from forceglue.run.request import RunRequest
from forceglue.run.runner import run

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession


def test_two_records_with_one_looked_up_value_give_one_row(spark: SparkSession, tmp_path: Path) -> None:
    for name, rows in {
        "Account": [["Id", "Code__c", "Name"], ["001A", "x", "first"], ["001B", "x", "second"]],
        "Opportunity": [["Id", "Account_Code__c"], ["006A", "x"], ["006B", "y"], ["006C", ""]],
    }.items():
        (tmp_path / "landing").mkdir(exist_ok=True)
        with (tmp_path / "landing" / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows(rows)
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "account.yaml").write_text("mapping: account\nsource: Account\n")
    (tmp_path / "mappings" / "opportunity.yaml").write_text(
        "mapping: opportunity\nsource: Opportunity\n"
        "columns: {id: Id, account_name: account.Name}\n"
        "lookups: {account: {object: Account, by: Account_Code__c, key: Code__c}}\n"
    )
    roots = [str(tmp_path / root) for root in ("landing", "warehouse", "delivery")]
    report = run(RunRequest(tmp_path / "mappings", *roots, quick=True))
    assert report.status == "succeeded", [m.error for m in report.mappings]
    rows = DeltaTable(str(tmp_path / "warehouse" / "opportunity")).to_pyarrow_table(columns=["id", "account_name"])
    assert {r["id"]: r["account_name"] for r in rows.to_pylist()} == {"006A": "second", "006B": None, "006C": None}
