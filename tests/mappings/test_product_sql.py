"""The one mapping with SQL of its own: its names and ids are those of the old script, whatever Spark's ANSI mode."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from forceglue.mapping.load import load_project
from forceglue.mapping.model import NamedColumns
from mappings import reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

SIZES = (
    None,
    "",
    "0",
    "0.004",
    "0.005",
    "30",
    "30.0",
    "29.999",
    "-5",
    "1920",
    " 640 ",
    "300.5",
    "1e2",
    "wide",
    "9" * 11,
)
FIELDS: dict[str, dict[str, tuple[str | None, ...]]] = {
    "product": {"id": ("01tA",), "name": ("Spot", "", None, "A  b ")},
    "ad_space_specification": {"id": ("a0A", None), "name": ("x_CTV_y", "z", None)},
    "ad_space_creative_size_type": {"id": ("a3A", None)},
    "ad_creative_size_type": {
        "id": ("a4A", None),
        "vlocity_cmt__mediatype__c": ("Digital Video", "Display", None),
        **{f"vlocity_cmt__{size}__c": SIZES for size in ("runtime", "width", "height")},
    },
}


@pytest.fixture(params=["true", "false"])
def ansi(spark: SparkSession, request: pytest.FixtureRequest) -> Iterator[SparkSession]:
    before = spark.conf.get("spark.sql.ansi.enabled") or "false"
    spark.conf.set("spark.sql.ansi.enabled", request.param)
    yield spark
    spark.conf.set("spark.sql.ansi.enabled", before)


def test_names_and_ids(ansi: SparkSession) -> None:
    rng = Random(7)
    rows: reference.Frame = [
        {alias: {field: rng.choice(values) for field, values in fields.items()} for alias, fields in FIELDS.items()}
        for _ in range(500)
    ]
    schema = ", ".join(f"{a} struct<{', '.join(f'{f}: string' for f in fields)}>" for a, fields in FIELDS.items())
    data = [tuple(tuple((record or {}).values()) for record in row.values()) for row in rows]
    mapping = load_project(Path(__file__).resolve().parents[2] / "mappings").datasets["product_space"]
    block = mapping.columns[0]
    assert isinstance(block, NamedColumns)
    expressions = [block.columns[name].sql or "" for name in ("Product_ID", "Product_Name")]
    have = [tuple(row) for row in ansi.createDataFrame(data, schema).selectExpr(*expressions).collect()]
    assert have == [(reference.product_id(row), reference.product_name(row)) for row in rows]
