"""Roots and names of every kind: nothing about a path may cost a row."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from e2e.org import ACCOUNT, Org, only, record

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.mark.parametrize("folder", ["with blanks", "Jörg/日本", "per%20cent%", "a#b?c", "a+b&c=d,e;f'g"])
def test_roots_of_every_kind(tmp_path: Path, spark: SparkSession, folder: str) -> None:
    org = Org(tmp_path / folder, spark)
    org.say("account", ACCOUNT + "target: {write: append}\nquality: {quarantine: {named: name is not null}}\n")
    org.say("all", "mapping: All Accounts\nfrom: account\ncolumns: {Id: id}\nkey: Id\ndeliver: [csv: {file: 'a b/all é.csv'}, parquet: {folder: p q}, delta: {folder: d é}]\n")
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
