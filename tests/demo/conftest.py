"""The demo org, landed once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demo.landed_org import Landed, Reader, Row, StepReader, deleted, latest, read_rows
from forceglue.demo.appflow import full_load, hour
from forceglue.mapping.catalog import Catalog, load_catalog

if TYPE_CHECKING:
    from forceglue.demo.truth import OrgTruth

MAPPINGS = Path(__file__).parents[2] / "mappings"


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    loaded, problems = load_catalog(MAPPINGS / "catalog")
    assert not problems
    return loaded


@pytest.fixture(scope="session")
def org(tmp_path_factory: pytest.TempPathFactory, catalog: Catalog) -> Landed:
    folder = tmp_path_factory.mktemp("org")
    full = full_load(folder, catalog)
    return Landed(folder, full, hour(folder, catalog, full))


@pytest.fixture(scope="session")
def landed(org: Landed) -> StepReader:
    """The rows of an object that a step landed."""
    cache: dict[str, list[Row]] = {}

    def read(step: OrgTruth, name: str) -> list[Row]:
        rows: list[Row] = []
        for path in step.objects[name].paths:
            if path not in cache:
                cache[path] = read_rows(org.folder / path)
            rows += cache[path]
        return rows

    return read


@pytest.fixture(scope="session")
def live(org: Landed, landed: StepReader) -> Reader:
    """The live records of an object after the full load, ids in 18 characters: what the datasets see."""
    cache: dict[str, list[Row]] = {}

    def read(name: str) -> list[Row]:
        if name not in cache:
            records = latest(landed(org.full, name))
            cache[name] = [{**row, "id": key} for key, row in records.items() if not deleted(row)]
        return cache[name]

    return read
