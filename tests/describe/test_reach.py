from __future__ import annotations

from pathlib import Path

from describe.kit import put
from forceglue.describe.reach import Reach
from forceglue.mapping.load import load_project


def test_a_field_is_followed_through_tables_and_datasets(folder: Path) -> None:
    put(folder, "a.yaml", "mapping: account\nsource: Account\ncolumns: {id: Id, title: {sql: upper(Name)}}\n")
    put(folder, "d.yaml", "mapping: Deals\nfrom: account\ncolumns: {Who: title, Key: id}\n")
    put(folder, "e.yaml", "mapping: Twice\nfrom: Deals\ncolumns: {Again: {sql: 'concat(Who, Key)'}}\n")
    reach = Reach(load_project(folder))
    assert reach.of("account", "NAME") == ("Deals.Who", "Twice.Again")
    assert reach.of("Account", "Industry") == () and reach.of("Lead", "Name") == ()
