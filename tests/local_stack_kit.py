"""The corrected emulator for tests of it, functions made of a few lines, and a Glue runner that does as it is told."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from filelock import FileLock

from local_stack import ports
from local_stack.deployed import Session
from local_stack.parts import AWS, CREDENTIALS, REGION, start_aws, wait
from local_stack.processes import Processes

ROOT = Path(__file__).parents[1]
PYTHON = ROOT / ".venv-aws" / "bin" / "python"
ROLE = "arn:aws:iam::000000000000:role/any"


def python_of_aws() -> Path:
    """The Python that has the emulator; made by make where it is not there."""
    with FileLock(Path(sys.prefix) / "stack.lock"):
        made = subprocess.run(
            ["make", "-C", str(ROOT), f"VENV={sys.prefix}", ".venv-aws/.stack"],
            capture_output=True,
            text=True,
            check=False,
        )
    assert made.returncode == 0, made.stderr
    return PYTHON


def until(look: Callable[[], Any], seconds: float = 20) -> Any:
    """What `look` gives as soon as it gives something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"nothing after {seconds} s")


@dataclass
class Runner:
    """A Glue runner of the test's own; `answer` says what becomes of a run, and may take its time."""

    answer: Callable[[dict[str, Any]], dict[str, Any]] = lambda _: {"state": "SUCCEEDED"}
    asked: list[dict[str, Any]] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Emulated:
    url: str
    log: Path
    runner: Runner

    @cache  # noqa: B019  # as long as the tests
    def client(self, service: str) -> Any:
        return Session(self.url, REGION, CREDENTIALS).client(service)

    def function(self, name: str, code: str, **more: Any) -> str:
        """A function of one module; its ARN."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("code.py", code)
        made = self.client("lambda").create_function(
            FunctionName=name, Runtime="python3.11", Handler="code.handler",
            Code={"ZipFile": packed.getvalue()}, **{"Timeout": 10, "Role": ROLE, **more},
        )  # fmt: skip
        arn: str = made["FunctionArn"]
        return arn

    def told(self, group: str) -> list[str]:
        """What a log group holds."""
        logs = self.client("logs")
        try:
            pages = list(logs.get_paginator("filter_log_events").paginate(logGroupName=group))
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [event["message"] for page in pages for event in page["events"]]

    def queue(self, name: str) -> tuple[str, str]:
        """A queue: its URL and its ARN."""
        sqs = self.client("sqs")
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def received(self, url: str) -> list[dict[str, Any]]:
        return [json.loads(one["Body"]) for one in self.client("sqs").receive_message(QueueUrl=url).get("Messages", [])]


@contextmanager
def emulated(folder: Path, *, enforced: bool = False) -> Iterator[Emulated]:
    """For the length of a block; `enforced`: with rights."""
    runner = Runner()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _desk(runner))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    processes = Processes(folder)
    where = f"http://127.0.0.1:{server.server_port}"
    try:
        kept = start_aws(processes, python_of_aws(), ports.free(), where, REGION, enforced=enforced)
        wait(AWS, kept)
        yield Emulated(kept.url, Path(kept.log), runner)
    finally:
        processes.end(AWS.name)
        server.shutdown()
        server.server_close()


def _desk(runner: Runner) -> type[BaseHTTPRequestHandler]:
    class Desk(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path == "/stop":
                runner.stopped.append(asked["run"])
                told: dict[str, Any] = {"stopped": True}
            else:
                runner.asked.append(asked)
                told = runner.answer(asked)
            body = json.dumps(told).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Desk
