"""`/jobs/query` and `/jobs/ingest`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forceglue.simulated.salesforce.errors import ApiError, not_found
from forceglue.simulated.salesforce.http import Answer, Call

if TYPE_CHECKING:
    from forceglue.simulated.salesforce.desk import Desk


def create_query(desk: Desk, call: Call) -> Answer:
    """`POST /jobs/query`."""
    return Answer(200, desk.bulk_query.create(call.json_object(), call.version, call.user_id))


def list_queries(desk: Desk, _: Call) -> Answer:
    """`GET /jobs/query`."""
    jobs = [job.facts | {"state": job.state, "jobType": "V2Query"} for job in desk.bulk_query.jobs.values()]
    return Answer(200, {"done": True, "records": jobs, "nextRecordsUrl": None})


def query_job(desk: Desk, call: Call) -> Answer:
    """`GET`, `PATCH` and `DELETE /jobs/query/<id>`."""
    job_id = call.at["job"]
    if call.method == "DELETE":
        desk.bulk_query.delete(job_id)
        return Answer(204)
    if call.method == "PATCH":
        if call.json_object().get("state") != "Aborted":
            raise ApiError("INVALIDJOBSTATE", "The state of a query job can be set to Aborted only")
        return Answer(200, desk.bulk_query.abort(job_id).shown())
    return Answer(200, desk.bulk_query.find(job_id).shown())


def query_results(desk: Desk, call: Call) -> Answer:
    """`GET /jobs/query/<id>/results`."""
    return desk.bulk_query.results(call.at["job"], call.version, call.query.get("locator"), call.number("maxRecords"))


def query_pages(desk: Desk, call: Call) -> Answer:
    """`GET /jobs/query/<id>/resultPages`."""
    return Answer(200, desk.bulk_query.result_pages(call.at["job"], call.version, call.query.get("locator")))


def create_ingest(desk: Desk, call: Call) -> Answer:
    """`POST /jobs/ingest`."""
    return Answer(200, desk.bulk_ingest.create(call.json_object(), call.version, call.user_id).facts)


def list_ingests(desk: Desk, _: Call) -> Answer:
    """`GET /jobs/ingest`."""
    jobs = [job.facts | {"state": job.state, "jobType": "V2Ingest"} for job in desk.bulk_ingest.jobs.values()]
    return Answer(200, {"done": True, "records": jobs, "nextRecordsUrl": None})


def ingest_job(desk: Desk, call: Call) -> Answer:
    """`GET`, `PATCH` and `DELETE /jobs/ingest/<id>`."""
    job_id = call.at["job"]
    if call.method == "DELETE":
        desk.bulk_ingest.delete(job_id)
        return Answer(204)
    if call.method == "PATCH":
        return Answer(200, desk.bulk_ingest.set_state(job_id, call.json_object().get("state")))
    return Answer(200, desk.bulk_ingest.find(job_id).shown())


def ingest_data(desk: Desk, call: Call) -> Answer:
    """`PUT /jobs/ingest/<id>/batches`."""
    desk.bulk_ingest.upload(call.at["job"], call.body)
    return Answer(201)


def ingest_results(desk: Desk, call: Call) -> Answer:
    """`GET /jobs/ingest/<id>/successfulResults`, `failedResults` and `unprocessedrecords`."""
    names = {name.lower(): name for name in ("successfulResults", "failedResults", "unprocessedrecords")}
    which = names.get(call.at["which"].lower())
    if which is None:
        raise not_found()
    return Answer(200, body=desk.bulk_ingest.results(call.at["job"], which), type="text/csv;charset=UTF-8")


ROUTES = (
    ("GET", "/jobs/query", list_queries),
    ("POST", "/jobs/query", create_query),
    ("GET,PATCH,DELETE", "/jobs/query/{job}", query_job),
    ("GET", "/jobs/query/{job}/results", query_results),
    ("GET", "/jobs/query/{job}/resultPages", query_pages),
    ("GET", "/jobs/ingest", list_ingests),
    ("POST", "/jobs/ingest", create_ingest),
    ("GET,PATCH,DELETE", "/jobs/ingest/{job}", ingest_job),
    ("PUT", "/jobs/ingest/{job}/batches", ingest_data),
    ("GET", "/jobs/ingest/{job}/{which}", ingest_results),
)
