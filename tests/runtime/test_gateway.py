"""What PySpark asks the JVM for again and again is answered on this side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forceglue.runtime.gateway import remember_names

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def test_names_are_found_without_asking_the_jvm(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    jvm = spark.sparkContext._jvm
    assert jvm is not None
    remember_names(spark)
    known = [jvm.functions, jvm.PythonUtils, getattr(jvm, "SparkSession$"), jvm.py4j.reflection.TypeUtil]

    def asked(*_: object, **__: object) -> None:
        raise AssertionError("the JVM was asked")

    monkeypatch.setattr(jvm._gateway_client, "send_command", asked)
    again = [jvm.functions, jvm.PythonUtils, getattr(jvm, "SparkSession$"), jvm.py4j.reflection.TypeUtil]
    with pytest.raises(AssertionError, match="was asked"):
        _ = jvm.java.util.UUID
    monkeypatch.undo()
    assert all(one is other for one, other in zip(known, again, strict=True))
    assert spark.range(3).selectExpr("sum(id)").first()[0] == 3  # type: ignore[index]  # one row
