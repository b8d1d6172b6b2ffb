"""Roots and names of every kind: nothing about a path may cost a row."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from e2e.org import ACCOUNT, Org, only, record

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.mark.parametrize("folder", ["with blanks", "Jörg/日本", "100% sure", "a#b?c", "a+b&c=d,e;f'g"])
def test_roots_of_every_kind(tmp_path: Path, spark: SparkSession, folder: str) -> None:
    org = Org(tmp_path / folder, spark)
    org.say("account", ACCOUNT + "target: {write: append}\nquality: {quarantine: {named: name is not null}}\n")
    org.say(
        "all",
        "mapping: All Accounts\nfrom: account\ncolumns: {Id: id}\nkey: Id\ndeliver: [csv: {file: 'a b/all é.csv'}, parquet: {folder: p q}, delta: {folder: d é}]\n",
    )
    org.land("e1", [record("A", 1, Name="a"), record("Q", 1)])
    first, dataset = org.run().mappings
    assert (first.status, first.written, first.quarantined, first.error) == ("written", 1, 1, None)
    assert (dataset.status, dataset.error) == ("written", None)
    org.land("e2", [record("B", 1, Name="b"), record("R", 1)])
    assert only(org.run(), "account").written == 1
    assert org.table("account", "id") == [("A",), ("B",)]
    assert org.plain_aside() == ["Q", "R"]
    assert sorted((org.root / "delivery" / "a b" / "all é.csv").read_text().split()) == ["A", "B", "Id"]
    assert {m.status for m in org.run().mappings} == {"unchanged"}


def test_a_warehouse_that_delta_rs_would_look_for_elsewhere_is_refused(tmp_path: Path, spark: SparkSession) -> None:
    org = Org(tmp_path / "per%20cent", spark)
    org.say("account", ACCOUNT)
    org.land("e1", [record("A", 1, Name="a")])
    told = org.command("run", "--quick")
    assert (told.code, "%20" in told.err) == (2, True)
    assert org.landed("in") == ["part.csv"]
