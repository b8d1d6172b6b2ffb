"""Pages of any size in little memory; columns in the order of the query, types by file."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extract.kit import NOW
from extract.test_records import bulk
from forceglue.extract import parquet
from forceglue.extract.parquet import PageWriter, Written
from forceglue.extract.records import Records
from forceglue.landing.store import Store

KINDS = {"Id": "string", "N": "bigint", "P": "string"}


def written(
    folder: Path, rows: list[list[str]], header: tuple[str, ...] = ("Id", "N", "P"), piece: int = 64
) -> tuple[Written, list[pa.Table]]:
    writer = PageWriter(Store.made(folder), "x/p", KINDS, ("P",))
    done = writer.write(Records(io.BytesIO(bulk(rows, header)), piece))
    return done, [pq.read_table(folder / path, partitioning=None) for path, _ in done.files]


def test_a_page_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "ROW_GROUP", 50_000)
    done, tables = written(tmp_path, [[str(n), str(n * n), "abc"[n % 3]] for n in range(30_000)], piece=4096)
    assert (done.rows, done.files, done.texts, done.missing) == (30_000, (("x/p-0.parquet", 30_000),), (), ())
    assert tables[0].to_pylist() == [{"Id": str(n), "N": n * n, "P": "abc"[n % 3]} for n in range(30_000)]
    meta = pq.read_metadata(tmp_path / "x/p-0.parquet")
    assert meta.num_row_groups > 5
    encodings = {meta.row_group(0).column(at).path_in_schema: meta.row_group(0).column(at).encodings for at in range(3)}
    assert "RLE_DICTIONARY" in encodings["P"] and "RLE_DICTIONARY" not in encodings["Id"]


@settings(max_examples=25)
@given(bad=st.sets(st.integers(0, 59), max_size=4), piece=st.integers(8, 400))
def test_misfits_anywhere_lose_no_row(tmp_path_factory: pytest.TempPathFactory, bad: set[int], piece: int) -> None:
    rows = [[str(n), "n/a" if n in bad else str(n), ""] for n in range(60)]
    done, tables = written(tmp_path_factory.mktemp("p"), rows, piece=piece)
    found = [(row["Id"], row["N"]) for table in tables for row in table.to_pylist()]
    assert [key for key, _ in found] == [row[0] for row in rows]
    assert [str(value) for _, value in found] == [row[1] for row in rows]
    assert done.rows == 60 and len(tables) <= 2 and done.texts == (("N",) if bad else ())


def test_an_empty_page_makes_no_file(tmp_path: Path) -> None:
    done, _ = written(tmp_path, [])
    assert (done.rows, done.files) == (0, ()) and not list(tmp_path.rglob("*.parquet"))


def test_a_page_without_a_column_says_so(tmp_path: Path) -> None:
    done, tables = written(tmp_path, [["1", "x"]], ("Id", "P"))
    assert done.missing == ("N",) and tables[0].column_names == ["Id", "P"]


def test_a_page_that_breaks_off_leaves_no_file(tmp_path: Path) -> None:
    class Breaks(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            if not data:
                raise ConnectionError
            return data

    writer = PageWriter(Store.made(tmp_path), "p", KINDS)
    with pytest.raises(ConnectionError):
        writer.write(Records(Breaks(bulk([[str(n), "1", "x"] for n in range(100)], ("Id", "N", "P"))), 64))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process is read from /proc")
def test_a_page_of_long_texts_takes_little_memory(org: Any, server: Any, landing: Path) -> None:
    """400 MB of texts in one page; held whole, they alone would go past the bound."""
    long = 'a line of some length, with "quotes"\n' * 2600
    rows = (
        {"Name": str(n), "Description": long[:100_000], "SystemModstamp": NOW - timedelta(days=1)} for n in range(4000)
    )
    org.load("Account", rows)
    code = (
        "import re, sys; from pathlib import Path; from extract.kit import run\n"
        "class S: token_url = sys.argv[1]\n"
        "report = run(S, sys.argv[2], 'Account', page_rows=100_000)\n"
        # not `ru_maxrss`, which begins with what the process that started this one had
        "peak = re.search(r'VmHWM:\\s+(\\d+) kB', Path('/proc/self/status').read_text())\n"
        "print(report.rows, report.objects[0].pages, int(peak[1]) // 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, server.token_url, str(landing)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    rows_read, pages, megabytes = map(int, done.stdout.split())
    assert (rows_read, pages) == (4000, 1)
    assert megabytes < 500
