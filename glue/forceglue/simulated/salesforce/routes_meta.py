"""Resources, describes and limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forceglue.simulated.salesforce import describe
from forceglue.simulated.salesforce.errors import not_found
from forceglue.simulated.salesforce.http import Answer, Call
from forceglue.simulated.salesforce.relationships import child_links
from forceglue.simulated.salesforce.schema import ObjectSchema

if TYPE_CHECKING:
    from forceglue.simulated.salesforce.desk import Desk

_RESOURCES = ("composite", "jobs", "limits", "query", "queryAll", "sobjects")


def resources(desk: Desk, call: Call) -> Answer:
    """`GET /`."""
    root = f"/services/data/v{call.version}"
    return Answer(200, {name: f"{root}/{name}" for name in _RESOURCES} | {"identity": f"{call.base}/id/{desk.org.id}"})


def limits(desk: Desk, _: Call) -> Answer:
    """`GET /limits`."""
    usage = desk.usage
    jobs = len(desk.bulk_query.jobs)
    told = {
        "DailyApiRequests": (usage.limit, max(0, usage.limit - usage.used)),
        "DailyBulkApiBatches": (15_000, 15_000),
        "DailyBulkV2QueryFileStorageMB": (976_562, 976_562),
        "DailyBulkV2QueryJobs": (10_000, max(0, 10_000 - jobs)),
        "DataStorageMB": (1_024, 1_000),
        "FileStorageMB": (1_024, 1_000),
        "SingleEmail": (5_000, 5_000),
    }
    return Answer(200, {name: {"Max": most, "Remaining": left} for name, (most, left) in told.items()})


def record_counts(desk: Desk, call: Call) -> Answer:
    """`GET /limits/recordCount?sObjects=A,B`: without the recycle bin; what the org does not have is left out."""
    asked = {name.strip().lower() for name in call.query.get("sObjects", "").split(",") if name.strip()}
    found = [schema.name for schema in desk.org.objects if not asked or schema.name.lower() in asked]
    return Answer(200, {"sObjects": [{"count": desk.org.count(name), "name": name} for name in sorted(found)]})


def describe_all(desk: Desk, call: Call) -> Answer:
    """`GET /sobjects`."""
    told = [describe.shown_basic(schema.facts, call.version) for schema in desk.org.objects]
    told.sort(key=lambda entry: str(entry["name"]))
    return Answer(200, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": told})


def the_object(desk: Desk, call: Call) -> ObjectSchema:
    """The object that the address names. Raises ApiError (404) when there is none."""
    found = desk.org.find(call.at["object"])
    if found is None:
        raise not_found()
    return found


def basic(desk: Desk, call: Call) -> Answer:
    """`GET /sobjects/X`."""
    schema = the_object(desk, call)
    return Answer(200, {"objectDescribe": describe.shown_basic(schema.facts, call.version), "recentItems": []})


def describe_one(desk: Desk, call: Call) -> Answer:
    """`GET /sobjects/X/describe`."""
    schema = the_object(desk, call)
    fields = [entry.facts for entry in schema.seen]
    return Answer(200, describe.shown_whole(schema.facts, fields, children(desk, schema), call.version))


def children(desk: Desk, schema: ObjectSchema) -> list[dict[str, Any]]:
    """Which fields of which objects point to this one."""
    return [
        {
            "cascadeDelete": field["cascadeDelete"],
            "childSObject": other.name,
            "deprecatedAndHidden": False,
            "field": field.name,
            "junctionIdListNames": [],
            "junctionReferenceTo": [],
            "relationshipName": name,
            "restrictedDelete": field["restrictedDelete"],
        }
        for name, other, field in child_links(desk.org, schema)
    ]


ROUTES = (
    ("GET", "", resources),
    ("GET", "/limits", limits),
    ("GET", "/limits/recordCount", record_counts),
    ("GET", "/sobjects", describe_all),
    ("GET", "/sobjects/{object}/describe", describe_one),
)
