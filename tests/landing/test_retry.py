from __future__ import annotations

from collections.abc import Callable

import pytest

from forceglue.errors import UsageError
from forceglue.landing.ingest import IngestReport
from forceglue.landing.retry import Returned, retry, set_aside
from forceglue.landing.store import Store
from forceglue.mapping.model import FileChecks
from landing.kit import ACCOUNTS, NOON, ONE, Killed, make_project

Run = Callable[..., IngestReport]
ONE_ROW = "in/dev-Salesforce-Account/e1/a.csv"
ITEM = "in/dev-Salesforce-Order-Product/e1/-1-2024-01-01T00:00:01"
STRICT = make_project(files=FileChecks(min_rows=9))
ASIDE = "error/Account/2024/05/06/12/e1/a.csv"


@pytest.fixture
def rejected(store: Store, run: Run) -> Store:
    store.write_bytes(ONE_ROW, ACCOUNTS)
    store.write_bytes(ITEM, b"Id\n1\n")
    assert len(run(store, used=STRICT).rejected) == 2
    return store


def paths(store: Store, prefix: str = "") -> list[str]:
    return [entry.path for entry in store.list(prefix)]


def test_rejected_files_and_their_reasons(rejected: Store) -> None:
    first, second = set_aside(rejected)
    assert (first.path, first.object, first.code, first.original_key, first.at) == (
        ASIDE,
        "Account",
        "too_few_rows",
        ONE_ROW,
        NOON,
    )
    assert "min_rows" in first.message
    assert second.path.endswith("/-1-2024-01-01T00-00-01")
    assert second.original_key == ITEM


def test_all_of_them_go_back_and_pass_the_next_time(rejected: Store, run: Run) -> None:
    assert [r.moved_to for r in retry(rejected)] == [ONE_ROW, ITEM]
    assert paths(rejected) == [ONE_ROW, ITEM]
    assert retry(rejected) == ()
    assert len(run(rejected, ONE).passed) == 2
    assert set_aside(rejected) == ()


@pytest.mark.parametrize("name", ["OrderItem", "orderitem", "Order-Product"])
def test_those_of_an_object(rejected: Store, name: str) -> None:
    assert [r.moved_to for r in retry(rejected, object_name=name)] == [ITEM]
    assert [f.object for f in set_aside(rejected)] == ["Account"]


def test_one_of_them_and_progress(rejected: Store) -> None:
    told: list[Returned] = []
    assert retry(rejected, [ASIDE], on_file=told.append) == (Returned(ASIDE, ONE_ROW),) == tuple(told)
    assert retry(rejected, [ASIDE]) == ()


@pytest.mark.parametrize("path", ["in/A/e/f", "error/x", "processed/Account/2024/05/06/12/e1/a.csv"])
def test_what_is_no_rejected_file(rejected: Store, path: str) -> None:
    with pytest.raises(UsageError, match="no rejected file"):
        retry(rejected, [path])


def test_a_newer_landing_of_the_same_key_is_not_overwritten(rejected: Store) -> None:
    rejected.write_bytes(ONE_ROW, b"newer")
    assert retry(rejected, [ASIDE])[0].moved_to == "in/dev-Salesforce-Account/e1/a~2.csv"
    assert rejected.read_bytes(ONE_ROW) == b"newer"


def test_rejected_again_for_another_reason_says_the_new_reason(rejected: Store, run: Run) -> None:
    retry(rejected, [ASIDE])
    run(rejected, used=make_project(files=FileChecks(min_bytes=9999)))
    assert {f.path: f.code for f in set_aside(rejected)}[ASIDE] == "too_small"


def test_a_file_that_somebody_else_put_there(store: Store, run: Run) -> None:
    store.write_bytes("error/Salesforce-Account/2023/01/02/03/e9/f", ACCOUNTS)
    (found,) = set_aside(store)
    assert (found.code, found.original_key) == ("unknown", "in/Salesforce-Account/e9/f")
    retry(store)
    assert [f.object for f in run(store).passed] == ["Account"]


def test_a_landed_file_that_is_named_like_a_reason(store: Store, run: Run) -> None:
    store.write_bytes("in/Account/e1/x.reason.json", b"nothing")
    run(store)
    (found,) = set_aside(store)
    assert found.path.endswith("/x.reason.json")
    assert [r.moved_to for r in retry(store)] == ["in/Account/e1/x.reason.json"]
    assert paths(store) == ["in/Account/e1/x.reason.json"]


def test_killed_between_any_two_steps_and_run_again(
    store: Store, run: Run, mortal: Callable[[Store, int], Store]
) -> None:
    steps = 0
    while True:
        for path in paths(store):
            store.delete(path)
        store.write_bytes(ONE_ROW, ACCOUNTS)
        run(store, used=STRICT)
        try:
            retry(mortal(store, steps))
        except Killed:
            steps += 1
        else:
            break
        assert ACCOUNTS in [store.read_bytes(path) for path in paths(store)]
        retry(store)
        run(store, ONE)
        assert set_aside(store) == ()
        processed = [p for p in paths(store, "processed") if not p.endswith(".facts.json")]
        assert [store.read_bytes(path) for path in processed] == [ACCOUNTS]
    assert steps >= 4
