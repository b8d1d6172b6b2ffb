"""What is kept between two extracts, beside what has landed; small JSON files, each written whole.

    _extract/<Object>.json           the bookmark: up to when the object has landed
    _extract/<Object>/plan.json      an extract that is not over: its window, fields, jobs
    _extract/<Object>/s0-p00001.json a page of it that is on disk, with its files beside it
    _extract/_runs/<run>.json        the report of an extract

Nothing in `_extract` is read by a run. A plan is over when its files are under `in/` and the bookmark is written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from forceglue.errors import ExtractError
from forceglue.extract.fields import ReadField
from forceglue.extract.window import Window
from forceglue.landing.store import Store

FOLDER = "_extract"
Api = Literal["bulk", "rest"]


@dataclass(frozen=True)
class Bookmark:
    """Up to when an object has landed.

    Attributes:
        until: every change before it has landed; None for an object that is read whole each time.
        cursor: the field that this is about.
        extracted_at: when the extract ended.
        rows: that it landed.
        whole_rows: of the last whole read.
        kinds: `{field: type}` as it landed.
        instance_url: the org it is about.
    """

    object: str
    until: datetime | None
    cursor: str | None
    extracted_at: datetime
    execution: str
    rows: int
    whole_rows: int
    kinds: dict[str, str] = field(default_factory=dict)
    instance_url: str = ""


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
    """An extract of one object that is not over.

    Attributes:
        whole: everything is read, not only what changed.
        keep: the bookmark stays as it is: the window leaves out time after it.
        page_rows: rows of a page at most; a result is always read in pages of the same size.
        landing: once every row is on disk and proved, `(path, key, rows)` of each file: what is left is to move them
            and to write the bookmark.
    """

    object: str
    execution: str
    started: datetime
    api: Api
    cursor: str | None
    window: Window
    whole: bool
    fields: tuple[ReadField, ...]
    page_rows: int
    segments: tuple[Segment, ...]
    keep: bool = False
    landing: tuple[tuple[str, str, int], ...] | None = None

    def with_segment(self, segment: Segment) -> Plan:
        return replace(self, segments=tuple(segment if s.number == segment.number else s for s in self.segments))

    @property
    def kinds(self) -> dict[str, str]:
        return {field.name: field.kind for field in self.fields}


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


def bookmark_of(store: Store, name: str) -> Bookmark | None:
    """The object's bookmark; None before its first extract."""
    raw = _read(store, f"{FOLDER}/{name}.json")
    return None if raw is None else _bookmark(raw, store, name)


def bookmarks(store: Store) -> tuple[Bookmark, ...]:
    """All bookmarks, by object."""
    files = [entry.path for entry in store.list(FOLDER, recursive=False)]
    names = [path.rpartition("/")[2].removesuffix(".json") for path in files if path.endswith(".json")]
    return tuple(found for name in sorted(names) if (found := bookmark_of(store, name)))


def write_bookmark(store: Store, bookmark: Bookmark) -> None:
    _write(store, f"{FOLDER}/{bookmark.object}.json", asdict(bookmark))


def folder(name: str) -> str:
    """Where an object's unfinished extract is."""
    return f"{FOLDER}/{name}"


def plan_of(store: Store, name: str) -> Plan | None:
    """The object's unfinished extract; None where there is none, or what there is cannot be gone on with."""
    try:
        raw = _read(store, f"{folder(name)}/plan.json")
        return None if raw is None else _plan(raw)
    except (ExtractError, KeyError, TypeError, ValueError):
        return None  # of another version of forceglue, or damaged: nothing of it has landed, it is begun anew


def write_plan(store: Store, plan: Plan) -> None:
    _write(store, f"{folder(plan.object)}/plan.json", asdict(plan))


def page_name(plan: Plan, segment: Segment, at: int) -> str:
    """Path of a page and its files, without number and ending."""
    return f"{folder(plan.object)}/s{segment.number}-p{at:05d}"


def page_of(store: Store, name: str) -> Page | None:
    """A page that is whole on disk, or None."""
    try:
        raw = _read(store, f"{name}.json")
        if raw is None:
            return None
        files = tuple((str(path), int(rows)) for path, rows in raw["files"])
        told = {"files": files, "texts": tuple(raw["texts"]), "missing": tuple(raw["missing"])}
        page = Page(**{**raw, **told})
    except (ExtractError, KeyError, TypeError, ValueError):
        return None
    return page if all(store.exists(path) for path, _ in page.files) else None


def write_page(store: Store, name: str, page: Page) -> None:
    _write(store, f"{name}.json", asdict(page))


def clear(store: Store, name: str, keep: Iterable[str] = ()) -> None:
    """Removes what an unfinished extract has left, its plan last."""
    kept = set(keep)
    found = [entry.path for entry in store.list(folder(name)) if entry.path not in kept]
    for path in sorted(found, key=lambda path: path.endswith("/plan.json")):
        store.delete(path)


def _bookmark(raw: Any, store: Store, name: str) -> Bookmark:
    try:
        known = {key: raw[key] for key in Bookmark.__dataclass_fields__ if key in raw}
        known |= {"until": _time(raw["until"]), "extracted_at": datetime.fromisoformat(raw["extracted_at"])}
        return Bookmark(**known)
    except (KeyError, TypeError, ValueError):
        raise _damaged(store, f"{FOLDER}/{name}.json") from None


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
    return Window(_time(raw["since"]), _time(raw["until"]), bool(raw["nulls"]))


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _read(store: Store, path: str) -> Any:
    try:
        return json.loads(store.read_bytes(path))
    except FileNotFoundError:
        return None
    except ValueError:
        raise _damaged(store, path) from None


def _write(store: Store, path: str, value: Any) -> None:
    text = json.dumps(value, indent=1, ensure_ascii=False, default=lambda moment: moment.isoformat())
    store.write_bytes(path, text.encode())


def _damaged(store: Store, path: str) -> ExtractError:
    return ExtractError(
        f"{store.uri(path)} is damaged. Bring it back, or remove it: the object is then read whole again."
    )
