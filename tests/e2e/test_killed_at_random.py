"""Real processes of `extract` and `run`, killed with SIGKILL at random points while the org is worked in.

Half of the points are moments by chance; the others are the moment in which something new lies on the disk (a page, a
landed file, a manifest, a commit, ...) and a little later, so that every phase is met. At the end the tables are the
org, and nothing is there twice. The seed is in the test's name and in what it prints.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

import pytest
from deltalake import DeltaTable

from extract.kit import ACCOUNT, CONTACT, NOW, TASK_STATUS, accounts
from forceglue.simulated.salesforce import Org, SetClock, serve
from played import plain, read_org

ROOT = Path(__file__).parents[2]
MAPPINGS = {
    "project.yaml": "objects: {naming: lower}\nroots: {landing: landing, warehouse: warehouse, delivery: delivery}\n",
    "account.yaml": "mapping: account\nsource: Account\nrefresh: every_run\n",
    "contact.yaml": "mapping: contact\nsource: Contact\n",
    "task_status.yaml": "mapping: task_status\nsource: TaskStatus\n",
    "people.yaml": (
        "mapping: People\nfrom: contact\njoins: [{table: account, by: {accountid: id}}]\n"
        "columns: {id: id, name: lastname, account: account.name}\nkey: id\ndeliver: [csv: {file: people.csv}]\n"
    ),
}
COMMANDS = {"extract": ["extract"], "run": ["run", "--quick"]}
TABLES = {"Account": "account", "Contact": "contact", "TaskStatus": "task_status"}
EVENTS = {
    "extract": ("landing/_extract/**/*", "landing/_extract/**/*.parquet", "landing/in/**/*.parquet"),
    "run": (
        "landing/processed/**/*", "warehouse/_positions/**/*", "warehouse/_staging/**/*.parquet",
        "warehouse/*/_delta_log/*.json", "delivery/*", "warehouse/_runs/**/*",
    ),
}  # fmt: skip


@dataclass
class World:
    """An org, a project that loads it, and chance."""

    root: Path
    server: Any
    clock: SetClock
    rng: Random
    took: dict[str, float] = field(default_factory=dict)
    hits: Counter[str] = field(default_factory=Counter)
    events: dict[str, Iterator[str]] = field(default_factory=lambda: {w: cycle(them) for w, them in EVENTS.items()})

    @property
    def org(self) -> Org:
        return self.server.org

    def start(self, word: str) -> subprocess.Popen[bytes]:
        """The command as a process of its own, with a group of its own: its JVM dies with it."""
        return subprocess.Popen(
            [sys.executable, "-c", "from forceglue.cli.main import main; main()", *COMMANDS[word]],
            cwd=self.root, start_new_session=True, stdout=subprocess.DEVNULL, stderr=(self.root / "stderr").open("wb"),
            env={
                **os.environ, "PYTHONPATH": str(ROOT / "glue"), "SF_TOKEN_URL": self.server.token_url,
                "SF_CLIENT_ID": "app", "SF_CLIENT_SECRET": "app-secret",
            },
        )  # fmt: skip

    def whole(self, word: str) -> None:
        """The command from its start to its end."""
        began = time.monotonic()
        assert self.start(word).wait(120) == 0, (self.root / "stderr").read_text()
        self.took.setdefault(word, time.monotonic() - began)

    def killed(self, word: str) -> None:
        """The command, ended by nobody but the machine; one that was done before is started again."""
        while True:
            running = self.start(word)
            point = self._wait(word, running)
            if running.poll() is None:
                os.killpg(running.pid, signal.SIGKILL)
                running.wait()
                self.hits[point] += 1
                return
            self.work()
            if word == "run":
                self.whole("extract")

    def _wait(self, word: str, running: subprocess.Popen[bytes]) -> str:
        if self.rng.random() < 0.5:
            self._sleep(running, self.rng.uniform(0.0, self.took[word]))
            return f"{word} at a moment"
        pattern = next(self.events[word])
        before = {*self.root.glob(pattern)}
        while running.poll() is None and not {*self.root.glob(pattern)} - before:
            time.sleep(0.003)
        self._sleep(running, self.rng.choice((0.0, self.rng.uniform(0.0, 0.5))))
        return f"{word} at {pattern}"

    @staticmethod
    def _sleep(running: subprocess.Popen[bytes], seconds: float) -> None:
        end = time.monotonic() + seconds
        while running.poll() is None and time.monotonic() < end:
            time.sleep(0.003)

    def work(self) -> None:
        """Somebody works in the org for a while; one change is committed only after others that came later."""
        org, rng = self.org, self.rng
        living = {name: org.store.ids(org.object(name), "\"IsDeleted\" = 'false'") for name in ("Account", "Contact")}
        binned = org.store.ids(org.object("Account"), "\"IsDeleted\" = 'true'")
        for ids in (*living.values(), binned):
            rng.shuffle(ids)
        late = org.begin()
        late.update("Account", living["Account"].pop(), {"Name": f"late {rng.random()}"})
        did: list[Callable[[], object]] = [
            lambda: org.insert("Account", {"Name": f"new {rng.random()}", "AnnualRevenue": "12.50"}),
            lambda: org.insert("Contact", {"LastName": "new", "AccountId": living["Account"][-1]}),
            lambda: org.update("Account", living["Account"].pop(), {"Description": f"two\nlines {rng.random()}"}),
            lambda: org.update("Contact", living["Contact"].pop(), {"LastName": f"other {rng.random()}"}),
            lambda: org.delete("Account", living["Account"].pop()),
            lambda: org.purge("Contact", living["Contact"].pop()),
            lambda: org.recalculate("Account", living["Account"].pop(), {"Score__c": rng.randint(0, 99)}),
            lambda: org.merge("Account", living["Account"].pop(), [living["Account"].pop()]),
            lambda: org.insert("TaskStatus", {"MasterLabel": "new"}),
        ]
        did += [lambda: org.undelete("Account", binned.pop())] if len(binned) > 2 else []
        for happens in rng.sample(did, k=rng.randint(2, len(did))):
            self.clock.advance(timedelta(seconds=rng.randint(1, 60)))
            happens()
        late.commit()
        self.clock.advance(timedelta(seconds=rng.randint(0, 300)))


@pytest.fixture
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    for name, text in MAPPINGS.items():
        (tmp_path / "mappings").mkdir(exist_ok=True)
        (tmp_path / "mappings" / name).write_text(text)
    clock = SetClock(NOW)
    with Org(clock=clock) as org:
        org.define(ACCOUNT, CONTACT, TASK_STATUS)
        org.access.add_app("app", "app-secret", run_as="integration@example.com")
        org.load("Account", accounts(150))
        ids = org.store.ids(org.object("Account"))
        yesterday = NOW - timedelta(days=1)
        org.load(
            "Contact",
            [{"LastName": f"c{n}", "AccountId": ids[n % 150], "SystemModstamp": yesterday} for n in range(200)],
        )
        org.load("TaskStatus", [{"MasterLabel": label, "SystemModstamp": yesterday} for label in ("Open", "Done")])
        with serve(org) as server:
            yield World(tmp_path, server, clock, Random(f"{request.node.name}"))


def survives(world: World, kills: int) -> None:
    """One kill in three is of a run: it takes the seconds in which a JVM starts."""
    for word in COMMANDS:
        world.whole(word)
    for number in range(kills):
        world.work()
        if number % 3:
            world.killed("extract")
        else:
            world.whole("extract")  # what the run has to do when it is killed
            world.killed("run")
    world.clock.advance(timedelta(minutes=15))  # past the lag: all that was done is in the window
    for word in COMMANDS:
        world.whole(word)
    sys.stdout.write(f"{sum(world.hits.values())} kills: {dict(world.hits)}\n")
    assert sum(world.hits.values()) == kills
    same(world)


def same(world: World) -> None:
    token = world.org.access.sign_in(world.org.access.administrator).token
    for name, held in read_org(world.server.url, token).items():
        kinds = {field.lower(): kind for field, kind in held.kinds.items()}
        rows = DeltaTable(str(world.root / "warehouse" / TABLES[name])).to_pyarrow_table().to_pylist()
        found = {row["id"]: {field: plain(kind, row[field]) for field, kind in kinds.items()} for row in rows}
        assert len(found) == len(rows)
        wanted = {
            key: {field.lower(): plain(kind, record[field]) for field, kind in held.kinds.items()}
            for key, record in held.records.items()
        }
        assert {key for key in wanted if wanted[key] != found.get(key)} == set(), name
        assert {key for key in found.keys() - wanted.keys() if not found[key]["isdeleted"]} == set(), name
    assert not list(world.root.glob("warehouse/_quarantine/*"))
    lines = (world.root / "delivery" / "people.csv").read_text("utf-8").splitlines()
    assert len(lines) == len({*lines}) == world.org.count("Contact") + 1


def test_twelve_kills(world: World) -> None:
    survives(world, 12)


@pytest.mark.slow
def test_fifty_kills(world: World) -> None:
    survives(world, 50)
