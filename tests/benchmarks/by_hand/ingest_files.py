"""The ingest function: CPU of its own for a file, of the first one (which reads mappings and loads pyarrow) and of warm ones.

S3 and the bus are a process of their own. How long a file takes on AWS is that and its nine or so calls to them.
"""

from __future__ import annotations

import io
import json
import os
import statistics
import sys
import time

from lambdas.aws_server import CREDENTIALS, aws

FILES = 300


def main() -> None:
    with aws() as url:
        os.environ.update(CREDENTIALS, AWS_ENDPOINT_URL=url, AWS_REGION=CREDENTIALS["AWS_DEFAULT_REGION"])
        from lambdas.ingest_kit import FOLDER, Called, made_landing, parquet

        landing = made_landing()
        os.environ.update(
            ENV="bench",
            LANDING=f"s3://{landing.bucket}",
            EVENT_BUS=landing.bus,
            MAPPINGS=f"s3://{landing.bucket}/mappings",
        )
        body = parquet(Id=[str(number) for number in range(200)], Name=["x"] * 200)
        events = [landing.put(f"{FOLDER}/e{number % 10}/{number:05}", body) for number in range(FILES)]
        from ingest.handler import handler, logger

        logger.logger_handler.setStream(io.StringIO())
        out, sys.stdout = sys.stdout, io.StringIO()  # metrics
        took, began = [], time.perf_counter()
        for event in events:
            start = time.process_time()
            said = handler(event, Called(900))
            took.append((time.process_time() - start) * 1000)
            assert said["files"][0]["status"] == "ingested"
        wall = time.perf_counter() - began
        sys.stdout = out
    told = {"first": took[0], "median": statistics.median(took[1:]), "a_second": FILES / wall}
    sys.stdout.write("\n" + json.dumps(told))


if __name__ == "__main__":
    main()
