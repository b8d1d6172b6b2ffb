"""Tables as the runner makes them, read without a JVM: marked rows, named columns, parts, versions, text, deletes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import deltalake
import pyarrow as pa
import pytest

from extract.kit import ACCOUNT, NOW, client
from extract.kit import run as extract
from forceglue.mapping.load import load_project
from forceglue.reconcile.reconciler import reconcile
from forceglue.reconcile.report import Compared
from forceglue.reconcile.request import ReconcileRequest
from forceglue.run.request import RunRequest
from forceglue.run.runner import run
from forceglue.simulated.salesforce import Org, SetClock, serve
from forceglue.write import delta_properties, delta_rewrite
from reconcile.kit import days, total

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TYPED = """\
columns:
  id: Id
  name: Name
  revenue: {from: AnnualRevenue, type: "decimal(18,2)"}
  staff: {from: NumberOfEmployees, type: int}
  created_date: {from: CreatedDate, type: timestamp}
"""
MAPPINGS = {
    "marked": TYPED,
    "text": "",
    "named": TYPED.replace(" revenue:", " Revenue (yearly):").replace(" id:", " Account Id:")
    + "  Industry: Industry\ntarget: {partition_by: [Industry]}\n",
    "versions": TYPED + "target: {write: scd2}\n",
    "picky": TYPED + "quality: {quarantine: {small: staff < 55}}\ntarget: {deletes: delete}\n",
    "few": TYPED + "where: NumberOfEmployees >= 10\n",
}


@dataclass
class Loaded:
    """An org that was extracted and loaded twice, the second time with changes and deletions."""

    root: Path
    org: Any
    server: Any
    clock: SetClock

    def extract_and_run(self) -> None:
        self.clock.advance(timedelta(hours=1))
        report = extract(self.server, self.root / "landing", "Account", project=self.project)
        assert report.status == "succeeded"
        roots = {name: str(self.root / name) for name in ("landing", "warehouse", "delivery")}
        assert run(RunRequest(mappings=self.root / "mappings", **roots, quick=True)).status == "succeeded"

    @property
    def project(self) -> Any:
        return load_project(self.root / "mappings")

    def compare(self, **more: Any) -> dict[str, Compared]:
        roots = {name: str(self.root / name) for name in ("landing", "warehouse")}
        with client(self.server) as org:
            report = reconcile(ReconcileRequest(**roots, project=self.project, **more), org)
        return {one.table: one for one in report.objects}


@pytest.fixture(scope="module")
def loaded(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    root, clock = tmp_path_factory.mktemp("loaded"), SetClock(NOW)
    for name in ("mappings", "landing", "delivery"):
        (root / name).mkdir()
    (root / "mappings" / "project.yaml").write_text("name: small\n")
    for name, text in MAPPINGS.items():
        (root / "mappings" / f"{name}.yaml").write_text(f"mapping: {name}\nsource: Account\nrefresh: never\n{text}")
    with Org(clock=clock) as org, pytest.MonkeyPatch.context() as patched:
        patched.setattr(delta_properties, "LARGE", 1)
        patched.setattr(delta_rewrite, "SMALL", 0)
        org.define(ACCOUNT)
        org.access.add_app("app", "app-secret", run_as="integration@example.com")
        org.load("Account", days(60))
        with serve(org) as running:
            made = Loaded(root, org, running, clock)
            made.extract_and_run()
            keys = [row["Id"] for row in org.rows("Account", ["Id"])]
            for key in keys[20:25]:
                org.update("Account", key, {"AnnualRevenue": "12345.67"})
            org.delete("Account", keys[30])
            org.insert("Account", {"Name": "new", "AnnualRevenue": "1", "NumberOfEmployees": 12, "Industry": "Foods"})
            made.extract_and_run()
            yield made


def test_the_tables_are_of_every_kind(loaded: Loaded) -> None:
    def opened(name: str) -> deltalake.DeltaTable:
        return deltalake.DeltaTable(str(loaded.root / "warehouse" / name))

    assert pa.table(opened("marked").deletion_vectors()).num_rows
    assert opened("named").metadata().configuration["delta.columnMapping.mode"] == "name"
    assert opened("named").metadata().partition_columns == ["Industry"]


@pytest.mark.parametrize("name", ["marked", "text", "named", "versions"])
def test_tables_that_hold_what_the_org_holds_are_equal(loaded: Loaded, name: str) -> None:
    one = loaded.compare()[name]
    assert (one.status, one.by_day, total(one).org, one.error) == ("equal", True, 60, None), one
    assert {"AnnualRevenue", "NumberOfEmployees"} <= {t.measure for t in one.totals}


def test_what_was_set_aside_and_what_the_mapping_leaves_out_is_told_with_its_number(loaded: Loaded) -> None:
    found = loaded.compare()
    assert found["picky"].status == "explained" and total(found["picky"]).explained == {"quarantined": 5}
    assert total(found["picky"], "NumberOfEmployees").explained == {"quarantined": sum(range(55, 60))}
    assert found["few"].status == "explained" and total(found["few"]).explained == {"left_out": 10}


def test_all_ids_of_them(loaded: Loaded) -> None:
    found = {name: one.ids for name, one in loaded.compare(ids=True).items()}
    missing = {name: ids.found if ids else None for name, ids in found.items()}
    assert missing == {
        "marked": {}, "text": {}, "named": {}, "versions": {}, "picky": {"missing": {"quarantined": 5}},
        "few": {"missing": {"left_out": 10}},
    }  # fmt: skip
