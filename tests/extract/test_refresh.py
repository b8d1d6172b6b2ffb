"""Formula fields of all records, read again when that is due; they move no stamp, so that nothing else brings them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from extract.kit import ACCOUNT, NOW, Dying, Killed, accounts, expected, files, one, patches, project, rows_of, run
from forceglue.extract import extractor
from forceglue.extract.refresh import refreshed_of
from forceglue.landing.patch import Patch, patch_of
from forceglue.landing.store import Store
from forceglue.mapping.model import ObjectMapping

HOURS = timedelta(hours=1)


def mapped(refresh: Any, *more: ObjectMapping, columns: Mapping[str, Any] | None = None) -> Any:
    columns = columns or {"id": "Id", "name": "Name", "score": "Score__c"}
    return project(ObjectMapping(mapping="account", source="Account", columns=columns, refresh=refresh), *more)


def refreshes(landing: Path) -> list[Path]:
    return patches(landing, "refresh")


def test_a_refresh_brings_the_formulas_of_all_records_and_nothing_else(
    org: Any, server: Any, landing: Path, clock: Any
) -> None:
    org.load("Account", accounts(120))
    first = one(run(server, landing, project=mapped("daily")))
    assert (first.rows, first.refreshed, refreshes(landing)) == (120, None, [])  # a whole read is as good
    ids = list(expected(org, ACCOUNT))
    org.recalculate("Account", ids[7], {"Score__c": 99})
    org.delete("Account", ids[8])
    clock.advance(24 * HOURS)
    done = one(run(server, landing, project=mapped("daily")))
    (file,) = refreshes(landing)
    assert patch_of(pq.read_metadata(file).metadata) == Patch("refresh", clock.at)
    assert (done.status, done.refreshed, len(done.files)) == ("landed", 120, 3)
    truth = {
        key: {name: row[name] for name in ("Id", "Score__c", "SystemModstamp")}
        for key, row in expected(org, ACCOUNT).items()
    }
    assert {row["Id"]: row for row in rows_of([file])} == truth and len(rows_of([file])) == 120
    assert truth[ids[7]]["Score__c"] == 99 and truth[ids[7]]["SystemModstamp"] < NOW
    types = {name: pq.read_schema(files(landing)[0]).field(name).type for name in truth[ids[7]]}
    assert {name: pq.read_schema(file).field(name).type for name in types} == types


@pytest.mark.parametrize(
    ("refresh", "after", "due"),
    [
        ("every_run", timedelta(minutes=6), True), ("daily", 23 * HOURS, False), ("daily", 23.6 * HOURS, True),
        ("weekly", 6 * 24 * HOURS, False), ("weekly", 7 * 24 * HOURS, True), ({"every": "3 days"}, 71 * HOURS, False),
        ({"every": "3 days"}, 72 * HOURS, True), ({"every": "2 hours"}, 1.9 * HOURS, True),
        ({"every": "2 hours"}, 1.5 * HOURS, False), ("never", 900 * HOURS, False), (None, 24 * HOURS, True),
    ],
)  # fmt: skip
def test_when_it_is_due(
    refresh: Any, after: timedelta, due: bool, org: Any, server: Any, landing: Path, clock: Any
) -> None:
    org.load("Account", accounts(3))
    assert one(run(server, landing, project=mapped(refresh))).refreshed is None, "a whole read counts as a refresh"
    clock.advance(after)
    assert one(run(server, landing, project=mapped(refresh))).refreshed == (3 if due else None)
    assert one(run(server, landing, project=mapped(refresh))).refreshed == (3 if refresh == "every_run" else None)


def test_a_daily_job_whose_minute_varies_skips_no_day(org: Any, server: Any, landing: Path, clock: Any) -> None:
    org.load("Account", accounts(3))
    run(server, landing, project=mapped("daily"))
    for day, minutes in enumerate((20, -9, 5, -20, 7), 1):
        clock.advance(NOW + timedelta(days=day, minutes=minutes) - clock.at)
        assert one(run(server, landing, project=mapped("daily"))).refreshed == 3


def test_it_can_be_asked_for_and_left_out(org: Any, server: Any, landing: Path, clock: Any) -> None:
    org.load("Account", accounts(3))
    run(server, landing, project=mapped("never"))
    clock.advance(HOURS)
    assert one(run(server, landing, project=mapped("never"), refresh="now")).refreshed == 3
    clock.advance(48 * HOURS)
    server.usage.forget()
    assert one(run(server, landing, project=mapped("daily"), refresh="never")).refreshed is None
    assert (server.usage.calls("/queryAll"), server.usage.calls("/jobs/query", "POST")) == (1, 0)


def test_an_object_without_a_mapping_is_refreshed_daily(org: Any, server: Any, landing: Path, clock: Any) -> None:
    org.load("Account", accounts(3))
    run(server, landing, "Account")
    clock.advance(24 * HOURS)
    assert one(run(server, landing, "Account")).refreshed == 3
    assert set(rows_of(refreshes(landing))[0]) == {"Id", "Score__c", "SystemModstamp"}


def test_nothing_is_refreshed_where_no_mapping_reads_a_formula(
    org: Any, server: Any, landing: Path, clock: Any
) -> None:
    org.load("Account", accounts(3))
    plain = mapped("every_run", columns={"id": "Id", "name": "Name"})
    run(server, landing, project=plain)
    clock.advance(HOURS)
    assert one(run(server, landing, project=plain)).refreshed is None


def test_the_most_frequent_of_several_mappings_wins(org: Any, server: Any, landing: Path, clock: Any) -> None:
    org.load("Account", accounts(3))
    other = ObjectMapping(
        mapping="other", source="Account", columns={"id": "Id", "rank": {"sql": "concat(Score__c, Industry)"}},
        refresh={"every": "2 hours", "also": ["NumberOfEmployees"]},
    )  # fmt: skip
    both = mapped("weekly", other)
    run(server, landing, project=both)
    clock.advance(2 * HOURS)
    assert one(run(server, landing, project=both)).refreshed == 3
    assert set(rows_of(refreshes(landing))[0]) == {"Id", "Score__c", "Industry", "SystemModstamp"}


def test_a_whole_read_counts(org: Any, server: Any, landing: Path, clock: Any) -> None:
    org.load("Account", accounts(3))
    run(server, landing, project=mapped("daily"))
    clock.advance(23 * HOURS)
    run(server, landing, project=mapped("daily"), since="start")
    clock.advance(23 * HOURS)
    assert one(run(server, landing, project=mapped("daily"))).refreshed is None


def test_a_new_formula_is_read_of_all_records_at_once(org: Any, server: Any, landing: Path, clock: Any) -> None:
    org.load("Account", accounts(3))
    run(server, landing, project=mapped("daily"))
    clock.advance(24 * HOURS)
    run(server, landing, "Account")
    org.add_field("Account", {"name": "Rank__c", "type": "double", "precision": 18, "scale": 2, "calculated": True})
    clock.advance(HOURS)
    assert one(run(server, landing, "Account")).refreshed == 3
    assert "Rank__c" in rows_of(refreshes(landing))[-1]


def test_an_object_that_is_read_whole_each_time_needs_none(org: Any, server: Any, landing: Path, clock: Any) -> None:
    org.add_field("Log__c", {"name": "Rank__c", "type": "double", "precision": 18, "scale": 2, "calculated": True})
    org.load("Log__c", [{"Text__c": "t"}])
    for _ in range(2):
        assert one(run(server, landing, "Log__c")).refreshed is None
        clock.advance(48 * HOURS)


def test_a_query_that_takes_too_long_is_halved(org: Any, server: Any, landing: Path, clock: Any) -> None:
    org.load(
        "Account", [row for day in range(40) for row in accounts(5, start=day * 5, at=NOW - timedelta(days=day + 1))]
    )
    run(server, landing, project=mapped("daily"))
    clock.advance(24 * HOURS)
    run(server, landing, project=mapped("never"))
    server.faults.fail_job()
    server.faults.fail_job()  # the changes' query, and the refresh's
    assert one(run(server, landing, project=mapped("daily"))).refreshed == 200
    assert len({row["Id"] for row in rows_of(refreshes(landing))}) == 200


def test_a_refresh_that_is_not_proved_lands_nothing_of_it(org: Any, server: Any, landing: Path, clock: Any) -> None:
    org.load("Account", accounts(300))
    run(server, landing, project=mapped("daily"))
    clock.advance(24 * HOURS)
    server.faults.strip("Sforce-Locator", path="/results")  # noqa: B005  # no str
    done = one(run(server, landing, project=mapped("daily")))
    assert done.status == "failed" and "250 rows came and Salesforce counted 300" in (done.error or "")
    assert not refreshes(landing) and refreshed_of(Store(str(landing)), "Account") is None
    server.faults.clear()
    assert one(run(server, landing, project=mapped("daily"))).refreshed == 300


def test_a_formula_that_goes_away_between_describe_and_query(org: Any, server: Any, landing: Path, clock: Any) -> None:
    org.add_field("Account", {"name": "Rank__c", "type": "double", "precision": 18, "scale": 2, "calculated": True})
    org.load("Account", accounts(3))
    run(server, landing, "Account")
    clock.advance(24 * HOURS)
    server.faults.then(lambda: org.hide_field("Account", "Rank__c"), path="/deleted")
    done = one(run(server, landing, "Account"))
    assert done.refreshed == 3 and any("Rank__c" in note for note in done.notes)
    assert "Rank__c" not in rows_of(refreshes(landing))[0]


def killed(server: Any, landing: Path, monkeypatch: pytest.MonkeyPatch, step: int, **how: Any) -> Dying:
    store = Store.made(landing)
    store._backend = dying = Dying(store._backend, step, after=True, copies=True)  # type: ignore[assignment]
    with monkeypatch.context() as patched:
        patched.setattr(extractor.Store, "made", lambda _: store)
        with suppress(Killed):
            run(server, landing, **how)
    return dying


def test_killed_at_each_step_a_refresh_lands_once(
    org: Any, server: Any, landing: Path, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    org.load("Account", accounts(60))
    run(server, landing, project=mapped("daily"))
    step, resumed, lived = 5, 0, False  # those before are the changes'
    while not lived:
        step += 1
        clock.advance(25 * HOURS)
        before = len(rows_of(refreshes(landing)))
        how = {"project": mapped("daily"), "page_rows": 10}
        lived = killed(server, landing, monkeypatch, step, **how).lived
        done = one(run(server, landing, **how))
        assert done.error is None
        resumed += done.resumed
        assert len(rows_of(refreshes(landing))) - before == 60, step
        assert not list((landing / "_extract/Account/refresh").iterdir())
    assert step > 15 and resumed > 5 and len(refreshes(landing)) == 2 * (step - 5)


def test_a_stopped_refresh_does_not_bring_back_what_was_before_a_whole_read(
    org: Any, server: Any, landing: Path, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    org.load("Account", accounts(120))
    run(server, landing, project=mapped("daily"))
    clock.advance(25 * HOURS)
    how = {"project": mapped("daily"), "page_rows": 10}
    killed(server, landing, monkeypatch, 14, **how)
    assert (landing / "_extract/Account/refresh/plan.json").exists()
    clock.advance(HOURS)
    assert one(run(server, landing, since="start", **how)).refreshed is None
    clock.advance(HOURS)
    done = one(run(server, landing, refresh="now", **how))
    assert done.refreshed == 120 and patch_of(pq.read_metadata(refreshes(landing)[-1]).metadata) == Patch(
        "refresh", clock.at
    )


def test_what_was_proved_lands_whole_before_anything_newer(
    org: Any, server: Any, landing: Path, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    org.load("Account", accounts(120))
    run(server, landing, project=mapped("daily"))
    clock.advance(25 * HOURS)
    real, moved = Store.move, []

    def move(store: Store, source: str, target: str) -> None:
        moved.append(source)
        if "/refresh/" in source and len(moved) > 1:
            raise Killed
        real(store, source, target)

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(Store, "move", move)
        run(server, landing, project=mapped("daily"), page_rows=10)
    assert len(rows_of(refreshes(landing))) == 50
    done = one(run(server, landing, project=mapped("daily"), refresh="never", since="start"))
    assert (done.rows, done.refreshed) == (120, 120) and len(rows_of(refreshes(landing))) == 120


def test_a_stopped_refresh_leaves_the_bookmark_and_the_changes_go_on(
    org: Any, server: Any, landing: Path, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    org.load("Account", accounts(120))
    run(server, landing, project=mapped("daily"))
    clock.advance(25 * HOURS)
    org.update("Account", next(iter(expected(org, ACCOUNT))), {"Name": "changed"})
    clock.advance(HOURS)
    server.faults.refuse(403, path="/results", skip=2, code="REQUEST_LIMIT_EXCEEDED", message="x", times=1)
    stopped = one(run(server, landing, project=mapped("daily"), page_rows=10))
    assert (stopped.status, stopped.rows, stopped.refreshed) == ("stopped", 1, None) and not refreshes(landing)
    done = one(run(server, landing, project=mapped("daily"), page_rows=10))
    assert (done.rows, done.refreshed, done.resumed) == (1 if done.rows else 0, 120, True)


def test_what_it_costs_is_told(org: Any, server: Any, landing: Path, clock: Any) -> None:
    org.load("Account", accounts(3))
    run(server, landing, project=mapped("daily"))
    clock.advance(25 * HOURS)
    done = one(run(server, landing, project=mapped("daily")))
    assert set(done.calls_by_step) == {"changes", "deleted", "refresh"} and done.calls_by_step["deleted"] == 1
    assert sum(done.calls_by_step.values()) == done.calls and done.calls_by_step["refresh"] >= 3


def test_a_damaged_state_is_told(org: Any, server: Any, landing: Path, clock: Any) -> None:
    org.load("Account", accounts(3))
    run(server, landing, project=mapped("daily"))
    (landing / "_extract/Account/refresh.json").write_text('{"began": 1}')
    assert "read again at once" in (one(run(server, landing, project=mapped("daily"))).error or "")
