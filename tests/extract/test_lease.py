"""One extract at a time, and a dead one in nobody's way."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from forceglue.errors import ExtractError
from forceglue.extract.lease import leased
from forceglue.landing.store import Store


def held(pid: int, host: str | None = None, minutes: int = 5) -> bytes:
    until = (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
    return json.dumps({"holder": "x", "host": host or socket.gethostname(), "pid": pid, "until": until}).encode()


def test_only_one_of_many_at_once(tmp_path: Path) -> None:
    store = Store.made(tmp_path)

    def attempt(_: int) -> bool:
        try:
            with leased(store, "Account"):
                return True
        except ExtractError:
            return False

    with leased(store, "Account"), leased(store, "Contact"), ThreadPoolExecutor(8) as pool:
        assert not any(pool.map(attempt, range(16)))
    assert attempt(0) and not list(tmp_path.rglob("*.json"))


def test_a_dead_process_of_this_machine_holds_nothing(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    store = Store.made(tmp_path)
    for pid in (dead.pid, os.getpid()):  # our own number, from before a restart
        store.write_bytes("_extract/_leases/Account.json", held(pid))
        with leased(store, "Account"):
            pass


@pytest.mark.parametrize(("pid", "host"), [(os.getppid(), None), (1, "another-host")], ids=["here", "elsewhere"])
def test_a_living_one_is_waited_for(pid: int, host: str | None, tmp_path: Path) -> None:
    store, who = Store.made(tmp_path), held(pid, host)
    store.write_bytes("_extract/_leases/Account.json", who)
    with pytest.raises(ExtractError, match="another extract reads it"), leased(store, "Account"):
        pass
    assert store.read_bytes("_extract/_leases/Account.json") == who


@pytest.mark.parametrize(
    "who", [held(1, "another-host", -1), b"{", b"[]", b"{}"], ids=["over", "damaged", "a list", "empty"]
)
def test_a_time_that_is_over_or_no_lease_at_all(who: bytes, tmp_path: Path) -> None:
    store = Store.made(tmp_path)
    store.write_bytes("_extract/_leases/Account.json", who)
    with leased(store, "Account"):
        pass
