"""The parts: the index read page by page, the rate over threads, the queue, the counts."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.kit import Aws
from lambdas.refresher_kit import made_place
from token_refresher.outcome import SHOWN, Outcome, Statistics
from token_refresher.rate import Rate
from token_refresher.retry_queue import QueueError, RetryQueue
from token_refresher.user_secrets import Secrets, Unusable, UserSecret


def test_due_users_come_from_all_parts_of_the_index_and_page_by_page(aws: Aws) -> None:
    place = made_place(aws)
    for number in range(30):
        place.users.enrol(f"user-{number}", "secret", 1000 + number)
    place.users.enrol("later", "secret", 5000)
    place.users.mark("user-7", "revoked", "test")
    pages: list[int] = []
    real = aws.dynamodb.get_paginator

    def in_small_pages(name: str) -> Any:
        paginator = real(name)
        paginate = paginator.paginate
        paginator.paginate = lambda **more: _counted(paginate(**more, PaginationConfig={"PageSize": 4}), pages)
        return paginator

    aws.dynamodb.get_paginator = in_small_pages
    found = [one.id for one in place.users.due(1030)]
    assert sorted(found) == sorted(f"user-{number}" for number in range(30) if number != 7)
    assert len(pages) > 6 and len({place.item(user)["shard"] for user in found}) == 3


def _counted(pages: Any, into: list[int]) -> Any:
    for page in pages:
        into.append(len(page["Items"]))
        yield page


def test_turns_are_given_out_evenly_over_threads() -> None:
    rate, began = Rate(100), time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: rate.wait(), range(50)))
    assert 0.45 < time.monotonic() - began < 3


def test_secrets_are_found_by_name_and_by_arn_and_what_is_missing_is_told(aws: Aws) -> None:
    arn = aws.secrets.create_secret(Name="parts/a", SecretString='{"refresh_token": "r"}')["ARN"]
    aws.secrets.create_secret(Name="parts/b", SecretString='{"refresh_token": "s"}')
    found = Secrets(aws.secrets).read([arn, "parts/b", "parts/none"])
    assert found[arn] == UserSecret(arn, {"refresh_token": "r"})
    assert found["parts/b"] == UserSecret("parts/b", {"refresh_token": "s"})
    assert isinstance(missing := found["parts/none"], Unusable) and not missing.passes
    assert "'r'" not in repr(found)


def test_each_user_is_one_message(aws: Aws) -> None:
    place = made_place(aws)
    RetryQueue(boto3.client("sqs"), place.queue).send([f"user-{number}" for number in range(23)], 0)
    assert sorted(one["user_id"] for one in place.messages(place.queue)) == sorted(f"user-{n}" for n in range(23))


def test_messages_that_sqs_does_not_take_are_told() -> None:
    class Sqs:
        def send_message_batch(self, **given: Any) -> dict[str, Any]:
            return {"Failed": given["Entries"][:1]}

    with pytest.raises(QueueError, match="2 of 11"):
        RetryQueue(Sqs(), "url").send([str(number) for number in range(11)], 0)


def test_a_message_that_fails_again_comes_later_each_time() -> None:
    class Sqs:
        def __init__(self) -> None:
            self.seconds: list[int] = []

        def change_message_visibility(self, **given: Any) -> None:
            self.seconds.append(given["VisibilityTimeout"])

    sqs = Sqs()
    for times in (1, 2, 3, 9, 900):
        RetryQueue(sqs, "url").later("receipt", times)
    assert sqs.seconds == [60, 120, 240, 900, 900]


kinds = st.sampled_from(["refreshed", "skipped", "failed", "again", "revoked", "in_doubt"])


@given(st.lists(kinds, max_size=300))
def test_the_counts_add_up(outcomes: list[Any]) -> None:
    statistics = Statistics()
    for number, kind in enumerate(outcomes):
        statistics.add(Outcome(str(number), kind, "" if kind in ("refreshed", "skipped") else "code"))
    told = statistics.told()
    assert told["users_queried"] == len(outcomes)
    assert told["users_queried"] == told["tokens_refreshed"] + told["tokens_skipped"] + told["failures"]
    assert len(told["errors"]) == min(told["failures"], SHOWN)
    assert statistics.percent == (100 * told["failures"] / len(outcomes) if len(outcomes) >= 20 else 0)
