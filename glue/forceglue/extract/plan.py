"""A reading of an object that is not over: what it reads, and how far it is.

A plan is over when what it read is where it belongs and that is remembered; then its folder is emptied.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal

from forceglue.errors import ExtractError
from forceglue.extract.fields import ReadField
from forceglue.extract.state import FOLDER, kept, moment, write_state
from forceglue.extract.window import Window, soql
from forceglue.landing.patch import Patch
from forceglue.landing.store import Store

Api = Literal["bulk", "rest"]
Way = Literal["changes", "refresh", "ids"]
"""Why an object is read: for what changed since the bookmark; for its formula fields; for all its Ids."""


@dataclass(frozen=True)
class Segment:
    """A part of the window that one query reads.

    Attributes:
        number: names its pages; never used for another segment of the plan.
        job: of Bulk; for REST a name of our own; None before it is made.
        version: of the API that made the job.
        rows: how many there must be (the job's or the query's total), once that is known.
    """

    number: int
    window: Window
    job: str | None = None
    version: str = ""
    rows: int | None = None


@dataclass(frozen=True)
class Plan:
    """A reading of one object.

    Attributes:
        started: Salesforce's clock when it began.
        api: that reads it; the other one takes its place where this one does not.
        page_rows: rows of a page at most; a result is always read in pages of the same size.
        landing: once every row is on disk and proved, `(path, key, rows)` of each file: what is left is to move them
            and to remember it.
        few: REST is to read it only if its rows are few (`few_read`).
    """

    object: str
    way: Way
    execution: str
    started: datetime
    api: Api
    cursor: str | None
    window: Window
    fields: tuple[ReadField, ...]
    page_rows: int
    segments: tuple[Segment, ...]
    landing: tuple[tuple[str, str, int], ...] | None = None
    few: bool = False

    def with_segment(self, segment: Segment) -> Plan:
        return replace(self, segments=tuple(segment if s.number == segment.number else s for s in self.segments))

    def query(self, window: Window) -> str:
        """The query of a part of it."""
        return soql(self.object, list(self.kinds), self.cursor, window)

    @property
    def whole(self) -> bool:
        """Every record is read, not only those that changed."""
        return self.window.since is None

    @property
    def kinds(self) -> dict[str, str]:
        return {field.name: field.kind for field in self.fields}

    @property
    def footer(self) -> dict[bytes, bytes]:
        """What marks the files that it lands."""
        return Patch("refresh", self.started).footer() if self.way == "refresh" else {}


@dataclass(frozen=True)
class Page:
    """A page that is on disk.

    Attributes:
        job: the one that it is of; pages of another have nothing to do with these.
        locator: where it began; None for the first.
        next: where the next one begins; None for the last.
        files: `(path, rows)`.
        texts, missing: as `parquet.Written`.
        total: of the whole query, where the page said it (REST).
    """

    job: str
    locator: str | None
    next: str | None
    rows: int
    files: tuple[tuple[str, int], ...]
    texts: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    total: int | None = None


def folder(name: str, way: Way) -> str:
    """Where a reading that is not over is."""
    return f"{FOLDER}/{name}/{way}"


def plan_of(store: Store, name: str, way: Way) -> Plan | None:
    """The reading that is not over; None where there is none, or what there is cannot be gone on with."""
    try:
        return kept(store, f"{folder(name, way)}/plan.json", _plan)
    except ExtractError:
        return None  # of another version of forceglue, or damaged: nothing of it has landed, it is begun anew


def write_plan(store: Store, plan: Plan) -> None:
    write_state(store, f"{folder(plan.object, plan.way)}/plan.json", asdict(plan))


def page_name(plan: Plan, segment: Segment, at: int) -> str:
    """Path of a page and its files, without number and ending."""
    return f"{folder(plan.object, plan.way)}/s{segment.number}-p{at:05d}"


def page_of(store: Store, name: str) -> Page | None:
    """A page that is whole on disk, or None."""
    try:
        page = kept(store, f"{name}.json", _page)
    except ExtractError:
        return None
    return page if page is not None and all(store.exists(path) for path, _ in page.files) else None


def write_page(store: Store, name: str, page: Page) -> None:
    write_state(store, f"{name}.json", asdict(page))


def clear(store: Store, name: str, way: Way) -> None:
    """Removes what a reading has left, its plan last."""
    found = [entry.path for entry in store.list(folder(name, way))]
    for path in sorted(found, key=lambda path: path.endswith("/plan.json")):
        store.delete(path)


def _page(raw: Any) -> Page:
    files = tuple((str(path), int(rows)) for path, rows in raw["files"])
    return Page(**{**raw, "files": files, "texts": tuple(raw["texts"]), "missing": tuple(raw["missing"])})


def _plan(raw: Any) -> Plan:
    segments = tuple(Segment(**{**part, "window": _window(part["window"])}) for part in raw["segments"])
    return Plan(**{
        **raw,
        "started": datetime.fromisoformat(raw["started"]),
        "window": _window(raw["window"]),
        "fields": tuple(ReadField(**part) for part in raw["fields"]),
        "segments": segments,
        "landing": None if raw["landing"] is None else tuple((str(a), str(b), int(n)) for a, b, n in raw["landing"]),
    })  # fmt: skip


def _window(raw: Any) -> Window:
    return Window(moment(raw["since"]), moment(raw["until"]), bool(raw["nulls"]))
