"""The team's actions as an action of a Great Expectations checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from great_expectations.checkpoint.actions import ActionContext, ValidationAction
from great_expectations.checkpoint.checkpoint import CheckpointResult
from great_expectations.compatibility.pydantic import PrivateAttr

from forceglue.quality.actions import Dispatcher, FailedCheck, Failure
from forceglue.quality.expectations.redact import cause


class TeamAction(ValidationAction):
    """Tells the team's functions what failed, as plain counts."""

    type: Literal["forceglue_team_action"] = "forceglue_team_action"
    project: str
    run_id: str
    mapping: str

    _dispatcher: Dispatcher | None = PrivateAttr(default=None)
    _refused: tuple[FailedCheck, ...] = PrivateAttr(default=())

    def to(self, dispatcher: Dispatcher, refused: Sequence[FailedCheck] = ()) -> TeamAction:
        """This action, sending through a dispatcher; `refused` are checks that never got as far as the suite."""
        self._dispatcher, self._refused = dispatcher, tuple(refused)
        return self

    def run(self, checkpoint_result: CheckpointResult, action_context: ActionContext | None = None) -> dict[str, Any]:
        """Called by the checkpoint with its result."""
        failed = [one for result in checkpoint_result.run_results.values() for one in result.results if not one.success]
        checks = (*(_failed(one) for one in failed), *self._refused)
        if checks and self._dispatcher is not None:
            stopped = any(check.severity == "fail" or check.error is not None for check in checks)
            self._dispatcher.send(Failure(self.project, self.run_id, self.mapping, stopped, checks))
        return {"failed": len(checks)}


def _failed(result: Any) -> FailedCheck:
    config = result.expectation_config
    mark = (config.meta or {}).get("forceglue", {})
    seen = result.result or {}
    kind, name, severity = (
        ("rule", mark["rule"], mark["severity"])
        if "rule" in mark
        else ("expectation", config.type, mark.get("on_failure", "fail"))
    )
    return FailedCheck(kind, name, severity, seen.get("unexpected_count"), seen.get("element_count"), cause(result))
