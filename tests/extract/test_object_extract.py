"""Killed at each step, an extract goes on where it was: all rows land, and none twice."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from extract.kit import ACCOUNT, Dying, Killed, accounts, expected, files, landed, latest, one, run
from forceglue.extract import extractor
from forceglue.extract.plan import plan_of
from forceglue.landing.store import Store


@pytest.fixture
def dies(monkeypatch: pytest.MonkeyPatch, landing: Path) -> Any:
    def at(step: int, **how: Any) -> Dying:
        store = Store.made(landing)
        store._backend = dying = Dying(store._backend, step, **how)  # type: ignore[assignment]
        monkeypatch.setattr(extractor.Store, "made", lambda _: store)
        return dying

    yield at
    monkeypatch.undo()


def test_killed_at_each_step(org: Any, server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    org.load("Account", accounts(120))
    made = Store.made
    step, resumed = 0, 0
    while True:
        step += 1
        landing = tmp_path / f"l{step}"
        store = made(landing)
        store._backend = dying = Dying(store._backend, step, after=True, copies=True)  # type: ignore[assignment]
        with monkeypatch.context() as patched:
            patched.setattr(extractor.Store, "made", lambda _, store=store: store)
            with suppress(Killed):
                run(server, landing, "Account")
        done = one(run(server, landing, "Account"))
        assert done.status in ("landed", "nothing_new"), done.error
        resumed += done.resumed
        rows = Counter(row["Id"] for row in landed(landing))
        before_the_bookmark = done.status == "landed" or dying.lived
        assert latest(landing) == expected(org, ACCOUNT)
        assert max(rows.values()) == 1 and before_the_bookmark | (len(rows) == 120)
        assert not list((landing / "_extract/Account/changes").iterdir())
        if dying.lived:
            break
    assert step > 15 and resumed > 8


def test_what_is_on_disk_is_not_read_again(
    org: Any, server: Any, landing: Path, dies: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    org.load("Account", accounts(400))
    dies(22, after=False, copies=False)
    with pytest.raises(Killed):
        run(server, landing, "Account", page_rows=20)
    monkeypatch.undo()
    pages = len(list(landing.glob("_extract/Account/changes/s0-*.json")))
    assert 3 < pages < 20
    server.usage.forget()
    done = one(run(server, landing, "Account", page_rows=20))
    assert done.resumed and done.rows == 400
    assert server.usage.calls("/results") == 20 - pages and server.usage.calls("/jobs/query", "POST") == 0


def killed_early(
    org: Any, server: Any, landing: Path, dies: Any, monkeypatch: pytest.MonkeyPatch, step: int = 9
) -> None:
    org.load("Account", accounts(120))
    dies(step, after=False, copies=False)
    with pytest.raises(Killed):
        run(server, landing, "Account")
    monkeypatch.undo()
    assert plan_of(Store(str(landing)), "Account", "changes") is not None


def test_a_job_that_is_gone_is_made_anew(
    org: Any, server: Any, landing: Path, dies: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_early(org, server, landing, dies, monkeypatch)
    server.desk.bulk_query.jobs.clear()
    ids = list(expected(org, ACCOUNT))
    for gone in ids[:60]:
        org.purge("Account", gone)  # so that pages of the old job would be wrong among those of the new one
    assert one(run(server, landing, "Account")).rows == 60
    assert latest(landing) == expected(org, ACCOUNT)


def test_a_plan_of_last_week_is_begun_anew(
    org: Any, server: Any, landing: Path, clock: Any, dies: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_early(org, server, landing, dies, monkeypatch)
    clock.advance(timedelta(days=7))
    done = one(run(server, landing, "Account"))
    assert not done.resumed and len(landed(landing)) == 120


def test_what_was_left_and_what_came_since_land_in_one_go(
    org: Any, server: Any, landing: Path, clock: Any, dies: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_early(org, server, landing, dies, monkeypatch)
    clock.advance(timedelta(days=2))
    org.load("Account", accounts(5, start=500, at=clock.at - timedelta(hours=1)))
    done = one(run(server, landing, "Account"))
    assert done.resumed and done.rows == 125 and done.since is None and done.until == clock.at - timedelta(minutes=5)
    assert latest(landing) == expected(org, ACCOUNT)


def test_a_whole_read_that_is_gone_on_with_is_read_once(
    org: Any, server: Any, landing: Path, clock: Any, dies: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_early(org, server, landing, dies, monkeypatch)
    clock.advance(timedelta(days=2))
    done = one(run(server, landing, "Account", since="start"))
    assert done.resumed and done.rows == 120 == len(landed(landing))


def test_an_object_without_a_stamp_is_gone_on_with_and_read_once(
    org: Any, server: Any, landing: Path, clock: Any, dies: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    org.load("Log__c", [{"Text__c": f"t{n}"} for n in range(120)])
    dies(9, after=False, copies=False)
    with pytest.raises(Killed):
        run(server, landing, "Log__c")
    monkeypatch.undo()
    clock.advance(timedelta(days=2))
    done = one(run(server, landing, "Log__c"))
    assert done.resumed and done.rows == 120 == len(landed(landing, "Log__c"))


def test_a_field_that_nothing_may_read_any_more_is_not_landed(
    org: Any, server: Any, landing: Path, dies: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_early(org, server, landing, dies, monkeypatch)
    org.hide_field("Account", "Industry")
    done = one(run(server, landing, "Account"))
    assert not done.resumed and "Industry" not in landed(landing)[0]


def test_a_damaged_bookmark_is_told_and_nothing_is_guessed(org: Any, server: Any, landing: Path) -> None:
    org.load("Account", accounts(3))
    run(server, landing, "Account")
    (landing / "_extract/Account.json").write_text("{")
    report = run(server, landing, "Account")
    assert "is damaged" in (one(report).error or "") and len(files(landing)) == 1
