from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from forceglue.cli.docs import docs, lineage

if TYPE_CHECKING:
    from pathlib import Path


def call(command: object, folder: Path, *words: object) -> Result:
    return CliRunner().invoke(command, [*map(str, words), "--mappings", str(folder)], catch_exceptions=False)


def test_docs_writes_a_folder_and_says_where(folder: Path, tmp_path: Path) -> None:
    result = call(docs, folder, "--out", tmp_path / "out")
    assert result.exit_code == 0
    assert result.output.endswith(f"Open {tmp_path / 'out' / 'index.html'}\n")
    assert {p.name for p in (tmp_path / "out").iterdir()} == {
        "index.html",
        "columns.html",
        "search.js",
        "objects",
        "datasets",
    }


def test_docs_into_a_place_that_is_a_file(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    result = call(docs, folder, "--out", tmp_path / "taken" / "below")
    assert result.exit_code == 2
    assert "name another folder with --out" in result.output


def test_lineage_of_a_column_is_a_tree(folder: Path) -> None:
    result = call(lineage, folder, "sales.both")
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "Sales.Both  = concat(type, creator.name)",
        "├── order.type",
        "│   └── Salesforce Order.Type",
        "└── user.name  left join creator on created_by_id = creator.id",
        "    └── Salesforce User.Name",
    ]


@pytest.mark.parametrize(("column", "leaf"), [("System", "└── constant SF"), ("Tax", "└── nothing feeds it")])
def test_lineage_of_what_no_field_feeds(folder: Path, column: str, leaf: str) -> None:
    assert call(lineage, folder, f"Sales.{column}").output.splitlines()[1] == leaf


def test_lineage_of_a_mapping_is_a_line_a_column(folder: Path) -> None:
    assert call(lineage, folder, "Sales").output.splitlines() == [
        "Sales.Order_ID  ←  Order.Id",
        "Sales.Kind  ←  Order.Type",
        "Sales.Creator  ←  User.Name",
        "Sales.Both  ←  Order.Type, User.Name",
        "Sales.System  ←  constant SF",
        "Sales.Tax  ←  nothing feeds it",
    ]


def test_lineage_of_everything_has_every_mapping(folder: Path) -> None:
    lines = call(lineage, folder).output.splitlines()
    assert {line.partition(".")[0] for line in lines} == {"order", "user", "case", "Sales"}


def test_lineage_as_json(folder: Path) -> None:
    tree = json.loads(call(lineage, folder, "Sales.Creator", "--json").output)
    assert tree["inputs"][0]["inputs"] == [{"kind": "field", "name": "User.Name"}]
    every = json.loads(call(lineage, folder, "--json").output)
    assert list(every) == ["case", "order", "user", "Sales"]
    assert every["Sales"][2] == tree


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("Salse", 'did you mean "Sales"'),
        ("Sales.Order_Id2", 'did you mean "Order_ID"'),
        ("nothing.like.it", "No mapping is named"),
    ],
)
def test_an_unknown_name_is_exit_code_2_with_the_nearest(folder: Path, target: str, said: str) -> None:
    result = call(lineage, folder, target)
    assert result.exit_code == 2
    assert said in result.output


def test_wrong_mappings_and_words_are_exit_code_2(folder: Path) -> None:
    (folder / "objects" / "bad.yaml").write_text("mapping: bad\nsource: Bad\ncolour: green\n")
    result = call(lineage, folder)
    assert result.exit_code == 2
    assert "objects/bad.yaml:3" in result.output
    assert call(lineage, folder, "--param", "x").exit_code == 2
    assert call(lineage, folder / "gone").exit_code == 2
