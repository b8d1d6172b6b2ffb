"""Batches: one call for 200 records, several for 2,000, a job above."""

from __future__ import annotations

import time

from lambdas.rest_kit import Client


def test_two_hundred_records_are_one_call(api: Client) -> None:
    api.call("GET", "/health")
    api.server.usage.forget()
    data = api.call("POST", "/batch/accounts", [{"Name": f"A{at}"} for at in range(200)]).json()["data"]
    assert (data["total"], data["successful"]) == (200, 200)
    assert [(call.method, call.path.rpartition("v67.0")[2]) for call in api.server.usage.log] == [
        ("POST", "/composite/sobjects")
    ]
    assert len(api.audited()) == 200


def test_each_record_is_told_of_in_its_place(api: Client) -> None:
    records = [{"Name": f"A{at}"} for at in range(450)]
    for at in (3, 199, 200, 449):
        records[at] = {"Name": f"A{at}", "Code__c": "twice"}
    records[7] = {"Name": "A7", "Nope__c": "x"}
    records[8] = {"Phone": "1"}
    api.call("GET", "/health")
    api.server.usage.forget()
    data = api.call("POST", "/batch/accounts", records).json()["data"]
    failed = {at: one["error"] for at, one in enumerate(data["results"]) if not one["success"]}
    assert api.server.usage.calls("/composite/sobjects") == 3
    assert failed[7] == "Account has no field Nope__c" and failed[8] == "Required field missing: Name"
    assert len(failed) == 5 and len({3, 199, 200, 449} & failed.keys()) == 3  # one of them was first
    for at, one in enumerate(data["results"]):
        if one["success"]:
            assert api.server.org.get("Account", one["record_id"])["Name"] == f"A{at}"


def test_a_call_that_fails_fails_its_records_alone(api: Client) -> None:
    api.call("GET", "/health")
    api.server.faults.refuse(502, path="/composite/sobjects", skip=1)
    data = api.call("POST", "/batch/accounts", [{"Name": f"A{at}"} for at in range(400)]).json()["data"]
    assert (data["successful"], data["failed"]) == (200, 200)
    (error,) = {one["error"] for one in data["results"] if not one["success"]}
    assert "may have been made" in error


def test_a_batch_that_fails_as_a_whole_is_refused(api: Client) -> None:
    api.call("GET", "/health")
    api.server.usage.used = api.server.usage.limit
    assert api.refused("POST", "/batch/accounts", [{"Name": "a"}])[:2] == (429, "LIMIT_EXCEEDED")


def test_more_than_two_thousand_records_are_a_job(api: Client) -> None:
    records = [{"Name": f'Ä\n"{at}"', "NumberOfEmployees": at} for at in range(2_001)]
    records[5]["Code__c"] = records[6]["Code__c"] = "twice"
    answer = api.call("POST", "/batch/accounts", records)
    assert answer.status_code == 202
    job = answer.json()["data"]
    assert set(job) == {"job_id", "state", "total"} and job["total"] == 2_001
    until = time.monotonic() + 60
    while (told := api.call("GET", f"/batch/jobs/{job['job_id']}").json()["data"]).get("results") is None:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert (told["state"], told["processed"], told["failed"]) == ("JobComplete", 2_001, 1)
    first, *others = told["results"]
    assert not first["success"] and "DUPLICATE_VALUE" in first["error"]
    assert all(one["success"] and one["record_id"].startswith("001") for one in others) and len(others) == 2_000
    names = {row["Name"] for row in api.server.org.rows("Account", ["Name"])}
    assert 'Ä\n"2000"' in names
    (entry,) = api.audited()
    assert (entry["operation"], entry["record_id"], entry["after"]["records"]) == (
        "BULK_CREATE_ACCOUNT", job["job_id"], 2_001,
    )  # fmt: skip


def test_a_job_takes_sound_records_alone(api: Client) -> None:
    status, code, words = api.refused("POST", "/batch/accounts", [{"Name": "a"}] * 2_000 + [{"Phone": "1"}])
    assert (status, code, words) == (400, "VALIDATION_ERROR", "2000: Required field missing: Name")


def test_batches_and_jobs_that_are_none(api: Client) -> None:
    assert api.refused("POST", "/batch/accounts", [])[:2] == (400, "VALIDATION_ERROR")
    assert api.refused("POST", "/batch/accounts", [7])[:2] == (400, "VALIDATION_ERROR")
    assert api.refused("POST", "/batch/accounts", {"Name": "a"})[:2] == (400, "VALIDATION_ERROR")
    assert api.refused("GET", "/batch/jobs/750000000000001")[:2] == (404, "NOT_FOUND")
