"""The rows of an object mapping: order of work, lookups, columns, rules, and what a row that is set aside takes along."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from forceglue.errors import UsageError
from forceglue.transform.ids import long_id
from forceglue.transform.trace import TRACE
from transform.kit import Row, write
from transform.objects import STARTED, prepared, verdicts

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

A, B, C = "001A0000006Vm9r", "001A0000006Vm9R", "001A0000006Vm9s"
T = "2024-05-06T00:00:0{}.000Z"


def landing(tmp_path: Path, *loads: Sequence[Row], ending: str = "json") -> list[Path]:
    return [write(tmp_path / f"{n}.{ending}", rows) for n, rows in enumerate(loads)]


def people(spark: SparkSession) -> DataFrame:
    rows = [(long_id(A), "Ann", 1), (long_id(B), "Bob", 2), (None, "Null", 3)]
    return spark.createDataFrame(rows, "id string, name string, level int").coalesce(1)


def test_latest_version_first_then_where_and_rules(spark: SparkSession, tmp_path: Path) -> None:
    """A broken old version is no row any more, and a filtered newest one does not let an old one through."""
    paths = landing(
        tmp_path,
        [
            {"Id": A, "Name": None, "Kind": "x", "SystemModstamp": T.format(1)},
            {"Id": B, "Name": "b", "Kind": "x", "SystemModstamp": T.format(1)},
        ],
        [
            {"Id": long_id(A), "Name": "a", "Kind": "x", "SystemModstamp": T.format(2)},
            {"Id": B, "Name": "b", "Kind": "y", "SystemModstamp": T.format(2)},
        ],
        [{"Id": C, "Name": None, "Kind": "y", "SystemModstamp": T.format(1)}],
    )
    made = prepared(spark, {"where": "Kind = 'x'", "quality": {"fail": {"named": "name is not null"}}}, paths)
    assert verdicts(made, "id", "name") == [
        ("filtered", long_id(B), "b"),
        ("filtered", long_id(C), None),
        ("good", long_id(A), "a"),
    ]


def test_a_text_that_no_rule_asks_for_stands_in_the_rows_once_until_the_last_step(
    spark: SparkSession, tmp_path: Path
) -> None:
    """An object has hundreds of such fields, and each step copies every row."""
    rows = [
        {"Id": A, "Name": "a", "Other": "", "SystemModstamp": T.format(1)},
        {"Id": B, "Name": "", "Other": "o", "SystemModstamp": T.format(1)},
    ]
    quality = {"quarantine": {"named": "name is not null"}}
    made = prepared(spark, {"quality": quality}, landing(tmp_path, rows, ending="parquet"))
    assert verdicts(made, "id", "name", "other") == [
        ("good", long_id(A), "a", None),
        ("quarantine", long_id(B), None, "o"),
    ]
    plan = made.frame._jdf.queryExecution().optimizedPlan().toString()
    steps = [line for line in plan.splitlines() if "Project" in line]
    assert ["AS other#" in line for line in steps if "__f_other#" in line] == [True, False, False], plan


def test_append_keeps_every_row(spark: SparkSession, tmp_path: Path) -> None:
    rows = [{"Id": A, "SystemModstamp": T.format(1)}] * 3
    made = prepared(spark, {"target": {"write": "append"}}, landing(tmp_path, rows, rows), dedupe=False)
    assert len(verdicts(made)) == 6


def test_lookups_add_columns_and_never_rows(spark: SparkSession, tmp_path: Path) -> None:
    rows = [
        {"Id": "1", "OwnerId": A, "BossId": long_id(B)},
        {"Id": "2", "OwnerId": long_id(A), "BossId": None},
        {"Id": "3", "OwnerId": "", "BossId": "nobody"},
        {"Id": "4", "OwnerId": C, "BossId": A},
    ]
    mapping = {
        "lookups": {
            "owner": {"object": "User", "by": "OwnerId"},
            "boss": {"object": "User", "by": "bossid"},
            "gone": {"object": "User", "by": "Nope"},
        },
        "columns": {
            "id": "Id",
            "owner": "owner.name",
            "boss": "boss.name",
            "never": "boss.never_there",
            "both": {"sql": "concat_ws('+', owner.name, Boss.Name, gone.name)"},
            "cases": {"sql": "concat(Owner.NAME, OWNER.name, ownerid, OwnerId, owner_id, OWNER_ID)"},
            "said": "Owner.Name",
            "level": {"from": "owner.level", "type": "decimal(5,1)"},
        },
        "where": "coalesce(boss.level, 0) <> 1",
        "rest": "ignore",
    }
    made = prepared(
        spark, mapping, landing(tmp_path, rows), tables=dict.fromkeys(("owner", "boss", "gone"), people(spark))
    )
    assert verdicts(made, "id", "owner", "boss", "never", "both", "level", "said") == [
        ("filtered", "4", None, "Ann", None, "Ann", None, None),
        ("good", "1", "Ann", "Bob", None, "Ann+Bob", Decimal("1.0"), "Ann"),
        ("good", "2", "Ann", None, None, "Ann", Decimal("1.0"), "Ann"),
        ("good", "3", None, None, None, "", None, None),
    ]
    assert ("good", "1", "AnnAnn" + A * 4) in verdicts(made, "id", "cases")


def test_columns_of_every_origin(spark: SparkSession, tmp_path: Path) -> None:
    rows = [
        {"Id": "1", "First Name": "Ann", "Amount__c": "1.50", "Extra": "kept", "Secret": "s3cret", "IsDeleted": "false"}
    ]
    mapping = {
        "columns": [
            {
                "key": "Id",
                "given": "first name",
                "loud": {"sql": "upper(`First Name`)"},
                "twice": {"sql": "try_cast(Amount__c AS double) * 2", "type": "decimal(10,2)"},
                "bad": {"sql": "`First Name`", "type": "int"},
                "source": {"value": "it's \\ ${HOME}"},
                "seven": {"value": 7, "type": "bigint"},
                "yes": {"value": True, "type": "boolean"},
                "nothing": None,
                "absent": {"from": "Not_There__c", "type": "date"},
                "absent_sql": {"sql": "coalesce(Not_There_Either__c, 'none')"},
            },
            {"empty": ["void one", "void.two"]},
        ],
        "rest": "keep",
        "never_read": ["SECRET"],
    }
    made = prepared(spark, mapping, landing(tmp_path, rows))
    row = made.frame.selectExpr(*(f"`{c}`" for c in made.columns)).first()
    assert row is not None
    got = {c: v for c, v in row.asDict().items() if c not in TRACE}
    assert got == {
        "key": "1", "given": "Ann", "loud": "ANN", "twice": Decimal("3.00"), "bad": None, "source": "it's \\ ${HOME}", "seven": 7,
        "yes": True, "nothing": None, "absent": None, "absent_sql": "none", "void one": None, "void.two": None,
        "amount__c": "1.50", "extra": "kept", "is_deleted": False,
    }  # fmt: skip
    assert made.columns[-len(TRACE) :] == TRACE


SEVERITIES = {
    "quality": {
        "fail": {"f": "v <> 'fail'"},
        "reject_file": {"r": "v <> 'reject'"},
        "quarantine": {"q": "v <> 'quarantine'", "p": {"sql": "n > 0", "nulls": "pass"}},
        "drop": {"d": "v NOT LIKE '%drop'"},
        "warn": {"w": "v <> 'warn'"},
    },
    "columns": {"id": "Id", "v": "V", "n": {"from": "N", "type": "int"}},
}


def test_the_five_severities_and_nulls(spark: SparkSession, tmp_path: Path) -> None:
    given = ["ok", "fail", "reject", "quarantine", "drop", "warn", None]
    rows = [{"Id": f"{i}", "V": v, "N": None} for i, v in enumerate(given)]
    rows += [{"Id": "7", "V": "ok", "N": "-1"}, {"Id": "8", "V": "drop", "N": "x"}, {"Id": None, "V": "ok", "N": "1"}]
    made = prepared(spark, SEVERITIES, landing(tmp_path, rows))
    found = {row["id"]: row for row in made.frame.collect()}
    assert {key: row["forceglue_verdict"] for key, row in found.items()} == {
        "0": "good", "1": "fail", "2": "quarantine", "3": "quarantine", "4": "drop", "5": "good", "6": "drop", "7": "quarantine",
        "8": "drop", None: "quarantine",
    }  # fmt: skip
    reasons = {key: [r["rule"] for r in row["_reasons"] or ()] for key, row in found.items()}
    assert reasons["2"] == ["r"]
    assert reasons["7"] == ["p"]
    assert reasons[None] == ["key_is_set"]
    assert found["0"]["_raw"] is None
    assert found["0"]["_reasons"] is None
    assert json.loads(found["7"]["_raw"]) == {"Id": "7", "V": "ok", "N": "-1"}
    assert found["7"]["_quarantined_at"].timestamp() is not None
    assert found["7"]["_record_key"] == "7"


@pytest.mark.parametrize(
    ("severity", "verdict"),
    [("quarantine", "quarantine"), ("drop", "drop"), ("warn", "good"), ("fail", "fail"), ("reject_file", "quarantine")],
)
def test_what_a_value_that_does_not_cast_does(spark: SparkSession, tmp_path: Path, severity: str, verdict: str) -> None:
    rows = [{"Id": "1", "N": "seven"}, {"Id": "2", "N": "7"}, {"Id": "3", "N": " "}, {"Id": "4", "N": None}]
    mapping = {"on_cast_error": severity, "columns": {"id": "Id", "n": {"from": "N", "type": "int"}}}
    made = prepared(spark, mapping, landing(tmp_path, rows))
    assert sorted(verdicts(made, "id", "n")) == sorted(
        [(verdict, "1", None), ("good", "2", 7), ("good", "3", None), ("good", "4", None)]
    )
    assert [(c.name, c.severity) for c in made.checks if c.name == "cast_n"] == [("cast_n", severity)]


def test_an_order_that_is_none_and_keys_that_are_none_are_set_aside_all(spark: SparkSession, tmp_path: Path) -> None:
    rows = [
        {"Id": "1", "SystemModstamp": "2026-02-30T00:00:00Z"},
        {"Id": "1", "SystemModstamp": T.format(1)},
        {"Id": "1", "SystemModstamp": "soon"},
        {"Id": " ", "SystemModstamp": T.format(1)},
        {"Id": None, "SystemModstamp": T.format(1)},
    ]
    made = prepared(spark, {}, landing(tmp_path, rows))
    told = [
        (row["forceglue_verdict"], *((r["rule"], r["value"]) for r in row["_reasons"] or ()))
        for row in made.frame.collect()
    ]
    assert sorted(told, key=repr) == sorted(
        [
            ("good",),
            ("quarantine", ("order_is_known", "2026-02-30T00:00:00Z")),
            ("quarantine", ("order_is_known", "soon")),
            ("quarantine", ("key_is_set", None)),
            ("quarantine", ("key_is_set", None)),
        ],
        key=repr,
    )


def test_a_rejected_file_is_set_aside_whole_and_competes_with_nobody(spark: SparkSession, tmp_path: Path) -> None:
    paths = landing(
        tmp_path,
        [{"Id": "1", "V": "old", "SystemModstamp": T.format(1)}],
        [{"Id": "1", "V": "x", "SystemModstamp": T.format(2)}, {"Id": "1", "V": "y", "SystemModstamp": T.format(3)}],
    )
    made = prepared(spark, {"quality": {"reject_file": {"r": "v = 'old'"}}}, paths, rejected=frozenset({1}))
    assert verdicts(made, "v") == [("good", "old"), ("quarantine", "x"), ("quarantine", "y")]
    assert {r["rule"] for row in made.frame.collect() for r in row["_reasons"] or ()} == {"r", "file_is_accepted"}


def test_deleted_records_are_gone_or_stay(spark: SparkSession, tmp_path: Path) -> None:
    rows = [{"Id": "1", "IsDeleted": "1"}, {"Id": "2", "IsDeleted": "false"}, {"Id": "3", "IsDeleted": None}]
    paths = landing(tmp_path, rows)
    assert verdicts(prepared(spark, {}, paths, drop_deleted=True), "id") == [
        ("gone", "1"),
        ("good", "2"),
        ("good", "3"),
    ]
    assert verdicts(prepared(spark, {}, paths), "id", "is_deleted") == [
        ("good", "1", True),
        ("good", "2", False),
        ("good", "3", None),
    ]


@pytest.mark.parametrize("many", [61, 125])
def test_more_rules_than_a_mask_has_bits(spark: SparkSession, tmp_path: Path, many: int) -> None:
    rules = {f'it\'s "{n}" \\ `ü`': f"id <> '{n}'" for n in range(many)}
    rows = [{"Id": f"{n}"} for n in (0, 59, 60, many - 1, 999)]
    made = prepared(spark, {"quality": {"quarantine": rules}}, landing(tmp_path, rows))
    told = {row["id"]: [r["rule"] for r in row["_reasons"] or ()] for row in made.frame.collect()}
    names = list(rules)
    assert told == {"0": [names[0]], "59": [names[59]], "60": [names[60]], f"{many - 1}": [names[-1]], "999": []}


def test_two_loads_of_different_form_meet(spark: SparkSession, tmp_path: Path) -> None:
    """Typed Parquet and text of the same object: the same record, the newer of both, the same values."""
    table = pa.table(
        {"Id": [A, B], "Amount": pa.array([Decimal("1.10"), None], pa.decimal128(18, 2)), "On": [True, False]}
    )
    paths = [
        write(tmp_path / "1.parquet", table),
        write(tmp_path / "2.csv", [{"ID": long_id(A), "AMOUNT": "2.20", "ON": "0"}]),
    ]
    mapping = {
        "columns": {
            "id": "Id",
            "amount": {"from": "Amount", "type": "decimal(18,2)"},
            "on": {"from": "On", "type": "boolean"},
        }
    }
    assert verdicts(prepared(spark, mapping, paths), "id", "amount", "on") == [
        ("good", long_id(B), None, False),
        ("good", long_id(A), Decimal("2.20"), False),
    ]


def test_scd2_and_snapshot_columns(spark: SparkSession, tmp_path: Path) -> None:
    rows = [{"Id": "1", "SystemModstamp": T.format(7)}, {"Id": "2", "SystemModstamp": None}]
    made = prepared(spark, {"target": {"write": "scd2"}}, landing(tmp_path, rows))
    got: list[Any] = (
        made.frame.selectExpr("id", "unix_seconds(valid_from)", "valid_to", "is_current").orderBy("id").collect()
    )
    assert [tuple(r) for r in got] == [("1", 1714953607, None, True), ("2", 1714996800, None, True)]
    made = prepared(spark, {"target": {"write": "snapshot"}}, landing(tmp_path, rows))
    assert {r[0] for r in made.frame.selectExpr("unix_seconds(snapshot_at)").collect()} == {int(STARTED.timestamp())}


def test_a_key_that_no_file_has_is_told(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the key field Id is in none of the files"):
        prepared(spark, {}, [write(tmp_path / "a.csv", "Name\nx\n")])
