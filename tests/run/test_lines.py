"""Rows that go into CSV files alone are staged as lines; nobody who reads the files or the report can tell."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from forceglue.run import dataset_run
from forceglue.run.report import MappingReport
from run.desk import Desk, reasons

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forceglue.run.staging import Staged

pytestmark = pytest.mark.usefixtures("spark")

ROWS = ('A,"a;""b",1,1', 'B,"say ""hi; there""",2.5,1', "C,Carl,3,1", "D,Dora,4,1")
NAMED = """\
mapping: Named
from: account
columns: {"Id": id, "The name": name, amount: amount, filename: filename, processed_ts: processed_ts}
where: id <> 'D'
quality:
  quarantine: {short: length(`The name`) < 10}
  warn: {large: amount < 2}
"""
FILES = ["csv: {file: named.csv}", 'csv: {file: other.csv, delimiter: ";", header: false}', "csv: {file: third.csv}"]


def said(*deliveries: str, more: str = "key: Id\n") -> str:
    return f"{NAMED}{more}deliver:\n" + "".join(f"  - {delivery}\n" for delivery in deliveries)


@pytest.fixture
def staged(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[set[str]]]:
    """The columns of each file of good rows that datasets stage."""
    seen: list[set[str]] = []
    real = dataset_run.stage

    def stage(*given: object, **named: object) -> Staged:
        done = real(*given, **named)
        seen.extend(set(file.footer.schema.names) for file in done.files.get("good", ()))
        return done

    monkeypatch.setattr(dataset_run, "stage", stage)
    return seen


def loaded(desk: Desk, text: str) -> MappingReport:
    desk.say_dataset(text)
    desk.land("e1", *ROWS)
    report = desk.run().mappings[-1]
    assert report.status == "written", report.error
    return replace(report, seconds=0, stages={}, deliveries=())


def delivered(desk: Desk) -> dict[str, list[str]]:
    """`{file: lines, sorted}`; the run's own time is another one each time."""
    files = sorted((desk.root / "delivery").glob("*.csv"))
    texts = {file.name: file.read_text().replace(str(desk.root), "") for file in files}
    return {name: sorted(line[:-25] for line in text.splitlines()) for name, text in texts.items()}


def beside(tmp_path: Path) -> tuple[Desk, Desk]:
    return Desk(tmp_path / "lines"), Desk(tmp_path / "columns")


def test_files_quarantine_and_report_are_those_of_columns(tmp_path: Path, staged: list[set[str]]) -> None:
    lines, columns = beside(tmp_path)
    one = loaded(lines, said(*FILES))
    assert "Id" in staged[0]
    assert not {"The name", "amount"} & staged[0]
    other = loaded(columns, said(*FILES, "parquet: {folder: named}"))
    assert {"The name", "amount"} <= staged[-1]
    assert one == other
    assert (one.landed, one.written, one.filtered, one.quarantined) == (4, 2, 1, 1)
    files = delivered(lines)
    assert files == delivered(columns)
    assert len(files["named.csv"]) == len(files["third.csv"]) == 3
    assert [line[:12] for line in files["other.csv"]] == ['A;"a;""b";1.', "C;Carl;3.00;"]
    kept = [(row.record, reasons(row)) for row in lines.aside("Named")]
    assert kept == [(row.record, reasons(row)) for row in columns.aside("Named")] == [("B", ["short", "large"])]
    (aside,) = (lines.root / "warehouse/_quarantine/Named").glob("batch-*/*.parquet")
    (row,) = pq.read_table(aside).to_pylist()
    assert row["filename"].endswith("part.csv")
    assert row["processed_ts"] is not None


@pytest.mark.parametrize(
    ("text", "as_lines"),
    [
        (said(FILES[0], more=""), True),
        (said(FILES[0], more="expectations: [{expect_column_values_to_not_be_null: {column: The name}}]\n"), True),
        (said(FILES[0], more="expectations: [{expect_column_values_to_be_unique: {column: The name}}]\n"), False),
        (said(FILES[0], more="expectations: [{expect_column_mean_to_be_between: {column: amount}}]\n"), False),
        (said("parquet: {folder: named}"), False),
        (NAMED, False),
    ],
    ids=["no key", "counted in the pass", "uniqueness", "of all rows", "another delivery", "no delivery"],
)
def test_lines_are_staged_where_nothing_asks_for_columns(
    desk: Desk, staged: list[set[str]], text: str, as_lines: bool
) -> None:
    report = loaded(desk, text)
    assert ("The name" not in staged[0]) == as_lines
    assert all(expectation.success for expectation in report.expectations)


def test_a_dataset_that_another_reads_is_kept_in_columns(desk: Desk, staged: list[set[str]]) -> None:
    (desk.root / "mappings" / "next.yaml").write_text(
        "mapping: Next\nfrom: Named\ncolumns: {Id: Id, n: The name}\ndeliver: [csv: {file: next.csv}]\n"
    )
    loaded(desk, said(FILES[0]))
    assert any("The name" in columns for columns in staged)
    assert {line.split(",")[0] for line in (desk.root / "delivery/next.csv").read_text().splitlines()} == {
        "Id", "A", "C",
    }  # fmt: skip


def test_a_key_that_is_not_one_stops_the_dataset(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.say_dataset(said(FILES[0]).replace('"Id": id', "Id: {sql: \"'same'\"}").replace("key_", ""))
    desk.land("e1", *ROWS)
    for read_here in (dataset_run.READ_HERE, 0):
        monkeypatch.setattr(dataset_run, "READ_HERE", read_here)
        stopped = desk.run(full_refresh=True).mappings[-1]
        assert (stopped.status, stopped.rules[0].name, stopped.rules[0].failed) == ("stopped", "key_is_unique", 2)
    assert list((desk.root / "delivery").iterdir()) == []
