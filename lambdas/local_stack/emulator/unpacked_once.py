"""A package or layer is unpacked once, and its modules are compiled once, for all processes of its functions.

ministack unpacks it for each process: with the layer that reads Parquet a cold start takes seconds, and a crowd of
files starts many. What is unpacked is shared by links, and stays until the emulator ends.
"""

from __future__ import annotations

import hashlib
import tempfile
import threading
import zipfile
from pathlib import Path
from types import SimpleNamespace

from ministack.core import lambda_runtime

_guard = threading.Lock()


def apply() -> None:
    """Corrects it."""
    kept = Path(tempfile.mkdtemp(prefix="forceglue-packages-"))

    class Package(zipfile.ZipFile):
        """Unpacks by links into what was unpacked before."""

        def extractall(self, path: object = None, *_: object, **__: object) -> None:
            assert self.filename is not None  # noqa: S101  # ministack opens packages by their path
            with _guard:
                shared = kept / _digest(Path(self.filename))
                if not shared.is_dir():
                    part = Path(tempfile.mkdtemp(dir=kept))
                    super().extractall(part)
                    part.rename(shared)
            for entry in shared.iterdir():
                (Path(str(path)) / entry.name).symlink_to(entry)

    # in this one module: what else reads archives goes on as it did
    lambda_runtime.zipfile = SimpleNamespace(
        ZipFile=Package,
        BadZipFile=zipfile.BadZipFile,
        LargeZipFile=zipfile.LargeZipFile,
        LargeFileError=zipfile.LargeZipFile,
    )


def _digest(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()[:32]
