"""CloudFormation on one side of the function, AppFlow on the other."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any

from lambdas.appflow_server import AppFlowServer
from lambdas.gateway import Context

STACK = "arn:aws:cloudformation:eu-west-1:123456789012:stack/dev-flows/0e5a"


@dataclass
class CloudFormation:
    """The address that answers are put at.

    Attributes:
        heard: bodies, in order.
        statuses: what the next answers get, then 200; 0: the connection is cut.
    """

    url: str = ""
    heard: list[dict[str, Any]] = field(default_factory=list)
    types: list[str | None] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)


@contextmanager
def cloudformation() -> Iterator[CloudFormation]:
    place = CloudFormation()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"]))
            status = place.statuses.pop(0) if place.statuses else 200
            if status == 0:
                self.close_connection = True
                return
            if status == 200:
                place.heard.append(json.loads(sent))
                place.types.append(self.headers["Content-Type"])
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    place.url = f"http://127.0.0.1:{server.server_port}/answer?X-Amz-Signature=5ec7e7"
    try:
        yield place
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@dataclass
class Stack:
    """A stack with one `Custom::ActiveFlows`; what it does is what CloudFormation does with it."""

    function: ModuleType
    appflow: AppFlowServer
    cloudformation: CloudFormation
    physical: str = ""
    properties: dict[str, Any] = field(default_factory=dict)

    def create(self, **properties: Any) -> dict[str, Any]:
        said = self.ask("Create", properties)
        self.physical, self.properties = said["PhysicalResourceId"], properties
        return said

    def update(self, **properties: Any) -> dict[str, Any]:
        said = self.ask("Update", properties, OldResourceProperties=self.properties)
        self.properties = properties
        return said

    def delete(self) -> dict[str, Any]:
        return self.ask("Delete", self.properties)

    def ask(
        self, kind: str, properties: dict[str, Any], *, seconds: float = 600, request: str = "", **more: Any
    ) -> Any:
        known = {"PhysicalResourceId": self.physical} if kind != "Create" else {}
        event = {
            "RequestType": kind, "ResponseURL": self.cloudformation.url, "StackId": STACK,
            "RequestId": request or str(uuid.uuid4()), "LogicalResourceId": "Activation",
            "ResourceType": "Custom::ActiveFlows", "ServiceToken": "arn:aws:lambda:eu-west-1:123456789012:function:f",
            "ResourceProperties": {"ServiceToken": "arn", **properties}, **known, **more,
        }  # fmt: skip
        self.function.handler(event, Context(seconds))
        return self.cloudformation.heard[-1]
