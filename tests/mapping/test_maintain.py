from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from forceglue.mapping.model import Maintain, ProjectMaintain
from forceglue.mapping.model.maintain import before, size


def test_a_tables_words_win_over_the_projects() -> None:
    project = ProjectMaintain(keep="3 days", small_files=5)
    assert project.of(None) == project
    assert project.of(Maintain(keep="2 weeks")) == ProjectMaintain(keep="2 weeks", small_files=5)


@pytest.mark.parametrize("keep", ["23 hours", "31 days", "5 weeks", "forever", "7days", "0 days", "1 month"])
def test_what_would_harm_a_load_or_promise_too_much_is_refused(keep: str) -> None:
    for model in (Maintain, ProjectMaintain):
        with pytest.raises(ValidationError):
            model(keep=keep)


def test_times_and_sizes() -> None:
    now = datetime(2026, 1, 31, tzinfo=UTC)
    assert before("24 hours", now) == before("1 days", now) == now - timedelta(days=1)
    assert before("forever", now) < datetime(1, 1, 2, tzinfo=UTC)
    assert (size("128 MB"), size("1GB")) == (1 << 27, 1 << 30)
