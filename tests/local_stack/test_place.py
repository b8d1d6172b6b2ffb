"""Servers that replace parts, and the same address in a shell that has read `stack.env`."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from forceglue.errors import SetupError
from local_stack import env_file
from local_stack.deployed import local_address
from local_stack.down import down
from local_stack.parts import AWS, ORG, base
from local_stack.place import Place
from local_stack.up import up


@contextmanager
def answering() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_a_server_that_is_named_replaces_a_part(tmp_path: Path) -> None:
    with answering() as url:
        place = Place(tmp_path, environ={"SALESFORCE_URL": f"{url}/"})
        assert place.other(ORG) == url
        assert place.other(AWS) is None


def test_our_own_address_replaces_nothing(tmp_path: Path) -> None:
    place = Place(tmp_path, environ={"SALESFORCE_URL": "http://127.0.0.1:9"})
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    place.processes.start(ORG.name, command, dict(os.environ), url="http://127.0.0.1:9", folder=tmp_path)
    try:
        assert place.other(ORG) is None
    finally:
        place.processes.end(ORG.name)


def test_a_server_that_does_not_answer_is_told(tmp_path: Path) -> None:
    place = Place(tmp_path, environ={"AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    with pytest.raises(
        SetupError, match=r"AWS_ENDPOINT_URL is http://127\.0\.0\.1:9, and nobody answers there .* must be up"
    ):
        place.other(AWS)
    env_file.write(tmp_path, {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    with pytest.raises(SetupError, match=r"it was that of a stack that is down.*Unset AWS_ENDPOINT_URL"):
        place.other(AWS)


def test_without_its_environment_the_emulator_is_not_started(tmp_path: Path) -> None:
    place = Place(tmp_path, environ={"LOCAL_AWS_PYTHON": str(tmp_path / "python")})
    with pytest.raises(SetupError, match="has an environment of its own; `make up` makes it"):
        up(place, lambda _: None)
    assert place.processes.names() == []


def test_what_an_up_that_failed_has_started_is_ended_by_down(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho no emulator here\nexit 1\n")
    broken.chmod(0o755)
    place = Place(tmp_path, environ={"LOCAL_AWS_PYTHON": str(broken), "AWS_PORT": "0"})
    said: list[str] = []
    try:
        with pytest.raises(SetupError, match=r"the emulated AWS ended. The last that it printed.*\n  no emulator here"):
            up(place, lambda _: None)
        left = [kept for name in place.processes.names() if (kept := place.processes.running(name))]
        assert {kept.name for kept in left} == {"salesforce", "spark"}
    finally:
        down(place, said.append)
    assert len(said) == 2 and not any(kept.alive for kept in left) and place.processes.names() == []
    said.clear()
    down(place, said.append)
    assert said == ["nothing was running"]


def test_behind_a_proxy_this_machines_own_servers_are_asked_directly(tmp_path: Path) -> None:
    assert Place(tmp_path, environ={"NO_PROXY": "x"}).past_proxies == {}
    behind = Place(tmp_path, environ={"http_proxy": "http://proxy:3128", "no_proxy": "example.com,localhost"})
    assert behind.past_proxies["NO_PROXY"] == "example.com,localhost,127.0.0.1"


def test_processes_get_nothing_else_of_the_shell() -> None:
    given = {"PATH": "/bin", "SF_CLIENT_SECRET": "s", "AWS_PROFILE": "prod", "HOME": "/root", "LANG": ""}
    assert base(given) == {"PATH": "/bin", "HOME": "/root"}


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("https://ab12.execute-api.eu-west-1.amazonaws.com/v1/sf/token", "http://x/_aws/execute-api/ab12/v1/sf/token"),
        ("https://broker.example.com/sf/token", "https://broker.example.com/sf/token"),
    ],
)
def test_an_api_gateways_address_is_that_of_the_emulator(url: str, here: str) -> None:
    assert local_address(url, "http://x") == here
