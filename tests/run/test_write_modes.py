"""Each way of writing, from files to the table, by whole runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from run.lab import Lab, balanced, stamp

pytestmark = pytest.mark.usefixtures("spark")


def mapping(write: str, *more: str) -> str:
    return "\n".join(["mapping: account", "source: Account", f"target: {{write: {write}}}", *more])


def rows(*versions: tuple[str, int, str]) -> list[dict[str, str]]:
    return [{"Id": key, "SystemModstamp": stamp(at), "V": v, "IsDeleted": "false"} for key, at, v in versions]


def test_append_keeps_every_row_of_every_load(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.mapping(mapping("append"))
    lab.land("Account", rows(("1", 1, "a"), ("1", 1, "a"), ("2", 1, "b")))
    assert lab.one("account").written == 3
    lab.land("Account", rows(("1", 0, "c")), "csv")
    told = lab.one("account")
    assert (told.written, told.superseded, balanced(told)) == (1, 0, True)
    assert lab.rows("account", "id", "v") == [("1", "a"), ("1", "a"), ("1", "c"), ("2", "b")]
    assert lab.one("account").status == "unchanged"


def test_replace_holds_the_last_load_alone(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.mapping(mapping("replace"))
    lab.land("Account", rows(("1", 9, "a"), ("2", 1, "b")))
    lab.run()
    lab.land("Account", rows(("3", 1, "c")))
    lab.land("Account", rows(("4", 1, "d"), ("4", 2, "e")))
    told = lab.one("account")
    assert (told.landed, told.written, told.superseded, balanced(told)) == (3, 1, 2, True)
    assert lab.rows("account", "id", "v") == [("4", "e")]


def test_a_snapshot_is_dated_and_holds_the_latest_versions_of_its_load(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.mapping(mapping("snapshot"))
    for load in (rows(("1", 1, "a"), ("1", 2, "b")), rows(("1", 2, "b"), ("2", 1, "c"))):
        lab.land("Account", load)
        assert balanced(lab.one("account"))
    found = lab.rows("account", "snapshot_at", "id", "v")
    assert [row[1:] for row in found] == [("1", "b"), ("1", "b"), ("2", "c")]
    assert len({row[0] for row in found}) == 2


def test_a_reject_file_rule_sets_aside_its_file_and_no_other(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.mapping(
        mapping(
            "upsert",
            "quality: {reject_file: {\"it's good\": v <> 'bad'}, drop: {known: v <> 'drop'}, warn: {small: length(v) < 2}}",
        )
    )
    lab.land("Account", rows(("1", 1, "a"), ("2", 1, "long")))
    lab.land("Account", rows(("1", 2, "b"), ("3", 1, "bad"), ("4", 1, "drop")), "csv")
    lab.land("Account", rows(("5", 1, "c")), "parquet")
    told = lab.one("account")
    assert (told.status, told.written, told.quarantined, told.dropped, balanced(told)) == ("written", 3, 2, 1, True)
    assert lab.rows("account", "id", "v") == [("1", "a"), ("2", "long"), ("5", "c")]
    aside = lab.aside("account")
    assert [
        (row["_record_key"], [r["rule"] for r in row["_reasons"]])
        for row in sorted(aside, key=lambda r: r["_record_key"])
    ] == [
        ("1", ["file_is_accepted"]),
        ("3", ["file_is_accepted", "it's good", "small"]),
    ]
    assert {r.name: (r.severity, r.failed) for r in told.rules}["small"][0] == "warn"


@pytest.mark.parametrize("how", ["rule", "cast"])
def test_a_fail_writes_nothing_and_the_files_wait(tmp_path: Path, how: str) -> None:
    lab = Lab(tmp_path)
    gate = {
        "rule": "quality: {fail: {good: v <> 'bad'}}",
        "cast": "on_cast_error: fail\ncolumns: {id: Id, v: {from: V, type: int}}",
    }[how]
    lab.mapping(mapping("upsert", gate))
    good, bad = ("7", "bad") if how == "cast" else ("ok", "bad")
    lab.land("Account", rows(("1", 1, good), ("2", 1, bad)))
    told = lab.one("account")
    assert (told.status, told.held) == ("stopped", 2)
    assert not (tmp_path / "W/account/_delta_log").exists()
    assert list((tmp_path / "W/account").rglob("*.parquet")) == []
    lab.land("Account", rows(("2", 2, good)))
    assert lab.one("account").written == 2


def test_times_before_1900_odd_names_and_short_records_are_loaded_like_all_others(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.mapping(
        "mapping: account\nsource: Account\nrest: keep\ncolumns: {id: Id, at: {from: At, type: timestamp}, day: {from: Day, type: date}}"
    )
    text = "Id,At,Day,${env:HOME}\r\n1,1700-01-01T00:00:00Z,0001-01-01,x\r\n2,1899-12-31T00:00:00.000Z\r\n"
    lab.land("Account", text, "csv")
    told = lab.one("account")
    assert (told.status, told.written, told.error) == ("written", 2, None)
    found = lab.rows("account", "id", "at", "day")
    assert [(key, at.year, day and day.year) for key, at, day in found] == [("1", 1700, 1), ("2", 1899, None)]
