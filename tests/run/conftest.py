"""A small org in a temporary folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from run.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)
