from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forceglue.errors import PositionError, UsageError
from forceglue.landing import position
from forceglue.landing.position import (
    Manifest,
    Position,
    at_time,
    history,
    in_force,
    made_at,
    mappings_with_position,
    propose,
    read,
    rewind,
    unfinished,
)
from forceglue.landing.store import Store
from landing.kit import NOON, ONE

names = st.lists(st.sampled_from([f"processed/Account/{n}|é" for n in range(30)]), max_size=8)


def commit(store: Store, committed: int | None, *files: str, at: datetime = NOON) -> Manifest:
    return propose(store, read(store, "account", committed), files, at=at)


def test_nothing_was_committed(store: Store) -> None:
    assert read(store, "account", None) == Position("account")
    assert history(store, "account", None) == ()


def test_only_the_manifest_that_the_table_holds_is_in_force(store: Store) -> None:
    first = commit(store, None, "a", "b")
    dead = commit(store, first.version, "c")
    second = commit(store, first.version, "d", at=ONE)
    now = read(store, "account", second.version)
    assert now.loaded == {"a", "b", "d"}
    assert (now.version, now.at, second.previous) == (second.version, ONE, first.version)
    assert dead.version not in [m.version for m in history(store, "account", second.version)]
    assert read(store, "account", first.version).loaded == {"a", "b"}


def test_a_batch_on_its_way_is_one_that_the_table_does_not_hold_yet(store: Store) -> None:
    day = timedelta(days=1)
    assert unfinished(store, "account", None, NOON - day) is None
    first = commit(store, None, "a")
    assert made_at(first.version) == NOON
    assert unfinished(store, "account", None, NOON - day) == NOON
    assert unfinished(store, "account", first.version, NOON - day) is None
    commit(store, first.version, "b", at=ONE)
    assert unfinished(store, "account", first.version, NOON) == ONE
    assert unfinished(store, "account", first.version, ONE + day) is None  # it died long ago
    third = commit(store, first.version, "b", at=ONE + day)
    assert unfinished(store, "account", third.version, NOON) is None
    commit(store, None, "x")
    assert mappings_with_position(store) == ("account",)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(batches=st.lists(st.tuples(names, st.booleans()), max_size=12), limit=st.integers(1, 8), name=st.uuids())
def test_a_position_is_the_sum_of_the_committed_batches(
    store: Store, batches: list[tuple[list[str], bool]], limit: int, name: object
) -> None:
    mapping, expected, committed, versions = str(name), set[str](), None, list[int]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(position, "COMPACT_AFTER", limit)
        for files, lives in batches:
            made = propose(store, read(store, mapping, committed), files, at=NOON)
            versions.append(made.version)
            assert made.added == tuple(f for f in dict.fromkeys(files) if f not in expected)
            if lives:
                assert committed is None or made.version > committed
                committed = made.version
                expected |= set(files)
            assert read(store, mapping, committed).loaded == expected
    assert len(set(versions)) == len(versions)


def test_a_position_is_read_from_two_files_however_long_the_history(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(position, "COMPACT_AFTER", 10)
    committed = None
    for number in range(60):
        committed = commit(store, committed, f"f{number}").version
    reads: list[str] = []
    real = store.open_input

    def noted(path: str) -> BinaryIO:
        reads.append(path)
        return real(path)

    monkeypatch.setattr(store, "open_input", noted)
    assert len(read(store, "account", committed).loaded) == 60
    assert len(reads) <= 2


@pytest.mark.parametrize("now", [NOON, NOON - timedelta(days=400), datetime(2200, 1, 1, tzinfo=UTC)])
def test_versions_grow_whatever_the_clock_says_and_fit_64_bits(store: Store, now: datetime) -> None:
    first = commit(store, None, "a")
    second = commit(store, first.version, "b", at=now)
    assert first.version < second.version < 2**63


def test_many_at_the_same_moment_get_different_versions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(position, "_RANDOM_BITS", 6)  # make the same draw likely
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: propose(store, Position("account"), [f"f{n}"], at=NOON), range(40)))
    assert len({m.version for m in made}) == 40
    for m in made:
        assert read(store, "account", m.version).loaded == set(m.added)


def test_a_dataset_s_inputs_and_fingerprint(store: Store) -> None:
    start = Position("Sales_Order")
    made = propose(store, start, at=NOON, inputs={"order": 7, "account": 2**61}, fingerprint="abc")
    now = read(store, "Sales_Order", made.version)
    assert (now.inputs, now.fingerprint) == ({"order": 7, "account": 2**61}, "abc")
    later = propose(store, now, at=ONE)
    assert (later.inputs, later.fingerprint) == (now.inputs, "abc")


def test_a_full_refresh_forgets_what_was_loaded(store: Store) -> None:
    first = commit(store, None, "a", "b")
    fresh = propose(store, read(store, "account", first.version), ["b", "c"], at=ONE, replacing=True)
    assert read(store, "account", fresh.version).loaded == {"b", "c"}
    assert (fresh.previous, fresh.removed) == (first.version, ("a",))


