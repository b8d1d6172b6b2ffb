"""The one Spark session: a local one with measured settings, or the one that the platform already made.

Under AWS Glue (and any `spark-submit`) the JVM exists before our code does; it is used as it is. Anywhere else a local
JVM is started. Nothing is printed to stdout.
"""

from __future__ import annotations

import os
import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pyspark
from pyspark.errors import PySparkRuntimeError
from pyspark.sql import SparkSession

from forceglue.errors import SetupError, UsageError
from forceglue.runtime import java, warm_archive
from forceglue.runtime.gateway import remember_names
from forceglue.runtime.jars import ensure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forceglue.runtime.java import Java

# Settings that a running session takes too, and that decide what rows look like: the same everywhere.
MEANING = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    # Times in nanoseconds are read as numbers; Spark would refuse the whole file for one.
    "spark.sql.legacy.parquet.nanosAsLong": "true",
    # A time without a zone is UTC, as Salesforce says it, whoever wrote the file.
    "spark.sql.parquet.inferTimestampNTZ.enabled": "false",
    # `${…}` in a landed name or a constant is text: Spark would put settings and environment variables in its place.
    "spark.sql.variable.substitute": "false",
    # Dates are what they say, however old: Spark 3 would end the job at a time before 1900 (Spark 4 reads it so).
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInWrite": "CORRECTED",
}
ANSI = "spark.sql.ansi.enabled"
# In a mapping's expression a value that does not fit is null, on both stacks: one bad row stops no other.
TOLERANT = {ANSI: "false"}
DELTA = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
}
LOCAL = {
    "spark.ui.showConsoleProgress": "false",
    "spark.scheduler.mode": "FAIR",
    # Delta reads its own log with 50 tasks unless told otherwise: 3.0 s a small MERGE instead of 1.6 s.
    "spark.databricks.delta.snapshotPartitions": "1",
    # Each table that is sent to all tasks of a join takes a whole page, 64 MB unless told otherwise: a run of 34 small
    # mappings held 1.9 GB at its end, and holds 0.6 GB with small pages.
    "spark.buffer.pageSize": "4m",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    # rows of long texts: ten times as many would make batches of a gigabyte
    "spark.sql.execution.arrow.maxRecordsPerBatch": "1000",
    # A laptop's own host name often does not resolve.
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}
# The C2 compiler pays only on long jobs; starting it costs more CPU than a small run has to spend.
# It also makes Java reserve 48 MB for compiled code instead of 240: a run of 56 mappings fills that half-way, and then
# everything new is interpreted.
QUICK = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:ReservedCodeCacheSize=240m")
# Each sort copies whole rows, and an object has hundreds of fields: files of several folders are written side by side,
# and rows are not put in order once more before the shuffle that finds the latest versions.
UNSORTED = {
    "spark.sql.maxConcurrentOutputFileWriters": "8",
    "spark.sql.optimizer.windowGroupLimitThreshold": "-1",
}
# Spark compiles the expressions of each plan: some 10 ms a column, which only many rows earn back.
INTERPRETED = {
    **UNSORTED,
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}
COMPILED = {
    **UNSORTED,
    "spark.sql.codegen.wholeStage": "true",
    "spark.sql.codegen.factoryMode": "FALLBACK",
    # Java does not compile a method of more bytes: Spark would run the generated one interpreted, row by row
    "spark.sql.codegen.hugeMethodLimit": "8000",
}
_MEGABYTES = {"m": 1, "g": 1024, "t": 1024 * 1024}
LOG_VARIABLE = "FORCEGLUE_SPARK_LOG"
CONF_VARIABLE = "FORCEGLUE_SPARK_CONF"
"""Spark settings of whoever calls, as a shell would split them: `spark.master=spark://host:7077 spark.cores.max=8`."""
LOG_SETTINGS = Path(__file__).with_name("log4j2.properties")


