"""The run and the queue as they are deployed: statistics, what is handed on, who is killed, what is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest

from forceglue.simulated.salesforce.server import OrgServer
from lambdas.gateway import Context
from lambdas.kit import CLIENT, SECRET, TOKEN_PATH, asked
from lambdas.refresher_kit import Place, sent_twice
from tests.house.lock import ROOT
from token_refresher import running
from token_refresher.retry_queue import RetryQueue

PROGRAM = Path(__file__).with_name("killed.py")
PLACES = os.pathsep.join(str(ROOT / name) for name in ("glue", "lambdas", "tests"))


def ran(refresher: ModuleType, seconds: float = 900) -> dict[str, Any]:
    answer = refresher.handler({"source": "aws.events"}, Context(seconds))
    json.dumps(answer)
    return dict(answer)


def retried(refresher: ModuleType, place: Place, users: list[str], seconds: float = 180) -> list[str]:
    """Puts users into the queue and does what Lambda does with it; gives those whose messages are to come again."""
    sqs, again = boto3.client("sqs"), []
    RetryQueue(sqs, place.queue).send(users, 0)
    while got := sqs.receive_message(QueueUrl=place.queue, MaxNumberOfMessages=10, AttributeNames=["All"]).get(
        "Messages"
    ):
        records = [
            {
                "messageId": one["MessageId"], "receiptHandle": one["ReceiptHandle"], "body": one["Body"],
                "attributes": one["Attributes"], "messageAttributes": {}, "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:retry", "awsRegion": "eu-west-1",
            }
            for one in got
        ]  # fmt: skip
        answer = refresher.retry({"Records": records}, Context(seconds))
        failed = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
        for one in got:
            if one["MessageId"] in failed:
                again.append(json.loads(one["Body"])["user_id"])
            else:
                sqs.delete_message(QueueUrl=place.queue, ReceiptHandle=one["ReceiptHandle"])
    return sorted(again)


def lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capfd.readouterr().out.splitlines() if line.startswith("{")]


def test_with_nobody_there_is_nothing_to_do(refresher: ModuleType) -> None:
    answer = ran(refresher)
    assert answer["statusCode"] == 200 and answer["timestamp"] and answer["duration_ms"] > 0
    assert answer["statistics"] == {
        "users_queried": 0, "tokens_refreshed": 0, "tokens_skipped": 0, "failures": 0, "to_be_tried_again": 0,
        "users_revoked": 0, "users_in_doubt": 0, "users_left": 0, "errors": [],
    }  # fmt: skip


def test_one_users_failure_touches_no_other_and_the_statistics_are_right(
    refresher: ModuleType,
    place: Place,
    server: OrgServer,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(running, "LATER", 0)
    good, skipped = place.enrol(server, 60, name="good"), place.enrol(server, 5, name="valid", valid=299)
    for user in skipped:  # the index says that they end soon, the secret knows better
        text = place.tokens(user) | {"expires_at": time.time() + 3600}
        place.aws.secrets.put_secret_value(SecretId=place.item(user)["secret"], SecretString=json.dumps(text))
    revoked, inactive = place.enrol(server, 3, name="revoked"), place.enrol(server, 2, name="inactive")
    for user in revoked:
        server.org.access.revoke(place.tokens(user)["refresh_token"])
    for user in inactive:
        server.org.access.users[f"{user}@example.com"].active = False
    broken = place.enrol(server, 2, name="broken")
    for user in broken:
        place.aws.secrets.put_secret_value(SecretId=place.item(user)["secret"], SecretString="{")
    place.users.enrol("nobody", f"{place.table}/nobody", 0)
    server.faults.cut(5, times=2, skip=3, path=TOKEN_PATH)
    server.faults.refuse(503, times=3, skip=9, path=TOKEN_PATH)
    server.faults.refuse(429, times=1, skip=20, path=TOKEN_PATH)
    answer = ran(refresher)
    statistics = answer["statistics"]
    errors = Counter(one["error"] for one in statistics.pop("errors"))
    assert answer["statusCode"] == 200
    found = Counter(place.item(user)["status"] for user in (*good, *skipped, *revoked, *inactive))
    # who of the good, the revoked and the inactive was cut or refused is chance
    assert statistics["users_queried"] == 73 and statistics["tokens_skipped"] == 5
    assert statistics["users_in_doubt"] == found["in_doubt"] and statistics["users_revoked"] == found["revoked"]
    assert statistics["to_be_tried_again"] == 4 and errors["secret_unusable"] == 2
    assert errors["ResourceNotFoundException"] == 1 and not sent_twice(server.org)
    assert statistics["failures"] == 4 + 3 + found["in_doubt"] + found["revoked"]
    assert len(place.messages(place.told)) == found["in_doubt"] + found["revoked"]
    metrics = {name: value for line in lines(capfd) if "_aws" in line for name, value in line.items()}
    assert metrics["TokensRefreshed"] == [statistics["tokens_refreshed"]] and metrics["env"]
    again = [one["user_id"] for one in place.messages(place.queue)]
    assert len(again) == 4 and retried(refresher, place, again) == []
    assert ran(refresher)["statistics"]["users_queried"] == 3  # the broken ones and the missing one stay due


def test_who_fails_again_from_the_queue_comes_again(refresher: ModuleType, place: Place, server: OrgServer) -> None:
    users = place.enrol(server, 3)
    server.faults.refuse(503, times=1, path=TOKEN_PATH)
    assert len(retried(refresher, place, [*users, "unknown"])) == 1
    assert retried(refresher, place, users) == [] and asked(server) == 4
    server.faults.refuse(503, times=None, path=TOKEN_PATH)
    more = place.enrol(server, 2, name="more")
    assert retried(refresher, place, more) == more


def test_a_user_of_the_queue_is_not_begun_when_the_functions_end_is_near(
    refresher: ModuleType, place: Place, server: OrgServer
) -> None:
    users = place.enrol(server, 2)
    assert retried(refresher, place, users, seconds=5) == users and not asked(server)


def test_a_run_whose_time_is_over_hands_on_who_is_left(refresher: ModuleType, place: Place, server: OrgServer) -> None:
    users = place.enrol(server, 45)
    answer = ran(refresher, seconds=refresher._MARGIN + 0.01)
    statistics = answer["statistics"]
    left = [one["user_id"] for one in place.messages(place.queue)]
    assert answer["statusCode"] == 200 and statistics["users_left"] == len(left) > 0
    assert statistics["users_queried"] + len(left) == 45
    assert retried(refresher, place, left) == []
    assert asked(server) == 45 and all(place.tokens(user)["access_token"] != "old" for user in users)


def test_an_app_that_is_refused_ends_the_run(
    refresher: ModuleType,
    place: Place,
    server: OrgServer,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WORKERS", "4")
    place.enrol(server, 45)
    server.org.access.apps[CLIENT].client_secret = "changed"
    answer = ran(refresher)
    assert (answer["statusCode"], answer["error"]) == (500, "AppRefusedError")
    assert "SF_CLIENT_SECRET" in answer["message"] and asked(server) <= 20
    assert any(line.get("RunFailed") == [1.0] for line in lines(capfd))
    server.org.access.apps[CLIENT].client_secret = SECRET
    assert ran(refresher)["statistics"]["tokens_refreshed"] == 45


def test_settings_that_lack_end_the_run_before_it_begins(
    refresher: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("USERS_TABLE")
    answer = ran(refresher)
    assert (answer["statusCode"], answer["error"]) == (500, "UsageError") and "USERS_TABLE" in answer["message"]


def test_what_nobody_foresaw_fails_loudly_after_all_others_are_done(
    refresher: ModuleType, place: Place, server: OrgServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = place.enrol(server, 30)
    real = place.users.__class__.settle
    monkeypatch.setattr(
        type(place.users), "settle",
        lambda self, user, *given, **named: {}[user] if user == users[7] else real(self, user, *given, **named),
    )  # fmt: skip
    with pytest.raises(ExceptionGroup, match="nobody foresaw"):
        ran(refresher)
    assert all(place.tokens(user)["access_token"] != "old" for user in users)


def killed(aws_url: str, where: str, after: int) -> int:
    """Runs, and is killed there; its exit code."""
    environment = os.environ | {"AWS_ENDPOINT_URL": aws_url, "PYTHONPATH": PLACES, "LEASE_SECONDS": "1"}
    done = subprocess.run(
        [sys.executable, str(PROGRAM), where, str(after)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 9), done.stderr[-2000:]
    return done.returncode


@pytest.mark.parametrize("where", ["asking", "answered", "stored"])
def test_killed_anywhere_no_token_is_sent_twice_and_none_is_lost_silently(
    refresher: ModuleType, place: Place, server: OrgServer, where: str
) -> None:
    users = place.enrol(server, 40)
    assert killed(place.aws.url, where, 10) == 9
    time.sleep(1.1)  # the leases of the dead are over
    statistics = ran(refresher)["statistics"]
    assert ran(refresher)["statistics"]["users_queried"] == 0
    assert not sent_twice(server.org)
    refreshes = server.org.access.refreshes
    doubtful = 0
    for user in users:
        held = place.tokens(user)["refresh_token"]
        if place.item(user)["status"] == "in_doubt":
            doubtful += 1
        else:
            assert refreshes[held].token == held, f"{user} holds a spent token, and nobody was told"
    assert statistics["users_in_doubt"] == doubtful == len(place.messages(place.told))
    # those that were on their way at that moment, one a thread; the secret of who was stored is right
    assert doubtful <= 20 and (where != "stored" or doubtful <= 19)


def test_no_secret_is_in_any_output(
    refresher: ModuleType,
    place: Place,
    server: OrgServer,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", "DEBUG")
    users = place.enrol(server, 12)
    place.aws.secrets.put_secret_value(SecretId=place.item(users[0])["secret"], SecretString='{"x": "broken-secret"')
    server.org.access.revoke(place.tokens(users[1])["refresh_token"])
    server.faults.cut(5, times=2, path=TOKEN_PATH)
    server.faults.refuse(503, times=2, skip=3, path=TOKEN_PATH)
    shown = json.dumps(ran(refresher))
    retried(refresher, place, users)
    server.org.access.apps[CLIENT].client_secret = "changed-secret"
    place.enrol(server, 1, name="more")
    shown += json.dumps(ran(refresher)) + json.dumps([place.messages(place.told), place.messages(place.queue)])
    out, err = capfd.readouterr()
    shown += out + err
    assert "refresh_token_in_doubt" in shown and "token refresh completed" in shown
    access = server.org.access
    for secret in (*access.sessions, *access.refreshes, SECRET, "broken-secret", "changed-secret"):
        assert secret not in shown
