"""What the last scaffold made of an object, kept as `catalog/scaffold/<Object>.json`.

It is the base of the three-way merge: what the file says and this does not is a person's. It belongs into version
control beside the mapping.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forceglue.describe.columns import MadeColumn, MadeMapping
from forceglue.describe.snapshot import CATALOG
from forceglue.landing.store import Store

FOLDER = f"{CATALOG}/scaffold"


@dataclass(frozen=True)
class Record:
    """The columns by field, and the words, as they were made last."""

    source: str
    columns: Mapping[str, MadeColumn] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, made: MadeMapping, before: Iterable[MadeColumn] = ()) -> Record:
        """What is made now; columns of fields that are gone stay in it, so that they are not new when they return."""
        columns = {column.field: column for column in (*before, *made.columns)}
        return cls(made.source, columns, made.words)

    def get(self, name: str) -> MadeColumn | None:
        """The column of a field, in any case."""
        return self.columns.get(name) or next((c for f, c in self.columns.items() if f.lower() == name.lower()), None)


def read(folder: Path, source: str) -> Record | None:
    """The record of an object; None where scaffold has never made it.

    Raises:
        ValueError: the file is none.
    """
    path = folder / FOLDER / f"{source}.json"
    if not path.is_file():
        return None
    try:
        raw: dict[str, Any] = json.loads(path.read_bytes())
        columns = {name: MadeColumn(field=name, **facts) for name, facts in raw["columns"].items()}
        return Record(raw["source"], columns, raw["words"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError(
            f"{FOLDER}/{source}.json cannot be read: take it from version control again, or delete it and say --force"
        ) from None


def write(folder: Path, record: Record) -> None:
    """Puts it beside the snapshots, whole or not at all, one column a line."""
    lines = [
        f"    {_json(name)}: {_json({k: v for k, v in _facts(column).items() if v is not None})}"
        for name, column in record.columns.items()
    ]
    text = "\n".join(
        [
            "{",
            f'  "source": {_json(record.source)},',
            f'  "words": {_json(dict(record.words))},',
            '  "columns": {',
            *([",\n".join(lines)] if lines else []),
            "  }",
            "}",
            "",
        ]
    )
    Store.made(folder).write_bytes(f"{FOLDER}/{record.source}.json", text.encode())


def _facts(column: MadeColumn) -> dict[str, str | None]:
    return {
        "name": column.name,
        "type": column.type,
        "description": column.description,
        "comment": column.comment,
    }


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
