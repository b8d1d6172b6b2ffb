"""The notebook runs from its first cell to its last on a demo, shows what it promises, and is kept without output."""

from __future__ import annotations

import copy
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbclient import NotebookClient

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from played import Played

ROOT = Path(__file__).parents[2]
EXPLORE = ROOT / "notebooks" / "explore.ipynb"


@pytest.fixture(scope="module")
def explore() -> NotebookNode:
    return nbformat.read(EXPLORE, as_version=4)


def files(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def executed(explore: NotebookNode, played: Played) -> dict[str, str]:
    """What each code cell shows, by the cell's id."""
    before = files(played.folder)
    environment = {
        **os.environ, "FORCEGLUE_DEMO": str(played.folder), "PYTHONPATH": str(ROOT / "glue"), "JUPYTER_PLATFORM_DIRS": "1",
    }  # fmt: skip
    copied = copy.deepcopy(explore)
    NotebookClient(copied, timeout=300, resources={"metadata": {"path": str(EXPLORE.parent)}}).execute(env=environment)
    assert files(played.folder) == before
    return {cell["id"]: "".join(map(shown, cell["outputs"])) for cell in copied["cells"] if cell["cell_type"] == "code"}


def shown(output: dict[str, Any]) -> str:
    told = str(output.get("text") or output.get("data", {}).get("text/plain", ""))
    return re.sub(r"\x1b\[[0-9;]*m", "", told)


def test_it_is_kept_without_output(explore: NotebookNode) -> None:
    code = [cell for cell in explore["cells"] if cell["cell_type"] == "code"]
    assert [cell["id"] for cell in code if cell["outputs"] or cell["execution_count"] is not None] == []
    assert len(code) > 10


def test_landed_files_are_listed_by_object_and_format(executed: dict[str, str]) -> None:
    for said in ("OrderItem", "blng__Invoice__c", "parquet", "csv", "json"):
        assert said in executed["files"]


def test_a_record_that_landed_twice_is_shown(executed: dict[str, str]) -> None:
    assert "Empty" not in executed["often"]
    assert "systemmodstamp" in executed["often"]


def test_the_mapping_and_its_table_are_shown(executed: dict[str, str]) -> None:
    assert "has_account" in executed["text"]
    assert "systemmodstamp" in executed["rows"]
    assert "800" in executed["history"] or "CREATE" in executed["history"]


def test_rows_that_were_set_aside_are_shown_with_their_rule(executed: dict[str, str]) -> None:
    assert "key_is_set" in executed["aside"]
    assert "order_is_known" in executed["aside"]


def test_the_lineage_goes_down_to_salesforce(executed: dict[str, str]) -> None:
    assert "Salesforce Account.Name" in executed["tree"]


def test_the_plan_counts_the_rule_that_the_edit_adds(executed: dict[str, str]) -> None:
    assert "quote_is_known" in executed["counts"]
    assert "Nothing was written" in executed["plan"]
