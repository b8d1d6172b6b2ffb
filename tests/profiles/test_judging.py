"""What becomes of a record: the row, or every reason why it does not go on; in the order of a mapping."""

from __future__ import annotations

from typing import Any

import pytest

from forceglue.profiles.judging import Judge, Verdict
from forceglue.profiles.reading import Position, Record
from forceglue.profiles.reasons import FileReason, FileRefused, RowReason
from profiles.kit import SMALL, profile

GOOD = {"ID": "1", "Name": "a", "Amount": "2.5"}


def judged(cells: dict[str, str | None], **more: Any) -> Verdict:
    return Judge(profile(**more)).judge(Record(7, cells, Position()))


def why(verdict: Verdict) -> list[dict[str, str]]:
    return [reason.told() for reason in verdict.reasons]


def test_a_good_row_has_the_columns_of_the_profile() -> None:
    mappings = SMALL["mappings"] | {"origin": {"value": "x"}, "one": {"value": 1, "type": "int"}, "later": None}
    row = judged(GOOD, mappings=mappings).row
    assert row == {"id": "1", "name": "a", "amount": "2.50", "origin": "x", "one": 1, "later": None}


def test_every_reason_is_told_and_no_value() -> None:
    quality = {"quarantine": {"name_is_short": "length(name) < 3", "amount_is_there": "amount is not null"}}
    verdict = judged({"ID": None, "Name": "much too long", "Amount": "12.345"}, key="id", quality=quality)
    assert verdict.row is None
    assert why(verdict) == [
        {"code": "cast", "column": "amount"},
        {"code": "key_missing", "column": "id"},
        {"code": "rule", "rule": "name_is_short"},
        {"code": "rule", "rule": "amount_is_there"},
    ]


def test_unknown_counts_as_broken_unless_the_rule_lets_it_pass() -> None:
    cells = {**GOOD, "Amount": None}
    assert why(judged(cells, quality={"quarantine": {"r": "amount > 0"}})) == [{"code": "rule", "rule": "r"}]
    passing = {"quarantine": {"r": {"sql": "amount > 0", "nulls": "pass"}}}
    assert judged(cells, quality=passing).row is not None


def test_a_row_that_is_dropped_is_not_judged_further() -> None:
    quality = {"drop": {"is_real": "id <> '1'"}, "reject_file": {"never": "1 = 2"}}
    verdict = judged(GOOD, quality=quality)
    assert (verdict.row, verdict.reasons, verdict.dropped) == (None, (), ("is_real",))


@pytest.mark.parametrize("severity", ["fail", "reject_file"])
def test_one_row_may_set_the_whole_file_aside(severity: str) -> None:
    with pytest.raises(FileRefused, match="line 7 breaks is_two") as refused:
        judged(GOOD, quality={severity: {"is_two": "id = '2'"}})
    assert refused.value.code is FileReason.RULE_BROKEN


def test_a_warning_stops_nothing() -> None:
    verdict = judged(GOOD, quality={"warn": {"is_two": "id = '2'"}})
    assert verdict.row is not None and verdict.warned == ("is_two",)


@pytest.mark.parametrize(
    ("severity", "reasons", "row", "dropped"),
    [("quarantine", 1, False, ()), ("drop", 0, False, ("amount",)), ("warn", 0, True, ())],
)
def test_what_becomes_of_a_value_that_does_not_fit(
    severity: str, reasons: int, row: bool, dropped: tuple[str, ...]
) -> None:
    verdict = judged({**GOOD, "Amount": "x"}, on_cast_error=severity)
    assert (len(verdict.reasons), verdict.row is not None, verdict.dropped) == (reasons, row, dropped)
    if verdict.row is not None:
        assert verdict.row["amount"] is None and verdict.warned == ("amount",)


def test_a_column_that_is_not_required_may_be_missing() -> None:
    verdict = judged({"ID": "1"}, parserId="jsonl", requiredColumns=["id"])
    assert verdict.row == {"id": "1", "name": None, "amount": None}


def test_json_lines_must_have_what_is_required_each() -> None:
    verdict = judged({"ID": "1"}, parserId="jsonl", requiredColumns=["ID", "Amount"])
    assert why(verdict) == [{"code": "column_missing", "column": "Amount"}]


def test_lines_of_other_names_are_looked_up_anew() -> None:
    judge = Judge(profile(parserId="jsonl", requiredColumns=[]))
    rows = [judge.judge(Record(1, cells, Position())).row for cells in ({"id": "1"}, {"Amount": "2", "ID": "3"}, {})]
    assert [row and (row["id"], row["amount"]) for row in rows] == [("1", None), ("3", "2.00"), (None, None)]


def test_what_could_not_be_read_is_told_as_such() -> None:
    verdict = Judge(profile()).judge(Record(3, {}, Position(), RowReason.CELL_COUNT))
    assert why(verdict) == [{"code": "cell_count"}]


def test_blanks_alone_are_no_value() -> None:
    row = judged({**GOOD, "Amount": "   "}).row
    assert row is not None and row["amount"] is None
