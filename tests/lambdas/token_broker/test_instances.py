"""A thousand callers on fifty processes that share nothing but the table, and holders that die."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from forceglue.salesforce.settings import Connection
from forceglue.simulated.salesforce.server import OrgServer
from lambdas.kit import Aws, Instance, asked, connection, expire, refreshing, settings
from token_broker.broker import NoToken
from token_broker.decision import IN_DOUBT

PROGRAM = Path(__file__).with_name("instances.py")
PLACES = [str(Path(__file__).parents[3] / name) for name in ("glue", "lambdas", "tests")]


def called(
    aws: Aws, way: Connection, *, instances: int, callers: int, dies: str = "", **more: Any
) -> tuple[list[str], dict[str, int]]:
    """The tokens that all callers got, and how their processes ended."""
    told = {
        "settings": asdict(settings(aws, **more)), "connection": asdict(way),
        "instances": instances, "callers": callers, "dies": dies,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, str(PROGRAM)], input=json.dumps(told), capture_output=True, text=True, check=False,
        env=os.environ | {"AWS_ENDPOINT_URL": aws.url, "PYTHONPATH": os.pathsep.join(PLACES)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    *lines, end = done.stdout.splitlines()
    return [json.loads(line)["token"] for line in lines], json.loads(end)


@pytest.mark.parametrize("flow", ["client_credentials", "refresh"])
def test_a_thousand_callers_on_fifty_instances_make_one_request(aws: Aws, server: OrgServer, flow: str) -> None:
    way = refreshing(server) if flow == "refresh" else connection(server)
    first = Instance(aws, way, settings(aws)).broker.token()
    expire(aws)
    tokens, ended = called(aws, way, instances=50, callers=20, patience=25.0)
    assert len(tokens) == 1_000 and ended == {"killed": 0, "failed": 0}
    assert asked(server) == 2
    (token,) = set(tokens)
    assert token != first.access_token and server.org.access.use(token)


@pytest.mark.parametrize(("where", "requests"), [("asking", 1), ("answered", 2)])
def test_after_a_holder_that_died_one_more_asks_once_the_lease_is_over(
    aws: Aws, server: OrgServer, where: str, requests: int
) -> None:
    way = connection(server)
    assert called(aws, way, instances=1, callers=1, dies=where, lease=1.5)[1]["killed"] == 1
    tokens, ended = called(aws, way, instances=8, callers=5)
    assert len(tokens) == 40 and len(set(tokens)) == 1 and not ended["failed"]
    assert asked(server) == requests


@pytest.mark.parametrize(("where", "requests"), [("asking", 0), ("answered", 1)])
def test_a_refresh_token_of_a_holder_that_died_is_never_sent_again(
    aws: Aws, server: OrgServer, where: str, requests: int
) -> None:
    way = refreshing(server)
    called(aws, way, instances=1, callers=1, dies=where, lease=0.5)
    instance = Instance(aws, way, settings(aws))
    with pytest.raises(NoToken) as caught:
        instance.broker.token()
    assert caught.value.failure.code == IN_DOUBT and instance.watch.told["RefreshTokenInDoubt"] == 1
    assert asked(server) == requests
    assert Instance(aws, refreshing(server), settings(aws)).broker.token() and asked(server) == requests + 1
