"""A small project and a landing root in a temporary folder."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from forceglue.landing.ingest import IngestReport, ingest
from forceglue.landing.store import Store
from forceglue.mapping.project import Project
from landing.kit import NOON, Mortal, make_project


@pytest.fixture
def project() -> Project:
    return make_project()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    root = tmp_path / "landing"
    root.mkdir()
    return Store.for_root(root)


@pytest.fixture
def run(project: Project) -> Callable[..., IngestReport]:
    """`ingest` with a caller filled in."""

    def call(store: Store, now: datetime = NOON, used: Project = project, **more: Any) -> IngestReport:
        return ingest(
            store, used, now=now, function_name="ingest", function_version="1.2", request_id=f"r-{now:%H}", **more
        )

    return call


@pytest.fixture(params=[False, True], ids=["rename", "copy-and-delete"])
def mortal(request: pytest.FixtureRequest) -> Callable[[Store, int], Store]:
    """A store over the same root that is killed at step n."""

    def make(store: Store, dies_at: int) -> Store:
        dying = Store(store.root)
        dying._backend = Mortal(dying._backend, dies_at, copies=request.param)
        return dying

    return make
