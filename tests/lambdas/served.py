"""A function behind a real HTTP server: each call becomes an event of API Gateway, each answer goes back as bytes."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from lambdas.gateway import Context, Handler, event

Authorizer = Callable[[dict[str, str]], dict[str, Any]]


@contextmanager
def served(handler: Handler, authorizer: Authorizer = lambda _: {}, stage: str = "") -> Iterator[str]:
    """The address of the API, for the length of a block.

    Args:
        authorizer: what API Gateway adds to the event's context, by the headers of the call.
        stage: the first part of the path at API Gateway's own address, such as `/v1`; the function does not see it.
    """
    alone = threading.Lock()  # one instance of a function has one call at a time

    class Gateway(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else each answer waits for the client's acknowledgement of its head

        def do_GET(self) -> None:
            asked = event_of(self, stage)
            asked["requestContext"] |= authorizer({k.lower(): v for k, v in self.headers.items()})
            with alone:
                said = handler(asked, Context())
            body = said["body"] or ""
            raw = base64.b64decode(body) if said.get("isBase64Encoded") else body.encode()
            self.send_response(said["statusCode"])
            for name, values in said["multiValueHeaders"].items():
                for value in values:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(raw)

        do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_TRACE = do_QUERY = do_GET  # noqa: N815

        def log_message(self, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

    server = Server(("127.0.0.1", 0), Gateway)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{stage}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def event_of(call: BaseHTTPRequestHandler, stage: str = "") -> dict[str, Any]:
    """The event that a REST API makes of a call."""
    parts = urlsplit(call.path)
    path = unquote(parts.path).removeprefix(stage)
    query = parse_qsl(parts.query, keep_blank_values=True)
    made = event(path, method=call.command)
    several: dict[str, list[str]] = {}
    for name, value in query:
        several.setdefault(name, []).append(value)
    made["queryStringParameters"] = {name: values[-1] for name, values in several.items()} or None
    made["multiValueQueryStringParameters"] = several or None
    made["headers"] = dict(call.headers.items())
    made["multiValueHeaders"] = {name: call.headers.get_all(name) for name in call.headers}
    made["requestContext"]["path"] = f"{stage}{path}"
    sent = call.rfile.read(int(call.headers.get("Content-Length") or 0))
    made["body"] = sent.decode("utf-8", "replace") or None
    return made
