"""A small AppFlow over HTTP: flows that are started, stopped, described and listed as the service does it.

It speaks the service's protocol (rest-json), so that the functions talk to it through botocore and do not know.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ACCOUNT = "arn:aws:appflow:eu-west-1:123456789012:flow/"
STATUS_OF = {"ThrottlingException": 429, "ConflictException": 409, "ResourceNotFoundException": 404,
             "UnsupportedOperationException": 400, "InternalServerException": 500, "AccessDeniedException": 403,
             "ServiceQuotaExceededException": 402}  # fmt: skip


class Refused(Exception):
    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass
class Flow:
    """A flow; `slow` says how many looks it takes until it is in its new state."""

    name: str
    trigger: str = "Scheduled"
    status: str = "Draft"
    slow: int = 0
    running: bool = False
    message: str = ""
    runs: list[str] = field(default_factory=list)
    coming: str | None = None
    looks: int = 0

    def told(self) -> dict[str, Any]:
        if self.coming is not None:
            self.looks += 1
            if self.looks > self.slow:
                self.status, self.coming, self.looks = self.coming, None, 0
        told: dict[str, Any] = {"flowName": self.name, "flowArn": ACCOUNT + self.name, "flowStatus": self.status}
        if self.message:
            told["flowStatusMessage"] = self.message
        if self.running or self.runs:
            told["lastRunExecutionDetails"] = {
                "mostRecentExecutionStatus": "InProgress" if self.running else "Successful"
            }
        return told


class AppFlowServer:
    """The flows, what was called, and what is to go wrong.

    Attributes:
        url: its address.
        calls: operation and flow, in order; refused ones too.
        trouble: (operation, flow) → errors that the next calls get; "*" is any flow.
        throttled: every so many-th call is refused, 0: none.
        page: flows in a page of ListFlows.
        lost: operations whose answer is lost once after they were done.
    """

    def __init__(self) -> None:
        self.url = ""
        self.flows: dict[str, Flow] = {}
        self.calls: list[tuple[str, str]] = []
        self.trouble: dict[tuple[str, str], deque[str]] = {}
        self.tokens: dict[str, str] = {}
        self.throttled = 0
        self.page = 100
        self.lost: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, *names: str, **facts: Any) -> None:
        for name in names:
            self.flows[name] = Flow(name, **facts)

    def fail(self, operation: str, flow: str, *codes: str) -> None:
        self.trouble.setdefault((operation, flow), deque()).extend(codes)

    def of(self, operation: str) -> list[str]:
        return [flow for called, flow in self.calls if called == operation]

    def answer(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            name = asked.get("flowName", "")
            self.calls.append((operation, name))
            if self.throttled and len(self.calls) % self.throttled == 0:
                raise Refused("ThrottlingException", "Rate exceeded")
            for key in ((operation, name), (operation, "*")):
                if self.trouble.get(key):
                    raise Refused(self.trouble[key].popleft(), "as the test wants it")
            if operation == "list-flows":
                return self._list(asked)
            flow = self.flows.get(name)
            if flow is None:
                raise Refused("ResourceNotFoundException", f"Flow {name} not found")
            return getattr(self, operation.replace("-", "_"))(flow, asked)

    def _list(self, asked: dict[str, Any]) -> dict[str, Any]:
        size = min(self.page, asked.get("maxResults", 20))
        at = int(asked.get("nextToken", 0))
        names = sorted(self.flows)
        found: dict[str, Any] = {"flows": [self.flows[name].told() for name in names[at : at + size]]}
        return found | ({"nextToken": str(at + size)} if at + size < len(names) else {})

    def describe_flow(self, flow: Flow, _: dict[str, Any]) -> dict[str, Any]:
        return flow.told() | {"triggerConfig": {"triggerType": flow.trigger}}

    def start_flow(self, flow: Flow, asked: dict[str, Any]) -> dict[str, Any]:
        token = asked["clientToken"]
        if flow.trigger != "OnDemand":
            if flow.status == "Active":
                raise Refused("ConflictException", "Flow is active")
            flow.coming = "Active"
            return flow.told() if not flow.slow else {"flowArn": ACCOUNT + flow.name, "flowStatus": flow.status}
        if token in self.tokens:
            return {"flowArn": ACCOUNT + flow.name, "flowStatus": flow.status, "executionId": self.tokens[token]}
        if flow.running:
            raise Refused("ConflictException", "Flow has a run in progress")
        self.tokens[token] = hashlib.sha256(token.encode()).hexdigest()[:12]
        flow.running = True
        flow.runs.append(self.tokens[token])
        return {"flowArn": ACCOUNT + flow.name, "flowStatus": flow.status, "executionId": self.tokens[token]}

    def stop_flow(self, flow: Flow, _: dict[str, Any]) -> dict[str, Any]:
        if flow.trigger == "OnDemand":
            raise Refused("UnsupportedOperationException", "On-demand flows cannot be stopped")
        flow.coming = "Suspended"
        return flow.told() if not flow.slow else {"flowArn": ACCOUNT + flow.name, "flowStatus": flow.status}


@contextmanager
def appflow() -> Iterator[AppFlowServer]:
    """A running server, for the length of a block."""
    service = AppFlowServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer in one piece

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
            operation, status, kind = self.path.strip("/"), 200, ""
            try:
                told = service.answer(operation, asked)
            except Refused as refused:
                status, kind, told = STATUS_OF[refused.code], refused.code, {"message": refused.message}
            if service.lost[operation]:
                service.lost[operation] -= 1
                self.close_connection = True
                return
            sent = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            if kind:
                self.send_header("x-amzn-ErrorType", kind)
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    service.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
