"""Asynchronous invocations queue up for a function, are tried three times and end in its dead letters, as on AWS.

ministack starts a thread and a process for each event of EventBridge at once, forgets those that fail, and counts being
throttled as a failure: a thousand files that land together would be a thousand processes, and some would be lost.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ministack.services import eventbridge, lambda_svc

log = logging.getLogger("lambda")
AT_ONCE = int(os.environ.get("LOCAL_LAMBDAS_AT_ONCE", "0")) or max(4, 2 * (os.cpu_count() or 1))
"""Invocations of a function side by side; the others wait. Each is a process."""
_THROTTLED_SECONDS = 0.25
_LONGEST = 21_600
_TRIES = 3


@dataclass
class _Waiting:
    """An event on its way to a function."""

    func: dict[str, Any]
    event: Any
    since: float = field(default_factory=time.time)
    tries: int = 0


class _Queue:
    """The events of one function; threads come with work and go without."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: deque[_Waiting] = deque()
        self._threads = 0

    def put(self, waiting: _Waiting) -> None:
        with self._lock:
            self._events.append(waiting)
            if self._threads >= AT_ONCE:
                return
            self._threads += 1
        threading.Thread(target=self._work, name="lambda-events", daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._events:
                    self._threads -= 1
                    return
                waiting = self._events.popleft()
            _scoped(waiting, lambda one: _invoke(one, self._again))

    def _again(self, waiting: _Waiting, after: float) -> None:
        later = threading.Timer(after, self.put, [waiting])
        later.daemon = True
        later.start()


_queues: dict[str, _Queue] = {}
_guard = threading.Lock()


def apply() -> None:
    """Corrects it."""
    lambda_svc.invoke_async_with_retry = deliver
    eventbridge._dispatch_to_lambda = _from_event_bus


def deliver(func: dict[str, Any], event: Any) -> None:
    """Queues an event for a function."""
    config = func.get("config") or func
    with _guard:
        queue = _queues.setdefault(str(config.get("FunctionArn", "")), _Queue())
    queue.put(_Waiting(func, event))


def _from_event_bus(arn: str, payload: str) -> None:
    func, config, name = lambda_svc._get_func_record_for_ref(arn)
    if not func or not config:
        log.warning("EventBridge: the function %s is not there; its event is dropped", name)
        return
    deliver(lambda_svc._execution_record_for_config(func, config), json.loads(payload))


def _scoped(waiting: _Waiting, work: Callable[[_Waiting], None]) -> None:
    """In the function's own account and region."""
    lambda_svc._run_with_function_config_scope(waiting.func, work, waiting)


def _invoke(waiting: _Waiting, again: Callable[[_Waiting, float], None]) -> None:
    result = lambda_svc._execute_function(waiting.func, waiting.event)
    if not result.get("error"):
        return
    told = _told(waiting.func)
    age, longest = time.time() - waiting.since, float(told.get("MaximumEventAgeInSeconds") or _LONGEST)
    if result.get("throttle"):
        after = _THROTTLED_SECONDS
    else:
        waiting.tries += 1
        retries = told.get("MaximumRetryAttempts")
        if waiting.tries > (_TRIES - 1 if retries is None else int(retries)):
            _give_up(waiting, told, result)
            return
        base, most = lambda_svc._LAMBDA_ASYNC_RETRY_BASE_SECONDS, lambda_svc._LAMBDA_ASYNC_RETRY_MAX_SECONDS
        after = min(base * 2 ** (waiting.tries - 1), most)
    if age + after > longest:
        _give_up(waiting, told, result)
    else:
        again(waiting, after)


def _told(func: dict[str, Any]) -> dict[str, Any]:
    """The function's settings of asynchronous invocations."""
    found = func.get("event_invoke_config") or (func.get("event_invoke_configs") or {}).get("$LATEST")
    return dict(found or {})


def _give_up(waiting: _Waiting, told: dict[str, Any], result: dict[str, Any]) -> None:
    config = waiting.func.get("config") or waiting.func
    name = str(config.get("FunctionName", ""))
    where = ((told.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
    where = where or (config.get("DeadLetterConfig") or {}).get("TargetArn")
    if where:
        lambda_svc._route_async_failure(where, name, waiting.event, result)
    else:
        log.warning("Lambda %s: an event failed for good and has no dead letters to go to", name)
