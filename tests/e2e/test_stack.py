"""The whole system, as `make up` starts it: from a change in the org to tables and files, told under one correlation id."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.local_system import System, run, system
from forceglue.demo.org import CLIENT_SECRET
from local_stack.processes import started
from local_stack_kit import until

STORY = ["file-ingested", "job-started", "run-started", "mapping-finished", "run-finished", "job-succeeded"]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with system(tmp_path_factory.mktemp("system")) as running:
        yield running


def loaded(stack: System, execution: str) -> None:
    """Until the job that an extract started has ended well."""
    stack.wait(lambda event: event.kind == "job-succeeded" and event.correlation_id == execution)


def test_up_says_what_to_try_and_where_everything_is(stack: System) -> None:
    (said,) = stack.said
    assert "the simulated Salesforce org answers at http://127.0.0.1:" in said
    for name in ("storage", "glue", "tokens", "ingest", "job-trigger"):
        assert f"local-{name}: deployed" in said
    assert f". {stack.folder}/stack.env" in said
    told = run("sh", "-c", f". {stack.folder}/stack.env; env")
    for name in ("AWS_ENDPOINT_URL", "SALESFORCE_URL", "TOKEN_URL", "SF_BROKER_URL", "LANDING_BUCKET", "AWS_REGION"):
        assert f"\n{name}=" in told
    assert "SF_CLIENT_SECRET" not in told


def test_a_change_in_the_org_becomes_rows_and_files_under_one_correlation_id(stack: System) -> None:
    first = stack.extract()
    loaded(stack, first)
    accounts = {one["Id"]: one["Name"] for one in stack.query("SELECT Id, Name FROM Account LIMIT 2000")}
    table = stack.table("account")
    assert accounts.items() <= table.items()
    assert stack.delivered() == accounts

    changed, kept = list(accounts)[:2]
    stack.change(changed, Name="Changed in the org")
    second = stack.extract()
    loaded(stack, second)
    table = stack.table("account")
    assert (table[changed], table[kept]) == ("Changed in the org", accounts[kept])
    assert stack.delivered() == accounts | {changed: "Changed in the org"}

    for execution, files in ((first, 2), (second, 1)):
        told = stack.events(execution)
        assert list(dict.fromkeys(event.kind for event in told)) == STORY
        ingested = [event.detail for event in told if event.kind == "file-ingested"]
        assert len(ingested) == files and all(execution in one["object"] for one in ingested)
        (finished,) = [event.detail for event in told if event.kind == "run-finished"]
        assert finished["status"] == "succeeded"
    assert second != first
    assert not stack.keys("LANDING_BUCKET", "in/") and len(stack.keys("LANDING_BUCKET", "processed/Account/")) == 4


def test_a_bad_file_is_an_error_event_and_starts_no_job(stack: System) -> None:
    runs = len(stack.client("glue").get_job_runs(JobName=stack.env["GLUE_JOB"])["JobRuns"])
    key = "in/local-Salesforce-Account/bad-1/part.parquet"
    stack.client("s3").put_object(Bucket=stack.env["LANDING_BUCKET"], Key=key, Body=b"no parquet at all")
    event = stack.wait(lambda one: one.kind == "file-ingestion" and one.correlation_id == "bad-1")
    assert event.detail["state"] == "error" and event.detail["object"].endswith(key) and event.detail["code"]
    until(lambda: any("bad-1" in key for key in stack.keys("LANDING_BUCKET", "error/")))
    assert len(stack.client("glue").get_job_runs(JobName=stack.env["GLUE_JOB"])["JobRuns"]) == runs


def test_the_story_is_told_to_whoever_asks(stack: System) -> None:
    told = stack.again("events")
    assert "ingest       file-ingested        salesforce_object=Account state=success" in told
    assert "salesforce_object=Account state=error code=" in told


def test_up_again_says_what_runs_and_changes_nothing(stack: System) -> None:
    before = {path.name: path.read_text() for path in stack.folder.glob("*.json")}
    assert len(before) == 3
    said = stack.again("up", "--mappings", str(stack.mappings))
    for what in ("the simulated Salesforce org", "the emulated AWS", "the warm Spark"):
        assert any(line.startswith(f"up: {what}") and "runs already" in line for line in said.splitlines())
    assert "local-tokens: no changes" in said
    assert {path.name: path.read_text() for path in stack.folder.glob("*.json")} == before


def test_other_servers_take_the_place_of_parts_and_are_left_alone(stack: System, tmp_path: Path) -> None:
    named = {name: stack.env[name] for name in ("AWS_ENDPOINT_URL", "SALESFORCE_URL")}
    beside = System(tmp_path / "beside", stack.mappings, [])
    said = beside.again("up", "--mappings", str(stack.mappings), **named)
    assert f"the emulated AWS is replaced by {named['AWS_ENDPOINT_URL']}" in said
    assert f"the simulated Salesforce org is replaced by {named['SALESFORCE_URL']}" in said
    assert "local-tokens: no changes" in said
    assert beside.env == stack.env and not beside.processes()
    assert "nothing was running" in beside.again("down", **named)
    assert len(group_of(stack)) > 3


def test_no_secret_shows_in_anything_that_the_system_writes(stack: System) -> None:
    # what every access token and every refresh token of the org begin with
    secrets = (CLIENT_SECRET, stack.token.partition("!")[0] + "!", "5Aep861")
    for where, text in written(stack):
        for secret in secrets:
            assert secret not in text, f"{where} holds {secret}"


def written(stack: System) -> Iterator[tuple[str, str]]:
    """Everything but the secrets themselves: outputs, logs, events, objects, items, environments."""
    yield "what commands printed", "\n".join(stack.said)
    for path in (*stack.folder.glob("*.log"), stack.folder / "stack.env"):
        yield str(path), path.read_text("utf-8", "replace")
    logs = stack.client("logs")
    for group in logs.describe_log_groups()["logGroups"]:
        name = group["logGroupName"]
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=name)
        yield name, "\n".join(event["message"] for page in pages for event in page["events"])
    for bucket in ("LANDING_BUCKET", "WAREHOUSE_BUCKET", "DELIVERY_BUCKET"):
        for key in stack.keys(bucket):
            yield f"{bucket} {key}", stack.text(bucket, key)
    tables = stack.client("dynamodb")
    for table in tables.list_tables()["TableNames"]:
        yield table, str(tables.scan(TableName=table)["Items"])
    for function in stack.client("lambda").list_functions()["Functions"]:
        yield function["FunctionName"], str(function)
    for pid in group_of(stack):
        yield f"environment of process {pid}", Path(f"/proc/{pid}/environ").read_bytes().decode("utf-8", "replace")


def group_of(stack: System) -> list[int]:
    """All processes of the system: those that were started, and what they started."""
    leaders = stack.processes()
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) in leaders and fields[0] not in "ZX":
            found.append(int(stat.parent.name))
    return found


def test_down_ends_all_of_it_and_nothing_else(stack: System) -> None:
    bystander = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        running = group_of(stack)
        assert len(running) > 3  # functions, too
        said = stack.down()
        assert said.count("has ended (process") == 3
        until(lambda: not any(started(pid) for pid in running))
        assert bystander.poll() is None
        assert not [*stack.folder.glob("*.json"), *stack.folder.glob("*.tmp")]
        assert "nothing was running" in stack.again("down")
    finally:
        bystander.kill()
        bystander.wait()