def start(
    *,
    app: str = "forceglue",
    master: str | None = None,
    memory: str | None = None,
    extra: Mapping[str, str] | None = None,
    quick: bool = False,
    ui: bool = False,
    roots: Sequence[str] = (),
    needs: Sequence[str] = (),
) -> SparkSession:
    """The session of this process, started if there is none.

    Args:
        app: the name that Spark's own pages show.
        master: a Spark master; None is this machine with all its cores.
        memory: of the driver, such as `4g`; None is half of the machine's, 4 GB at most.
        extra: Spark settings that win over ours and over those of the environment (`CONF_VARIABLE`);
            `spark.driver.extraJavaOptions` is added to ours.
        quick: settings for small runs (tests, the demo): a faster start for slower long jobs.
        ui: serve Spark's web page while the session lives.
        roots: the run's roots; one under `s3://` brings Hadoop's S3 client and its settings.
        needs: further JARs: `postgresql`, `s3`.

    Raises:
        SetupError: no Java or no JARs, with what to do.
        UsageError: `CONF_VARIABLE` cannot be read.
    """
    extra = {**told_settings(), **(extra or {})}
    if SparkSession.getActiveSession() is not None or under_submit():
        # the active one may be a session that somebody opened beside the first
        session = SparkSession.builder.getOrCreate()
        remember_names(session)
        for key, value in {**MEANING, **_runtime_settings(session, extra)}.items():
            session.conf.set(key, value)
        return session
    wanted = {*needs, *(("s3",) if any(is_s3(root) for root in roots) else ())}
    found = java.find()
    java.prepare(found, pyspark.__version__)
    delta = ensure(pyspark.__version__, java=found)
    further = ensure(pyspark.__version__, wanted, java=found)[len(delta) :]
    # A SPARK_HOME that some other Spark left in the environment would start that one's JVM.
    os.environ["SPARK_HOME"] = str(Path(pyspark.__file__).parent)
    os.environ.setdefault("SPARK_LAUNCHER_OPTS", " ".join(QUICK))
    # At the end of the class path, so that the class archive fits with and without them.
    os.environ["SPARK_DIST_CLASSPATH"] = os.pathsep.join(str(jar) for jar in further)

    def settings() -> dict[str, str]:
        size = extra.get("spark.driver.memory", memory)
        where = extra.get("spark.master", master)
        told = local_settings(found, delta, further, master=where, memory=size, quick=quick, ui=ui)
        if "s3" in wanted:
            told |= s3_settings()
        for key, value in extra.items():
            told[key] = f"{told[key]} {value}" if key == "spark.driver.extraJavaOptions" else value
        return told

    try:
        return launched(app, settings())
    except PySparkRuntimeError as error:
        if not warm_archive.discard(found, delta):
            raise SetupError(
                f"The JVM did not start ({found.program}, Java {found.version}); what it said stands above. "
                "Name another Java with JAVA_HOME, or ask for less memory."
            ) from error
    # A damaged archive, after a full disk say, ends the JVM at once. Without it everything works, only slower.
    return launched(app, settings())


def beside(session: SparkSession, settings: Mapping[str, str]) -> SparkSession:
    """A session with settings of its own that reads and casts as this one does.

    A new session has what the JVM was started with, which on Glue was not us.
    """
    other = session.newSession()
    for key, value in {**MEANING, ANSI: str(session.conf.get(ANSI)), **settings}.items():
        other.conf.set(key, value)
    return other


def launched(app: str, settings: Mapping[str, str]) -> SparkSession:
    """Starts the JVM with `settings`."""
    builder = SparkSession.builder.appName(app)
    for key, value in settings.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    remember_names(session)
    return session


def told_settings() -> dict[str, str]:
    """What the environment says of Spark (`CONF_VARIABLE`).

    Raises:
        UsageError: an entry is no `name=value`.
    """
    try:
        entries = [entry.partition("=") for entry in shlex.split(os.environ.get(CONF_VARIABLE, ""))]
    except ValueError as error:
        raise UsageError(f"{CONF_VARIABLE} cannot be read: {error}. Close the quotes.") from error
    for name, equals, _ in entries:
        if not (equals and name.startswith("spark.")):
            raise UsageError(
                f"{CONF_VARIABLE}: {name!r} is refused; write `spark.name=value`, several with blanks between them, "
                "one that holds blanks in quotes."
            )
    return {name: value for name, _, value in entries}


