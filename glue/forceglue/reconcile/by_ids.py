"""One object and its table by all their Ids: exact sets, each Id with its class; what has vanished can land."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import TYPE_CHECKING, Any, Self, TextIO

from forceglue.extract.ids import AllIds
from forceglue.landing.store import Store
from forceglue.mapping.model import ObjectMapping
from forceglue.reconcile.by_amounts import explaining_of, left_out_of, purged_of
from forceglue.reconcile.explain import Explaining
from forceglue.reconcile.ids import Class, IdsFound, Kind, Sides, classed
from forceglue.reconcile.report import Compared
from forceglue.reconcile.table_side import TableSide, moment
from forceglue.reconcile.vanished import cannot, guard, land

if TYPE_CHECKING:
    import pyarrow as pa

    from forceglue.reconcile.reconciler import Shared

ClassOf = Callable[[str, str | None], Class]


class IdsOut:
    """The file that gets every Id that differs: `object,table,kind,class,id`, a line each. Threads share it."""

    def __init__(self, path: Path | None) -> None:
        self._path, self._lock = path, Lock()
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("w", encoding="utf-8", newline="")
            self._file.write("object,table,kind,class,id\n")
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, start: Compared, kind: Kind, name: Class, ids: pa.ChunkedArray) -> str | None:
        """Adds Ids; gives where they are."""
        if self._file is None:
            return None
        head = f"{start.object},{start.table},{kind},{name},"
        with self._lock:
            self._file.writelines(f"{head}{one}\n" for one in ids.to_pylist())
        return str(self._path)


def compare_ids(
    shared: Shared,
    start: Compared,
    mapping: ObjectMapping,
    describe: Mapping[str, Any],
    side: TableSide,
    listed: AllIds,
) -> Compared:
    """Compares the Ids of a table with those of its object, and lands what has vanished where that is asked for.

    Args:
        side: the table as it was before the Ids were read: what comes to both meanwhile is no difference.

    Raises:
        LandingError: the table, or a file that waits, cannot be read.
    """
    keeps = side.measures.keeps
    with TemporaryDirectory(prefix="forceglue-ids-") as name:
        folder = Path(name)
        both = Sides(folder)
        both.take_table(side.keys())
        both.take_org(listed.batches(), keeps=keeps)
        explaining, notes = explaining_of(shared, describe, side)
        gone = purged_of(shared.org, start.object, listed.at, notes)
        why = Classes(explaining, gone, keeps=keeps, at=listed.at, left_out=left_out_of(shared, side.measures))
        found: dict[Kind, Counter[Class]] = {}
        vanished: list[Path] = []
        file = None
        for kind, some in both.differences():
            for said, rows in classed(some, why.of(kind)).items():
                found.setdefault(kind, Counter())[said] += rows.num_rows
                file = shared.out.write(start, kind, said, rows["id" if "id" in rows.column_names else "key"]) or file
                if kind == "vanished" and said in ("gone", "unexplained"):
                    vanished.append(_kept(rows, folder, len(vanished)))
        total = IdsFound(both.org, both.bin, both.table, {kind: dict(n) for kind, n in found.items()}, file)
        if shared.request.land_deleted and vanished:
            total = _landed(shared, start, mapping, total, vanished, listed.at)
    left = 0 if total.landed else total.count("vanished", "unexplained")
    total = replace(total, settled=not (left or explaining.waits))  # who waits may have been purged meanwhile
    bad = total.unexplained or total.refused
    differs = any(total.count(kind) for kind in total.found)
    return replace(
        start, status="unexplained" if bad else "explained" if differs else "equal", ids=total, notes=tuple(notes)
    )


@dataclass
class Classes:
    """Why an Id differs.

    Attributes:
        gone: what Salesforce lists as deleted.
        keeps: the mapping keeps what was deleted.
        at: Salesforce's clock before the Ids were read.
        left_out: how many more records the mapping may have left out; which of them is not known.
    """

    explaining: Explaining
    gone: set[str]
    keeps: bool
    at: datetime
    left_out: int

    def of(self, kind: Kind) -> ClassOf:
        return {"missing": self._missing, "deleted": self._deleted, "vanished": self._vanished}[kind]

    def _missing(self, key: str, _: str | None) -> Class:
        if key in self.explaining.in_flight:
            return "in_flight"
        if (said := _landed_class(self.explaining, key)) is not None:
            return said
        if self.left_out:
            self.left_out -= 1
            return "left_out"
        return "unexplained"

    def _deleted(self, key: str, _: str | None) -> Class:
        now = self.explaining.in_flight.get(key)
        if now is not None and not now.counts:
            return "in_flight"
        return self._landed_deletion(key) or "unexplained"

    def _vanished(self, key: str, stamp: str | None) -> Class:
        if self.keeps:
            return "kept"
        if (said := self._landed_deletion(key)) is not None:
            return said
        if key in self.gone:
            return "gone"
        came = moment(stamp)
        return "in_flight" if came is not None and came >= self.at else "unexplained"

    def _landed_deletion(self, key: str) -> Class | None:
        landed = self.explaining.landed.get(key)
        return None if landed is None or landed[1].counts else _landed_class(self.explaining, key)


def _landed_class(explaining: Explaining, key: str) -> Class | None:
    landed = explaining.landed.get(key)
    return None if landed is None else "waiting" if landed[0] == "waiting" else "quarantined"


def _kept(rows: pa.Table, folder: Path, number: int) -> Path:
    """The Ids of these rows on disk: nobody knows yet how many more there are."""
    import pyarrow as pa

    path = folder / f"vanished-{number}.ids"
    with pa.ipc.new_stream(str(path), pa.schema([rows.schema.field("id")])) as writer:
        writer.write_table(rows.select(["id"]))
    return path


def _pieces(files: Sequence[Path]) -> Iterator[pa.Array]:
    import pyarrow as pa

    for path in files:
        with pa.OSFile(str(path)) as stream:
            for batch in pa.ipc.open_stream(stream):
                yield batch["id"]


def _landed(
    shared: Shared, start: Compared, mapping: ObjectMapping, found: IdsFound, files: Sequence[Path], now: datetime
) -> IdsFound:
    vanished = found.count("vanished", "gone", "unexplained")
    refused = cannot(mapping) or guard(
        start.table, org=found.org + found.bin, table=found.table, vanished=vanished, most=shared.request.at_most
    )
    if refused:
        return replace(found, refused=refused)
    landing = Store.made(shared.request.landing)
    key = land(landing, mapping, _pieces(files), now, shared.run_id.replace("-", ""), shared.request.label)
    return replace(found, landed=landing.uri(key))
