"""Few rows are interpreted, read by one task and upserted anew; many are compiled, shuffled and merged: same outcome."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from e2e.org import ACCOUNT, Org, record
from forceglue.run import context
from forceglue.write import delta_rewrite

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CONTACT = """\
mapping: contact
source: Contact
columns:
  id: Id
  name: {from: Name, type: string}
  amount: {from: Amount, type: "decimal(18,2)"}
  since: {from: Since, type: timestamp}
  day: {from: Since, type: date}
  count: {from: Count, type: int}
  owner: account.name
  loud: {sql: "upper(coalesce(Name, account.name))"}
lookups: {account: {object: Account, by: AccountId}}
quality:
  quarantine: {owned: owner is not null}
  drop: {real: "name not like 'TEST%'"}
  warn: {positive: amount >= 0}
expectations:
  - {expect_column_values_to_be_unique: {column: name}, on_failure: warn}
  - {expect_column_max_to_be_between: {column: amount, max_value: 50}, on_failure: warn}
"""
ALL = """\
mapping: All
from: contact
joins: [{table: account, by: {owner: name}}]
columns: {id: id, name: name, amount: amount, since: since, day: day, account: account.id, twice: {sql: amount * 2}}
key: id
deliver: [csv: {file: all.csv}]
"""
VALUES = ["1.5", "-2", "1,5", "", "12345678901234567.89", "1e2"]
TIMES = ["2024-02-29T13:45:00.000Z", "2024-02-30", "1709214300000", "2024-02-29T13:45:00.000+0000", ""]


def hour(number: int) -> list[dict[str, Any]]:
    """Sixty versions of thirty records, in which much is wrong."""
    return [
        {
            **record(f"00{i % 30:02d}", number * 10 + i // 30, Name=f"{'TEST ' if i % 13 == 0 else ''}n{i % 17}"),
            "Amount": VALUES[i % len(VALUES)],
            "Since": TIMES[i % len(TIMES)],
            "Count": str(i) if i % 7 else "many",
            "AccountId": f"A{i % 5}",
        }
        for i in range(60)
    ]


def outcome(org: Org) -> dict[str, Any]:
    org.say("account", ACCOUNT)
    org.say("contact", CONTACT)
    org.say("all", ALL)
    told = []
    for number in (1, 2):
        org.land(f"e{number}", [record(f"A{i}", number, Name=f"account {i}") for i in range(4)])
        org.land(f"e{number}", hour(number), token="Contact")
        report = org.run()
        assert report.balance
        told.append(
            [
                (m.name, m.status, m.landed, m.written, m.inserted, m.updated, m.superseded, m.dropped, m.quarantined,
                 sorted((r.name, r.passed, r.failed) for r in m.rules), [(e.name, e.success, e.observed) for e in m.expectations])
                for m in report.mappings
            ]
        )  # fmt: skip
    stable = [c for c in org.columns("contact") if c not in ("filename", "aws_request_id", "processed_ts", "run_id")]
    return {
        "told": told,
        "table": org.table("contact", *stable),
        "aside": org.why("contact"),
        "delivered": sorted((org.root / "delivery" / "all.csv").read_text().splitlines()),
    }


def test_the_outcome_does_not_depend_on_how_many_rows_are_many(
    tmp_path: Path, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = outcome(Org(tmp_path / "few", spark))
    monkeypatch.setattr(context, "FEW_ROWS", -1)
    monkeypatch.setattr(delta_rewrite, "SMALL", -1)
    many = outcome(Org(tmp_path / "many", spark))
    assert few["aside"] and few["table"] and len(few["delivered"]) > 5
    assert many == few
