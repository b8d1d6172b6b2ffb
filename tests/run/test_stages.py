"""A stopwatch with named laps."""

from __future__ import annotations

import pytest

from forceglue.run.stages import Stages


def test_a_stage_that_comes_again_adds_up_and_one_that_fails_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([0.0, 1.5, 10.0, 12.25, 20.0, 20.5])
    monkeypatch.setattr("forceglue.run.stages.time.monotonic", lambda: next(ticks))
    stages = Stages()
    with stages("read"):
        pass
    with stages("write"):
        pass
    with pytest.raises(ZeroDivisionError), stages("read"):
        raise ZeroDivisionError
    assert stages.seconds == {"read": 2.0, "write": 2.25}