@pytest.mark.parametrize("limit", [1, 500])
def test_going_back(store: Store, monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(position, "COMPACT_AFTER", limit)
    hours = [NOON + timedelta(hours=n) for n in range(4)]
    committed: int | None = None
    made = []
    for number, at in enumerate(hours):
        made.append(commit(store, committed, f"z{9 - number}", f"a{number}", at=at))
        committed = made[-1].version
    chain = history(store, "account", committed)
    assert [m.at for m in chain] == hours[::-1]
    assert at_time(chain, hours[1] + timedelta(minutes=5)) == made[1]
    assert at_time(chain, NOON - timedelta(hours=1)) is None

    back = rewind(store, "account", committed, made[1].version)
    assert back.again == ("z7", "a2", "z6", "a3")
    assert back.position.loaded == {"z9", "a0", "z8", "a1"}
    done = propose(store, back.position, at=ONE + timedelta(days=1), committed=committed)
    assert (done.previous, done.added) == (committed, ())
    assert done.version > made[3].version
    now = read(store, "account", done.version)
    assert now.loaded == back.position.loaded
    again = propose(store, now, back.again, at=ONE + timedelta(days=2))
    assert read(store, "account", again.version).loaded == read(store, "account", committed).loaded
    assert rewind(store, "account", again.version, None).again == tuple(
        name for number in range(4) for name in (f"z{9 - number}", f"a{number}")
    )


def test_going_back_to_what_never_was(store: Store) -> None:
    first = commit(store, None, "a")
    dead = commit(store, first.version, "b")
    with pytest.raises(UsageError, match=str(first.version)):
        rewind(store, "account", first.version, dead.version)


@pytest.mark.parametrize("damage", [None, b"", b"{}", b"[]", b"\xff"])
def test_a_position_that_cannot_be_read_is_not_guessed(store: Store, damage: bytes | None) -> None:
    made = commit(store, None, "a")
    path = f"_positions/account/{made.version}.json"
    if damage is None:
        store.delete(path)
    else:
        store.write_bytes(path, damage)
    with pytest.raises(PositionError, match="--full-refresh"):
        read(store, "account", made.version)


def test_a_base_that_is_lost(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(position, "COMPACT_AFTER", 1)
    made = commit(store, None, "a", "b")
    store.delete(f"_positions/account/base-{made.version}.json")
    with pytest.raises(PositionError, match="base-"):
        read(store, "account", made.version)


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises(UsageError, match="time zone"):
        propose(store, Position("account"), at=NOON.replace(tzinfo=None))


def test_what_is_left_behind_is_in_the_position(store: Store) -> None:
    first = propose(store, Position("account"), ["a"], at=NOON)
    second = propose(store, read(store, "account", first.version), ["b"], at=NOON)
    now = read(store, "account", second.version)
    assert [in_force(now, m.version) for m in (first, second)] == [True, True]
    assert not in_force(now, second.version + 1)
    back = propose(store, read(store, "account", first.version), at=NOON, committed=second.version)
    then = read(store, "account", back.version)
    assert [in_force(then, m.version) for m in (first, second, back)] == [True, False, True]
    later = propose(store, then, ["b"], at=NOON)
    assert later.undone == then.undone == ((first.version, second.version),)
    settled = read(
        store, "account", propose(store, read(store, "account", later.version), at=NOON, settling=True).version
    )
    assert settled.version is not None
    assert settled.undone == ((-1, settled.version - 1),)
    assert settled.loaded == {"a", "b"}
    forth = propose(store, now, at=NOON, committed=settled.version)
    assert in_force(read(store, "account", forth.version), second.version)
    assert not in_force(Position("account"), first.version)


def test_up_to_when_a_table_is_refreshed_is_kept_until_everything_is_loaded_anew(store: Store) -> None:
    first = propose(store, Position("account"), ["a"], at=NOON, refreshed=ONE)
    then = read(store, "account", first.version)
    assert then.refreshed == ONE
    second = propose(store, then, ["b"], at=ONE)
    assert read(store, "account", second.version).refreshed == ONE
    assert rewind(store, "account", second.version, first.version).position.refreshed == ONE
    anew = propose(store, read(store, "account", second.version), ["a"], at=ONE, replacing=True)
    now = read(store, "account", anew.version)
    assert (now.refreshed, now.refreshed_in) == (None, None)


def test_a_newer_refresh_leaves_what_older_ones_set_aside_behind_and_nothing_else(store: Store) -> None:
    now, batches = Position("account"), []
    for name, refreshed in (("whole", None), ("r1", NOON), ("more of r1", NOON), ("r2", ONE), ("old", NOON)):
        batches.append(propose(store, now, [name], at=NOON, refreshed=refreshed))
        now = read(store, "account", batches[-1].version)
    whole, first, more, newer, _ = batches
    assert (now.refreshed, now.refreshed_in) == (ONE, newer.version)
    assert [in_force(now, b.version, refreshed=True) for b in (first, more, newer)] == [False, False, True]
    assert in_force(now, whole.version)
    then = read(store, "account", more.version)
    assert (then.refreshed, then.refreshed_in) == (NOON, first.version)
    assert [in_force(then, b.version, refreshed=True) for b in (first, more, newer)] == [True, True, False]
    back = propose(store, then, at=ONE, committed=now.version)
    assert [in_force(back, b.version, refreshed=True) for b in (first, more, newer)] == [True, True, False]
