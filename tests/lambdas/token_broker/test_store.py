"""The item: one lease at a time, against the item that was seen, and a fence for who comes late."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from lambdas.kit import Aws
from token_broker.record import Failure, Record
from token_broker.store import Sending, Stored, TokenStore

TOKEN = Stored(b"sealed", "hash", 100.0, 200.0)


@pytest.fixture
def store(aws: Aws) -> TokenStore:
    return TokenStore(aws.dynamodb, aws.table, "app#test")


def test_of_many_who_saw_the_same_item_one_gets_the_lease(store: TokenStore) -> None:
    seen = store.read()
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda number: store.take(seen, f"owner-{number}", 10, 20).owner, range(40)))
    assert len(set(found)) == 1 and store.read().fence == 1


def test_a_lease_holds_until_its_end(store: TokenStore) -> None:
    store.take(Record(), "first", 10, 20)
    assert store.take(store.read(), "second", 19, 30).owner == "first"
    assert store.take(store.read(), "second", 21, 30).owner == "second"
    assert store.read().fence == 2


def test_only_the_last_holder_writes(store: TokenStore) -> None:
    first, second = store.take(Record(), "first", 10, 20), store.take(store.read(), "second", 21, 30)
    stored, record = store.save(first.fence, TOKEN, settles=False)
    assert not stored and record == second
    failure = Failure("x", "x", passes=True, retry_at=1, count=1, credential="c")
    assert store.fail(first.fence, failure, settles=False) == second
    stored, record = store.save(second.fence, TOKEN, settles=False)
    assert stored and (record.hash, record.owner, record.lease_until) == ("hash", "", 0)


def test_a_refresh_token_that_is_on_its_way_keeps_all_others_out_but_a_new_chain(store: TokenStore) -> None:
    store.take(Record(), "first", 10, 20, Sending("seed", once=True, first=b"r0"))
    assert store.read().sent
    assert store.take(store.read(), "second", 30, 40, Sending("seed", once=True)).owner == "first"
    record = store.take(store.read(), "third", 30, 40, Sending("anew", once=True, first=b"n0"))
    assert (record.owner, record.chain, record.seeds) == ("third", "anew", {"seed", "anew"})


def test_what_is_written_is_read_again(store: TokenStore) -> None:
    lease = store.take(Record(), "o", 1.25, 2.5, Sending("seed", once=True, first=b"r0"))
    failure = Failure("code", "said", passes=False, retry_at=3.125, count=2, credential="c")
    assert (
        store.fail(lease.fence, failure, settles=True)
        == store.read()
        == Record(fence=1, chain="seed", seeds=frozenset({"seed"}), sealed_refresh=b"r0", failure=failure)
    )
    stored = Stored(b"t", "h", 5.5, 6.5, b"r1")
    again = store.take(store.read(), "o", 1, 2, Sending("seed", once=True))
    assert store.save(again.fence, stored, settles=True) == (True, store.read())
    assert store.read() == Record(
        fence=2, sealed=b"t", hash="h", issued_at=5.5, expires_at=6.5, chain="seed", seeds=frozenset({"seed"}),
        sealed_refresh=b"r1", rotates=True,
    )  # fmt: skip
