"""What a cold start imports: nothing of Spark, no table library; the time is a figure of tests/benchmarks."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.house.lock import ROOT

HEAVY = (
    "pyspark",
    "py4j",
    "delta",
    "pandas",
    "numpy",
    "pyarrow",
    "deltalake",
    "pydantic",
    "yaml",
    "rich",
    "sqlglot",
    "moto",
    "boto3",
)
CHECKS_REQUESTS = {"rest_api": {"pydantic"}}
"""An API whose requests are checked by models needs them at its first call: they belong to its start."""
HANDLERS = sorted(path.parent.name for path in (ROOT / "lambdas").glob("*/handler.py"))


@pytest.mark.parametrize("function", HANDLERS)
def test_a_function_imports_nothing_heavy(function: str) -> None:
    heavy = set(HEAVY) - CHECKS_REQUESTS.get(function, set())
    code = f"import sys, {function}.handler; print(sorted({heavy!r} & sys.modules.keys()))"
    places = os.pathsep.join(str(ROOT / name) for name in ("glue", "lambdas"))
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        env={"PYTHONPATH": places, "PATH": os.environ["PATH"], "AWS_DEFAULT_REGION": "eu-west-1"},
    )  # fmt: skip
    assert said.stdout.strip() == "[]", said.stdout + said.stderr