def under_submit() -> bool:
    """Whether a JVM is there before Python: AWS Glue, EMR, `spark-submit`."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


def is_s3(root: str) -> bool:
    """Whether a root is an S3 URI."""
    return root.startswith(("s3://", "s3a://"))


def cores() -> int:
    """The cores that this process may use, which in a container are fewer than the machine's."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def default_memory() -> str:
    """Half of the memory that this process may use, between 1 and 4 GB: other programs want the rest."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = Path("/sys/fs/cgroup/memory.max")
    if limit.is_file() and (told := limit.read_text("ascii").strip()).isdigit():
        total = min(total, int(told))
    return f"{min(max(total // 2 >> 20, 1024), 4096)}m"


def local_settings(
    found: Java,
    delta: Sequence[Path],
    further: Sequence[Path],
    *,
    master: str | None,
    memory: str | None,
    quick: bool,
    ui: bool,
) -> dict[str, str]:
    """All settings of a session that we start ourselves, with Delta's JARs and further ones."""
    count = cores()
    master = master or f"local[{count}]"
    memory = memory or default_memory()
    options = " ".join(quoted(option) for option in _java_options(found, delta, quick=quick, memory=memory))
    settings = {
        **MEANING,
        **DELTA,
        **LOCAL,
        "spark.master": master,
        "spark.ui.enabled": str(ui).lower(),
        "spark.driver.memory": memory,
        "spark.driver.extraClassPath": os.pathsep.join(str(jar) for jar in delta),
        "spark.driver.extraJavaOptions": options,
        "spark.sql.shuffle.partitions": str(count),
        # Never a folder in the working directory of whoever calls.
        "spark.sql.warehouse.dir": str(Path(tempfile.gettempdir()) / "forceglue-spark-warehouse"),
    }
    if not master.startswith("local"):
        # Executors elsewhere do not see our folders: Spark sends them the files.
        settings["spark.jars"] = ",".join(str(jar) for jar in (*delta, *further))
        # Our cores say nothing of theirs either: Spark's own number stands, and adaptive execution lowers it.
        for key in ("spark.driver.host", "spark.driver.bindAddress", "spark.sql.shuffle.partitions"):
            del settings[key]
    return settings


def _heap(memory: str) -> tuple[str, ...]:
    """Half of the heap at once: a small run is over before Java would have grown it, collection by collection."""
    megabytes = int(memory[:-1]) * _MEGABYTES.get(memory[-1].lower(), 0) if memory[:-1].isdigit() else 0
    if not megabytes:  # in another unit: Java decides
        return ()
    return f"-Xms{megabytes // 2}m", f"-Xmn{megabytes // 4}m", "-XX:MetaspaceSize=256m"


def _java_options(found: Java, delta: Sequence[Path], *, quick: bool, memory: str) -> list[str]:
    level = os.environ.get(LOG_VARIABLE)
    return [
        f"-Dlog4j2.configurationFile={LOG_SETTINGS.as_uri()}",
        *((f"-Dforceglue.log={level}", f"-Dforceglue.log.tasks={level}") if level else ()),
        "-Duser.timezone=UTC",
        # The JVM's own warnings go to stdout unless they are sent elsewhere.
        "-Xlog:disable",
        "-Xlog:all=error:stderr",
        *((*QUICK, *_heap(memory)) if quick else ()),
        *warm_archive.options(found, delta),
    ]


def quoted(option: str) -> str:
    """One JVM option as Spark's own splitter reads it back."""
    escaped = option.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"' if any(sign.isspace() or sign in "\"'" for sign in option) else option


def s3_settings() -> dict[str, str]:
    """Hadoop's S3 client for `s3://`, at `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL` when one is set."""
    client = "org.apache.hadoop.fs.s3a.S3AFileSystem"
    settings = {"spark.hadoop.fs.s3.impl": client, "spark.hadoop.fs.s3a.impl": client}
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        settings |= {
            "spark.hadoop.fs.s3a.endpoint": endpoint,
            "spark.hadoop.fs.s3a.path.style.access": "true",
            "spark.hadoop.fs.s3a.connection.ssl.enabled": str(endpoint.startswith("https://")).lower(),
        }
    return settings


def _runtime_settings(session: SparkSession, extra: Mapping[str, str]) -> dict[str, str]:
    """Of `extra`, what a running session can still take; the rest was decided when its JVM started."""
    return {key: value for key, value in extra.items() if session.conf.isModifiable(key)}
