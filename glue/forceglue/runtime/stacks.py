"""The two lines of Spark, and the JARs that each needs beside Spark's own, with their SHA-256."""

from __future__ import annotations

from dataclasses import dataclass

from forceglue.errors import SetupError


@dataclass(frozen=True)
class Jar:
    """One JAR by its coordinates, with the SHA-256 it must have."""

    group: str
    name: str
    version: str
    sha256: str

    @property
    def file(self) -> str:
        """The file's name, as the resolver writes it."""
        return f"{self.name}-{self.version}.jar"

    def __str__(self) -> str:
        return f"{self.group}:{self.name}:{self.version}"


@dataclass(frozen=True)
class Stack:
    """What goes with one line of Spark.

    Attributes:
        spark: the line, such as `3.5`.
        delta: the version of Delta built for it.
        jars: JARs by need: `delta` always, `postgresql` and `s3` when asked for.
    """

    spark: str
    delta: str
    jars: dict[str, tuple[Jar, ...]]

    @property
    def label(self) -> str:
        """The name of the folder that keeps this stack's JARs."""
        return f"spark-{self.spark}-delta-{self.delta}"


def _jars(listed: str) -> tuple[Jar, ...]:
    told = listed.split()
    pairs = zip(told[::2], told[1::2], strict=True)
    parts = (((*coordinates.split(":"), sha256)) for coordinates, sha256 in pairs)
    return tuple(Jar(group, name, version, sha256) for group, name, version, sha256 in parts)


POSTGRESQL = _jars("""
org.postgresql:postgresql:42.7.8 2a32a9dcbc42d67a50ad3a0de5efd102c8d2be46720045f2cbd6689f160ab7c7
""")

# Only what Spark does not bring: Delta's own POMs also name Parquet, Hadoop and Jackson in other versions than Spark's.
STACKS = (
    Stack(
        spark="3.5",
        delta="3.3.2",
        jars={
            "delta": _jars("""
io.delta:delta-spark_2.12:3.3.2 4e92085d5d794cf949c50bb665b91384857cad58680c2d0bfc9c7ad353e98e85
io.delta:delta-storage:3.3.2 c096975a2ca97ccc9b4005aa5cce16c9ac3903139d340da6665b66ace67d7c36
"""),
            "postgresql": POSTGRESQL,
            "s3": _jars("""
org.apache.hadoop:hadoop-aws:3.3.4 53f9ae03c681a30a50aa17524bd9790ab596b28481858e54efd989a826ed3a4a
com.amazonaws:aws-java-sdk-bundle:1.12.262 873fe7cf495126619997bec21c44de5d992544aea7e632fdc77adb1a0915bae5
"""),
        },
    ),
    Stack(
        spark="4.1",
        delta="4.2.0",
        jars={
            "delta": _jars("""
io.delta:delta-spark_4.1_2.13:4.2.0 8480050a55c7e50427f3bec3af9243f98fc7cbfa453a2ef55e6ea8d0b7b121ff
io.delta:delta-storage:4.2.0 2d84df76551f2b3cd27b120abec67ccbba324cea6ec45eb659edcc54234f99f3
io.delta:delta-kernel-api:4.2.0 7c5e742192794b069ac64fb40ab0933e1a70d27f1f32805bdd8c06af1d4df012
io.delta:delta-kernel-defaults:4.2.0 ce6cfcde63a1642fc71b836b90a4056b9b8c90d22fb66e8d103bf33f750419c7
io.delta:delta-kernel-unitycatalog:4.2.0 8bbdfe74de90dea403e8c749da045a62f96810378f362ab99e7e030f75963b49
io.unitycatalog:unitycatalog-client:0.4.1 133ac960d301f2c95ef3c763f88e04939de76938892e144393e4018d29dd3469
"""),
            "postgresql": POSTGRESQL,
            "s3": _jars("""
org.apache.hadoop:hadoop-aws:3.4.2 d2d24e6b715b5656b9d238bf13b6682a07e2004dd36aad74a73aeb854319f4d9
software.amazon.awssdk:bundle:2.29.52 62638f33045690c6bc5e496b54b0b2e89a9ad38cbedacdf6e017fea6bc85f55c
software.amazon.s3.analyticsaccelerator:analyticsaccelerator-s3:1.2.1
11029552e37408e41e689b20150f4b372e0b4f232de321ccafd0fcf443cdfb5a
"""),
        },
    ),
)


def stack(spark_version: str) -> Stack:
    """The stack of a Spark version such as `3.5.6`.

    Raises:
        SetupError: a Spark that no Delta was chosen for.
    """
    line = ".".join(spark_version.split(".")[:2])
    for known in STACKS:
        if known.spark == line:
            return known
    allowed = ", ".join(known.spark for known in STACKS)
    raise SetupError(
        f"Spark {spark_version} is not supported; allowed lines: {allowed}. "
        "Install the pyspark that forceglue's own requirements name."
    )
