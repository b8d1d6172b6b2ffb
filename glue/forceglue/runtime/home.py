"""Where forceglue keeps what is fetched or built once: JARs, a Java launcher, a class archive."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from forceglue.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Iterator

HOME_VARIABLE = "FORCEGLUE_HOME"


def home() -> Path:
    """The folder for kept files: `$FORCEGLUE_HOME`, else the platform's cache folder of this user."""
    told = os.environ.get(HOME_VARIABLE)
    return Path(told).expanduser().absolute() if told else platformdirs.user_cache_path("forceglue")


@contextmanager
def workshop(inside: Path) -> Iterator[Path]:
    """A temporary folder beside its goal (same file system), so that a finished file moves there in one step.

    Raises:
        SetupError: the folder cannot be written.
    """
    try:
        inside.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(prefix=".part-", dir=inside)
    except OSError as error:
        raise SetupError(
            f"{inside}: cannot be written ({error.strerror}). "
            f"Set {HOME_VARIABLE} to a folder that you may write and try again."
        ) from error
    with folder as name:
        yield Path(name)
