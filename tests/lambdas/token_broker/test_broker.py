"""One token for all who ask: who refreshes, who waits, what a failure means, and that no refresh token is sent twice."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from forceglue.simulated.salesforce.server import OrgServer
from lambdas.kit import CLIENT, TOKEN_PATH, Aws, Instance, asked, connection, expire, later, refreshing, settings
from token_broker import broker
from token_broker.broker import NoToken
from token_broker.decision import IN_DOUBT


@pytest.fixture
def one(aws: Aws, server: OrgServer) -> Instance:
    return Instance(aws, connection(server), settings(aws))


def another(one: Instance, **more: Any) -> Instance:
    """An instance beside `one`: the same table, no memory of it."""
    return Instance(one.aws, more.pop("connection", one.connection), replace(one.settings, **more))


def test_the_token_is_asked_for_once_and_then_comes_from_memory_or_the_table(one: Instance, server: OrgServer) -> None:
    first = one.broker.token()
    assert one.broker.token() is first
    assert another(one).broker.token() == first
    assert server.org.access.use(first.access_token) and asked(server) == 1


def test_memory_is_asked_for_five_minutes(one: Instance, server: OrgServer, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [time.time()]
    clock = SimpleNamespace(time=lambda: now[0], monotonic=time.monotonic, sleep=time.sleep)
    first = one.broker.token()
    second = another(one).broker.token(first.hash)
    monkeypatch.setattr(broker, "time", clock)
    now[0] += 290
    assert one.broker.token() == first
    now[0] += 11
    assert one.broker.token() == second


def test_nothing_in_the_table_can_be_read_without_the_key(one: Instance, server: OrgServer) -> None:
    token = one.broker.token().access_token
    item = one.aws.dynamodb.get_item(TableName=one.aws.table, Key={"PK": {"S": "app#test"}})["Item"]
    assert token not in str(item) and token.encode() not in item["sealed"]["B"]


def test_a_stale_token_is_refreshed_only_while_it_is_the_stored_one(one: Instance, server: OrgServer) -> None:
    first = one.broker.token()
    others = [another(one).broker for _ in range(4)]
    second = others[0].token(first.hash)
    assert second.access_token != first.access_token
    assert {other.token(first.hash).access_token for other in others} == {second.access_token}
    assert one.broker.token().access_token == first.access_token  # its memory does not know, until somebody says so
    assert one.broker.token(first.hash).access_token == second.access_token
    assert asked(server) == 2


def test_a_new_token_that_is_called_stale_is_not_refreshed_at_once(one: Instance, server: OrgServer) -> None:
    first = one.broker.token()
    careful = another(one, young=0.6).broker
    began = time.monotonic()
    assert careful.token(first.hash).access_token != first.access_token
    assert time.monotonic() - began < 5 and asked(server) == 2
    age = time.time() - one.record.issued_at
    assert age < 1


def test_near_its_end_one_refreshes_and_the_others_go_on_with_the_old_token(one: Instance, server: OrgServer) -> None:
    first = one.broker.token()
    now = time.time()
    one.aws.dynamodb.update_item(
        TableName=one.aws.table, Key={"PK": {"S": "app#test"}},
        UpdateExpression="SET issued_at = :a, expires_at = :b",
        ExpressionAttributeValues={":a": {"N": str(now - 900)}, ":b": {"N": str(now + 100)}},
    )  # fmt: skip
    server.faults.slow(2, path=TOKEN_PATH)
    others = [another(one).broker for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda other: other.token().access_token, others))
    assert found.count(first.access_token) == 7 and asked(server) == 2


def test_a_late_holder_writes_nothing_and_gives_the_token_of_the_one_who_came_after(
    one: Instance, server: OrgServer
) -> None:
    slow, quick = another(one, lease=0.5), another(one, lease=5)
    server.faults.slow(1.5, path=TOKEN_PATH)
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(slow.broker.token)
        while not one.record.owner:
            time.sleep(0.01)
        given = quick.broker.token()
        assert late.result().access_token == given.access_token
    assert (slow.watch.told["LateHolder"], slow.watch.told["TokenRefreshCount"], asked(server)) == (1, 0, 2)
    assert one.record.hash == given.hash and one.record.fence == 2


def test_who_waits_too_long_is_told_to_come_again(one: Instance, server: OrgServer) -> None:
    server.faults.slow(1.0, path=TOKEN_PATH)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(one.broker.token)
        while not one.record.owner:
            time.sleep(0.01)
        with pytest.raises(NoToken) as caught:
            another(one).broker.token(patience=0.1)
        assert first.result()
    assert caught.value.failure.code == "refresh_under_way" and caught.value.retry_after


def test_a_refresh_that_the_functions_end_could_cut_off_is_not_begun(one: Instance, server: OrgServer) -> None:
    with pytest.raises(NoToken) as caught:
        one.broker.token(left=5)
    assert caught.value.retry_after and not asked(server)
    assert one.broker.token(left=20) and one.broker.token(left=5)


def test_a_refusal_is_kept_so_that_nobody_else_tries_it(one: Instance, server: OrgServer) -> None:
    wrong = replace(one.connection, client_secret="wrong-secret")
    for _ in range(5):
        with pytest.raises(NoToken) as caught:
            another(one, connection=wrong).broker.token()
        assert (caught.value.failure.code, caught.value.retry_after) == ("invalid_client", None)
        assert "SF_CLIENT_SECRET" in str(caught.value) and "wrong-secret" not in str(caught.value)
    assert asked(server) == 1
    assert one.broker.token() and asked(server) == 2  # a mended credential is tried at once
    assert one.record.failure is None


def test_a_valid_token_is_served_while_a_refresh_fails(one: Instance, server: OrgServer) -> None:
    first = one.broker.token()
    now = time.time()
    one.aws.dynamodb.update_item(
        TableName=one.aws.table, Key={"PK": {"S": "app#test"}},
        UpdateExpression="SET issued_at = :a, expires_at = :b",
        ExpressionAttributeValues={":a": {"N": str(now - 900)}, ":b": {"N": str(now + 100)}},
    )  # fmt: skip
    server.org.access.apps[CLIENT].client_secret = "changed"
    for _ in range(3):
        assert another(one).broker.token().access_token == first.access_token
    assert asked(server) == 2


def test_what_passes_is_tried_again_later_by_one_for_all(one: Instance, server: OrgServer) -> None:
    server.faults.refuse(503, times=1, path=TOKEN_PATH)
    with ThreadPoolExecutor(6) as pool:
        found = {g.access_token for g in pool.map(lambda _: another(one).broker.token(), range(6))}
    assert len(found) == 1 and asked(server) == 2


def test_each_refresh_token_is_stored_with_its_access_token_and_sent_once(one: Instance, server: OrgServer) -> None:
    way = refreshing(server)
    for number in range(1, 4):
        with ThreadPoolExecutor(8) as pool:
            found = {g.access_token for g in pool.map(lambda _: another(one, connection=way).broker.token(), range(8))}
        assert len(found) == 1 and asked(server) == number
        assert all(server.org.access.use(token) for token in found)
        expire(one.aws)
    assert not one.record.sent and one.record.rotates


def test_a_refresh_token_whose_answer_was_lost_is_a_case_for_a_person(one: Instance, server: OrgServer) -> None:
    way = refreshing(server)
    server.faults.cut(5, path=TOKEN_PATH)
    for _ in range(3):
        instance = another(one, connection=way)
        with pytest.raises(NoToken) as caught:
            instance.broker.token()
        assert (caught.value.failure.code, caught.value.retry_after) == (IN_DOUBT, None)
        assert instance.watch.told["RefreshTokenInDoubt"]
        later(one.aws)
    assert asked(server) == 1
    renewed = refreshing(server)
    assert another(one, connection=renewed).broker.token() and asked(server) == 2
    expire(one.aws)
    # an instance that still has the old secret goes on with the new chain, and never with the old token
    assert another(one, connection=way).broker.token() and asked(server) == 3


def test_a_lost_answer_of_an_app_that_does_not_rotate_is_asked_for_again(one: Instance, server: OrgServer) -> None:
    way = refreshing(server, rotates=False)
    assert another(one, connection=way).broker.token()
    assert one.record.rotates is False
    expire(one.aws)
    server.faults.cut(5, path=TOKEN_PATH)
    assert another(one, connection=way).broker.token() and asked(server) == 3


def test_a_refresh_token_that_was_not_taken_may_be_sent_again(one: Instance, server: OrgServer) -> None:
    way = refreshing(server)
    server.faults.refuse(503, times=1, path=TOKEN_PATH)
    assert another(one, connection=way).broker.token() and asked(server) == 2
    expire(one.aws)
    with pytest.raises(NoToken):
        another(one, connection=replace(way, client_secret="wrong")).broker.token()
    assert another(one, connection=way).broker.token() and asked(server) == 4


def test_a_refresh_token_that_is_refused_is_not_sent_again(one: Instance, server: OrgServer) -> None:
    way = refreshing(server)
    server.org.access.revoke(way.refresh_token)
    for _ in range(3):
        with pytest.raises(NoToken, match="authorise the app again"):
            another(one, connection=way).broker.token()
        later(one.aws)
    assert asked(server) == 1


def test_threads_of_one_instance_look_once(one: Instance, server: OrgServer) -> None:
    gate = threading.Barrier(20)

    def ask(_: int) -> str:
        gate.wait()
        return one.broker.token().access_token

    with ThreadPoolExecutor(20) as pool:
        assert len(set(pool.map(ask, range(20)))) == 1
    assert asked(server) == 1
