"""The rows of a dataset: joins by either form of an Id, names as the mapping says them, columns of every kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from forceglue.mapping.expand import dataset_columns
from forceglue.mapping.model import DatasetMapping
from forceglue.transform.dataset_rows import DatasetInputs, dataset_rows
from forceglue.transform.ids import long_id
from forceglue.transform.prepared import Prepared

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

A, B, C = "001A0000006Vm9r", "001A0000006Vm9R", "001A0000006Vm9s"


def made(
    tables: Mapping[str, DataFrame], mapping: Mapping[str, Any], promised: Mapping[str, Sequence[str]] | None = None
) -> Prepared:
    model = DatasetMapping.model_validate({"mapping": "Data_Set", **mapping})
    inputs = {model.name: tables[model.source], **{j.name: tables[j.table] for j in model.joins}}
    known = {alias: tuple((promised or {}).get(alias, frame.columns)) for alias, frame in inputs.items()}
    return dataset_rows(
        model, DatasetInputs(inputs, known, dataset_columns(model, known), datetime(2024, 5, 7, tzinfo=UTC))
    )


def rows(prepared: Prepared, *, verdict: str = "good") -> list[tuple[Any, ...]]:
    frame = prepared.frame.where(f"forceglue_verdict = '{verdict}'").select(*(f"`{c}`" for c in prepared.columns))
    return sorted((tuple(r) for r in frame.collect()), key=repr)


@pytest.fixture
def tables(spark: SparkSession) -> dict[str, DataFrame]:
    orders = [
        ("o1", A, "o2", "new", "10"),
        ("o2", long_id(B), None, "won", "x"),
        ("o3", None, "o1", None, None),
        ("o4", C, "o9", "new", "5"),
    ]
    accounts = [(long_id(A), "Acme", "u1", "de"), (B, "Beta", None, "at"), ("zzz", "Alone", "u2", "de")]
    users = [("u1", "Uma", "de"), ("u2", "Udo", "de"), ("u1", "Uma again", "at")]
    return {
        "order": spark.createDataFrame(
            orders, "id string, accountid string, parentid string, type string, `Net [EUR].x` string"
        ).coalesce(1),
        "account": spark.createDataFrame(accounts, "id string, name string, ownerid string, country string").coalesce(
            1
        ),
        "user": spark.createDataFrame(users, "id string, name string, country string").coalesce(1),
    }


@pytest.mark.parametrize(
    ("how", "wanted"),
    [
        ("left", [("o1", "Acme"), ("o2", "Beta"), ("o3", None), ("o4", None)]),
        ("inner", [("o1", "Acme"), ("o2", "Beta")]),
        ("full", [("o1", "Acme"), ("o2", "Beta"), ("o3", None), ("o4", None), (None, "Alone")]),
    ],
)
def test_joins_by_either_form_of_an_id(tables: dict[str, DataFrame], how: str, wanted: list[tuple[Any, ...]]) -> None:
    mapping = {
        "from": "order",
        "joins": [{"table": "account", "type": how, "by": {"accountid": "id"}}],
        "columns": {"Order ID": "id", "Account Name": "account.name"},
    }
    assert rows(made(tables, mapping)) == sorted(wanted, key=repr)


def test_a_join_on_a_joined_column_a_self_join_and_a_repeated_table(tables: dict[str, DataFrame]) -> None:
    mapping = {
        "from": "order",
        "as": "o",
        "joins": [
            {"table": "account", "as": "acc", "by": {"accountid": "id"}},
            {"table": "user", "as": "owner", "by": {"acc.ownerid": "id", "acc.country": "country"}},
            {"table": "order", "as": "parent", "by": {"parentid": "ID"}},
            {"table": "account", "as": "parent_acc", "by": {"parent.accountid": "id"}},
        ],
        "columns": {"id": "o.id", "owner": "owner.name", "parent": "parent.type", "far": "parent_acc.Name"},
    }
    assert rows(made(tables, mapping)) == [
        ("o1", "Uma", "won", "Beta"),
        ("o2", None, None, None),
        ("o3", None, "new", "Acme"),
        ("o4", None, None, None),
    ]


def test_a_join_that_multiplies_says_so_and_does(tables: dict[str, DataFrame]) -> None:
    mapping = {
        "from": "account",
        "joins": [{"table": "user", "by": {"ownerid": "id"}, "one": False}],
        "columns": {"name": "account.name", "owner": "user.name"},
    }
    assert set(rows(made(tables, mapping))) == {
        ("Acme", "Uma"),
        ("Acme", "Uma again"),
        ("Alone", "Udo"),
        ("Beta", None),
    }
    assert len(rows(made(tables, mapping))) == 4


def test_names_are_found_as_they_are_said(tables: dict[str, DataFrame]) -> None:
    """The base by its alias, a joined column without one, other cases, blanks, brackets and dots; what nobody has is null."""
    mapping = {
        "from": "order",
        "joins": [
            {"table": "account", "by": {"AccountId": "Id"}},
            {"table": "user", "by": {"account.ownerid": "id", "account.country": "country"}},
        ],
        "columns": [
            {
                "a.b (c) [d]": "TYPE",
                "base in sql": {"sql": "upper(order.type)"},
                "joined without alias": {"sql": "concat(ownerid, '!')"},
                "joined": {"from": "OwnerId"},
                "odd": {"from": "Net [EUR].x", "type": "int"},
                "odd in sql": {"sql": "`Net [EUR].x`"},
                "ambiguous": {"sql": "account.name || '/' || user.name"},
                "absent": "account.never_there",
                "absent in sql": {"sql": "coalesce(user.never, 'none')"},
                "const": {"value": 1, "type": "int"},
                "case": {"sql": "CASE WHEN Order.Type = 'new' THEN Account.NAME END"},
            },
            {"empty": ["void"]},
        ],
        "where": "order.type IS NOT NULL AND coalesce(account.country, '') <> 'at'",
        "quality": {"quarantine": {"netted": "`odd` IS NOT NULL"}},
    }
    prepared = made(tables, mapping)
    assert rows(prepared) == [
        ("new", "NEW", "u1!", "u1", 10, "10", "Acme/Uma", None, "none", 1, "Acme", None),
        ("new", "NEW", None, None, 5, "5", None, None, "none", 1, None, None),
    ]
    assert len(rows(prepared, verdict="filtered")) == 2


def test_all_blocks_patterns_and_promised_columns(tables: dict[str, DataFrame]) -> None:
    mapping = {
        "from": "account",
        "joins": [{"table": "user", "by": {"ownerid": "id"}, "one": False}],
        "columns": [
            {"all": "account", "except": ["ownerid"]},
            {"all": "user", "only": ["name", "email"], "named": "(own) {name}"},
        ],
        "where": "account.name = 'Alone'",
    }
    prepared = made(
        tables,
        mapping,
        {"account": ("id", "name", "ownerid", "Phone", "country"), "user": ("id", "name", "country", "email")},
    )
    assert prepared.columns == ("id", "name", "Phone", "country", "(own) name", "(own) email")
    assert rows(prepared) == [("zzz", "Alone", None, "de", "Udo", None)]


def test_a_join_column_that_was_never_there_matches_nothing(tables: dict[str, DataFrame]) -> None:
    base = {"from": "order", "columns": {"id": "id", "name": "account.name"}}
    for by in ({"accountid": "external_id"}, {"never_there": "id"}):
        found = rows(made(tables, {**base, "joins": [{"table": "account", "by": by}]}))
        assert found == [("o1", None), ("o2", None), ("o3", None), ("o4", None)]
        assert rows(made(tables, {**base, "joins": [{"table": "account", "by": by, "type": "inner"}]})) == []


def test_rows_of_a_dataset_have_verdicts_and_keys(tables: dict[str, DataFrame]) -> None:
    mapping = {
        "from": "order",
        "columns": {"Order ID": "id", "Kind": "type"},
        "key": ["Order ID", "Kind"],
        "quality": {"quarantine": {"kind": "Kind <> 'won'"}, "drop": {"some": "Kind IS NOT NULL"}},
    }
    found = made(tables, mapping).frame.where("forceglue_verdict <> 'good'").collect()
    assert sorted((r["forceglue_verdict"], r["_record_key"], r["_raw"]) for r in found if r["_raw"]) == [
        ("quarantine", "o2/won", '{"Order ID":"o2","Kind":"won"}')
    ]
    assert [r["forceglue_verdict"] for r in found].count("drop") == 1
