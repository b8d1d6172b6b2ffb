"""The entry script of the AWS Glue job: arguments in, the main job, tables into the Data Catalog, commit.

Required: --LANDING --WAREHOUSE --DELIVERY --MAPPINGS (`s3://` URIs). Optional: --ENV --PARAMS a=1,b=2 --NAMES a,b
--FULL_REFRESH true --DATABASE name.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from forceglue.run.request import RunRequest
from forceglue.run.runner import run
from forceglue.runtime import glue
from forceglue.runtime.session import start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forceglue.run.report import RunReport

log = logging.getLogger("forceglue.job")


def main(argv: Sequence[str] | None = None) -> RunReport:
    """Runs the job; ends with an error, and the Glue job as FAILED, when a mapping was not written."""
    told = glue.arguments(argv)
    spark = start(app=told.job_name)
    with tempfile.TemporaryDirectory() as folder, glue.job(spark, told):
        report = run(
            RunRequest(
                mappings=glue.local_mappings(told.mappings, Path(folder)),
                landing=told.landing,
                warehouse=told.warehouse,
                delivery=told.delivery,
                names=told.names,
                env=told.env,
                params=told.params,
                full_refresh=told.full_refresh,
            )
        )
        for mapping in report.mappings:
            log.info(json.dumps({"mapping": mapping.name, "status": mapping.status, "written": mapping.written}))
        if told.database:
            written = [mapping.name for mapping in report.mappings if mapping.status == "written"]
            glue.register(spark, told.database, glue.locations(told.warehouse, written))
        glue.raise_if_failed(report)
    return report


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    main()
