"""The process with the JVM, from inside: a line of JSON on stdin is a run, a line of JSON on stdout its end.

Whatever a run or the JVM prints goes to stderr. The process ends when its stdin does.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from forceglue.errors import ForceglueError
from local_stack.glue_runner import catalog, glue_job
from local_stack.glue_runner.worker import OUTPUT_ENDS

_LONGEST_MESSAGE = 2000


def main() -> None:
    """Starts Spark, says that it is ready, runs what it is given."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        from forceglue.runtime.session import start

        try:
            spark = start(app="forceglue local Glue", quick=True, needs=("s3",))
        except ForceglueError as error:
            sys.exit(str(error))
        glue_job.stand_in()
        _answer(answers, {"ready": True})
        for line in sys.stdin:
            asked = json.loads(line)
            told = run(spark, asked["script"], asked["arguments"])
            sys.stderr.write(f"{OUTPUT_ENDS}\n")
            sys.stderr.flush()
            _answer(answers, told)
            spark.catalog.clearCache()


def run(spark: Any, script: str, arguments: list[str]) -> dict[str, str]:
    """Runs a script as Glue does; `state` and, of a failure, `message`."""
    with tempfile.TemporaryDirectory(prefix="glue-run-") as folder:
        try:
            path = fetched(script, Path(folder))
            with settings_kept(spark), catalog.shared(spark, arguments):
                executed(path, arguments)
        except Exception as error:  # noqa: BLE001  # whatever a job raises is its own failure, and told as such
            traceback.print_exc()
            return {"state": "FAILED", "message": f"{type(error).__name__}: {error}"[:_LONGEST_MESSAGE]}
        except SystemExit as left:
            if left.code not in (None, 0):
                return {"state": "FAILED", "message": f"SystemExit: {left.code}"[:_LONGEST_MESSAGE]}
    return {"state": "SUCCEEDED", "message": ""}


@contextmanager
def settings_kept(spark: Any) -> Iterator[None]:
    """What a run sets is gone with it, as with the JVM of a run on Glue."""

    def settings() -> dict[str, str]:
        told = {row.key: row.value for row in spark.sql("SET").collect()}
        return {name: value for name, value in told.items() if spark.conf.isModifiable(name)}

    before = settings()
    try:
        yield
    finally:
        after = settings()
        for name in after.keys() - before.keys():
            spark.conf.unset(name)
        for name, value in before.items():
            if after.get(name) != value:
                spark.conf.set(name, value)


def executed(path: Path, arguments: list[str]) -> None:
    """The script as the main program."""
    before = sys.argv
    sys.argv = [str(path), *arguments]
    try:
        runpy.run_path(str(path), run_name="__main__")
    finally:
        sys.argv = before


def fetched(script: str, folder: Path) -> Path:
    """The script on this machine."""
    place = urlsplit(script)
    if not place.scheme.startswith("s3"):
        return Path(script)
    import boto3

    path = folder / Path(place.path).name
    boto3.client("s3").download_file(place.netloc, place.path.lstrip("/"), str(path))
    return path


def _answer(answers: IO[str], told: dict[str, Any]) -> None:
    answers.write(f"{json.dumps(told)}\n")
    answers.flush()


if __name__ == "__main__":
    main()
