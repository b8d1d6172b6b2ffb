"""The entry script of the AWS Glue job: arguments in, the main job, tables into the Data Catalog, commit.

Required: --LANDING --WAREHOUSE --DELIVERY --MAPPINGS (`s3://` URIs). Optional: --ENV --PARAMS a=1,b=2 --NAMES a,b
--FULL_REFRESH true --DATABASE name --EVENT_BUS name --EVENT_SOURCE name --CORRELATION_ID id. With --EVENT_BUS the bus
is told how the run goes. With --MAINTAIN true it looks after the tables and loads nothing.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from forceglue.run.events import RunEvents
from forceglue.run.maintain import maintain
from forceglue.run.request import RunRequest
from forceglue.run.runner import run
from forceglue.runtime import glue
from forceglue.runtime.bus import Bus
from forceglue.runtime.session import start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import SparkSession

    from forceglue.run.report import RunReport

log = logging.getLogger("forceglue.job")


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the job; ends with an error, and the Glue job as FAILED, when a mapping was not written."""
    told = glue.arguments(argv)
    spark = start(app=told.job_name)
    with tempfile.TemporaryDirectory() as folder, glue.job(spark, told):
        request = RunRequest(
            mappings=glue.local_mappings(told.mappings, Path(folder)),
            landing=told.landing,
            warehouse=told.warehouse,
            delivery=told.delivery,
            names=told.names,
            env=told.env,
            params=told.params,
            full_refresh=told.full_refresh,
            correlation_id=told.correlation_id,
        )
        if told.maintain:
            look_after(request)
        else:
            load(request, spark, told)


def load(request: RunRequest, spark: SparkSession, told: glue.JobArguments) -> None:
    """The main job, and its tables into the Data Catalog."""
    report = announced(request, told)
    for mapping in report.mappings:
        became = {"mapping": mapping.name, "status": mapping.status, "written": mapping.written}
        log.info(json.dumps({**became, "run_id": report.run_id, "correlation_id": report.correlation_id}))
    if told.database:
        written = [mapping.name for mapping in report.mappings if mapping.status == "written"]
        glue.register(spark, told.database, glue.locations(request.warehouse, written))
    glue.raise_if_failed(report)


def announced(request: RunRequest, told: glue.JobArguments) -> RunReport:
    """Runs, and tells the bus, where one is given."""
    if told.event_bus is None:
        return run(request)
    same = {"job": told.job_name, "job_run_id": told.run_id, "correlation_id": told.correlation_id}
    with Bus(told.event_bus, told.event_source) as bus:
        events = RunEvents(bus.tell, same)
        try:
            report = run(replace(request, progress=events.progress))
        except BaseException as error:
            events.failed(error)
            raise
        events.finished(report, bus.given_up)
    return report


def look_after(request: RunRequest) -> None:
    """Small files joined, what no table needs any more removed."""
    done = maintain(request, dry=False)
    for care in done.tables:
        told = {"table": care.name, "joined": care.joined, "removed": care.removed, "note": care.note}
        log.info(json.dumps({**told, "error": care.error}))
    if failed := [f"{care.name}: {care.error}" for care in done.tables if care.error]:
        raise glue.JobFailed(f"Not looked after: {'; '.join(failed)}. The next time will try again.")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    main()
