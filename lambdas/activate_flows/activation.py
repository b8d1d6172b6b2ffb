"""Which flows are started and which are stopped, and what became of each."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from activate_flows.appflow import AppFlow, Flow, TimeOverError, code
from activate_flows.wanted import Wanted

SETTLED_SECONDS = 60.0
"""How long a flow may take from the call to its new state."""
TRIES = 8
"""Of a flow with which AppFlow has something else to do: with the waits between them about a minute."""
_ADVICE = {
    "AccessDeniedException": "the function has no right to it: its name must begin with the environment and a hyphen",
    "ServiceQuotaExceededException": "a quota of AppFlow is reached: have it raised, or run fewer flows at once",
    "ConflictException": "AppFlow has something else to do with it: deploy again when its run is over",
}


@dataclass
class Outcome:
    """What became of the flows; `problems` has a line for each that is not as it should be."""

    activated: list[str] = field(default_factory=list)
    active: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    run: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class Activation:
    """Starts and stops flows, each for itself: what goes wrong with one is told and does not hold up the others.

    Args:
        appflow: the calls.
        request: CloudFormation's id of the request; the same one runs no flow twice.
    """

    def __init__(self, appflow: AppFlow, request: str) -> None:
        self._appflow, self._request = appflow, request
        self.outcome = Outcome()
        self._over = False

    def start(self, new: Wanted, old: Wanted | None = None) -> None:
        """Scheduled flows first, so that a full run after them leaves no gap; what is no more wanted is stopped.

        Flows on demand are run where that was not asked before; where it was, those that have never run.

        Args:
            old: what was wanted before.
        """
        names, before = self._names(new), self._names(old) if old else []
        on_demand: list[Flow] = []

        def activate(name: str) -> None:
            flow = self._there(name)
            if flow.on_demand:
                on_demand.append(flow)
            else:
                self._activate(flow)

        self._each(names, activate)
        if new.run_full:
            asked_before = old is not None and old.run_full
            self._each([flow.name for flow in on_demand if not (asked_before and flow.has_run)], self._run)
        self._each([name for name in before if name not in names], self._stop)

    def stop(self, old: Wanted) -> None:
        """Stops all; what is not there, or never was active, is as it should be."""
        self._each(self._names(old), self._stop)

    def _names(self, meant: Wanted) -> list[str]:
        listed = self._appflow.names(meant.prefix) if meant.prefix else ()
        return list(dict.fromkeys((*meant.flows, *listed)))

    def _each(self, names: Iterable[str], do: Callable[[str], None]) -> None:
        left = list(names)
        while left and not self._over:
            try:
                do(left[0])
            except TimeOverError:
                self._over = True
                self.outcome.problems.append(
                    f"the function's time was over before {len(left)} flows ({', '.join(left[:3])} …): "
                    "deploy again, which goes on there"
                )
            except _FlowError as problem:
                self.outcome.problems.append(f"{left[0]}: {problem}")
            except ClientError as error:
                told = error.response.get("Error", {}).get("Message", "")
                self.outcome.problems.append(f"{left[0]}: {_ADVICE.get(code(error)) or f'{code(error)}: {told}'}")
            except BotoCoreError as error:
                self.outcome.problems.append(f"{left[0]}: {error}")
            left.pop(0)

    def _there(self, name: str) -> Flow:
        flow = self._appflow.describe(name)
        if flow is None:
            raise _FlowError("there is no such flow: name one, and refer to its resource so that it is made before")
        return flow

    def _activate(self, flow: Flow) -> None:
        if flow.status == "Active":
            self.outcome.active.append(flow.name)
            return
        for tried in range(1, TRIES + 1):
            try:
                self._appflow.start(flow.name, self._token(flow.name))
                break
            except ClientError as error:
                if code(error) != "ConflictException" or tried == TRIES:
                    raise
            self._appflow.pause(random.uniform(0, 2**tried / 4))
            flow = self._there(flow.name)
            if flow.status == "Active":
                break
        found = self._appflow.until(flow.name, _is_active, seconds=SETTLED_SECONDS)
        if not _is_active(found):
            status, said = (found.status, found.message) if found else ("gone", "")
            raise _FlowError(f"started, and it is {status}" + (f" ({said})" if said else "") + ": see it in AppFlow")
        self.outcome.activated.append(flow.name)

    def _run(self, name: str) -> None:
        try:
            self._appflow.start(name, self._token(name))
        except ClientError as error:
            if code(error) != "ConflictException" or not self._there(name).running:
                raise
            return  # it reads all of the object at this moment: that is what was wanted
        self.outcome.run.append(name)

    def _stop(self, name: str) -> None:
        for tried in range(1, TRIES + 1):
            flow = self._appflow.describe(name)
            if flow is None or flow.on_demand or flow.status != "Active":
                return
            try:
                self._appflow.stop(name)
                break
            except ClientError as error:
                if code(error) == "ResourceNotFoundException":
                    return
                if code(error) != "ConflictException" or tried == TRIES:
                    raise
            self._appflow.pause(random.uniform(0, 2**tried / 4))
        found = self._appflow.until(name, lambda one: not _is_active(one), seconds=SETTLED_SECONDS)
        if _is_active(found):
            raise _FlowError("stopped, and it is active still: stop it in AppFlow, and deploy again")
        self.outcome.stopped.append(name)

    def _token(self, name: str) -> str:
        return hashlib.sha256(f"{self._request} {name}".encode()).hexdigest()


class _FlowError(Exception):
    """One flow is not as it should be; the message says what to do."""


def _is_active(flow: Flow | None) -> bool:
    return flow is not None and flow.status == "Active"
