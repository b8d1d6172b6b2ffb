"""One object of an extract, as each step with it needs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from forceglue.extract.reading import Work
from forceglue.extract.request import ExtractRequest
from forceglue.extract.selection import Selected
from forceglue.extract.told import Told
from forceglue.landing.store import Store
from forceglue.mapping.model import ObjectMapping


@dataclass(frozen=True)
class Task:
    """An object at work.

    Attributes:
        work: its own, which keeps its own lease.
        now: Salesforce's clock at the start of the extract.
        told: what the steps add to the report.
    """

    request: ExtractRequest
    work: Work
    selected: Selected
    now: datetime
    told: Told

    @property
    def name(self) -> str:
        return self.selected.name

    @property
    def store(self) -> Store:
        return self.work.store

    @property
    def mappings(self) -> Sequence[ObjectMapping]:
        return self.selected.mappings
