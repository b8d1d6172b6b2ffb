from __future__ import annotations

import pytest

from forceglue.run import deliveries
from run.desk import DATASET, Desk

pytestmark = pytest.mark.usefixtures("spark")


def test_one_large_csv_is_told_with_what_to_use_instead(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.say_dataset(DATASET)
    desk.land("e1", "A,Anna,1,1")
    quiet = desk.run()
    assert [m.warnings for m in quiet.mappings] == [(), ()]
    monkeypatch.setattr(deliveries, "ONE_FILE", 5)
    loud = desk.run(full_refresh=True)
    (said,) = loud.mappings[-1].warnings
    assert said.startswith("named.csv has 0.0 GB: one file is written by one process")
    assert "parquet" in said
    assert loud.status == "succeeded"
    page = (desk.root / "warehouse" / "_runs" / loud.run_id / "report.html").read_text()
    assert "one file is written by one process" in page
