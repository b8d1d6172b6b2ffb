"""`forceglue init`: a project of one's own, that works at once.

Its object mapping is made as `scaffold` makes it, so that scaffold goes on with it; the rules and the example below it
are what a person would add.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

from forceglue import __version__
from forceglue.describe import record
from forceglue.describe.columns import made
from forceglue.describe.record import Record
from forceglue.describe.render import mapping_text, scalar
from forceglue.errors import UsageError
from forceglue.mapping import schema
from forceglue.mapping.catalog import object_from_describe
from forceglue.mapping.model import ObjectDefaults

STARTER = "describe/starter"
# the file that is made → the file of the starter that it is made from
FILES = {
    "README.md": "README.md",
    ".gitignore": "gitignore",
    ".github/workflows/mappings.yaml": "workflow.yaml",
    "requirements.txt": "requirements.txt",
    "mappings/project.yaml": "mappings/project.yaml",
    "mappings/catalog/Account.json": "mappings/catalog/Account.json",
    "sample/Account.csv": "sample/Account.csv",
    "tests/test_mappings.py": "tests/test_mappings.txt",
}
_MADE = (
    "mappings/catalog/scaffold/Account.json",
    "mappings/mapping.schema.json",
    "mappings/profile_v2.schema.json",
    "mappings/objects/account.yaml",
    "mappings/project.schema.json",
)
_FILLED = frozenset({"README.md", "requirements.txt", "mappings/project.yaml"})
_MAY_BE_THERE = frozenset({".git"})


def start(folder: Path) -> tuple[str, ...]:
    """Makes the project; gives its files relative to `folder`.

    Raises:
        UsageError: the folder is not empty (but for `.git`), or cannot be written.
    """
    name = folder.absolute().name or "salesforce"
    try:
        if folder.is_dir() and (there := sorted(p.name for p in folder.iterdir() if p.name not in _MAY_BE_THERE)):
            told = ", ".join(there[:3]) + (f" and {len(there) - 3} more" if len(there) > 3 else "")
            raise UsageError(f"{folder} is not empty ({told}), so nothing was written. Name an empty or a new folder.")
        for file, source in FILES.items():
            text = _starter(source)
            if file in _FILLED:
                told = scalar(name) if file.endswith(".yaml") else name
                text = text.replace("{name}", told).replace("{version}", __version__)
            _write(folder / file, text)
        schema.write(folder / "mappings")
        _account(folder / "mappings")
    except OSError as error:
        raise UsageError(
            f"the project cannot be made in {folder}: {error.strerror} ({error.filename}). Name another folder."
        ) from error
    return tuple(sorted((*FILES, *_MADE)))


def _account(mappings: Path) -> None:
    known = object_from_describe(json.loads(_starter("mappings/catalog/Account.json")))
    account = made(known, "account", ObjectDefaults())
    text = mapping_text(account, schema=True) + _starter("mappings/rules.yaml")
    _write(mappings / "objects" / "account.yaml", text)
    record.write(mappings, Record.of(account))


def _starter(file: str) -> str:
    return (files("forceglue") / STARTER / file).read_text(encoding="utf-8")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
