"""One user at a time: what is skipped, what is stored, and what each way to fail comes to."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import boto3
import pytest
from aws_lambda_powertools import Logger, Metrics
from botocore.exceptions import ClientError

from forceglue.simulated.salesforce.server import OrgServer
from lambdas.kit import CLIENT, TOKEN_PATH, asked, connection
from lambdas.refresher_kit import SHARDS, Place, grant, sent_twice
from token_refresher.notify import Notices
from token_refresher.outcome import Outcome
from token_refresher.refreshing import Refreshing
from token_refresher.settings import RefresherSettings
from token_refresher.user_secrets import Secrets


class One:
    """A refresher of its own, as an instance of the function has it."""

    def __init__(self, place: Place, server: OrgServer, **more: Any) -> None:
        given = {"rate": 1_000.0, "lease": 5.0, "workers": 8, **more}
        settings = RefresherSettings(place.table, place.queue, place.topic, SHARDS, **given)
        self.place, self.secrets = place, Secrets(place.aws.secrets)
        notices = Notices(boto3.client("sns"), place.topic, Logger(service="tests"), Metrics("tests", "tests"))
        app = replace(connection(server), flow="refresh")
        self.refreshing = Refreshing(settings, place.users, self.secrets, notices, app)

    def __call__(self, user: str) -> Outcome:
        found = self.place.users.get(user)
        assert found is not None
        return self.refreshing.one(found, self.secrets.read([found.secret])[found.secret])


@pytest.fixture
def one(place: Place, server: OrgServer) -> One:
    return One(place, server)


def test_a_refreshed_token_is_merged_into_the_secret_with_the_next_refresh_token(
    one: One, place: Place, server: OrgServer
) -> None:
    (user,) = place.enrol(server)
    before = place.tokens(user)
    assert one(user) == Outcome(user, "refreshed")
    after = place.tokens(user)
    assert server.org.access.use(after["access_token"]) and after["theirs"] == user
    assert after["refresh_token"] != before["refresh_token"]
    assert 7100 < after["expires_at"] - time.time() <= 7200
    assert float(place.item(user)["expiresAt"]) == pytest.approx(after["expires_at"], abs=1)
    assert not {"owner", "leaseUntil", "pending"} & place.item(user).keys()
    previous = place.aws.secrets.get_secret_value(SecretId=place.item(user)["secret"], VersionStage="AWSPREVIOUS")
    assert before["refresh_token"] in previous["SecretString"]


def test_an_app_that_does_not_rotate_keeps_the_refresh_token(one: One, place: Place, server: OrgServer) -> None:
    server.org.access.apps[CLIENT].rotates = False
    (user,) = place.enrol(server)
    before = place.tokens(user)["refresh_token"]
    assert one(user).kind == "refreshed"
    assert place.tokens(user)["refresh_token"] == before and place.item(user)["rotates"] is False


def test_a_token_that_is_valid_for_more_than_five_minutes_is_skipped(one: One, place: Place, server: OrgServer) -> None:
    (long,), (short,) = place.enrol(server, name="long", valid=330), place.enrol(server, name="short", valid=270)
    assert (one(long).kind, one(short).kind, asked(server)) == ("skipped", "refreshed", 1)


def test_an_index_that_lags_behind_the_secret_is_mended(one: One, place: Place, server: OrgServer) -> None:
    (user,) = place.enrol(server, valid=3600)
    place.aws.dynamodb.update_item(
        TableName=place.table, Key={"userId": {"S": user}},
        UpdateExpression="SET expiresAt = :z, sent = :s, leaseUntil = :z, #o = :o",
        ExpressionAttributeNames={"#o": "owner"},
        ExpressionAttributeValues={":z": {"N": "1"}, ":s": {"S": "another"}, ":o": {"S": "gone"}},
    )  # fmt: skip
    assert one(user).kind == "skipped" and not asked(server)
    assert float(place.item(user)["expiresAt"]) > time.time() + 3000 and "owner" not in place.item(user)


def test_a_secret_that_was_read_before_another_refreshed_is_not_used(one: One, place: Place, server: OrgServer) -> None:
    (user,) = place.enrol(server)
    found = place.users.get(user)
    read = one.secrets.read([found.secret])[found.secret]
    assert one(user).kind == "refreshed"
    assert one.refreshing.one(found, read) == Outcome(user, "skipped")
    assert asked(server) == 1 and not sent_twice(server.org)


def test_many_at_once_refresh_a_user_once(place: Place, server: OrgServer) -> None:
    (user,) = place.enrol(server)
    server.faults.slow(0.3, path=TOKEN_PATH)
    with ThreadPoolExecutor(8) as pool:
        kinds = sorted(pool.map(lambda _: One(place, server)(user).kind, range(8)))
    assert kinds == ["refreshed", *["skipped"] * 7] and asked(server) == 1 and not sent_twice(server.org)


@pytest.mark.parametrize("how", ["revoked", "inactive"])
def test_a_user_who_may_no_longer_is_marked_and_told_of_once(
    one: One, place: Place, server: OrgServer, how: str
) -> None:
    (user,) = place.enrol(server)
    if how == "revoked":
        server.org.access.revoke(place.tokens(user)["refresh_token"])
    else:
        server.org.access.users[f"{user}@example.com"].active = False
    assert [one(user).kind for _ in range(3)] == ["revoked", "skipped", "skipped"]
    item = place.item(user)
    assert item["status"] == "revoked" and "shard" not in item and asked(server) == 1
    (told,) = place.messages(place.told)
    assert (told["user_id"], told["status"]) == (user, "revoked") and told["what_to_do"]
    assert list(place.users.due(time.time() + 300)) == []


def test_who_signs_in_again_is_refreshed_again(one: One, place: Place, server: OrgServer) -> None:
    (user,) = place.enrol(server)
    server.org.access.revoke(place.tokens(user)["refresh_token"])
    one(user)
    secret = place.item(user)["secret"]
    text = f'{{"refresh_token": "{grant(server.org, user)}"}}'
    place.aws.secrets.put_secret_value(SecretId=secret, SecretString=text)
    place.users.enrol(user, secret, 0)
    assert one(user).kind == "refreshed" and place.item(user)["status"] == "active"


def test_a_lost_answer_puts_the_user_in_doubt_and_the_token_is_not_sent_again(
    one: One, place: Place, server: OrgServer
) -> None:
    (user,) = place.enrol(server)
    server.faults.cut(5, path=TOKEN_PATH)
    outcome = one(user)
    assert (outcome.kind, outcome.error) == ("in_doubt", "refresh_token_in_doubt")
    assert one(user).kind == "skipped" and asked(server) == 1
    (told,) = place.messages(place.told)
    assert told["status"] == "in_doubt"


def test_a_lost_answer_of_an_app_that_does_not_rotate_is_tried_again(one: One, place: Place, server: OrgServer) -> None:
    server.org.access.apps[CLIENT].rotates = False
    (user,) = place.enrol(server)
    one(user)
    secret = place.item(user)["secret"]
    text = f'{{"refresh_token": "{place.tokens(user)["refresh_token"]}"}}'
    place.aws.secrets.put_secret_value(SecretId=secret, SecretString=text)
    server.faults.cut(5, path=TOKEN_PATH)
    assert (one(user).kind, one(user).kind) == ("again", "refreshed")


@pytest.mark.parametrize("status", [429, 503])
def test_what_passes_is_tried_again_with_the_same_token(one: One, place: Place, server: OrgServer, status: int) -> None:
    (user,) = place.enrol(server)
    server.faults.refuse(status, path=TOKEN_PATH)
    assert (one(user).kind, one(user).kind) == ("again", "refreshed") and not sent_twice(server.org)


def test_an_app_that_is_refused_stops_the_run_and_costs_no_user_a_token(
    one: One, place: Place, server: OrgServer
) -> None:
    (user,) = place.enrol(server)
    server.org.access.apps[CLIENT].client_secret = "changed"
    outcome = one(user)
    assert (outcome.kind, outcome.error, outcome.stops) == ("failed", "invalid_client", True)
    server.org.access.apps[CLIENT].client_secret = "app-secret-7731"
    assert one(user).kind == "refreshed"


@pytest.mark.parametrize("text", ["", "no json", "[]", "{}", '{"refresh_token": 7}', '{"refresh_token": ""}'])
def test_a_secret_that_cannot_be_used_is_told_without_its_text(
    one: One, place: Place, server: OrgServer, text: str
) -> None:
    (user,) = place.enrol(server)
    place.aws.secrets.put_secret_value(SecretId=place.item(user)["secret"], SecretString=text or " ")
    outcome = one(user)
    assert (outcome.kind, outcome.error) == ("failed", "secret_unusable") and "no json" not in outcome.message


def test_a_secret_that_is_gone_is_told(one: One, place: Place, server: OrgServer) -> None:
    (user,) = place.enrol(server)
    place.aws.secrets.delete_secret(SecretId=place.item(user)["secret"], ForceDeleteWithoutRecovery=True)
    assert (one(user).kind, one(user).error) == ("failed", "ResourceNotFoundException")


def test_a_user_of_another_org_is_asked_for_there_and_nowhere_odd(one: One, place: Place, server: OrgServer) -> None:
    there, odd = place.enrol(server, 2)
    for user, url in ((there, server.token_url), (odd, "http://evil.example/token")):
        text = f'{{"refresh_token": "{place.tokens(user)["refresh_token"]}", "token_url": "{url}"}}'
        place.aws.secrets.put_secret_value(SecretId=place.item(user)["secret"], SecretString=text)
    assert (one(there).kind, one(odd).kind, asked(server)) == ("refreshed", "failed", 1)


class Refusing:
    """Secrets Manager, which refuses so many writes."""

    def __init__(self, real: Any, times: int, code: str = "AccessDeniedException") -> None:
        self._real, self.times, self._code = real, times, code

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def put_secret_value(self, **given: Any) -> Any:
        if self.times > 0:
            self.times -= 1
            raise ClientError({"Error": {"Code": self._code}}, "PutSecretValue")
        return self._real.put_secret_value(**given)


def test_a_new_token_is_written_again_and_again_before_it_is_given_up(place: Place, server: OrgServer) -> None:
    patient, hasty, gone = place.enrol(server, 3)
    one = One(place, server)
    one.secrets._manager = Refusing(place.aws.secrets, 2)
    assert one(patient).kind == "refreshed"
    one = One(place, server, lease=1.0)
    one.secrets._manager = Refusing(place.aws.secrets, 100)
    outcome = one(hasty)
    assert (outcome.kind, outcome.stops) == ("in_doubt", True) and "AccessDenied" in outcome.message
    one.secrets._manager = Refusing(place.aws.secrets, 100, "ResourceNotFoundException")
    outcome = one(gone)
    assert (outcome.kind, outcome.stops) == ("in_doubt", False)


def test_a_holder_that_comes_late_heals_the_user_it_left_in_doubt(place: Place, server: OrgServer) -> None:
    (user,) = place.enrol(server)
    server.faults.slow(1.2, path=TOKEN_PATH)
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(One(place, server, lease=0.4), user)
        while "sent" not in place.item(user):
            time.sleep(0.02)
        time.sleep(0.5)
        assert One(place, server)(user).kind == "in_doubt"
        assert late.result().kind == "refreshed"
    assert place.item(user)["status"] == "active" and asked(server) == 1
    assert [found.id for found in place.users.due(time.time() + 9000)] == [user]
