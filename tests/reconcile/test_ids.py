"""All Ids of both sides as sets, by way of files."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from forceglue.reconcile.ids import Sides, classed
from forceglue.transform.ids import long_id

KEYS = st.integers(0, 61 * 40).map(lambda n: f"001{n:011d}{'abcXYZ019'[n % 9]}")


def org_batch(rows: list[tuple[str, bool]]) -> pa.RecordBatch:
    ids = [long_id(key) if n % 2 else key for n, (key, _) in enumerate(rows)]
    return pa.record_batch(
        {"Id": pa.array(ids, pa.string()), "IsDeleted": pa.array([gone for _, gone in rows], pa.bool_())}
    )


def table_batch(keys: list[str], counts: bool = True) -> pa.RecordBatch:
    return pa.record_batch({
        "key": pa.array(keys, pa.string()), "id": pa.array(map(long_id, keys), pa.string()),
        "counts": pa.array([counts] * len(keys), pa.bool_()), "stamp": pa.nulls(len(keys), pa.string()),
    })  # fmt: skip


def differences(
    folder: Path, org: list[pa.RecordBatch], table: list[pa.RecordBatch], **more: Any
) -> dict[str, set[str]]:
    both, found = Sides(folder), defaultdict[str, set[str]](set)
    both.take_table(table)
    both.take_org(org, **more)
    for kind, rows in both.differences():
        keys = rows["key"].to_pylist()
        assert not found[kind] & set(keys)
        found[kind] |= set(keys)
    return {kind: keys for kind, keys in found.items() if keys}


@given(st.dictionaries(KEYS, st.booleans()), st.sets(KEYS), st.sets(KEYS))
def test_the_differences_are_those_of_the_sets(org: dict[str, bool], table: set[str], marked: set[str]) -> None:
    """Written apart from the code under test."""
    live = {key for key, gone in org.items() if not gone}
    wanted = {"missing": live - table, "deleted": table & (org.keys() - live), "vanished": table - org.keys()}
    rows, keys = list(org.items()), sorted(table)
    with TemporaryDirectory() as folder:
        found = differences(
            Path(folder), [org_batch(rows[::2]), org_batch(rows[1::2])],
            [table_batch(keys[:5]), table_batch(keys[5:]), table_batch(sorted(marked - table), counts=False)],
        )  # fmt: skip
    assert found == {kind: keys for kind, keys in wanted.items() if keys}


def test_an_id_that_comes_from_before_and_after_a_change_is_live(tmp_path: Path) -> None:
    key, other = "001000000000001", "001000000000002"
    found = differences(
        tmp_path, [org_batch([(key, True), (key, False), (other, False), (other, False)])], [table_batch([key])]
    )
    assert found == {"missing": {other}}


def test_an_object_without_deleted_records_and_a_mapping_that_keeps_them(tmp_path: Path) -> None:
    key = "001000000000001"
    plain = org_batch([(key, False)]).select(["Id"])
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert differences(tmp_path / "a", [plain], [table_batch([key])]) == {}
    assert differences(tmp_path / "b", [org_batch([(key, True)])], [table_batch([])], keeps=True) == {"missing": {key}}


def test_rows_by_the_class_of_their_ids() -> None:
    table = pa.table({"key": ["a", "b", "c"], "stamp": ["1", None, "3"]})
    found = classed(table, lambda key, stamp: "waiting" if stamp == "3" else "unexplained")
    assert {name: rows["key"].to_pylist() for name, rows in found.items()} == {
        "unexplained": ["a", "b"], "waiting": ["c"],
    }  # fmt: skip
