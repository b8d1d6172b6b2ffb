"""What a comparison is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from forceglue.mapping.project import Project
from forceglue.reconcile.vanished import VanishLimit


@dataclass(frozen=True)
class ReconcileRequest:
    """One call of `reconcile`.

    Attributes:
        landing, warehouse: a folder or `s3://` URI each.
        names: objects by API name, mapping or table; none: all mappings' sources and what was extracted besides.
        since: the first day of creation that is compared.
        ids: all Ids are read and compared instead of counts and sums.
        out: a file that gets every Id that differs.
        land_deleted: what has vanished lands for the next run to apply.
        at_most: how much of a table that may be.
        label: the `<env>` of the landing folders.
        at_once: objects compared at the same time.
    """

    landing: str
    warehouse: str
    project: Project
    names: tuple[str, ...] = ()
    since: date | None = None
    ids: bool = False
    out: Path | None = None
    land_deleted: bool = False
    at_most: VanishLimit = field(default_factory=VanishLimit)
    label: str = "org"
    at_once: int = 4
