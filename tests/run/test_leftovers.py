from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from forceglue.landing.store import Store
from forceglue.mapping.model import ProjectMaintain
from forceglue.run.leftovers import Leftovers, leftovers

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    for days in (1, 10, 100):
        moment = NOW - timedelta(days=days)
        for path in (f"_runs/{moment:%Y%m%dT%H%M%SZ}-abc/report.json", f"_staging/r{days}/account/a.parquet"):
            (tmp_path / path).parent.mkdir(parents=True)
            (tmp_path / path).write_text("12345")
            os.utime(tmp_path / path, (moment.timestamp(), moment.timestamp()))
    (tmp_path / "_runs" / "mine").mkdir()
    (tmp_path / "_runs" / "mine" / "notes.txt").write_text("")
    return Store(str(tmp_path))


def there(store: Store) -> tuple[int, int]:
    return len(store.list("_runs")), len(store.list("_staging"))


def test_reports_stay_unless_a_time_is_said(store: Store) -> None:
    assert leftovers(store, ProjectMaintain(), NOW, dry=True) == Leftovers(0, 2, 10)
    assert there(store) == (4, 3)
    assert leftovers(store, ProjectMaintain(), NOW, dry=False) == Leftovers(0, 2, 10)
    assert there(store) == (4, 1)


def test_what_is_no_runs_folder_is_nobodys_business(store: Store) -> None:
    assert leftovers(store, ProjectMaintain(keep_runs="2 weeks"), NOW, dry=False).runs == 1
    assert leftovers(store, ProjectMaintain(keep_runs="2 days"), NOW, dry=False).runs == 1
    assert [e.path.split("/")[1] for e in store.list("_runs")] == ["20260531T000000Z-abc", "mine"]
