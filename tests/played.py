"""One demo for all tests of a session, however many processes share them, and what its org held at the end.

The org is read over REST by the few lines below: neither through the extract, nor where the simulated org keeps things.
"""

from __future__ import annotations

import logging
import os
import pickle
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.dataset as ds
import pytest
import requests
from click.testing import CliRunner
from deltalake import DeltaTable
from filelock import FileLock

from forceglue.cli.main import main
from forceglue.demo import play
from forceglue.demo.beside import Landed
from forceglue.demo.hour import Worked
from forceglue.mapping.load import load_project
from forceglue.run.report import MappingReport, RunReport
from mappings import reference

if TYPE_CHECKING:
    from forceglue.simulated.salesforce.server import OrgServer

ROOT = Path(__file__).parents[1]
MAPPINGS = ROOT / "mappings"
NAMES = {o.source: o.mapping for o in load_project(MAPPINGS, checked=False).objects.values()}
_NOT_VALUES = ("address", "location", "base64")


@dataclass(frozen=True)
class Held:
    """All records of one object, deleted ones too, as REST gives them; numbers with every digit.

    Attributes:
        kinds: field → describe's type.
    """

    kinds: Mapping[str, str]
    records: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Look:
    """What lay there when a run had ended; `differences`: deliveries beside the second computation of them."""

    rows: Mapping[str, int]
    deleted: Mapping[str, int]
    differences: Mapping[str, list[str]]


@dataclass
class Played:
    """A demo from its call to its end. Nobody changes its folder: `copied` is there for that.

    Attributes:
        log: what every library logged meanwhile, at every level.
        secrets: what the org gave out, and what it was given, that nothing may show.
    """

    folder: Path
    log: Path
    code: int = -1
    output: str = field(default="", repr=False)
    landed: list[Landed] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list, repr=False)
    org: dict[str, Held] = field(default_factory=dict, repr=False)
    worked: Worked = field(default_factory=Worked)
    late: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def reports(self) -> list[RunReport]:
        found = sorted(self.folder.glob("warehouse/_runs/*/report.json"))
        return [RunReport.from_json(path.read_bytes()) for path in found]

    @property
    def extracts(self) -> list[Path]:
        return sorted(self.folder.glob("landing/_extract/_runs/*.json"))

    def mapping(self, step: int, name: str) -> MappingReport:
        (found,) = [m for m in self.reports[step].mappings if m.name == name]
        return found

    def table(self, name: str) -> DeltaTable:
        return DeltaTable(str(self.folder / "warehouse" / name))

    def copied(self, target: Path) -> Path:
        """A demo of one's own."""
        return Path(shutil.copytree(self.folder, target))


def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """The demo of this session: played by the first process that asks, waited for by the others."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    kept = root / "played.pickle"
    with FileLock(f"{kept}.lock"):
        if not kept.exists():
            request.getfixturevalue("spark")
            made = _played(root / "Größe & Maß")  # blanks and umlauts are part of the test
            kept.with_suffix(".part").write_bytes(pickle.dumps(made))
            kept.with_suffix(".part").rename(kept)
    found: Played = pickle.loads(kept.read_bytes())
    return found


def _played(home: Path) -> Played:
    home.mkdir()
    told = Played(home / "the demo", home / "debug.log")
    servers: list[OrgServer] = []

    def serve(*given: Any, **more: Any) -> Any:
        @contextmanager
        def kept() -> Iterator[OrgServer]:
            with real["serve"](*given, **more) as server:
                servers.append(server)
                yield server

        return kept()

    def work(demo: Any) -> Worked:
        told.looks.append(_look(told))
        told.late = demo.late_record
        told.worked = real["work"](demo)
        return told.worked

    def prove(*given: Any) -> Any:
        told.looks.append(_look(told))
        told.org = read_org(servers[0].url, servers[0].org.access.sign_in(servers[0].org.access.administrator).token)
        access = servers[0].org.access
        told.secrets = (*access.sessions, *(app.client_secret for app in access.apps.values() if app.client_secret))
        return real["prove"](*given)

    replaced = {"serve": serve, "work": work, "prove": prove}
    real = {name: getattr(play, name) for name in replaced}
    with pytest.MonkeyPatch.context() as patch, _logged(told.log):
        for name, instead in replaced.items():
            patch.setattr(play, name, instead)
        for step in ("first", "later"):
            patch.setattr(play.beside, step, _noted(getattr(play.beside, step), told.landed))
        done = CliRunner().invoke(main, ["demo", "--out", str(told.folder)], catch_exceptions=False)
    told.code, told.output = done.exit_code, done.output
    return told


def _noted(real: Any, kept: list[Landed]) -> Any:
    def call(*given: Any) -> Landed:
        kept.append(real(*given))
        return kept[-1]

    return call


@contextmanager
def _logged(file: Path) -> Iterator[None]:
    """Everything that anybody logs goes into a file."""
    root, handler = logging.getLogger(), logging.FileHandler(file, encoding="utf-8")
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.setLevel(before)
        root.removeHandler(handler)
        handler.close()


def _look(told: Played) -> Look:
    rows, deleted = {}, {}
    for name in NAMES.values():
        data = told.table(name).to_pyarrow_dataset()
        rows[name] = data.count_rows()
        deleted[name] = data.count_rows(filter=ds.field("isdeleted")) if "isdeleted" in data.schema.names else 0
    written = {m.name: m.deliveries for m in told.reports[-1].mappings}
    differences = {}
    for name, want in reference.expected(told.folder / "landing").items():
        (delivery,) = written[name]
        differences[name] = reference.differences(want, told.folder / "delivery" / delivery)
    return Look(rows, deleted, differences)


def read_org(url: str, token: str) -> dict[str, Held]:
    """Every object of an org that can be queried, with all its records, by plain REST calls."""
    with requests.Session() as calls:
        calls.trust_env = False
        calls.headers["Authorization"] = f"Bearer {token}"

        def get(path: str, **query: str) -> Any:
            answer = calls.get(f"{url}{path}", params=query, timeout=60)
            answer.raise_for_status()
            return answer.json(parse_float=Decimal)

        root = get("/services/data")[-1]["url"]
        names = [entry["name"] for entry in get(f"{root}/sobjects")["sobjects"] if entry["queryable"]]
        found = {}
        for name in names:
            described = get(f"{root}/sobjects/{name}/describe")
            kinds = {f["name"]: f["type"] for f in described["fields"] if f["type"] not in _NOT_VALUES}
            records = {}
            page = get(f"{root}/queryAll", q=f"SELECT {', '.join(kinds)} FROM {name}")
            while True:
                records |= {record["Id"]: record for record in page["records"]}
                if page["done"]:
                    break
                page = get(page["nextRecordsUrl"])
            assert len(records) == page["totalSize"]
            found[name] = Held(kinds, records)
    return found


def plain(kind: str, value: Any) -> Any:
    """A value of a describe type, as REST or a table has it, so that equal values are equal."""
    if value is None or value == "":
        return None
    if kind == "boolean":
        return value if isinstance(value, bool) else {"true": True, "false": False}[value]
    if kind in ("double", "currency", "percent", "int", "long"):
        return Decimal(str(value))
    if kind == "datetime":
        return value if isinstance(value, datetime) else datetime.fromisoformat(value)
    if kind == "date":
        return value if isinstance(value, date) else date.fromisoformat(value)
    return value
