"""AppFlow's API as it is needed here: patient where it is busy, until a deadline."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from botocore import exceptions
from botocore.exceptions import ClientError

Trigger = Literal["Scheduled", "Event", "OnDemand"]

_BUSY = frozenset(
    {
        "InternalServerException",
        "LimitExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 10.0
"""Seconds between two tries, in the mean half of it."""


class TimeOverError(Exception):
    """The function's time is over before everything was done."""


@dataclass(frozen=True)
class Flow:
    """A flow as AppFlow describes it.

    Attributes:
        status: Active, Draft, Suspended, Errored, …; that of a flow on demand tells nothing.
        message: what AppFlow says to the status.
        has_run: it has had a run, however that ended.
        running: it has one now.
    """

    name: str
    trigger: Trigger
    status: str
    message: str = ""
    has_run: bool = False
    running: bool = False

    @property
    def on_demand(self) -> bool:
        return self.trigger == "OnDemand"


class AppFlow:
    """The calls.

    Args:
        client: botocore's.
        deadline: `time.monotonic()` after which nothing more is begun.
    """

    def __init__(self, client: Any, deadline: float) -> None:
        self._client, self._deadline = client, deadline

    def names(self, prefix: str) -> Iterator[str]:
        """The names of all flows that begin with `prefix`."""
        token: dict[str, str] = {}
        while True:
            page = self._patient(partial(self._client.list_flows, maxResults=100, **token))
            yield from (one["flowName"] for one in page.get("flows", ()) if one["flowName"].startswith(prefix))
            if not page.get("nextToken"):
                return
            token = {"nextToken": page["nextToken"]}

    def describe(self, name: str) -> Flow | None:
        """The flow; None where there is none."""
        try:
            told = self._patient(partial(self._client.describe_flow, flowName=name))
        except ClientError as error:
            if code(error) == "ResourceNotFoundException":
                return None
            raise
        if told["flowStatus"] == "Deleted":
            return None
        last = told.get("lastRunExecutionDetails", {}).get("mostRecentExecutionStatus")
        trigger = told["triggerConfig"]["triggerType"]
        message = told.get("flowStatusMessage", "")
        return Flow(name, trigger, told["flowStatus"], message, last is not None, last == "InProgress")

    def start(self, name: str, token: str) -> None:
        """Activates a flow, or runs one that is on demand; the same token never runs it twice.

        Raises:
            ClientError: `ConflictException` while something else is done with the flow.
        """
        self._patient(partial(self._client.start_flow, flowName=name, clientToken=token))

    def stop(self, name: str) -> None:
        """Deactivates a flow that has a schedule or waits for events."""
        self._patient(partial(self._client.stop_flow, flowName=name))

    def until(self, name: str, settled: Callable[[Flow | None], bool], *, seconds: float) -> Flow | None:
        """The flow when it is as it should be, or as it is after so many seconds."""
        end = min(time.monotonic() + seconds, self._deadline)
        for wait in _waits():
            flow = self.describe(name)
            if settled(flow) or time.monotonic() + wait > end:
                return flow
            time.sleep(wait)
        raise AssertionError  # waits have no end

    def pause(self, wait: float) -> None:
        """Waits, if there is time for it. Raises `TimeOverError`."""
        if time.monotonic() + wait > self._deadline:
            raise TimeOverError
        time.sleep(wait)

    def _patient(self, call: Callable[[], Any]) -> Any:
        for wait in _waits():
            if time.monotonic() > self._deadline:
                raise TimeOverError
            try:
                return call()
            except ClientError as error:
                if code(error) not in _BUSY:
                    raise
            except (exceptions.ConnectionError, exceptions.HTTPClientError):
                pass  # not reached, or the answer was lost: each of these calls can be made again
            self.pause(wait)
        raise AssertionError  # waits have no end


def code(error: ClientError) -> str:
    """AppFlow's name of an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _waits() -> Iterator[float]:
    """Ever longer, by chance: many flows of several stacks do not come again at the same moment."""
    longest = _FIRST_WAIT
    while True:
        yield random.uniform(0, longest)
        longest = min(2 * longest, _LONGEST_WAIT)
