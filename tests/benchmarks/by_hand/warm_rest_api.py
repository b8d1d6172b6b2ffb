"""The REST API's own time for a call: a warm function whose Salesforce answers at once, from memory.

`PYTHONPATH=glue:lambdas:tests:. python -m benchmarks.by_hand.warm_rest_api`; what it prints last is JSON.
"""

from __future__ import annotations

import io
import json
import os
import statistics
import time
from typing import Any

import requests
from requests.adapters import BaseAdapter

ROUNDS = 500
RECORD = {"attributes": {"type": "Account"}, "Id": "001xx000003DHP1AAO", "Name": "Acme", "Phone": "1", "Website": None,
          "Industry": "Technology", "BillingCity": None, "BillingCountry": "USA",
          "CreatedDate": "2025-01-01T00:00:00.000+0000", "SystemModstamp": "2025-01-01T00:00:00.000+0000"}  # fmt: skip


class FromMemory(BaseAdapter):
    """Salesforce, as far as the calls below ask for it."""

    def send(self, request: requests.PreparedRequest, **_: object) -> requests.Response:
        answer = requests.Response()
        answer.status_code, body = said(request)
        answer.request, answer.url = request, str(request.url)
        answer.headers["Content-Type"] = "application/json"
        answer.raw = io.BytesIO(json.dumps(body).encode())
        return answer

    def close(self) -> None:
        pass


def said(request: requests.PreparedRequest) -> tuple[int, Any]:
    url = str(request.url)
    if url.endswith("/services/oauth2/token"):
        return 200, {"access_token": "t", "instance_url": "http://127.0.0.1:1"}
    if url.endswith("/services/data/"):
        return 200, [{"version": "66.0"}]
    if "composite/sobjects" in url:
        return 200, [{"id": RECORD["Id"], "success": True, "errors": []}] * 200
    if url.endswith("/composite"):
        parts = [{"body": RECORD, "httpStatusCode": 200, "referenceId": f"part{at}"} for at in range(3)]
        return 200, {"compositeResponse": parts}
    if "/query" in url:
        return 200, {"totalSize": 100, "done": True, "records": [RECORD] * 100}
    return (201, {"id": RECORD["Id"], "success": True}) if request.method == "POST" else (200, RECORD)


class Taken:
    """The audit's queue, which takes everything at once."""

    def send_message(self, **_: object) -> None:
        pass


def main() -> None:
    os.environ |= {
        "AUDIT_QUEUE_URL": "q", "IDEMPOTENCY_TABLE": "t", "STATE_KEY": "k", "SF_API_VERSION": "66.0",
        "SF_TOKEN_URL": "http://127.0.0.1:1/services/oauth2/token", "SF_CLIENT_ID": "a", "SF_CLIENT_SECRET": "b",
        "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "eu-west-1",
        "POWERTOOLS_TRACE_DISABLED": "true",
    }  # fmt: skip
    from lambdas.gateway import Context, event
    from rest_api import handler, parts

    handler.logger.logger_handler.setStream(io.StringIO())
    made = parts.parts(handler._told)
    made._org._web._session.mount("http://", FromMemory())
    made.records._audit._sqs = made.batches._audit._sqs = Taken()
    path = f"/accounts/{RECORD['Id']}"
    asked = {
        "get": event(path), "patch": event(path, method="PATCH"), "post": event("/accounts", method="POST"),
        "query of 100 rows": event("/query", method="POST"), "batch of 200": event("/batch/accounts", method="POST"),
    }  # fmt: skip
    asked["patch"]["body"] = json.dumps({"Phone": "2"})
    asked["post"]["body"] = json.dumps({"Name": "Acme", "Phone": "1"})
    asked["query of 100 rows"]["body"] = json.dumps({"soql": "SELECT Id, Name FROM Account WHERE Industry = 'T'"})
    asked["batch of 200"]["body"] = json.dumps([{"Name": f"A{at}", "Phone": "1"} for at in range(200)])
    told = {}
    print_ = print
    for name, one in asked.items():
        for at in range(20 + (ROUNDS if name != "batch of 200" else 50)):
            began = time.process_time()
            answer = quietly(handler.handler, one, Context())
            took = (time.process_time() - began) * 1000
            assert answer["statusCode"] in (200, 201), answer
            if at >= 20:
                told.setdefault(name, []).append(took)
    print_(
        json.dumps({n: {"median": statistics.median(t), "p95": sorted(t)[len(t) * 95 // 100]} for n, t in told.items()})
    )


def quietly(work, *given):
    """What a call prints is its metrics."""
    from contextlib import redirect_stdout

    with redirect_stdout(io.StringIO()):
        return work(*given)


if __name__ == "__main__":
    main()
