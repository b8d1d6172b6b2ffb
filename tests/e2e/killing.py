"""The machine that dies at a step of a run, in this process: what a kill leaves, without a Python and a JVM to start."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from e2e.org import Killed
from forceglue.landing import store
from forceglue.run import dataset_run, object_run
from forceglue.write import delta_merge, delta_table


class Machine:
    """Dies at a step: from then on nothing is written, moved or deleted any more, cleaning up included."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.dead = False
        for owner, names in (
            (store.LocalBackend, ("write_bytes", "filled", "move", "delete")),
            (object_run, ("_tidy", "discard", "settle", "withdraw")),
            (dataset_run, ("discard",)),
            (delta_table.Table, ("adopt", "advance")),
            (delta_merge, ("_execute",)),
        ):
            for name in names:
                patch.setattr(owner, name, self._alive(getattr(owner, name)))

    def _alive(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            if self.dead:
                raise Killed
            return real(*args, **named)

        return call

    def dies(self, patch: pytest.MonkeyPatch, owner: Any, name: str, when: str, turn: int) -> None:
        real, left = getattr(owner, name), turn

        def call(*args: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if self.dead:
                raise Killed
            if when == "before" and left <= 0:
                self.die()
            done = real(*args, **named)
            if left <= 0 and (when == "after" or (when == "after account" and args[0].path == "account")):
                self.die()
            return done

        patch.setattr(owner, name, call)

    def die(self) -> None:
        self.dead = True
        raise Killed


@contextmanager
def killed(owner: Any, name: str, when: str, turn: int = 1) -> Iterator[None]:
    """Dies at the step; `turn`: not before it is taken for the so many-th time."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        machine = Machine(patch)
        if when == "rename":  # the last step of a CSV delivery
            real = store.LocalBackend.move

            def move(self: Any, source: str, target: str, seen: Any) -> None:
                if target == "all.csv":
                    machine.die()
                real(self, source, target, seen)

            patch.setattr(store.LocalBackend, "move", move)
        else:
            machine.dies(patch, owner, name, when, turn)
        yield
