"""A token broker that is warm: milliseconds of its own for an answer from memory, the event and the log among them."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time

from forceglue.simulated.salesforce import Org, serve
from lambdas.aws_server import CREDENTIALS, aws
from lambdas.gateway import Context, event
from lambdas.kit import CLIENT, SECRET, made_org, made_table

CALLS = 5_000


def main() -> None:
    with Org() as org, serve(made_org(org)) as server, aws() as url:
        os.environ.update(CREDENTIALS, AWS_ENDPOINT_URL=url)
        import boto3

        os.environ.update(
            APP_ID="app",
            ENV="bench",
            AUTH_TABLE=made_table(boto3.client("dynamodb")),
            AUTH_KEY=boto3.client("kms").create_key()["KeyMetadata"]["KeyId"],
            SF_TOKEN_URL=server.token_url,
            SF_CLIENT_ID=CLIENT,
            SF_CLIENT_SECRET=SECRET,
        )
        from token_broker.handler import handler

        told, context = event(), Context()
        took = [_timed(handler, told, context) for _ in range(CALLS + 100)][100:]
    sys.stdout.write(
        "\n" + json.dumps({"median": statistics.median(took), "p99": statistics.quantiles(took, n=100)[98]})
    )


def _timed(handler, told, context) -> float:
    began = time.perf_counter()
    said = handler(told, context)
    ended = time.perf_counter()
    assert said["statusCode"] == 200
    return (ended - began) * 1000


if __name__ == "__main__":
    main()
