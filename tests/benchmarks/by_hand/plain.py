"""A Spark session as a script opens it: Spark's defaults, and Delta where it is asked for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pyspark

from forceglue.runtime import jars, java

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def plain_session(name: str, *, delta: bool = False) -> SparkSession:
    """Spark with its own defaults on this machine's cores; the Java and the JARs are those that forceglue found."""
    from pyspark.sql import SparkSession

    found = java.find()
    java.prepare(found, pyspark.__version__)
    builder = (
        SparkSession.builder.appName(name)
        .master(f"local[{len(os.sched_getaffinity(0))}]")
        .config("spark.driver.memory", "4g")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.ui.showConsoleProgress", "false")
    )
    if delta:
        kept: list[Path] = list(jars.ensure(pyspark.__version__, java=found))
        builder = (
            builder.config("spark.driver.extraClassPath", os.pathsep.join(map(str, kept)))
            .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
            .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
        )
    return builder.getOrCreate()
