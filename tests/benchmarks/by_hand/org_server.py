"""A simulated org with one object of a million rows, in a process of its own: nobody shares its Python.

python -m benchmarks.by_hand.org_server FOLDER ROWS: serves until its standard input ends; the first line it says is its URL.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from forceglue.simulated.salesforce import Org, SetClock, serve

OBJECT, APP, SECRET = "Wide__c", "bench", "bench-secret"
CHUNK = 100_000
FIELDS = [
    {"name": "Id", "type": "id"},
    {"name": "IsDeleted", "type": "boolean"},
    *({"name": name, "type": "datetime"} for name in ("SystemModstamp", "CreatedDate", "LastModifiedDate")),
    {"name": "Name", "type": "string", "length": 80},
    *({"name": f"Text{n}__c", "type": "string", "length": 80} for n in range(13)),
    *({"name": f"Pick{n}__c", "type": "picklist"} for n in range(6)),
    *({"name": f"Amount{n}__c", "type": "currency", "precision": 18, "scale": 2} for n in range(7)),
    *({"name": f"Count{n}__c", "type": "int"} for n in range(4)),
    *({"name": f"Day{n}__c", "type": "date"} for n in range(4)),
]
VALUES = {
    "id": "printf('a00%012dAAA', i)",
    "boolean": "false",
    "datetime": "strftime(timestamp '2025-01-01' + to_seconds(i), '%Y-%m-%dT%H:%M:%S.000Z')",
    "string": "'text, \"' || (i * {n} % 1000003) || '\"'",
    "picklist": "['New', 'Open', 'Won', 'Lost'][1 + (i * {n} % 4)]",
    "currency": "cast(cast(i * {n} % 10000000 / 100.0 as decimal(18, 2)) as varchar)",
    "int": "cast(i * {n} % 100000 as varchar)",
    "date": "strftime(date '2020-01-01' + cast(i * {n} % 2000 as int), '%Y-%m-%d')",
}


def filled(folder: Path, rows: int) -> Org:
    """The org in a folder, made there once."""
    import duckdb

    done = folder / "whole"
    org = Org(folder / "org", clock=SetClock(datetime(2026, 1, 1, tzinfo=UTC)))
    org.define({"name": OBJECT, "fields": FIELDS})
    org.access.add_app(APP, SECRET, run_as="integration@example.com")
    if not done.exists():
        columns = [
            f'cast({VALUES[f["type"]].format(n=n)} as varchar) as "{f["name"]}"' for n, f in enumerate(FIELDS, 1)
        ]
        for start in range(0, rows, CHUNK):
            made = f"select {', '.join(columns)} from range({start}, {min(rows, start + CHUNK)}) t(i)"
            org.load(OBJECT, duckdb.connect().sql(made).to_arrow_table())
        done.touch()
    return org


def main(folder: Path, rows: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with serve(filled(folder, rows)) as server:
        print(server.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
