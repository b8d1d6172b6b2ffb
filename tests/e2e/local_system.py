"""The whole system on this machine, started by `make up` itself, and what a test asks it."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import deltalake
import requests

from forceglue.demo.org import CLIENT_ID, CLIENT_SECRET
from local_stack import env_file, story
from local_stack.deployed import Session
from local_stack_kit import python_of_aws, until

ROOT = Path(__file__).parents[2]
PROJECT = "version: 1\nname: small\n"
OBJECT = "mapping: {mapping}\nsource: {source}\ncolumns: {{id: Id, name: Name}}\n"
NAMES = "mapping: Names\nfrom: account\ncolumns: {id: id, name: name}\nkey: id\ndeliver: [csv: {file: names.csv}]\n"


def small_mappings(folder: Path) -> Path:
    """Two objects, one of which a dataset delivers as CSV."""
    folder.mkdir()
    (folder / "project.yaml").write_text(PROJECT)
    for source in ("Account", "Contact"):
        (folder / f"{source.lower()}.yaml").write_text(OBJECT.format(mapping=source.lower(), source=source))
    (folder / "names.yaml").write_text(NAMES)
    return folder


def run(*command: str, environment: Mapping[str, str] | None = None) -> str:
    """What a command of a shell without any of our variables prints."""
    ours = ("AWS_", "SF_", "SALESFORCE_", "MAKE", "MFLAGS", "PYTEST")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    done = subprocess.run(
        command, cwd=ROOT, env={**clean, **(environment or {})}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@dataclass
class System:
    """A system that is up.

    Attributes:
        said: what its commands printed.
    """

    folder: Path
    mappings: Path
    said: list[str]

    def up(self) -> str:
        return self._make("up", f"ARGS=--folder {self.folder} --mappings {self.mappings}")

    def again(self, command: str, *arguments: str, **variables: str) -> str:
        """A command as make calls it, without making the packages anew."""
        said = run(
            *(sys.executable, "-m", "local_stack", command, "--folder", str(self.folder), *arguments),
            environment={"AWS_PORT": "0", "PYTHONPATH": str(ROOT / "lambdas"), **variables},
        )
        self.said.append(said)
        return said

    def down(self) -> str:
        return self._make("down", f"ARGS=--folder {self.folder}")

    def _make(self, goal: str, arguments: str) -> str:
        said = run("make", "--no-print-directory", f"VENV={sys.prefix}", goal, arguments, environment={"AWS_PORT": "0"})
        self.said.append(said)
        return said

    @cached_property
    def env(self) -> dict[str, str]:
        return env_file.read(self.folder)

    def client(self, service: str) -> Any:
        return Session(self.env["AWS_ENDPOINT_URL"], self.env["AWS_REGION"], self.env).client(service)

    def forceglue(self, *arguments: str) -> str:
        """The command line, in a shell that has read `stack.env`."""
        program = [sys.executable, "-c", "from forceglue.cli.main import main; main()", *arguments]
        said = run("sh", "-c", f'. {self.folder}/stack.env; exec "$@"', "sh", *program)
        self.said.append(said)
        return said

    def extract(self) -> str:
        """Reads the org into the landing bucket; the execution of it."""
        before = self.reports()
        self.forceglue("extract", "Account", "Contact", "--landing", f"s3://{self.env['LANDING_BUCKET']}", "--lag", "0")
        (report,) = self.reports() - before
        return Path(report).stem

    def reports(self) -> set[str]:
        return {*self.keys("LANDING_BUCKET", "_extract/_runs/")}

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        pages = self.client("s3").get_paginator("list_objects_v2").paginate(Bucket=self.env[bucket], Prefix=prefix)
        return [one["Key"] for page in pages for one in page.get("Contents", [])]

    def text(self, bucket: str, key: str) -> str:
        return self.client("s3").get_object(Bucket=self.env[bucket], Key=key)["Body"].read().decode("utf-8", "replace")

    def events(self, correlation_id: str | None = None) -> list[story.Event]:
        logs = self.client("logs")
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=self.env["EVENT_LOG"])
        found = story.read(event["message"] for page in pages for event in page["events"])
        return [one for one in found if correlation_id in (None, one.correlation_id)]

    def wait(self, done: Callable[[story.Event], bool], seconds: float = 240) -> story.Event:
        """The first event that is what is waited for."""
        found: story.Event = until(lambda: next(filter(done, self.events()), None), seconds)
        return found

    def table(self, name: str) -> dict[str, str]:
        """Id to name."""
        options = {name: value for name, value in self.env.items() if name.startswith("AWS_")} | {
            "AWS_ALLOW_HTTP": "true"
        }
        found = deltalake.DeltaTable(f"s3://{self.env['WAREHOUSE_BUCKET']}/{name}", storage_options=options)
        return {row["id"]: row["name"] for row in found.to_pyarrow_table(columns=["id", "name"]).to_pylist()}

    def delivered(self) -> dict[str, str]:
        """Id to name, as the dataset's file has them."""
        rows = csv.reader(io.StringIO(self.text("DELIVERY_BUCKET", "names.csv")))
        assert next(rows) == ["id", "name"]
        return {key: name for key, name in rows}  # noqa: C416  # rows of two, and no other

    # the org, as any client of Salesforce meets it

    @cached_property
    def token(self) -> str:
        asked = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        answer = requests.post(f"{self.env['SALESFORCE_URL']}/services/oauth2/token", asked, timeout=30)
        return str(answer.json()["access_token"])

    @cached_property
    def org(self) -> requests.Session:
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {self.token}"
        return session

    def query(self, soql: str) -> list[dict[str, Any]]:
        data = f"{self.env['SALESFORCE_URL']}/services/data/v60.0"
        answer = self.org.get(f"{data}/query", params={"q": soql}).json()
        return list(answer["records"])

    def change(self, record: str, **fields: str) -> None:
        data = f"{self.env['SALESFORCE_URL']}/services/data/v60.0"
        assert self.org.patch(f"{data}/sobjects/Account/{record}", json=fields).status_code == 204

    def processes(self) -> list[int]:
        return [json.loads(path.read_text())["pid"] for path in self.folder.glob("*.json")]


@contextmanager
def system(folder: Path) -> Iterator[System]:
    """Up for the length of a block."""
    python_of_aws()
    one = System(folder / "local", small_mappings(folder / "mappings"), [])
    try:
        one.up()
        yield one
    finally:
        one.down()
