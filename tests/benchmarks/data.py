"""What the comparisons work on, made once and kept under `out/bench`: the demo org at a scale, and one wide object."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
OUT = ROOT / "out" / "bench"
MAPPINGS = ROOT / "mappings"
WORK = OUT / "work"


@dataclass(frozen=True)
class Org:
    """The demo org's landing areas: the first load, and what an hour later lands beside it. No file is bad."""

    full: Path
    hour: Path


def org(scale: int) -> Org:
    """The demo org; a scale of 1 has about 20,000 records."""
    from forceglue.demo.appflow import full_load, hour
    from forceglue.mapping.load import load_project

    folder = OUT / "data" / f"org-{scale}"
    made = Org(folder / "full", folder / "hour")
    if not (folder / "whole").exists():
        shutil.rmtree(folder, ignore_errors=True)
        catalog = load_project(MAPPINGS).catalog
        truth = full_load(made.full, catalog, scale=scale)
        hour(made.hour, catalog, truth)
        for bad in truth.bad_files:  # a script would end at them
            (made.full / bad.path).unlink()
        (folder / "whole").touch()
    return made


def fresh(name: str) -> Path:
    """An empty folder for one way's output."""
    folder = WORK / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def land(source: Path, landing: Path) -> None:
    """Puts the files of `source` into a landing area, as links: nothing is copied, and a move leaves the source."""
    shutil.copytree(source, landing, copy_function=os.link, dirs_exist_ok=True)


WIDE = """
copy (
  select {key} as "Id",
         strftime(timestamp '2024-01-01' + interval (i % 31536000) second + interval ({later}) day, '%Y-%m-%dT%H:%M:%S.000Z')
           as "SystemModstamp",
         case when i % 997 = 0 then 'true' else 'false' end as "IsDeleted",
         {columns}
  from (select {i} as i from range({rows}) t(n))
) to '{file}' (format parquet, row_group_size 122880)
"""


def wide(rows: int, *, columns: int = 60, files: int = 20) -> Path:
    """One object of text fields as AppFlow lands it, in 20 files; about one value in 500 of some fields is bad."""
    import duckdb

    folder = OUT / "data" / f"wide-{rows}x{columns}"
    flow = folder / "in" / "bench-Salesforce-Wide__c" / "11111111-2222-3333-4444-555555555555"
    if not (folder / "whole").exists():
        shutil.rmtree(folder, ignore_errors=True)
        flow.mkdir(parents=True)
        each = rows // files
        for number in range(files):
            wide_file(duckdb.connect(), flow / f"part-{number:05}.parquet", f"n + {number * each}", each, columns, 0)
        (folder / "whole").touch()
    return folder


def wide_file(connection, file: Path, i: str, rows: int, columns: int, later: int) -> None:
    """Writes one file of the wide object: records number `i`, so many days `later`."""
    kinds = (
        "'text ' || (i * {n} % 10007)",
        "case when i % 500 = {n} then 'n/a' else cast(i * {n} % 100000 / 100.0 as varchar) end",
        "cast(i * {n} % 1000 as varchar)",
        "strftime(date '2020-01-01' + interval (i * {n} % 2000) day, '%Y-%m-%d')",
        "['New', 'Open', 'Won', 'Lost'][1 + (i * {n} % 4)]",
        "case when i % 11 = 0 then null else 'user' || (i * {n} % 5003) || '@example.com' end",
    )
    told = ", ".join(f'{kinds[n % len(kinds)].format(n=n)} as "Field{n}__c"' for n in range(1, columns - 2))
    key = "printf('a0W%012dEAA', i)"
    connection.execute(WIDE.format(key=key, later=later, columns=told, i=i, rows=rows, file=file))


def size(folder: Path) -> int:
    """Bytes of all files below."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
