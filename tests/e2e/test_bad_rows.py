"""Rows that are not what they should be: each is in the table, superseded, or in quarantine with its reasons."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from e2e.org import ACCOUNT, Org, csv_text, only, record
from forceglue.transform.ids import long_id

STAMPS = {
    "2024-05-06T07:08:09.123Z": datetime(2024, 5, 6, 7, 8, 9, 123000),
    "2024-05-06T07:08:09.123+0000": datetime(2024, 5, 6, 7, 8, 9, 123000),
    "2024-05-06T07:08:09Z": datetime(2024, 5, 6, 7, 8, 9),
    "2024-05-06T07:08:09+02:00": datetime(2024, 5, 6, 5, 8, 9),
    "2024-05-06 07:08:09": datetime(2024, 5, 6, 7, 8, 9),
    "2024-05-06": datetime(2024, 5, 6),
    "1714979289123": datetime(2024, 5, 6, 7, 8, 9, 123000),
    "2024-02-29T00:00:00.000Z": datetime(2024, 2, 29),
    "1700-01-01T00:00:00.000Z": datetime(1700, 1, 1),
    "9999-12-31T23:59:59.999Z": datetime(9999, 12, 31, 23, 59, 59, 999000),
}
IMPOSSIBLE = [
    "2024-02-30T00:00:00.000Z",
    "2023-02-29",
    "2024-13-01T00:00:00Z",
    "2024-05-06T25:00:00Z",
    "yesterday",
    "06/05/2024",
    "0000-00-00",
    "12:30",
]
DECIMALS = {
    "1.5": "1.50",
    "0": "0.00",
    "-99999999.99": "-99999999.99",
    "1.50000": "1.50",
    "1e3": "1000.00",
    " 7 ": "7.00",
}
TOO_MANY = ["1.234", "100000000", "99999999.999", "1e9", "1e-3", "NaN", "Infinity", "1,000.00", "$5"]


def test_times_and_decimals_in_every_form(org: Org) -> None:
    org.say("account", ACCOUNT + '  t: {from: T, type: timestamp}\n  d: {from: D, type: "decimal(10,2)"}\n')
    rows = [record(f"t{i:02d}", 1, T=stamp) for i, stamp in enumerate(STAMPS)]
    rows += [record(f"u{i:02d}", 1, T=stamp) for i, stamp in enumerate(IMPOSSIBLE)]
    rows += [record(f"v{i:02d}", 1, D=number) for i, number in enumerate(DECIMALS)]
    rows += [record(f"w{i:02d}", 1, D=number) for i, number in enumerate(TOO_MANY)]
    rows += [record("both", 1, T="never", D="much"), record("none", 1, T="", D="")]
    org.land("e1", rows)
    done = only(org.run())
    assert (done.status, done.landed) == ("written", len(rows))
    assert (done.written, done.quarantined) == (len(STAMPS) + len(DECIMALS) + 1, len(IMPOSSIBLE) + len(TOO_MANY) + 1)
    found = {row[0]: row[1:] for row in org.table("account", "id", "t", "d")}
    assert [found[f"t{i:02d}"][0] for i in range(len(STAMPS))] == list(STAMPS.values())
    assert [found[f"v{i:02d}"][1] for i in range(len(DECIMALS))] == [Decimal(d) for d in DECIMALS.values()]
    assert found["none"] == (None, None)
    why = dict(org.why())
    assert {why[f"u{i:02d}"] for i in range(len(IMPOSSIBLE))} == {("cast_t",)}
    assert {why[f"w{i:02d}"] for i in range(len(TOO_MANY))} == {("cast_d",)}
    assert sorted(why["both"]) == ["cast_d", "cast_t"]
    # the value as it was sent is kept with its reason, and the counts of the rules agree
    raw = {row.record: row for row in org.aside()}
    assert [raw[f"w{i:02d}"].reasons[0].value for i in range(len(TOO_MANY))] == TOO_MANY
    assert {r.name: r.failed for r in done.rules} == {"cast_t": len(IMPOSSIBLE) + 1, "cast_d": len(TOO_MANY) + 1}


def test_impossible_order_stamps_are_set_aside_and_never_win(org: Org) -> None:
    org.say("account", ACCOUNT)
    org.land(
        "e1",
        [
            record("A", 5, Name="good"),
            {**record("A", 1, Name="bad"), "SystemModstamp": "2024-99-99"},
            {**record("B", 1, Name="b"), "SystemModstamp": ""},
        ],
    )
    done = only(org.run())
    assert (done.written, done.quarantined) == (2, 1)
    assert org.table("account", "id", "name") == [("A", "good"), ("B", "b")]
    assert org.why() == [("A", ("order_is_known", "cast_system_modstamp"))]


def test_null_keys_and_versions_with_the_same_order(org: Org) -> None:
    org.say("account", ACCOUNT)
    org.land(
        "e1",
        [
            record("A", 1, Name="first"),
            record("A", 1, Name="second"),
            record("", 1, Name="n1"),
            record("  ", 1, Name="n2"),
            record("", 2, Name="n3"),
        ],
    )
    done = only(org.run())
    assert (done.landed, done.written, done.superseded, done.quarantined) == (5, 1, 1, 3)
    assert org.table("account", "id", "name") == [("A", "second")]
    assert [reasons for _, reasons in org.why()] == [("key_is_set",)] * 3
    assert sorted(row.raw["Name"] for row in org.aside() if row.raw) == ["n1", "n2", "n3"]
    # the same order in a later file stands too; the very same row changes nothing; an older one never wins
    org.land("e2", [record("A", 1, Name="third")])
    assert only(org.run()).updated == 1
    org.land("e3", [record("A", 1, Name="third")])
    again = only(org.run())
    assert (again.landed, again.written, again.superseded) == (1, 0, 1)
    org.land("e4", [record("A", 0, Name="late")])
    late = only(org.run())
    assert (late.written, late.superseded) == (0, 1)
    assert org.table("account", "id", "name") == [("A", "third")]


def test_ids_of_15_characters_are_their_long_form(org: Org) -> None:
    short, parent = "001Ec00000GGw3h", "001Ec00000GGW3H"
    org.say("account", ACCOUNT)
    org.say(
        "contact",
        "mapping: contact\nsource: Contact\ncolumns: {id: Id, account_name: account.Name}\nlookups: {account: {object: Account, by: AccountId}}\n",
    )
    org.land("e1", [record(short, 1, Name="old"), record(parent, 1, Name="other case")])
    org.land("e1", [record("003A", 1, AccountId=long_id(short)), record("003B", 1, AccountId=parent)], token="Contact")
    assert only(org.run(), "account").inserted == 2
    org.land("e2", [record(long_id(short), 2, Name="new")])
    done = only(org.run(), "account")
    assert (done.inserted, done.updated) == (0, 1)
    assert org.table("account", "id", "name") == sorted([(long_id(short), "new"), (long_id(parent), "other case")])
    assert org.table("contact", "id", "account_name") == [("003A", "old"), ("003B", "other case")]


THOUSAND = [f"Field_{i}__c" for i in range(1000)]


def thousand(org: Org, hour: int) -> None:
    org.land(
        f"e{hour}",
        [record(f"W{i}", hour, **dict.fromkeys(THOUSAND, f"v{hour}")) for i in (1, 2)],
        token="Wide__c",
        file="part.parquet",
    )
    done = only(org.run())
    assert (done.status, done.written, done.error) == ("written", 2, None)
    assert org.table("wide", "Id", "Field_0__c", "Field_999__c") == [(f"W{i}", f"v{hour}", f"v{hour}") for i in (1, 2)]
    assert len(org.columns("wide")) == 1003


def test_a_thousand_columns(org: Org) -> None:
    org.say("wide", "mapping: wide\nsource: Wide__c\nnaming: source\n")
    thousand(org, 1)


@pytest.mark.slow
def test_a_thousand_columns_are_merged(org: Org) -> None:
    org.say("wide", "mapping: wide\nsource: Wide__c\nnaming: source\n")
    thousand(org, 1)
    thousand(org, 2)


def test_names_of_every_kind(org: Org) -> None:
    odd = {
        "a b": "1",
        "it's": "2",
        'say "hi"': "3",
        "é日本": "4",
        "semi;colon": "5",
        "back`tick": "6",
        "a.b": "7",
        "tab\tname": "8",
    }
    org.say("odd", "mapping: odd\nsource: Odd__c\nnaming: source\n")
    for hour, file in ((1, "part.csv"), (2, "part.parquet")):
        org.land(
            f"e{hour}", [record("O1", hour, **{k: f"{v}{hour}" for k, v in odd.items()})], token="Odd__c", file=file
        )
        done = only(org.run())
        assert (done.status, done.written, done.error) == ("written", 1, None)
        found = org.spark.read.format("delta").load(str(org.root / "warehouse" / "odd")).collect()
        assert [{k: row[k] for k in odd} for row in found] == [{k: f"{v}{hour}" for k, v in odd.items()}]


def test_nothing_in_a_cell_is_taken_apart(org: Org) -> None:
    """Quotes, line ends, other scripts, delimiters: the same text in the table and in a delivered CSV."""
    cells = [
        'a "q" b',
        "two\nlines",
        "crlf\r\nline",
        "a,b;c\td",
        "日本語 é ü",
        "'",
        "\\",
        "\\n",
        '"',
        "=1+1",
        " lead",
        "trail ",
        "null",
        "NULL",
        "N/A",
        "😀",
    ]
    org.say("account", ACCOUNT)
    org.say(
        "all", "mapping: All\nfrom: account\ncolumns: {id: id, name: name}\nkey: id\ndeliver: [csv: {file: all.csv}]\n"
    )
    org.land(
        "e1", b"\xef\xbb\xbf" + csv_text([record(f"A{i:02d}", 1, Name=cell) for i, cell in enumerate(cells)]).encode()
    )
    org.run()
    assert [row[1] for row in org.table("account", "id", "name")] == cells
    import pandas as pd

    back = pd.read_csv(org.root / "delivery" / "all.csv", dtype=str, keep_default_na=False).sort_values("id")
    assert list(back["name"]) == cells


@pytest.mark.parametrize("write", ["upsert", "append"])
def test_an_object_without_a_mapping_and_its_typed_columns(org: Org, write: str) -> None:
    typed = pa.table({
        "Id": ["A", "B"], "Amount__c": pa.array([Decimal("1.50"), None], pa.decimal128(18, 2)), "N__c": pa.array([1, None], pa.int64()),
        "On__c": [True, None], "SystemModstamp": pa.array([datetime(2024, 5, 6), datetime(2024, 5, 7)], pa.timestamp("us", "UTC")),
    })  # fmt: skip
    if write == "append":
        org.say(
            "region",
            "mapping: region__c\nsource: Region__c\ntarget: {write: append}\ncolumns: {id: Id, amount__c: {from: Amount__c, type: 'decimal(18,2)'}, n__c: {from: N__c, type: bigint}, on__c: {from: On__c, type: boolean}}\n",
        )
    org.land("e1", typed, token="Region__c", file="part.parquet")
    assert only(org.run()).name == "region__c"
    org.land(
        "e2", "Id,Amount__c,N__c,On__c,SystemModstamp\nC,2.5,3,1,2024-05-08T00:00:00.000+0000\n", token="Region__c"
    )
    done = only(org.run())
    assert (done.status, done.written, done.error) == ("written", 1, None)
    assert org.table("region__c", "id", "amount__c", "n__c", "on__c") == [
        ("A", Decimal("1.50"), 1, True), ("B", None, None, None), ("C", Decimal("2.50"), 3, True),
    ]  # fmt: skip
