"""A small org in a temporary folder; every test of this folder shares the session."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from e2e.org import Org

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture
def org(tmp_path: Path, spark: SparkSession) -> Org:
    return Org(tmp_path, spark)
