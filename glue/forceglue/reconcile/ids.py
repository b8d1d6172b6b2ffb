"""All Ids of both sides against each other, ten million of them in bounded memory.

Each side is spread over the files of a temporary folder by the last of the 15 characters that tell a record:
Salesforce counts Ids up, so that each of the 62 files gets as many. What is in a file of the one side can only meet the
file of the same character of the other, and these two fit in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from forceglue.reconcile.measures import DELETED, ID

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["missing", "deleted", "vanished"]
"""`missing`: the org has it, the table does not; `deleted`: in the org's recycle bin, and live in the table;
`vanished`: live in the table, and the org does not have it at all."""
Class = Literal["in_flight", "waiting", "quarantined", "gone", "kept", "left_out", "unexplained"]
"""`in_flight`, `waiting`, `quarantined`, `left_out`: as for amounts; `gone`: Salesforce lists it as deleted; `kept`:
the mapping says `deletes: keep`."""


@dataclass(frozen=True)
class IdsFound:
    """What a comparison of all Ids came to.

    Attributes:
        org, bin: records of the org, and those in its recycle bin.
        table: records of the table that are not deleted.
        found: `{kind: {class: how many}}`; a class that no Id is of is not there.
        file: where the Ids are, if that was asked for.
        landed: the file that tells the next run what has vanished.
        refused: why nothing was landed.
        settled: what was deleted for good before the Ids were read is known to the table, or landed for it.
    """

    org: int
    bin: int
    table: int
    found: Mapping[Kind, Mapping[Class, int]] = field(default_factory=dict)
    file: str | None = None
    landed: str | None = None
    refused: str | None = None
    settled: bool = False

    def count(self, kind: Kind, *only: Class) -> int:
        classes = self.found.get(kind, {})
        return sum(n for name, n in classes.items() if not only or name in only)

    @property
    def unexplained(self) -> int:
        """What nothing explains; what has vanished and is landed will be gone with the next run."""
        kinds: tuple[Kind, ...] = ("missing", "deleted") if self.landed else ("missing", "deleted", "vanished")
        return sum(self.count(kind, "unexplained") for kind in kinds)


@dataclass
class Sides:
    """The Ids of both sides, in files of `folder`.

    Attributes:
        org, bin, table: how many were taken.
    """

    folder: Path
    org: int = 0
    bin: int = 0
    table: int = 0

    def take_org(self, batches: Iterable[pa.RecordBatch], *, keeps: bool = False) -> None:
        """Takes `Id` and, where there is one, `IsDeleted` of every record of the org; with `keeps` none is deleted."""
        import pyarrow as pa
        import pyarrow.compute as pc

        with _Spread(self.folder, "org") as files:
            for batch in batches:
                alive = pa.array([False] * batch.num_rows)
                said = batch[DELETED].fill_null(False) if DELETED in batch.schema.names else alive
                deleted = pc.sum(said).as_py() or 0
                self.org, self.bin = self.org + batch.num_rows - deleted, self.bin + deleted
                key = pc.utf8_slice_codeunits(batch[ID], 0, 15)
                files.add(pa.RecordBatch.from_arrays([key, alive if keeps else said], ["key", "deleted"]))

    def take_table(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Takes `key`, `id` and `stamp` of every record of the table that `counts`."""
        with _Spread(self.folder, "table") as files:
            for batch in batches:
                live = batch.filter(batch["counts"])
                self.table += live.num_rows
                files.add(live.select(["key", "id", "stamp"]))

    def differences(self) -> Iterator[tuple[Kind, pa.Table]]:
        """`key`, and of what the table has `id` and `stamp` too, in pieces."""
        import pyarrow.compute as pc

        for name in sorted({path.stem.partition("-")[2] for path in self.folder.glob("*.arrow")}):
            org, table = _read(self.folder / f"org-{name}.arrow"), _read(self.folder / f"table-{name}.arrow")
            if org is None:
                yield "vanished", table
                continue
            # an Id may come twice, once from before and once from after a change: live is what it says anywhere
            there = org.filter(pc.invert(org["deleted"])).group_by("key").aggregate([])
            if table is None:
                yield "missing", there
                continue
            live = pc.is_in(table["key"], value_set=there["key"])
            known = pc.is_in(table["key"], value_set=org["key"])
            yield "missing", there.filter(pc.invert(pc.is_in(there["key"], value_set=table["key"])))
            yield "deleted", table.filter(pc.and_not(known, live))
            yield "vanished", table.filter(pc.invert(known))


class _Spread:
    """Writes batches to a file for each last character of their keys."""

    def __init__(self, folder: Path, side: str) -> None:
        self._folder, self._side = folder, side
        self._files: dict[str, Any] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self, batch: pa.RecordBatch) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        last = pc.utf8_slice_codeunits(batch["key"], -1)
        order = pc.sort_indices(last)
        batch, last = batch.take(order), last.take(order)
        runs = pc.run_end_encode(last)
        ends = runs.run_ends.to_pylist()
        for start, end, character in zip([0, *ends], ends, runs.values.to_pylist(), strict=False):
            name = f"{ord(character) if character else 0:x}"
            if name not in self._files:
                target = str(self._folder / f"{self._side}-{name}.arrow")
                self._files[name] = self._stack.enter_context(pa.ipc.new_stream(target, batch.schema))
            self._files[name].write_batch(batch.slice(start, end - start))


def _read(path: Path) -> pa.Table | None:
    import pyarrow as pa

    if not path.exists():
        return None
    with pa.OSFile(str(path)) as stream:
        return pa.ipc.open_stream(stream).read_all()


def classed(table: pa.Table, class_of: Callable[[str, str | None], Class]) -> dict[Class, pa.Table]:
    """The rows of each class; `class_of` is asked with key and stamp (None where the table has none)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    stamps = table["stamp"].to_pylist() if "stamp" in table.column_names else [None] * table.num_rows
    said = [class_of(key, stamp) for key, stamp in zip(table["key"].to_pylist(), stamps, strict=True)]
    names = pa.array(said, pa.string())
    return {name: table.filter(pc.equal(names, name)) for name in dict.fromkeys(said)}
