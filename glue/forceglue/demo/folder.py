"""Where a demo lies, and the mappings that it is loaded with.

Its folder is made where nothing else lies, replaced where an earlier demo lies, refused anywhere else.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from forceglue.errors import UsageError

MARKER = ".forceglue-demo"
_SAYS = "Made by `forceglue demo`. The next one here replaces the folders landing, warehouse and delivery.\n"


@dataclass(frozen=True)
class DemoFolder:
    """Where a demo lands, writes and delivers."""

    root: Path

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse"

    @property
    def delivery(self) -> Path:
        return self.root / "delivery"


def demo_folder(root: Path, *, keep: bool = False) -> DemoFolder:
    """An empty folder for a demo. An earlier demo's own folders are removed first; whatever else lies there stays.

    Args:
        keep: an earlier demo is not to be replaced.

    Raises:
        UsageError: something that is no demo lies there, or an earlier demo that is to be kept, or the folder cannot
            be written.
    """
    folder, marker = DemoFolder(root.absolute()), root / MARKER
    try:
        if root.is_dir() and any(root.iterdir()) and not marker.is_file():
            raise UsageError(
                f"{root} holds something that no demo made, so nothing was touched. "
                "Choose another folder with --out, or empty this one."
            )
        if marker.is_file() and keep:
            raise UsageError(
                f"{root} holds an earlier demo, and --keep says to keep it. Choose another folder with --out."
            )
        root.mkdir(parents=True, exist_ok=True)
        marker.write_text(_SAYS, encoding="utf-8")  # first, so that a demo that was cut short can be replaced too
        for part in (folder.landing, folder.warehouse, folder.delivery):
            if part.is_symlink():
                part.unlink()
            elif part.exists():
                shutil.rmtree(part)
        folder.landing.mkdir()
    except OSError as error:
        raise UsageError(
            f"the demo cannot be made in {root}: {error.strerror} ({error.filename}). Choose another folder with --out."
        ) from error
    return folder


def shipped_mappings() -> Path:
    """The mappings that come with the package: in the wheel inside it, in a checkout beside it.

    Raises:
        UsageError: neither is there.
    """
    package = Path(str(files("forceglue")))
    for place in (package / "_mappings", package.parents[1] / "mappings"):
        if (place / "project.yaml").is_file():
            return place
    raise UsageError(f"no mappings came with forceglue in {package}. Name a mappings folder with --mappings.")
