"""5,000 files that land within a minute: a handful of job runs, every file loaded once."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from e2e.local_system import System, system
from e2e.org import record
from local_stack_kit import until

pytestmark = pytest.mark.slow  # minutes, most of them of 5,000 calls of a function on this machine

FILES, MOST_RUNS = int(os.environ.get("CROWD_FILES", "5000")), 12


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with system(tmp_path_factory.mktemp("crowd")) as running:
        yield running


def test_thousands_of_files_are_a_handful_of_runs(stack: System, capsys: pytest.CaptureFixture[str]) -> None:
    s3, glue = stack.client("s3"), stack.client("glue")
    begun = time.monotonic()

    def land(number: int) -> None:
        key = f"in/local-Salesforce-Account/crowd-{number % 10}/{number:05}.json"
        row = record(f"{number:05}", 1, Name=f"name {number}")
        s3.put_object(Bucket=stack.env["LANDING_BUCKET"], Key=key, Body=json.dumps(row).encode())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(land, range(FILES)))
    landed = time.monotonic() - begun

    def runs() -> list[dict[str, object]]:
        pages = glue.get_paginator("get_job_runs").paginate(JobName=stack.env["GLUE_JOB"])
        return [one for page in pages for one in page["JobRuns"]]

    def done() -> bool:
        waiting = stack.keys("LANDING_BUCKET", "in/")
        busy = [one for one in runs() if one["JobRunState"] in {"STARTING", "RUNNING"}]
        if waiting or busy or len(stack.table("account")) != FILES:
            return False
        # what the job found in in/ itself is told of when the function comes to its event, and may ask for one more run
        told = {event.detail["object"] for event in stack.events() if event.kind == "file-ingested"}
        return len(told) == FILES and stack.events()[-1].kind == "job-succeeded"

    until(lambda: time.sleep(5) or done(), 3600)
    took = time.monotonic() - begun
    found = runs()
    told = stack.events()
    ingested = [event.detail["object"] for event in told if event.kind == "file-ingested"]
    loaded = [
        int(event.detail["landed"])
        for event in told
        if event.kind == "mapping-finished" and event.detail["mapping"] == "account"
    ]
    with capsys.disabled():
        sys.stdout.write(
            f"\n{FILES} files landed in {landed:.0f} s, loaded after {took:.0f} s by {len(found)} runs: {loaded}\n"
        )
    assert len({*ingested}) == FILES
    assert sum(loaded) == FILES
    assert len(found) <= MOST_RUNS and {one["JobRunState"] for one in found} == {"SUCCEEDED"}
    assert stack.table("account") == {f"{number:05}": f"name {number}" for number in range(FILES)}
