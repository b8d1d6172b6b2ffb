"""A team's own action when a mapping's rules or expectations fail: called with plain counts, never with rows.

An action is a function that takes a `Failure`. It is named in `project.yaml` as `on_failure: ["module:function"]`, or
comes with an installed package as an entry point of the group `forceglue.actions`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from threading import Lock

from forceglue.errors import UsageError

GROUP = "forceglue.actions"


@dataclass(frozen=True)
class FailedCheck:
    """A rule or an expectation that did not hold.

    Attributes:
        kind: `rule` or `expectation`. severity: of a rule its own; of an expectation its `on_failure`.
        failed, rows: rows that break it of the rows judged; None where it is not about rows.
        error: why it could not be judged; None when it could.
    """

    kind: str
    name: str
    severity: str
    failed: int | None
    rows: int | None
    error: str | None = None


@dataclass(frozen=True)
class Failure:
    """What an action is told. `stopped`: nothing of this mapping is written."""

    project: str
    run_id: str
    mapping: str
    stopped: bool
    checks: tuple[FailedCheck, ...]


Action = Callable[[Failure], object]


def load_action(name: str) -> Action:
    """The function that `module:function` names.

    Raises:
        UsageError: no such module or function.
    """
    module_name, _, attribute = name.partition(":")
    advice = "Write module:function, and install the module beside forceglue or put its folder on PYTHONPATH."
    if not module_name or not attribute:
        raise UsageError(f"on_failure: {name!r} is not of the form module:function. {advice}")
    try:
        found = getattr(import_module(module_name), attribute)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"on_failure: {name!r} cannot be loaded: {error}. {advice}") from error
    if not callable(found):
        raise UsageError(f"on_failure: {name!r} is not a function. {advice}")
    action: Action = found
    return action


def find_actions(names: Sequence[str]) -> dict[str, Action]:
    """The actions of a project by name: those it names, then those of installed packages."""
    found = {name: load_action(name) for name in names}
    for point in entry_points(group=GROUP):
        found.setdefault(point.value, load_action(point.value))
    return found


class Dispatcher:
    """Starts every action at once for each failure, and keeps what went wrong in them.

    Each call runs in a thread of the dispatcher's own: a slow action delays no mapping, and whatever it raises changes
    nothing but the list of `problems`.
    """

    def __init__(self, actions: dict[str, Action]) -> None:
        self._actions = actions
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="forceglue-action")
        self._calls: list[tuple[str, str, Future[object]]] = []

    def send(self, failure: Failure) -> None:
        """Start the actions for one failure."""
        with self._lock:
            for name, action in self._actions.items():
                self._calls.append((name, failure.mapping, self._pool.submit(action, failure)))

    def problems(self) -> tuple[str, ...]:
        """Wait for the actions sent so far; one line for each that raised."""
        with self._lock:
            calls = list(self._calls)
        raised = [(name, mapping, call.exception()) for name, mapping, call in calls]
        return tuple(
            f"action {name} for {mapping} raised {type(error).__name__}: {error}"
            for name, mapping, error in raised
            if error is not None
        )
