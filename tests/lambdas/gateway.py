"""What API Gateway does before and after a function: a call becomes an event, who may call is asked, an answer goes back."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from salesforce.kit import Answer, Asked

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


class Context:
    """Lambda's context of one call."""

    function_name, memory_limit_in_mb, function_version = "token-broker", 256, "1"
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:token-broker"

    def __init__(self, seconds: float = 29) -> None:
        self.aws_request_id, self._seconds = uuid.uuid4().hex, seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self._seconds * 1000)


class Stdout:
    """The standard output of the moment, which pytest changes between a test's set-up and the test."""

    def write(self, text: str) -> int:
        return sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


def event(path: str = "/sf/token", query: dict[str, str] | None = None, method: str = "GET") -> dict[str, Any]:
    """A call as a REST API hands it to its function."""
    return {
        "resource": path, "path": path, "httpMethod": method, "headers": {}, "multiValueHeaders": {},
        "queryStringParameters": query or None,
        "multiValueQueryStringParameters": {name: [value] for name, value in (query or {}).items()} or None,
        "pathParameters": None, "stageVariables": None, "body": None, "isBase64Encoded": False,
        "requestContext": {
            "requestId": f"request-{uuid.uuid4().hex[:8]}", "path": path, "stage": "dev", "httpMethod": method,
            "resourcePath": path, "identity": {"sourceIp": "192.0.2.1"}, "apiId": "a1",
        },
    }  # fmt: skip


def gateway(handler: Handler, allowed: Callable[[Asked], bool] = lambda _: True) -> Callable[[Asked], Answer]:
    """Answers calls by the function."""

    def give(asked: Asked) -> Answer:
        if not allowed(asked):
            return Answer({"message": "Forbidden"}, 403)
        said = handler(event(asked.path, asked.query, asked.method), Context())
        headers = {name: values[0] for name, values in said["multiValueHeaders"].items()}
        return Answer(json.loads(said["body"]), said["statusCode"], headers)

    return give


def signed(asked: Asked, credentials: Credentials, region: str) -> bool:
    """Whether a call carries the signature that these credentials make of it."""
    headers = {name.lower(): value for name, value in asked.headers.items()}
    url = f"http://{headers['host']}{asked.path}" + (f"?{urlencode(asked.query)}" if asked.query else "")
    request = AWSRequest(asked.method, url)
    given = headers.get("authorization", "")
    names = [name for name in ("host", "x-amz-date", "x-amz-security-token") if name in headers]
    for name in names:
        request.headers[name] = headers[name]
    request.context["timestamp"] = headers.get("x-amz-date", "")
    signer = SigV4Auth(credentials, "execute-api", region)
    wanted = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    return given.startswith(f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/") and given.endswith(
        f"SignedHeaders={';'.join(names)}, Signature={wanted}"
    )
