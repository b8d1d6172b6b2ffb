"""Records that are gone from the org for longer than Salesforce tells: found, landed, applied, and no more a difference."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result

from e2e.org import ACCOUNT as MAPPING
from e2e.org import Org
from extract.kit import ACCOUNT, NOW, accounts
from forceglue.cli.main import main
from forceglue.simulated.salesforce import Org as Salesforce
from forceglue.simulated.salesforce import SetClock, serve

COMMANDS = {"extract": ("landing",), "run": ("landing", "warehouse", "delivery"), "reconcile": ("landing", "warehouse")}


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOW)


@pytest.fixture
def salesforce(clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with Salesforce(clock=clock) as made:
        made.define(ACCOUNT)
        made.access.add_app("app", "app-secret", run_as="integration@example.com")
        made.load("Account", accounts(30))
        with serve(made) as running:
            for name, value in (
                ("TOKEN_URL", running.token_url),
                ("CLIENT_ID", "app"),
                ("CLIENT_SECRET", "app-secret"),
            ):
                monkeypatch.setenv(f"SF_{name}", value)
            yield made


def call(org: Org, word: str, *more: str) -> Result:
    roots = [part for name in COMMANDS[word] for part in (f"--{name}", org.roots[name])]
    return CliRunner().invoke(main, [word, *roots, "--mappings", str(org.root / "mappings"), *more])


def said(done: Result, code: int = 0) -> str:
    assert done.exit_code == code, done.output
    return " ".join(done.output.split())


def known(org: Org) -> bool:
    """Whether every deletion is known, as `extract --status` shows it."""
    return "(unknown:" not in said(call(org, "extract", "--status"))


def ids(org: Org, *more: str, code: int = 0) -> dict[str, Any]:
    """What a comparison of all Ids found."""
    done = call(org, "reconcile", "--ids", "--format", "json", *more)
    assert done.exit_code == code, done.output
    found: dict[str, Any] = json.loads(done.stdout)["objects"][0]["ids"]
    return found


def living(salesforce: Any) -> list[tuple[Any, ...]]:
    found = salesforce.rows("Account", ["Id", "Name", "IsDeleted"])
    return sorted((row["Id"], row["Name"]) for row in found if row["IsDeleted"] != "true")


def test_records_that_vanished_long_ago_go_and_are_no_difference_any_more(
    org: Org, salesforce: Any, clock: SetClock
) -> None:
    org.say("account", f"{MAPPING}refresh: never\n")
    said(call(org, "extract"))
    said(call(org, "run"))
    assert org.table("account", "id", "name") == living(salesforce) and known(org)

    keys = [key for key, _ in living(salesforce)]
    for key in keys[:3]:
        salesforce.purge("Account", key)
    clock.advance(timedelta(days=20))  # longer than Salesforce tells of deletions
    salesforce.update("Account", keys[5], {"Name": "changed"})
    salesforce.delete("Account", keys[6])
    clock.advance(timedelta(hours=1))
    assert "`forceglue reconcile --ids Account` finds it" in said(call(org, "extract"))
    assert not known(org)

    found = ids(org, "--land-deleted")["found"]
    assert found == {"deleted": {"waiting": 1}, "vanished": {"unexplained": 3}}
    # a record that waits is compared with nothing yet: were it purged meanwhile, the run would bring it back
    assert not known(org)
    for path in (org.root / "landing" / "in").rglob("*-account.parquet"):
        path.unlink()
    said(call(org, "run"))
    refused = ids(org, "--land-deleted", "--at-most", "2", code=1)["refused"]
    assert "3 of the table's 29 live records would vanish, and at most 2 may" in refused
    assert org.landed("in") == [] and not known(org)
    assert ids(org, code=1)["found"] == {"vanished": {"unexplained": 3}}
    assert not known(org)

    assert ids(org, "--land-deleted", "--at-most", "3")["landed"] and len(org.landed("in")) == 1
    assert known(org)
    assert ids(org, "--land-deleted")["found"] == {"vanished": {"waiting": 3}}  # on its way: nothing lands twice
    assert len(org.landed("in")) == 1
    said(call(org, "run"))
    assert org.table("account", "id", "name", where="NOT is_deleted") == living(salesforce)
    assert [key for (key,) in org.table("account", "id", where="is_deleted")] == sorted([*keys[:3], keys[6]])
    for ways in (["--ids", "--land-deleted"], []):
        assert "1 table: 1 equal" in said(call(org, "reconcile", *ways))
    assert org.landed("in") == []
    assert "finds it" not in said(call(org, "extract"))
