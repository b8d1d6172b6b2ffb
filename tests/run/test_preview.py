from __future__ import annotations

from pathlib import Path

import pytest

from forceglue.errors import UsageError
from forceglue.run.preview import BROKEN, VERDICT, preview
from forceglue.run.runner import run
from run.small_project import everything, land, request, write_project

pytestmark = pytest.mark.usefixtures("spark")
STAMP = {"SystemModstamp": "2024-05-01T10:00:00Z", "IsDeleted": "false"}


@pytest.fixture
def base(tmp_path: Path) -> Path:
    write_project(tmp_path / "mappings")
    land(
        tmp_path, "Account", "e1", [{"Id": "001A", "Name": "Acme", **STAMP}, {"Id": "001B", "Name": "TEST x", **STAMP}]
    )
    deals = [{"Id": f"006{n}", "StageName": "New", "Amount": str(n), "AccountId": "001A", **STAMP} for n in range(5)]
    bad = {"Id": "006X", "StageName": "New", "Amount": "1e", "AccountId": "001X", **STAMP}
    land(tmp_path, "Opportunity", "e1", [*deals, bad, {"Id": "006H", "StageName": "Hidden", **STAMP}])
    return tmp_path


def test_rows_of_the_next_run_and_then_of_the_tables(base: Path) -> None:
    before = everything(base)
    seen = preview(request(base), "deal")
    assert everything(base) == before
    assert seen.origin == "new files"
    rows = {row["id"]: row for row in seen.rows}
    assert set(rows) == {"0060", "0061", "0062", "0063", "0064", "006X"}  # what `where` filters out is not shown
    assert rows["0060"]["account_name"] == "Acme"  # the account has landed and is not loaded yet
    assert (rows["0061"]["amount"], rows["0061"][VERDICT], rows["0061"][BROKEN]) == (1.0, "good", [])
    assert rows["006X"][VERDICT] == "quarantine"
    assert {r["rule"]: r["value"] for r in rows["006X"][BROKEN]}["cast_amount"] == "1e"
    assert len(preview(request(base), "deal", limit=2).rows) == 2
    assert [r["id"] for r in preview(request(base), "deal", only="quarantine").rows] == ["006X"]
    (dropped,) = preview(request(base), "account", only="drop").rows
    assert [r["rule"] for r in dropped[BROKEN]] == ["not_a_test"]

    run(request(base, names=("sales",)))
    before = everything(base)
    table = preview(request(base), "DEAL", limit=3)
    assert (table.origin, len(table.rows), table.rows[0][VERDICT]) == ("table", 3, "good")
    assert preview(request(base), "deal", only="drop").rows == ()
    sales = preview(request(base), "sales")
    assert (sales.origin, len(sales.rows), sales.columns) == ("tables", 5, ("deal", "amount", "name"))
    assert everything(base) == before
    assert preview(request(base), "history").origin == "nothing"


def test_an_object_without_a_mapping_file(base: Path) -> None:
    land(base, "Campaign", "e1", [{"Id": "701A", "Name": "c", **STAMP}])
    (row,) = preview(request(base), "campaign").rows
    assert (row["id"], row["name"]) == ("701A", "c")
    with pytest.raises(UsageError, match="No mapping is named"):
        preview(request(base), "nothing")
