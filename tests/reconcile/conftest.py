"""A small org and its table, which are the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from extract.kit import ACCOUNT, CONTACT, LOG, NOW, TASK_STATUS
from forceglue.simulated.salesforce import Org, SetClock, serve
from reconcile.kit import Bench, days


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOW)


@pytest.fixture
def org(clock: SetClock) -> Iterator[Any]:
    with Org(clock=clock) as made:
        made.define(ACCOUNT, CONTACT, TASK_STATUS, LOG)
        made.access.add_app("app", "app-secret", run_as="integration@example.com")
        made.load("Account", days(60))
        yield made


@pytest.fixture
def server(org: Any) -> Iterator[Any]:
    with serve(org) as running:
        yield running


@pytest.fixture
def bench(org: Any, server: Any, tmp_path: Path) -> Bench:
    made = Bench(tmp_path, org, server)
    made.write(made.rows())
    made.mark(NOW)
    return made
