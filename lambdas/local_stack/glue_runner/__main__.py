"""The runner's address: `POST /runs` answers when the run is over, `POST /stop` stops one, `GET /` how it stands."""

from __future__ import annotations

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from local_stack.glue_runner.worker import Worker

HOST = "127.0.0.1"
PORT_VARIABLE = "GLUE_RUNNER_PORT"


class Desk(BaseHTTPRequestHandler):
    """Answers the emulator and `make up`."""

    worker: Worker
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(self.worker.standing())

    def do_POST(self) -> None:
        asked: dict[str, Any] = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        if self.path == "/runs":
            run = self.worker.run(asked["run"], asked["script"], asked["arguments"], float(asked["timeout_seconds"]))
            self._answer(run)
        elif self.path == "/stop":
            self._answer({"stopped": self.worker.stop(asked["run"])})
        else:
            self._answer({"error": f"there is no {self.path}"}, 404)

    def _answer(self, data: dict[str, Any], status: int = 200) -> None:
        body = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """The runs say themselves what happens."""


def main() -> None:
    """Serves until it is ended."""
    Desk.worker = Worker()
    server = ThreadingHTTPServer((HOST, int(os.environ[PORT_VARIABLE])), Desk)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    Desk.worker.start()
    try:
        server.serve_forever()
    finally:
        Desk.worker.end()


if __name__ == "__main__":
    main()
