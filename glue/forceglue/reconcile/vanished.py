"""What has vanished from the org, landed for the next run; and the guard against a user who merely sees less."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from forceglue.landing.layout import landed_key
from forceglue.landing.patch import Patch
from forceglue.landing.store import Store
from forceglue.mapping.model import ObjectMapping
from forceglue.transform.ids import long_id

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class VanishLimit:
    """How many records may vanish at once: a share of the table's live records, or a number.

    Attributes:
        empty: an object without any record is right.
    """

    share: float = 0.1
    number: int | None = None
    empty: bool = False

    def allowed(self, live: int) -> int:
        return self.number if self.number is not None else int(self.share * live)

    def __str__(self) -> str:
        return f"{self.number:,}" if self.number is not None else f"{100 * self.share:g} %"


def guard(name: str, *, org: int, table: int, vanished: int, most: VanishLimit) -> str | None:
    """Why so many records are not taken for vanished; None where they may be.

    Args:
        org: how many records the org shows, those in the recycle bin too.
        table: how many live ones the table has.
    """
    check = (
        "Check that this is the org the table is from, and that the user still sees every record (View All Data; "
        "sharing rules)."
    )
    if vanished and not org and not most.empty:
        return (
            f"{name}: the org shows no record at all, so that all {table:,} of the table would vanish. {check} Where "
            f"the object was emptied on purpose, give --allow-empty --at-most {vanished}."
        )
    if vanished > most.allowed(table):
        return (
            f"{name}: {vanished:,} of the table's {table:,} live records would vanish, and at most {most} may "
            f"({most.allowed(table):,}). {check} Where it is right, give --at-most {vanished}."
        )
    return None


def cannot(mapping: ObjectMapping) -> str | None:
    """Why deletions of a table do not come by this way; None where they do."""
    if tuple(mapping.key or ()) != ("Id",):
        return f"{mapping.mapping}: its key is not Id, so that no run could find the records: nothing was landed."
    if not mapping.deleted:
        return f"{mapping.mapping}: the mapping knows no deleted field: nothing was landed."
    if mapping.target.on_delete == "keep":
        return f"{mapping.mapping}: `deletes: keep` keeps what was deleted: nothing was landed."
    return None


def land(
    store: Store, mapping: ObjectMapping, pieces: Iterable[pa.Array], at: datetime, execution: str, label: str
) -> str:
    """Writes a `vanished` patch under `in/` and gives its key; the file appears there whole.

    Args:
        pieces: Ids, as the table has them.
        at: Salesforce's clock before the Ids were read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [(mapping.key or ("Id",))[0], mapping.deleted or "IsDeleted"]
    schema = pa.schema([(names[0], pa.string()), (names[1], pa.bool_())], metadata=Patch("vanished", at).footer())
    key = landed_key(mapping.source, execution, f"{execution}-{mapping.mapping}.parquet", env=label.replace("-", "_"))
    with store.filled(key) as target, pq.ParquetWriter(target, schema, compression="zstd") as writer:
        for ids in pieces:
            full = pa.array([long_id(one) for one in ids.to_pylist()], pa.string())
            writer.write_batch(pa.record_batch([full, pa.array([True] * len(full))], schema=schema))
    return key
