"""Small mapping folders for the tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from forceglue.mapping.check import check_folder
from forceglue.mapping.load import load_project
from forceglue.mapping.problems import Problem
from forceglue.mapping.project import Project

Write = Callable[[Mapping[str, Any]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes files (text is dedented, anything else is JSON) under a mappings folder; gives the folder."""

    def files(contents: Mapping[str, Any]) -> Path:
        folder = tmp_path / "mappings"
        folder.mkdir(exist_ok=True)
        for name, content in contents.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                path.write_bytes(content)
            elif isinstance(content, str):
                path.write_text(dedent(content).lstrip("\n"), encoding="utf-8")
            else:
                path.write_text(json.dumps(content), encoding="utf-8")
        return folder

    return files


@pytest.fixture
def check(write: Write) -> Callable[[Mapping[str, Any]], tuple[Problem, ...]]:
    return lambda contents: check_folder(write(contents)).problems


@pytest.fixture
def load(write: Write) -> Callable[..., Project]:
    return lambda contents, **options: load_project(write(contents), **options)
