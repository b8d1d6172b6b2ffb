"""All Ids of an object: proved, in pieces, and whatever happens to the reading of changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from extract.kit import ACCOUNT, NOW, Dying, Killed, accounts, client, expected, files, one, run
from forceglue.errors import ExtractError
from forceglue.extract.ids import AllIds, all_ids
from forceglue.extract.lease import leased
from forceglue.extract.reading import working
from forceglue.landing.store import Store


@contextmanager
def ids(server: Any, landing: Path, name: str = "Account", *, store: Store | None = None) -> Iterator[AllIds]:
    with (
        client(server) as org,
        working(org, store or Store.made(landing), "run", pages_at_once=2, piece=1 << 16) as work,
        all_ids(work, org.describe(name), org.now(), page_rows=50) as found,
    ):
        yield found


def listed(found: AllIds) -> dict[str, bool | None]:
    return {row["Id"]: row.get("IsDeleted") for batch in found.batches() for row in batch.to_pylist()}


def test_every_id_comes_and_nothing_lands(org: Any, server: Any, landing: Path) -> None:
    org.load("Account", accounts(230))
    gone, purged = list(expected(org, ACCOUNT))[:2]
    org.delete("Account", gone)
    org.purge("Account", purged)
    with ids(server, landing) as found:
        assert listed(found) == {key: row["IsDeleted"] for key, row in expected(org, ACCOUNT).items()}
        assert found.rows == 229 and found.at == NOW and listed(found)[gone] and purged not in listed(found)
    assert not files(landing) and not list((landing / "_extract/Account/ids").iterdir())
    assert not (landing / "_extract/Account.json").exists()
    assert not list((landing / "_extract/_leases").iterdir())


def test_an_object_that_bulk_refuses_and_one_that_is_never_deleted(org: Any, server: Any, landing: Path) -> None:
    org.load("TaskStatus", [{"MasterLabel": f"S{n}"} for n in range(3)])
    with ids(server, landing, "TaskStatus") as found:
        assert len(listed(found)) == 3 and set(listed(found).values()) == {None}


def test_a_query_that_takes_too_long_is_halved_and_a_record_that_changes_meanwhile_is_there(
    org: Any, server: Any, landing: Path
) -> None:
    org.load("Account", [row for day in range(40) for row in accounts(5, start=day * 5, at=NOW - timedelta(days=day))])
    server.faults.fail_job()
    moved = next(iter(expected(org, ACCOUNT)))
    server.faults.then(lambda: org.update("Account", moved, {"Name": "now"}), path="/results")
    with ids(server, landing) as found:
        assert listed(found).keys() == expected(org, ACCOUNT).keys() and moved in listed(found)


def test_killed_at_each_step_it_goes_on(org: Any, server: Any, tmp_path: Path) -> None:
    org.load("Account", accounts(120))
    step, lived = 0, False
    while not lived:
        step += 1
        store = Store.made(tmp_path / f"l{step}")
        store._backend = dying = Dying(store._backend, step, after=True, copies=True)  # type: ignore[assignment]
        try:
            with ids(server, tmp_path, store=store) as found:
                listed(found)
        except Killed:
            pass
        with ids(server, tmp_path / f"l{step}") as found:
            assert listed(found).keys() == expected(org, ACCOUNT).keys() and found.rows == 120
        lived = dying.lived
    assert step > 8


def test_pages_that_are_on_disk_are_not_read_again_for_a_day(org: Any, server: Any, landing: Path, clock: Any) -> None:
    org.load("Account", accounts(120))
    with pytest.raises(RuntimeError), ids(server, landing) as found:
        raise RuntimeError("the comparison failed")
    server.usage.forget()
    clock.advance(timedelta(hours=23))
    with pytest.raises(RuntimeError), ids(server, landing) as found:
        assert found.at == NOW and len(listed(found)) == 120 and server.usage.calls("/jobs") == 0
        raise RuntimeError("again")
    clock.advance(timedelta(hours=2))
    with ids(server, landing) as found:
        assert found.at == clock.at and server.usage.calls("/jobs/query", "POST") == 1


def test_changes_are_read_beside_it(org: Any, server: Any, landing: Path) -> None:
    org.load("Account", accounts(60))
    with ids(server, landing) as found:
        assert one(run(server, landing, "Account")).rows == 60
        assert len(listed(found)) == 60
        with pytest.raises(ExtractError, match="another extract"), leased(Store(str(landing)), "Account", "ids"):
            pass


def test_ids_that_are_not_proved_are_not_given(org: Any, server: Any, landing: Path) -> None:
    org.load("Account", accounts(120))
    server.faults.strip("Sforce-Locator", path="/results")  # noqa: B005  # no str
    with pytest.raises(ExtractError, match="50 rows came and Salesforce counted 120"), ids(server, landing):
        raise AssertionError
    assert not list((landing / "_extract/Account/ids").iterdir())


def test_an_object_without_ids_is_told(org: Any, server: Any, landing: Path) -> None:
    org.load("Account", accounts(1))
    with (
        client(server) as session,
        working(session, Store.made(landing), "run", pages_at_once=1, piece=1 << 16) as work,
        pytest.raises(ExtractError, match="no field Id"),
        all_ids(work, {"name": "Account", "fields": []}, NOW),
    ):
        raise AssertionError
