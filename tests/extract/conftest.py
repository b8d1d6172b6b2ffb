"""A small org on a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from extract.kit import ACCOUNT, CONTACT, LOG, NOW, TASK_STATUS
from forceglue.salesforce import bulk
from forceglue.simulated.salesforce import Org, SetClock, serve


@pytest.fixture(autouse=True)
def _jobs_are_soon_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "FIRST_WAIT", 0.01)


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOW)


@pytest.fixture
def org(clock: SetClock) -> Iterator[Any]:
    with Org(clock=clock) as made:
        made.define(ACCOUNT, CONTACT, TASK_STATUS, LOG)
        made.access.add_app("app", "app-secret", run_as="integration@example.com")
        yield made


@pytest.fixture
def server(org: Any) -> Iterator[Any]:
    with serve(org) as running:
        yield running


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    return tmp_path / "landing"
