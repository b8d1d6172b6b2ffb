"""Files larger than the function's memory: what is read of them, how they are moved, and how much memory that takes."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lambdas.aws_server import CREDENTIALS
from lambdas.ingest_kit import CATALOG, FOLDER, MAPPINGS
from lambdas.sparse_s3 import GIB, SparseS3, sparse_s3
from tests.house.lock import ROOT

MEMORY = 512 << 20
KEY = f"{FOLDER}/e1/large"


@pytest.fixture
def s3(tmp_path: Path) -> Iterator[SparseS3]:
    for name, text in (MAPPINGS | CATALOG).items():
        file = tmp_path / "mappings" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (tmp_path / "landing" / FOLDER / "e1").mkdir(parents=True)
    with sparse_s3(tmp_path) as running:
        yield running


def turn(s3: SparseS3, key: str) -> dict[str, Any]:
    environment = {
        **os.environ, **CREDENTIALS, "AWS_ENDPOINT_URL": s3.url, "AWS_REGION": "eu-west-1", "LANDING": "s3://landing",
        "EVENT_BUS": "bus", "MAPPINGS": str(s3.folder / "mappings"),
        "PYTHONPATH": os.pathsep.join(str(ROOT / name) for name in ("glue", "lambdas", "tests")),
    }  # fmt: skip
    said = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("one_file.py")), "landing", key],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    found: dict[str, Any] = json.loads(said.stdout.splitlines()[-1])
    return found


def large_parquet(path: Path, size: int) -> int:
    """A Parquet file of so many bytes, nearly all of them a hole, whose footer is that of a large file; its rows."""
    out = io.BytesIO()
    columns = {"Id": [str(number) for number in range(400)]}
    columns |= {f"Field_{number}__c": ["x"] * 400 for number in range(80)}
    pq.write_table(pa.table(columns), out, row_group_size=1)
    data = out.getvalue()
    footer = int.from_bytes(data[-8:-4], "little") + 8
    with path.open("wb") as stream:
        stream.write(data[:-footer])
        stream.seek(size - footer)
        stream.write(data[-footer:])
    return 400


def test_of_a_parquet_file_of_more_than_5_gb_the_footer_is_read_and_s3_moves_it(s3: SparseS3) -> None:
    file = s3.folder / "landing" / f"{KEY}.parquet"
    size = 5 * GIB + 300_000_001
    rows = large_parquet(file, size)
    found = turn(s3, f"{KEY}.parquet")
    ((kind, detail),) = found["told"]
    assert (kind, detail["rows"], detail["bytes"]) == ("file-ingested", rows, size)
    moved = s3.folder / "landing" / detail["moved_to"]
    assert moved.stat().st_size == size and not file.exists()
    assert found["peak"] < MEMORY
    # the footer alone was read, and S3 copied the file itself
    assert s3.sent < 20 << 20 and s3.received < 1 << 20
    assert s3.calls["UploadPartCopy"] == -(-size // (128 << 20)) and s3.calls["CopyObject"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["large.csv", "large.json"])
def test_a_text_file_larger_than_the_memory_is_a_stream(s3: SparseS3, name: str) -> None:
    line = b"001A,Acme\n" if name.endswith("csv") else b'{"Id": "001A", "Name": "Acme"}\n'
    times = (600 << 20) // len(line)
    with (s3.folder / "landing" / FOLDER / "e1" / name).open("wb") as stream:
        if name.endswith("csv"):
            stream.write(b"Id,Name\n")
        for _ in range(times // 10_000):
            stream.write(line * 10_000)
    found = turn(s3, f"{FOLDER}/e1/{name}")
    ((kind, detail),) = found["told"]
    assert (kind, detail["rows"]) == ("file-ingested", times // 10_000 * 10_000)
    assert found["peak"] < MEMORY
