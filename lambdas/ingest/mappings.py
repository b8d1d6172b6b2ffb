"""What ingest needs of the mappings, kept between calls and read anew when their files change.

Those are the project's settings, the objects and the catalog; datasets are not read, so that a broken one stops no
file. A look at the files' ETags costs one listing, at most every so many seconds.
"""

from __future__ import annotations

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from forceglue.errors import UsageError
from forceglue.landing.judge import Judge
from forceglue.landing.store import Entry, Store
from forceglue.mapping.load import load_project
from forceglue.mapping.project import Project
from ingest.settings import IngestSettings

_THREADS = 16
_ENDINGS = (".yaml", ".yml", ".json")
_LEFT = "datasets/"


class Mappings:
    """The project and its judge, as the mappings are now.

    Args:
        settings: where they are, and how often is looked.
    """

    def __init__(self, settings: IngestSettings) -> None:
        self._settings = settings
        self._store = Store(settings.mappings)
        self._seen: tuple[tuple[str, str], ...] = ()
        self._looked = 0.0
        self._kept: tuple[Project, Judge] | None = None

    def now(self) -> tuple[Project, Judge]:
        """The project, and what judges files by it.

        Raises:
            MappingErrors: with every problem of every file.
            UsageError: nothing is there, or project.yaml has no such environment.
            LandingError: the place cannot be read.
        """
        if self._kept is not None and time.monotonic() - self._looked < self._settings.mappings_seconds:
            return self._kept
        files = [entry for entry in self._store.list() if _needed(entry.path)]
        seen = tuple((entry.path, entry.version) for entry in files)
        if self._kept is None or seen != self._seen:
            self._kept = self._read(files)
            self._seen = seen
        self._looked = time.monotonic()
        return self._kept

    def _read(self, files: list[Entry]) -> tuple[Project, Judge]:
        if not files:
            raise UsageError(f"MAPPINGS: there is no mapping under {self._settings.mappings}. Copy the folder there.")
        with tempfile.TemporaryDirectory() as folder:
            with ThreadPoolExecutor(min(_THREADS, len(files))) as pool:
                list(pool.map(lambda entry: self._copy(entry.path, Path(folder)), files))
            project = load_project(
                Path(folder), env=self._settings.mappings_env, params=self._settings.mappings_params, checked=False
            )
        return project, Judge(project)

    def _copy(self, path: str, folder: Path) -> None:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(self._store.read_bytes(path))


def _needed(path: str) -> bool:
    return path.endswith(_ENDINGS) and not path.startswith(_LEFT)
