"""`/jobs/query` and `/jobs/ingest`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forceglue.simulated.salesforce.errors import ApiError
from forceglue.simulated.salesforce.http import Answer, Call

if TYPE_CHECKING:
    from forceglue.simulated.salesforce.desk import Desk


def create_query(desk: Desk, call: Call) -> Answer:
    """`POST /jobs/query`."""
    return Answer(200, desk.bulk_query.create(call.json_object(), call.version, call.user_id).facts)


def list_queries(desk: Desk, call: Call) -> Answer:
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
    return desk.bulk_query.results(
        call.at["job"], call.version, call.query.get("locator"), call.number("maxRecords")
    )


def query_pages(desk: Desk, call: Call) -> Answer:
    """`GET /jobs/query/<id>/resultPages`."""
    return Answer(200, desk.bulk_query.result_pages(call.at["job"], call.version, call.query.get("locator")))


ROUTES = (
    ("GET", "/jobs/query", list_queries),
    ("POST", "/jobs/query", create_query),
    ("GET,PATCH,DELETE", "/jobs/query/{job}", query_job),
    ("GET", "/jobs/query/{job}/results", query_results),
    ("GET", "/jobs/query/{job}/resultPages", query_pages),
)
