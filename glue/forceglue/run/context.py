"""What all mappings of one run share: the project, the roots, the session, the clock."""

from __future__ import annotations

import secrets
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from forceglue.errors import SetupError
from forceglue.landing.store import Store
from forceglue.mapping.load import Project
from forceglue.run.request import RunRequest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from forceglue.quality.gx import Validations

FEW_ROWS = 30_000
"""Up to as many rows a mapping, compiling its expressions takes longer than interpreting them for each row."""


def new_run_id(started: datetime) -> str:
    """Sorts by time and is unique without asking anybody: `20261121T083000Z-1f3a9c`."""
    return f"{started:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


@dataclass
class RunContext:
    """One run. The Spark session starts when the first mapping needs it: a run with nothing new never starts a JVM."""

    request: RunRequest
    project: Project
    landing: Store
    warehouse: Store
    delivery: Store
    run_id: str
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    session: SparkSession | None = None
    validations: Validations | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _sized: threading.local = field(default_factory=threading.local, repr=False)
    _not_started: SetupError | None = None
    _suiting: dict[bool, SparkSession] = field(default_factory=dict, repr=False)

    def spark(self) -> SparkSession:
        """The session of the run, started at the first call and set for as many rows as `sized` told.

        Raises:
            SetupError: no Java or no JARs.
        """
        with self._lock:
            if self._not_started is not None:  # it would not start for the next mapping either
                raise self._not_started
            if self.session is None:
                try:
                    self.session = self._start()
                except SetupError as error:
                    self._not_started = error
                    raise
            return self._suited(self.session)

    def _start(self) -> SparkSession:
        from forceglue.quality.gx import prefetch
        from forceglue.runtime.session import start

        if self.validations is not None:
            prefetch()
        return start(quick=self.request.quick, roots=(self.landing.root, self.warehouse.root, self.delivery.root))

    def _suited(self, session: SparkSession) -> SparkSession:
        """The first session is set for what needs it first; a twin is made only where a mapping differs from that.

        A session that ends a job at a value that does not fit is nobody's but its owner's: mappings get twins of it.
        """
        from forceglue.runtime.session import ANSI, COMPILED, INTERPRETED, TOLERANT, beside

        settings = {**TOLERANT, **(INTERPRETED if self.few else COMPILED)}
        if not self._suiting and session.conf.get(ANSI) == TOLERANT[ANSI]:
            for key, value in settings.items():
                session.conf.set(key, value)
            self._suiting[self.few] = session
        elif self.few not in self._suiting:
            self._suiting[self.few] = beside(session, settings)
        return self._suiting[self.few]

    def use(self, session: SparkSession) -> None:
        """From now on `spark` gives this session, whatever the number of rows."""
        with self._lock:
            self.session, self._suiting = session, {True: session, False: session}

    @property
    def few(self) -> bool:
        """Whether this thread works on few rows (`sized`)."""
        return getattr(self._sized, "few", False)

    @contextmanager
    def sized(self, rows: int | None) -> Iterator[None]:
        """Within it, and in this thread, `spark` gives a session that suits the number of rows (None: unknown)."""
        self._sized.few = rows is not None and rows <= FEW_ROWS
        try:
            yield
        finally:
            self._sized.few = False

    @cached_property
    def docs_folder(self) -> Path:
        """Where Data Docs are built: in the run's folder, or a temporary one when the warehouse is not local."""
        if "://" in self.warehouse.root:
            return Path(tempfile.mkdtemp(prefix="forceglue-docs-"))
        return Path(self.warehouse.uri(f"_runs/{self.run_id}/data_docs"))

    def prepare_judge(self) -> None:
        """Gets Great Expectations ready in the background if any mapping has something to judge."""
        from forceglue.quality.gx import Validations

        if any(m.rules() or m.expectations for m in self.project.mappings.values()):
            self.validations = Validations(
                self.docs_folder,
                self.project.settings.name,
                run_id=self.run_id,
                on_failure=self.project.settings.on_failure,
            )

    def tell(self, name: str, state: str, **facts: object) -> None:
        if self.request.progress is not None:
            self.request.progress(name, state, facts)
