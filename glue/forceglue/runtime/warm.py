"""Set-up of the Spark side, done once: `python -m forceglue.runtime.warm`.

Fetches Delta's JARs and builds the JVM's class archive. Both are kept; run again, it has nothing to do.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pyspark

from forceglue.runtime import java, warm_archive
from forceglue.runtime.home import workshop
from forceglue.runtime.jars import ensure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from forceglue.runtime.java import Java

BUILD_SECONDS = 600


def warm(needs: Sequence[str] = (), *, progress: Callable[[str], None] = lambda _line: None) -> Path | None:
    """Makes the next start of a session quick and independent of the network.

    Args:
        needs: further JARs to fetch: `postgresql`, `s3`.
        progress: is told in a few words what happens.

    Returns:
        The class archive; None when this Java cannot build one, which costs speed and nothing else.

    Raises:
        SetupError: no Java, or JARs that cannot be fetched.
    """
    found = java.find()
    java.prepare(found, pyspark.__version__)
    progress(f"Java {found.version} ({found.origin}), Spark {pyspark.__version__}")
    ensure(pyspark.__version__, needs, java=found)
    delta = ensure(pyspark.__version__, java=found)
    progress(f"JARs are in {delta[0].parent}")
    archive = warm_archive.place(found, delta)
    if not warm_archive.options(found, delta):
        progress("building the class archive, which makes each later start faster")
        below = warm_archive.base(found)
        if below is not None and not below.is_file():
            _dump_base(found, below)
        _train(archive, below)
    return archive if archive.is_file() else None


def _dump_base(found: Java, below: Path) -> None:
    with workshop(below.parent) as parts:
        part = parts / below.name
        command = [str(found.program), "-Xshare:dump", f"-XX:SharedArchiveFile={part}"]
        done = subprocess.run(command, capture_output=True, timeout=BUILD_SECONDS, check=False)
        if done.returncode == 0 and part.is_file():
            part.replace(below)


def _train(archive: Path, below: Path | None) -> None:
    """Runs one session of the usual work in a process of its own; its JVM writes the archive when it ends."""
    with workshop(archive.parent) as parts:
        part = parts / archive.name
        options = [*(() if below is None else (f"-XX:SharedArchiveFile={below}",)), f"-XX:ArchiveClassesAtExit={part}"]
        command = [sys.executable, "-m", "forceglue.runtime.warm_work", str(parts), *options]
        # Without its output: a training that fails leaves no archive, and that costs speed only.
        done = subprocess.run(command, capture_output=True, timeout=BUILD_SECONDS, check=False)
        if done.returncode == 0 and part.is_file():
            part.replace(archive)


def main() -> None:
    """Says on stderr what it does; arguments are further JARs to fetch."""
    warm(sys.argv[1:], progress=lambda line: print(f"set-up: {line}", file=sys.stderr))  # noqa: T201


if __name__ == "__main__":
    main()
