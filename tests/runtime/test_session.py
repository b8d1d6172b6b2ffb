from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pyspark.errors import PySparkRuntimeError

from forceglue.errors import SetupError, UsageError
from forceglue.runtime import session
from forceglue.runtime.java import Java

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import SparkSession

JAVA = Java(Path("/jdk"), 17, "JAVA_HOME", complete=True, stamp="s")


def settings(master: str | None = None, *, quick: bool = False, further: tuple[Path, ...] = ()) -> dict[str, str]:
    delta = (Path("/kept/one.jar"), Path("/kept/two.jar"))
    return session.local_settings(JAVA, delta, further, master=master, memory=None, quick=quick, ui=False)


def test_the_session_reads_and_writes_delta_without_a_word_on_stdout(
    spark: SparkSession, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    place = str(tmp_path / "table")
    spark.sql("select timestamp '2026-01-02 03:04:05.123456' at, 1 n").write.format("delta").save(place)
    row = spark.read.format("delta").load(place).selectExpr("cast(at as string) at", "n").collect()[0]
    assert (row["at"], row["n"]) == ("2026-01-02 03:04:05.123456", 1)
    assert capfd.readouterr().out == ""


def test_a_failed_task_is_told_by_its_exception_alone(spark: SparkSession, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Exception, match="boom"):
        spark.sql("select raise_error('boom') from range(3)").collect()
    told = capfd.readouterr()
    assert told.out == ""
    assert "boom" not in told.err


def test_what_decides_meaning_is_set(spark: SparkSession) -> None:
    assert spark.conf.get("spark.sql.session.timeZone") == "UTC"
    assert spark.conf.get("spark.sql.parquet.outputTimestampType") == "TIMESTAMP_MICROS"
    assert spark.conf.get("spark.databricks.delta.snapshotPartitions") == "1"
    assert spark.conf.get("spark.scheduler.mode") == "FAIR"
    assert spark.sparkContext.uiWebUrl is None
    # No legacy switch but the one without which a file with nanoseconds cannot be read at all.
    legacy = [key for key in {**session.MEANING, **session.DELTA, **session.LOCAL} if "legacy" in key]
    assert legacy == ["spark.sql.legacy.parquet.nanosAsLong"]


def test_workers_run_this_python(spark: SparkSession) -> None:
    seen = spark.sparkContext.parallelize([0], 1).map(lambda _: sys.version_info[:2]).collect()
    assert seen == [sys.version_info[:2]]


def test_a_session_that_is_there_gets_what_decides_meaning(spark: SparkSession) -> None:
    assert all(spark.conf.isModifiable(key) for key in session.MEANING)
    spark.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
    session.start()
    assert {key: spark.conf.get(key) for key in session.MEANING} == session.MEANING


def test_a_second_start_gives_the_same_session(spark: SparkSession) -> None:
    again = session.start(extra={"spark.sql.shuffle.partitions": "3", "spark.driver.memory": "64g"})
    try:
        assert again is spark
        assert spark.conf.get("spark.sql.shuffle.partitions") == "3"
    finally:
        spark.conf.set("spark.sql.shuffle.partitions", str(session.cores()))


def test_a_session_that_somebody_opened_beside_it_is_not_taken_for_it(spark: SparkSession) -> None:
    spark.newSession().createDataFrame([(1,)], "a int").collect()  # leaves the other one active
    assert session.start() is spark


def test_a_session_beside_another_reads_and_casts_as_it_does(spark: SparkSession) -> None:
    ansi = spark.conf.get(session.ANSI)
    spark.conf.set(session.ANSI, "true")
    try:
        other = session.beside(spark, {"spark.sql.shuffle.partitions": "7"})
    finally:
        spark.conf.set(session.ANSI, str(ansi))
    assert other is not spark
    assert {key: other.conf.get(key) for key in session.MEANING} == session.MEANING
    assert other.conf.get(session.ANSI) == "true"
    assert other.conf.get("spark.sql.shuffle.partitions") == "7"
    assert spark.conf.get("spark.sql.shuffle.partitions") != "7"


@pytest.mark.parametrize(
    ("memory", "told"),
    [("2g", "-Xms1024m"), ("512m", "-Xms256m"), ("1T", "-Xms524288m"), ("4gb", None), ("900k", None)],
)
def test_a_small_run_has_half_of_its_heap_at_once(memory: str, told: str | None) -> None:
    found = session._heap(memory)
    assert (found[0] if found else None) == told


def test_the_heap_at_once_fits_the_memory_that_settings_ask_for(launch: Callable[[int], tuple[Launch, Path]]) -> None:
    fake, _ = launch(0)
    session.start(quick=True, extra={"spark.driver.memory": "300m"})
    (told,) = fake.settings
    assert told["spark.driver.memory"] == "300m"
    assert "-Xms150m" in told["spark.driver.extraJavaOptions"]


def test_the_whole_machine_is_used_and_nothing_listens() -> None:
    told = settings()
    assert told["spark.master"] == f"local[{session.cores()}]"
    assert told["spark.sql.shuffle.partitions"] == str(session.cores())
    assert told["spark.ui.enabled"] == "false"
    assert told["spark.driver.bindAddress"] == "127.0.0.1"
    assert told["spark.driver.extraClassPath"] == os.pathsep.join(["/kept/one.jar", "/kept/two.jar"])
    assert "spark.jars" not in told


def test_executors_elsewhere_get_the_jars_sent() -> None:
    told = settings("spark://host:7077", further=(Path("/kept/three.jar"),))
    assert told["spark.jars"] == "/kept/one.jar,/kept/two.jar,/kept/three.jar"
    assert "spark.driver.host" not in told
    assert "spark.sql.shuffle.partitions" not in told


def test_settings_of_whoever_calls(
    launch: Callable[[int], tuple[Launch, Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake, _ = launch(0)
    said = "spark.master=spark://host:7077 spark.driver.memory=300m 'spark.executor.extraJavaOptions=-Da -Db'"
    monkeypatch.setenv(session.CONF_VARIABLE, said)
    session.start(quick=True, extra={"spark.driver.memory": "400m"})
    (told,) = fake.settings
    assert told["spark.master"] == "spark://host:7077"
    assert "spark.jars" in told
    assert told["spark.executor.extraJavaOptions"] == "-Da -Db"
    assert told["spark.driver.memory"] == "400m"


@pytest.mark.parametrize("said", ["spark.master", "master=local", "spark.a='x"])
def test_settings_that_cannot_be_read(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(session.CONF_VARIABLE, said)
    with pytest.raises(UsageError, match=session.CONF_VARIABLE):
        session.told_settings()


def test_quick_is_for_small_runs_only() -> None:
    assert "TieredStopAtLevel" in settings(quick=True)["spark.driver.extraJavaOptions"]
    assert "TieredStopAtLevel" not in settings()["spark.driver.extraJavaOptions"]


@pytest.mark.parametrize(
    ("option", "written"),
    [("-Xmx1g", "-Xmx1g"), ("-Dp=/a b/c", '"-Dp=/a b/c"'), ('-Dq="x"', r'"-Dq=\"x\""')],
)
def test_options_survive_sparks_own_splitting(option: str, written: str) -> None:
    assert session.quoted(option) == written


def test_s3_is_set_only_for_roots_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert session.is_s3("s3://bucket/prefix")
    assert not session.is_s3("/folder/s3://x")
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    assert "spark.hadoop.fs.s3a.endpoint" not in session.s3_settings()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9000")
    told = session.s3_settings()
    assert told["spark.hadoop.fs.s3a.endpoint"] == "http://127.0.0.1:9000"
    assert told["spark.hadoop.fs.s3a.path.style.access"] == "true"
    assert told["spark.hadoop.fs.s3a.connection.ssl.enabled"] == "false"


def test_memory_is_between_one_and_four_gigabytes() -> None:
    assert 1024 <= int(session.default_memory().removesuffix("m")) <= 4096


def test_looking_at_settings_starts_no_jvm() -> None:
    code = (
        "import sys; from forceglue.runtime import glue, java, jars, secrets; "
        "sys.exit('pyspark' in sys.modules or 'boto3' in sys.modules)"
    )
    subprocess.run(
        [sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )


class Launch:
    """Stands for the JVM's start; it fails as often as told."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.settings: list[dict[str, str]] = []

    def __call__(self, _app: str, settings: dict[str, str]) -> str:
        self.settings.append(dict(settings))
        if len(self.settings) <= self.failures:
            raise PySparkRuntimeError("the gateway exited")
        return "session"


@pytest.fixture
def launch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[int], tuple[Launch, Path]]:
    """Everything before the JVM's start replaced, with a class archive that was built."""

    def made(failures: int) -> tuple[Launch, Path]:
        fake = Launch(failures)
        monkeypatch.setenv("FORCEGLUE_HOME", str(tmp_path))
        for name in ("JAVA_HOME", "PYSPARK_PYTHON", "SPARK_HOME", "SPARK_DIST_CLASSPATH", "SPARK_LAUNCHER_OPTS"):
            monkeypatch.setenv(name, "")
        home = tmp_path / "jdk"
        (home / "lib" / "server").mkdir(parents=True)
        (home / "lib" / "server" / "classes.jsa").touch()
        found = Java(home, 17, "JAVA_HOME", complete=True, stamp="s")
        monkeypatch.setattr(session.SparkSession, "getActiveSession", lambda: None)
        monkeypatch.setattr(session.java, "find", lambda: found)
        monkeypatch.setattr(session, "ensure", lambda *_, **__: (tmp_path / "delta.jar",))
        monkeypatch.setattr(session, "launched", fake)
        archive = session.warm_archive.place(found, [tmp_path / "delta.jar"])
        archive.parent.mkdir(parents=True)
        archive.touch()
        return fake, archive

    return made


def test_a_damaged_class_archive_is_thrown_away_and_the_session_starts(
    launch: Callable[[int], tuple[Launch, Path]],
) -> None:
    fake, archive = launch(1)
    assert session.start(extra={"spark.driver.extraJavaOptions": "-Dmine=1"}) == "session"  # type: ignore[comparison-overlap] # the stand-in's answer
    told = [settings["spark.driver.extraJavaOptions"] for settings in fake.settings]
    assert ["SharedArchiveFile" in options for options in told] == [True, False]
    assert all(options.endswith(" -Dmine=1") for options in told)
    assert not archive.exists()


def test_a_jvm_that_does_not_start_says_which_java_it_was(launch: Callable[[int], tuple[Launch, Path]]) -> None:
    fake, archive = launch(9)
    archive.unlink()
    with pytest.raises(SetupError, match=r"Java 17.*JAVA_HOME"):
        session.start()
    assert len(fake.settings) == 1


def test_further_java_options_are_added_to_ours(launch: Callable[[int], tuple[Launch, Path]]) -> None:
    fake, _ = launch(0)
    session.start(extra={"spark.driver.extraJavaOptions": "-Dmine=1", "spark.sql.shuffle.partitions": "7"})
    options = fake.settings[0]["spark.driver.extraJavaOptions"]
    assert "log4j2" in options
    assert options.endswith(" -Dmine=1")
    assert fake.settings[0]["spark.sql.shuffle.partitions"] == "7"
