"""A large table is updated by marking old rows in their files (deletion vectors): everything else goes on as before."""

from __future__ import annotations

import deltalake
import pytest

from e2e.org import Org, only, record
from forceglue.landing.store import Store
from forceglue.mapping.load import load_project
from forceglue.run.rewind import points, rewind
from forceglue.write import delta_properties, delta_rewrite
from forceglue.write.delta_properties import VECTORS, marks_pay
from forceglue.write.delta_table import TableState

UPSERT = "mapping: account\nsource: Account\ncolumns: {id: Id, name: Name}\n"
NAMES = [f"n{i}" for i in range(40)]


@pytest.fixture
def large(org: Org, monkeypatch: pytest.MonkeyPatch) -> Org:
    """Every table counts as large. Forty records, then an update of two of them, each in one load."""
    monkeypatch.setattr(delta_properties, "LARGE", 1)
    monkeypatch.setattr(delta_rewrite, "SMALL", 0)
    org.say("account", UPSERT)
    org.land("e1", [record(f"A{i:02}", Name=name) for i, name in enumerate(NAMES)])
    org.run()
    change(org, "e2", A00="new", A07="new")
    return org


def change(org: Org, execution: str, /, **names: str) -> None:
    org.land(execution, [record(key, 1 + int(execution[1:]), Name=name) for key, name in names.items()])
    assert only(org.run()).updated == len(names)


def names(org: Org) -> dict[str, str]:
    return dict(org.table("account", "id", "name"))


def wanted(**changed: str) -> dict[str, str]:
    return {f"A{i:02}": name for i, name in enumerate(NAMES)} | changed


def opened(org: Org) -> deltalake.DeltaTable:
    return deltalake.DeltaTable(str(org.root / "warehouse" / "account"))


def test_files_stay_and_rows_are_marked(large: Org) -> None:
    assert names(large) == wanted(A00="new", A07="new")
    assert opened(large).metadata().configuration[VECTORS] == "true"
    told = opened(large).history(1)[0]["operationMetrics"]
    assert (told["numTargetDeletionVectorsAdded"], told["numTargetRowsCopied"]) == ("1", "0")
    change(large, "e3", A07="newer", A08="newer")
    assert names(large) == wanted(A00="new", A07="newer", A08="newer")
    assert only(large.run()).status == "unchanged"


def test_datasets_deletes_new_fields_and_awkward_names(large: Org) -> None:
    large.say("account", UPSERT + "rest: keep\ntarget: {deletes: delete}\n")
    large.say("all", "mapping: All\nfrom: account\ncolumns: {id: id, name: name}\ndeliver: [csv: {file: all.csv}]\n")
    large.land("e3", [record("A01", 5, Name="a", Extra="x"), record("A02", 5, Name="b", IsDeleted="true")])
    assert large.run().status == "succeeded"
    now = wanted(A00="new", A07="new", A01="a")
    del now["A02"]
    assert names(large) == now
    lines = (large.root / "delivery" / "all.csv").read_text().splitlines()[1:]
    assert sorted(lines) == sorted(f"{key},{name}" for key, name in now.items())
    large.say("account", UPSERT.replace("name: Name", "name: Name, 'the name': Name"))
    large.land("e4", [record("A03", 6, Name="c")])
    assert large.run().status == "succeeded"
    assert large.table("account", "name", "the name", where="id = 'A03'") == [("c", "c")]


def test_back_to_before_the_marks_and_to_between_them(large: Org) -> None:
    change(large, "e3", A07="newer")
    project, warehouse = load_project(large.root / "mappings"), Store(large.roots["warehouse"])
    third, second, first = points(warehouse, project, "account")[:3]
    rewind(warehouse, project, "account", str(first.version))
    assert names(large) == wanted()
    rewind(warehouse, project, "account", str(second.version))
    assert names(large) == wanted(A00="new", A07="new")
    rewind(warehouse, project, "account", str(third.version))
    assert names(large) == wanted(A00="new", A07="newer")
    assert only(large.run()).status == "unchanged"


@pytest.mark.parametrize("write", ["upsert", "replace"])
def test_a_table_that_is_replaced_forgets_its_marks(large: Org, write: str) -> None:
    if write == "upsert":
        large.run(full_refresh=True)
        assert names(large) == wanted(A00="new", A07="new")
    else:
        large.say("account", UPSERT + "target: {write: replace}\n")
        large.land("e3", [record("B", Name="b")])
        large.run()
        assert names(large) == {"B": "b"}


def test_history_is_marked_too(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delta_properties, "LARGE", 1)
    org.say("account", UPSERT + "target: {write: scd2}\n")
    org.land("e1", [record("A", Name="a"), record("B", Name="b")])
    org.run()
    org.land("e2", [record("A", 2, Name="new")])
    org.run()
    assert org.table("account", "id", "name", "is_current") == [("A", "a", False), ("A", "new", True), ("B", "b", True)]
    assert opened(org).history(1)[0]["operationMetrics"]["numTargetRowsCopied"] == "0"


@pytest.mark.parametrize("said", ["true", "false"])
def test_what_the_owner_of_a_table_says_stands(said: str) -> None:
    state = TableState(1, 1, {}, size=delta_properties.LARGE)
    assert marks_pay(state)
    assert not marks_pay(TableState(1, 1, {}, size=delta_properties.LARGE - 1))
    assert not marks_pay(TableState(1, 1, {}, size=delta_properties.LARGE, properties={VECTORS: said}))
