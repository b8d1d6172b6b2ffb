"""The same plan on many executors: other processes, with folders of their own, write what one process writes."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import deltalake
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from e2e.cluster import Cluster, cluster
from e2e.org import TRACE, Org, at, record

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MANY = 40_000
"""Rows from which on a mapping is no longer computed by one task (`FEW_ROWS`)."""
MAPPINGS = {
    "account": """
mapping: account
source: Account
columns: {id: Id, name: Name, region: Region}
target: {deletes: delete}
""",
    "deal": """
mapping: deal
source: Opportunity
columns: {id: Id, stage: StageName, amount: {from: Amount, type: "decimal(10,2)"}, account: account.Name}
lookups: {account: {object: Account, by: AccountId}}
quality: {quarantine: {amount_is_set: amount is not null}}
target: {partition_by: [stage], maintain: {small_files: 1}}
""",
    "lead": """
mapping: lead
source: Lead
columns: {id: Id, status: Status}
target: {write: scd2, track: [status]}
""",
    "log": """
mapping: log
source: Task
columns: {id: Id, text: Subject}
quality: {reject_file: {no_bad_text: "text <> 'BAD'"}}
target: {write: append, maintain: {small_files: 1}}
""",
    "deals": """
mapping: deals
from: deal
joins: [{table: account, by: {account: name}, one: false}]
columns: {Deal: id, Amount: amount, Region: account.region}
expectations: [{expect_column_values_to_not_be_null: {column: Deal}}]
deliver: [{csv: {file: deals.csv}}, {parquet: {folder: deals}}, {delta: {folder: deals_delta}}]
""",
    "totals": """
mapping: totals
from: deals
columns: {deal: Deal, twice: {sql: "Amount * 2"}}
deliver: [{csv: {file: totals.csv}}]
""",
}
TABLES = ("account", "deal", "lead", "log", "campaign", "deals")
NOT_COMPARED = {*TRACE, "_quarantined_at", "_row"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made


def land(org: Org, load: int) -> None:
    for name, text in MAPPINGS.items():
        org.say(name, text)
    hour = load * 2 + 1
    accounts = [record(f"A{n}", hour, Name=f"n{n}", Region="north") for n in range(load, 20)]
    accounts.append(record("A19", hour + 1, Name="gone", IsDeleted="true"))
    org.land(f"a{load}", accounts, file="part.json")
    size = 300 if load else MANY
    for part in range(4 if not load else 1):
        keys = range(part * size // 4, (part + 1) * size // 4)
        amounts = [None if n % 1000 == 7 else str(n) for n in keys]
        # one stage has most of the rows
        stages = [f"s{n % 9}" if n % 10 == 0 else "Won" for n in keys]
        columns = {
            "Id": [f"O{n}" for n in keys], "StageName": stages, "Amount": amounts,
            "AccountId": [f"A{n % 20}" for n in keys], "SystemModstamp": [at(hour)] * len(keys),
            "IsDeleted": ["false"] * len(keys),
        }  # fmt: skip
        org.land(f"o{load}", pa.table(columns), token="Opportunity", file=f"part{part}.parquet")
    leads = [record(f"L{n}", hour, Status="Open" if not load else "Closed") for n in range(5 + load)]
    org.land(f"l{load}", leads, token="Lead")
    for part, text in enumerate(("x", "BAD", "y\nz")):
        org.land(f"t{load}", [record(f"T{load}{part}", hour, Subject=text)], token="Task", file=f"part{part}.csv")
    moment = pa.array([datetime(2024, 1, 1, tzinfo=UTC)], pa.timestamp("ns", "UTC"))
    org.land(
        f"c{load}",
        pa.table({"Id": [f"C{load}"], "At": moment, "SystemModstamp": [at(hour)], "IsDeleted": ["false"]}),
        token="Campaign",
        file="part.parquet",
    )


def rows(path: Path) -> Counter[str]:
    """The rows of a Delta table by a reader that is not Spark, but for what differs from run to run."""
    return plain(deltalake.DeltaTable(str(path)).to_pyarrow_table())


def plain(table: pa.Table) -> Counter[str]:
    kept = sorted(set(table.column_names) - NOT_COMPARED)
    return Counter(repr(row) for row in table.select(kept).to_pylist())


def everything(org: Org) -> dict[str, Any]:
    home = org.root / "warehouse"
    found: dict[str, Any] = {name: rows(home / name) for name in TABLES}
    found |= {f"_quarantine/{p.name}": rows(p) for p in (home / "_quarantine").iterdir()}
    for file in ("deals.csv", "totals.csv"):
        head, *lines = (org.root / "delivery" / file).read_text().splitlines()
        found[file] = (head, Counter(lines))
    parts = sorted((org.root / "delivery" / "deals").glob("*.parquet"))
    found["deals/"] = plain(pa.concat_tables(pq.read_table(p) for p in parts))
    found["deals_delta/"] = rows(org.root / "delivery" / "deals_delta")
    return found


def files(org: Org, name: str) -> int:
    return len(deltalake.DeltaTable(str(org.root / "warehouse" / name)).file_uris())


def words(org: Org, *only: str) -> list[str]:
    roots = [part for name in only for part in (f"--{name}", org.roots[name])]
    return [*roots, "--mappings", str(org.root / "mappings")]


@pytest.mark.slow
def test_executors_elsewhere_write_what_one_process_writes(
    running: Cluster, tmp_path: Path, spark: SparkSession
) -> None:
    here, there = Org(tmp_path / "here", spark), Org(tmp_path / "there", spark)
    for load in (0, 1):
        land(here, load)
        shutil.copytree(here.root / "mappings", there.root / "mappings", dirs_exist_ok=True)
        shutil.copytree(here.root / "landing" / "in", there.root / "landing" / "in", dirs_exist_ok=True)
        assert here.run().status == "succeeded"
        done = running.command("run", "--quick", *words(there, "landing", "warehouse", "delivery"))
        assert done.returncode == 0, done.stdout + done.stderr
        wanted, found = everything(here), everything(there)
        assert {k: sum(v.values()) for k, v in wanted.items() if isinstance(v, Counter)}["deal"] > MANY - 100
        assert sorted(found) == sorted(wanted)
        assert [name for name in wanted if found[name] != wanted[name]] == []
        assert there.leftovers() == []
    before = everything(there)
    assert files(there, "deal") > 9
    done = running.command("maintain", *words(there, "warehouse", "delivery"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert files(there, "deal") == 10  # one a stage
    assert everything(there) == before
    # each command had its executors, one of each worker, and both ended tasks; the driver ended none
    ran = running.tasks()
    assert len(ran) == 3
    assert list(ran.values())[:2] == [{"0", "1"}, {"0", "1"}]
    assert {executor for executors in ran.values() for executor in executors} == {"0", "1"}
    for worker in running.workers:
        assert len(list((worker / "work").glob("app-*/[01]"))) == 3
    # nothing that the driver or a worker wrote lies in a folder that no one named
    assert list(running.home.rglob("*.parquet")) == []
