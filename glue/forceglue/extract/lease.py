"""One extract at a time for each object of a landing root.

A file that only one writer can make says who reads the object, and until when it counts. It is renewed while the work
goes on; when its process is gone it counts no longer: at once where that can be seen (the same machine), else when its
time is over.
"""

from __future__ import annotations

import json
import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from forceglue.errors import ExtractError
from forceglue.extract.state import FOLDER
from forceglue.landing.store import Store

LIFE, RENEWED_AFTER = timedelta(minutes=10), 60.0
_OURS: set[str] = set()


@contextmanager
def leased(store: Store, name: str, way: str = "") -> Iterator[Callable[[], None]]:
    """Holds the object's lease for the block; gives what renews it, to be called now and then.

    Args:
        way: of reading it; each that is named has a lease of its own.

    Raises:
        ExtractError: another extract has it.
    """
    path, holder = f"{FOLDER}/_leases/{name}{way and f'.{way}'}.json", uuid.uuid4().hex
    _take(store, path, name, holder)
    renewed = time.monotonic()

    def renew() -> None:
        nonlocal renewed
        if time.monotonic() - renewed > RENEWED_AFTER:
            renewed = time.monotonic()
            store.write_bytes(path, _text(holder))

    try:
        yield renew
    finally:
        _OURS.discard(holder)
        if _held(store, path).get("holder") == holder:
            store.delete(path)


def _take(store: Store, path: str, name: str, holder: str) -> None:
    _OURS.add(holder)
    try:
        for _ in range(2):
            try:
                store.write_bytes(path, _text(holder), exclusive=True)
            except FileExistsError:
                held = _held(store, path)
                if not _over(held):
                    break
                store.delete(path)
            else:
                return
        raise ExtractError(
            f"{name}: another extract reads it at this moment ({held.get('host', 'unknown host')}, process "
            f"{held.get('pid', 'unknown')}). Wait for it; should it have died, its hold ends at "
            f"{held.get('until', 'once')}."
        )
    except BaseException:
        _OURS.discard(holder)
        raise


def _text(holder: str) -> bytes:
    until = (datetime.now(UTC) + LIFE).isoformat(timespec="seconds")
    return json.dumps({"holder": holder, "host": socket.gethostname(), "pid": os.getpid(), "until": until}).encode()


def _held(store: Store, path: str) -> dict[str, Any]:
    try:
        held = json.loads(store.read_bytes(path))
    except (FileNotFoundError, ValueError):
        return {}
    return held if isinstance(held, dict) else {}


def _over(held: dict[str, Any]) -> bool:
    try:
        if datetime.fromisoformat(held["until"]) <= datetime.now(UTC):
            return True
        if held["host"] != socket.gethostname():
            return False
        pid = int(held["pid"])
        if pid == os.getpid():
            return held["holder"] not in _OURS
        os.kill(pid, 0)
    except (KeyError, TypeError, ValueError, ProcessLookupError):
        return True
    except PermissionError:
        return False  # it lives, as another user
    return False
