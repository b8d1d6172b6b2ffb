"""The work that a class archive is trained on: what a run does, in small. Called by `runtime.warm` only."""

from __future__ import annotations

import sys
from pathlib import Path

from delta.tables import DeltaTable

from forceglue.runtime.session import start


def work(folder: Path, options: tuple[str, ...]) -> None:
    """Reads and writes every format once, casts, joins, ranks and merges; then ends the JVM and waits for it."""
    settings = {"spark.driver.extraJavaOptions": " ".join(options)}
    spark = start(app="forceglue warm-up", quick=True, extra=settings)
    plain = spark.range(200).selectExpr(
        "cast(id as string) Id",
        "cast(id % 7 as string) OwnerId",
        "'2026-01-02T03:04:05.000+0000' SystemModstamp",
        "concat('\"', id, ',') Name",
    )
    places = {form: str(folder / form) for form in ("csv", "json", "parquet")}
    plain.write.option("header", "true").option("escape", '"').csv(places["csv"])
    plain.write.json(places["json"])
    plain.write.parquet(places["parquet"])
    read = {
        "csv": spark.read.option("header", "true").option("multiLine", "true").option("escape", '"').csv(places["csv"]),
        "json": spark.read.schema(plain.schema).json(places["json"]),
        "parquet": spark.read.parquet(places["parquet"]),
    }
    target = str(folder / "table")
    for frame in read.values():
        frame.createOrReplaceTempView("landed")
        latest = spark.sql(
            "select l.Id, l.Name, try_cast(l.Id as decimal(18,2)) amount, o.Name owner, "
            "try_to_timestamp(l.SystemModstamp) changed, array_compact(array(if(l.Id > '5', 'r', null))) reasons "
            "from (select *, row_number() over (partition by Id order by SystemModstamp desc) n from landed) l "
            "left join (select Id, max(Name) Name from landed group by Id) o on l.OwnerId = o.Id "
            "where n = 1 and l.Name rlike '.*' and length(l.Name) > 0"
        )
        if not DeltaTable.isDeltaTable(spark, target):
            latest.where("Id < '3'").write.format("delta").save(target)
        matching = DeltaTable.forPath(spark, target).alias("t").merge(latest.alias("s"), "t.Id = s.Id")
        matching.whenMatchedUpdateAll("s.changed >= t.changed").whenNotMatchedInsertAll().execute()
        latest.write.format("delta").mode("append").option("mergeSchema", "true").save(str(folder / "more"))
    table = DeltaTable.forPath(spark, target)
    table.history(1).collect()
    spark.read.format("delta").load(target).selectExpr("count(*)", "sum(amount)").collect()
    gateway = spark.sparkContext._gateway  # noqa: SLF001 - the JVM's process is nowhere else to be had
    spark.stop()
    process = getattr(gateway, "proc", None)
    if process is not None:
        # The JVM ends when its standard input does, and writes the archive on its way out.
        process.stdin.close()
        sys.exit(process.wait())


if __name__ == "__main__":
    work(Path(sys.argv[1]), tuple(sys.argv[2:]))
