"""What the footers of staged files tell of their values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forceglue.write.staged import StagedFile, value_range


def staged(folder: Path, *groups: list[Any], name: str = "id") -> StagedFile:
    """A file with a row group for each list."""
    path = folder / f"{len(list(folder.iterdir()))}.parquet"
    kind = pa.infer_type([value for group in groups for value in group])
    with pq.ParquetWriter(path, pa.schema([("other", pa.int64()), (name, kind)])) as writer:
        for group in groups:
            writer.write_table(
                pa.table({"other": pa.array(range(len(group)), pa.int64()), name: pa.array(group, kind)})
            )
    return StagedFile(path.name, 1, 1, pq.read_metadata(path))


@settings(max_examples=25)
@given(st.lists(st.lists(st.text(max_size=4), min_size=1, max_size=4), min_size=1, max_size=4))
def test_every_value_lies_within(tmp_path_factory: pytest.TempPathFactory, groups: list[list[str]]) -> None:
    folder = tmp_path_factory.mktemp("staged")
    files = [staged(folder, *groups), staged(folder, groups[0])]
    values = sorted((value for group in groups for value in group), key=str.encode)
    assert value_range(files, "id") == (values[0], values[-1])


def test_nothing_is_told_where_one_file_says_nothing(tmp_path: Path) -> None:
    there = staged(tmp_path, ["a", "b"])
    assert value_range([there], "id") == ("a", "b")
    assert value_range([there, staged(tmp_path, ["c"], name="ID of another kind")], "id") is None
    nulls = StagedFile("n", 1, 1, pq.read_metadata(_nulls(tmp_path)))
    assert value_range([there, nulls], "id") is None
    assert value_range([], "id") is None


def _nulls(folder: Path) -> Path:
    pq.write_table(pa.table({"id": pa.array([None], pa.string())}), folder / "nulls.parquet")
    return folder / "nulls.parquet"
