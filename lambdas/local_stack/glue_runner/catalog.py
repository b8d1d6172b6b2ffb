"""The Data Catalog for a run with `--enable-glue-datacatalog`: Spark sees its databases, new tables become known in it.

On Glue, Spark's catalog is the Data Catalog; here they are two, and what matters is carried over around a run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

FLAG = "--enable-glue-datacatalog"


@contextmanager
def shared(spark: Any, arguments: Sequence[str]) -> Iterator[None]:
    """For the length of a run; what was registered before a failure is known, too."""
    given = dict(zip(arguments[::2], arguments[1::2], strict=False))
    if given.get(FLAG, "").lower() != "true":
        yield
        return
    import boto3

    glue = boto3.client("glue")
    databases = [one["Name"] for page in glue.get_paginator("get_databases").paginate() for one in page["DatabaseList"]]
    for name in databases:
        spark.sql(f"CREATE DATABASE IF NOT EXISTS `{name}`")
    try:
        yield
    finally:
        for name in databases:
            _register(spark, glue, name)


def _register(spark: Any, glue: Any, database: str) -> None:
    pages = glue.get_paginator("get_tables").paginate(DatabaseName=database)
    known = {one["Name"] for page in pages for one in page["TableList"]}
    for name in (row.tableName for row in spark.sql(f"SHOW TABLES IN `{database}`").collect() if not row.isTemporary):
        if name in known:
            continue
        told = spark.sql(f"DESCRIBE DETAIL `{database}`.`{name}`").first()
        glue.create_table(
            DatabaseName=database,
            TableInput={
                "Name": name,
                "TableType": "EXTERNAL_TABLE",
                "Parameters": {"spark.sql.sources.provider": told["format"], "table_type": told["format"].upper()},
                "StorageDescriptor": {"Location": told["location"], "Columns": []},
            },
        )
