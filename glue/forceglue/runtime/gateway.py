"""Names of the JVM that PySpark asks for with every call, looked up once.

PySpark asks the JVM what `functions` or `PythonUtils` is each time it says so, and the JVM searches all of Spark's JARs
for a class of that bare name before it comes to the packages that are imported: 7 % of the CPU time of a small run.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# what stands in another comes after it
_NAMES = (
    *("functions", "PythonUtils", "SparkSession", "SparkSession$"),
    *("py4j", "py4j.reflection", "py4j.reflection.TypeUtil", "org", "org.apache", "org.apache.spark"),
)


def remember_names(session: SparkSession) -> None:
    """Keeps them on the session's own view of the JVM: found there, they are not asked for again."""
    jvm = session.sparkContext._jvm  # noqa: SLF001  # PySpark has no public name for it
    for path in _NAMES:
        place, _, name = path.rpartition(".")
        owner = attrgetter(place)(jvm) if place else jvm
        setattr(owner, name, getattr(owner, name))
