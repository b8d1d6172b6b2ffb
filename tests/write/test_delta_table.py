"""A table takes files over whole, in one commit that says up to where it is loaded; of two at once one wins."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import deltalake
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql.types import DecimalType, LongType, StringType, StructField, StructType, TimestampType

from forceglue.errors import ConcurrentRunError, LandingError
from forceglue.landing.store import Store
from forceglue.write.delta_table import Table, app_id
from forceglue.write.staged import StagedFile

ID, N = StructField("id", StringType(), nullable=False), StructField("n", LongType())
SCHEMA = StructType([ID, N])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


@pytest.fixture
def table(store: Store) -> Table:
    return Table(store, "a table/é", "orders")


def staged(store: Store, name: str, **columns: list[Any]) -> StagedFile:
    path = f"a table/é/{name}"
    target = Path(store.uri(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), target)
    return StagedFile(path, target.stat().st_size, 1_700_000_000_000, pq.read_metadata(target))


def content(table: Table) -> list[dict[str, Any]]:
    found = deltalake.DeltaTable(table.uri).to_pyarrow_table().to_pylist()
    return sorted(found, key=lambda row: str(row["id"]))


def test_there_is_no_table_before_the_first_commit(table: Table) -> None:
    assert table.open() is None
    assert table.state() is None
    assert table.live_files() == []
    assert table.metrics() == {}
    with pytest.raises(ConcurrentRunError):
        table.confirm(1)


def test_create_append_replace(store: Store, table: Table) -> None:
    table.adopt(
        [staged(store, "batch-1/a b%.parquet", id=["1"], n=[1])], SCHEMA, position=1, at=None, comment="Orders, all"
    )
    first = table.state()
    assert first is not None
    assert (first.version, first.position, dict(first.columns)) == (0, 1, {"id": "string", "n": "bigint"})
    assert (first.rows, first.size, first.change_feed) == (1, (Path(table.uri) / first.files[0]).stat().st_size, False)
    assert content(table) == [{"id": "1", "n": 1}]
    assert table.live_files() == ["batch-1/a b%.parquet"]
    assert table.open().metadata().description == "Orders, all"  # type: ignore[union-attr]  # it was just made
    table.adopt([staged(store, "batch-2/a.parquet", id=["2"], n=[2])], SCHEMA, position=2, at=first)
    assert content(table) == [{"id": "1", "n": 1}, {"id": "2", "n": 2}]
    table.adopt(
        [staged(store, "batch-3/a.parquet", id=["3"], n=[3])], SCHEMA, position=3, at=table.state(), replace=True
    )
    assert content(table) == [{"id": "3", "n": 3}]
    table.confirm(3)
    for other in (2, 4):
        with pytest.raises(ConcurrentRunError, match="another run wrote"):
            table.confirm(other)
    assert deltalake.DeltaTable(table.uri, version=0).to_pyarrow_table().num_rows == 1


def test_a_batch_without_files_still_moves_the_position(store: Store, table: Table) -> None:
    table.adopt([], SCHEMA, position=1, at=None)
    assert content(table) == []
    table.adopt([], SCHEMA, position=2, at=table.state())
    state = table.state()
    assert state is not None
    assert (state.position, state.files) == (2, ())


def test_new_columns_are_added_and_missing_ones_are_null(store: Store, table: Table) -> None:
    table.adopt([staged(store, "1.parquet", id=["1"], n=[1])], SCHEMA, position=1, at=None)
    wider = StructType(
        [ID, StructField("more", DecimalType(18, 2)), StructField("at", TimestampType(), nullable=False)]
    )
    table.adopt([staged(store, "2.parquet", id=["2"])], wider, position=2, at=table.state())
    state = table.state()
    assert state is not None
    assert dict(state.columns) == {"id": "string", "n": "bigint", "more": "decimal(18,2)", "at": "timestamp"}
    assert content(table) == [
        {"id": "1", "n": 1, "more": None, "at": None},
        {"id": "2", "n": None, "more": None, "at": None},
    ]
    table.confirm(2)


def test_a_replaced_table_has_the_columns_of_the_replacement(store: Store, table: Table) -> None:
    table.adopt([staged(store, "1.parquet", id=["1"], n=[1])], SCHEMA, position=1, at=None)
    table.adopt(
        [staged(store, "2.parquet", id=["2"], x=["y"])],
        StructType([ID, StructField("x", StringType())]),
        position=2,
        at=table.state(),
        replace=True,
    )
    assert content(table) == [{"id": "2", "x": "y"}]


def test_files_are_taken_out_in_the_same_commit(store: Store, table: Table) -> None:
    table.adopt([staged(store, f"{n}.parquet", id=[f"{n}"], n=[n]) for n in range(3)], SCHEMA, position=1, at=None)
    table.adopt(
        [staged(store, "9.parquet", id=["9"], n=[9])],
        SCHEMA,
        position=2,
        at=table.state(),
        remove_below=["0.parquet", "2.parquet"],
    )
    assert [row["id"] for row in content(table)] == ["1", "9"]
    state = table.state()
    assert state is not None and state.version == 1


@pytest.mark.parametrize("existing", [False, True], ids=["create", "append"])
def test_of_two_that_planned_on_one_state_exactly_one_wins(store: Store, table: Table, existing: bool) -> None:
    if existing:
        table.adopt([staged(store, "0.parquet", id=["0"], n=[0])], SCHEMA, position=1, at=None)
    state = table.state()
    files = {n: staged(store, f"batch-{n}/a.parquet", id=[f"{n}"], n=[n]) for n in range(10, 16)}
    barrier = Barrier(len(files))

    def adopt(n: int) -> int | None:
        own = Table(store, table.path, table.mapping)
        barrier.wait()
        try:
            own.adopt([files[n]], SCHEMA, position=n, at=state)
        except ConcurrentRunError:
            return None
        return n

    with ThreadPoolExecutor(len(files)) as pool:
        won = [n for n in pool.map(adopt, files) if n is not None]
    assert len(won) == 1
    table.confirm(won[0])
    assert [row["n"] for row in content(table)] == ([0] if existing else []) + won


def test_a_plan_on_an_old_state_is_refused_and_changes_nothing(store: Store, table: Table) -> None:
    table.adopt([], SCHEMA, position=1, at=None)
    old = table.state()
    table.adopt([staged(store, "1.parquet", id=["1"], n=[1])], SCHEMA, position=2, at=old)
    for replace in (False, True):
        with pytest.raises(ConcurrentRunError):
            table.adopt([staged(store, "2.parquet", id=["2"], n=[2])], SCHEMA, position=3, at=old, replace=replace)
    with pytest.raises(ConcurrentRunError):
        table.adopt([staged(store, "3.parquet", id=["3"], n=[3])], SCHEMA, position=3, at=None)
    assert content(table) == [{"id": "1", "n": 1}]
    table.confirm(2)


def test_a_commit_that_slips_in_while_another_is_made(
    store: Store, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the version and the commit itself."""
    table.adopt([], SCHEMA, position=1, at=None)
    state = table.state()
    seen = Table.open

    def slow(self: Table) -> Any:
        opened = seen(self)
        monkeypatch.setattr(Table, "open", seen)
        other = Table(store, table.path, table.mapping)
        other.adopt([staged(store, "o.parquet", id=["o"], n=[0])], SCHEMA, position=7, at=state)
        return opened

    monkeypatch.setattr(Table, "open", slow)
    with pytest.raises(ConcurrentRunError):
        table.adopt([staged(store, "m.parquet", id=["m"], n=[1])], SCHEMA, position=8, at=state)
    assert [row["id"] for row in content(table)] == ["o"]
    table.confirm(7)


def test_a_folder_that_cannot_be_written_is_told(store: Store, table: Table) -> None:
    Path(store.uri("a table")).write_text("a file stands where the folder should be")
    with pytest.raises(LandingError, match="could not be committed"):
        table.adopt([], SCHEMA, position=1, at=None)


def test_positions_of_other_mappings_are_not_ours(store: Store, table: Table) -> None:
    table.adopt([], SCHEMA, position=5, at=None)
    state = Table(store, table.path, "another").state()
    assert state is not None
    assert state.position is None
    assert app_id("another") == "forceglue/another"
