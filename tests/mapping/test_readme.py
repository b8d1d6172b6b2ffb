"""The language reference says what the language is: its examples load, and every word is in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from forceglue.mapping import model
from forceglue.mapping.problems import Problem

README = (Path(__file__).parents[2] / "mappings" / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)
MODELS = [value for value in vars(model).values() if isinstance(value, type) and issubclass(value, BaseModel)]
WORDS = sorted({field.alias or name for entry in MODELS for name, field in entry.model_fields.items()})


def test_the_examples_are_a_sound_project(check: Callable[[Mapping[str, Any]], tuple[Problem, ...]]) -> None:
    files = {}
    for number, block in enumerate(BLOCKS):
        files["project.yaml" if block.splitlines()[1].startswith("name:") else f"{number}.yaml"] = block
    assert len(files) == 4
    assert [str(problem) for problem in check(files)] == []


@pytest.mark.parametrize("word", [word for word in WORDS if word not in ("name", "arguments")])
def test_every_word_is_explained(word: str) -> None:
    assert re.search(rf"`[^`\n]*\b{word}\b[^`\n]*`", README), f"mappings/README.md does not tell of `{word}`"
