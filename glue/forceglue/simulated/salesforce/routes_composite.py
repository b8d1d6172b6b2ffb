"""Several records, or several calls, in one call."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from forceglue.simulated.salesforce.checks import checked_id
from forceglue.simulated.salesforce.errors import ApiError, not_found
from forceglue.simulated.salesforce.http import Answer, Call, refused
from forceglue.simulated.salesforce.ids import full_id
from forceglue.simulated.salesforce.records import Done
from forceglue.simulated.salesforce.routes_meta import the_object
from forceglue.simulated.salesforce.routes_records import shown_records
from forceglue.simulated.salesforce.schema import ObjectSchema

if TYPE_CHECKING:
    from forceglue.simulated.salesforce.desk import Desk

_RECORDS, _CALLS, _READ = 200, 25, 2_000
_REFERENCE = re.compile(r"@\{(\w+)((?:\.\w+|\[\d+\])+)\}")


# collections of records


def _told(results: Sequence[Done | ApiError], *, created: bool = False) -> Answer:
    found = []
    for one in results:
        if isinstance(one, ApiError):
            found.append({"success": False, "errors": one.of_record()})
            continue
        told: dict[str, Any] = {"id": one.id, "success": True, "errors": []}
        found.append(told | {"created": one.created} if created else told)
    return Answer(200, found)


def _given(call: Call) -> tuple[list[Mapping[str, Any]], bool]:
    said = call.json_object()
    records = said.get("records")
    if not isinstance(records, list) or not all(isinstance(entry, dict) for entry in records):
        raise ApiError("JSON_PARSER_ERROR", "The request body must have a list of records at [line:1, column:1]")
    _at_most(len(records), _RECORDS)
    return records, bool(said.get("allOrNone", False))


def _at_most(count: int, most: int) -> None:
    if count > most:
        raise ApiError(
            "EXCEEDED_MAX_SIZE_REQUEST", f"The request has {count} records; record limit reached, at most {most}"
        )


def _object_of(desk: Desk, record: Mapping[str, Any]) -> ObjectSchema:
    attributes = record.get("attributes")
    name = attributes.get("type") if isinstance(attributes, dict) else None
    found = desk.org.find(str(name)) if name else None
    if found is None:
        raise ApiError("INVALID_TYPE", f"sObject type '{name}' is not supported.")
    return found


def _id_of(record: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """A record's id, and everything else."""
    found = next((value for key, value in record.items() if key.lower() == "id"), None)
    return found, {key: value for key, value in record.items() if key.lower() != "id"}


def collection(desk: Desk, call: Call) -> Answer:
    """`POST` (create), `PATCH` (update) and `DELETE /composite/sobjects`."""
    works = {"POST": _create, "PATCH": _update, "DELETE": _delete}
    return works[call.method](desk, call)


def _create(desk: Desk, call: Call) -> Answer:
    records, all_or_none = _given(call)

    def work(record: Mapping[str, Any]) -> Callable[[], Done]:
        return lambda: Done(desk.org.records.create(_object_of(desk, record), record, call.user_id), created=True)

    return _told(desk.org.records.several(map(work, records), all_or_none=all_or_none))


def _update(desk: Desk, call: Call) -> Answer:
    records, all_or_none = _given(call)

    def work(record: Mapping[str, Any]) -> Callable[[], Done]:
        def change() -> Done:
            record_id, values = _id_of(record)
            schema = _object_of(desk, record)
            if record_id is None:
                raise ApiError("MISSING_ARGUMENT", "Id not specified in an update call", ("Id",))
            desk.org.records.change(schema, record_id, values, call.user_id)
            return Done(checked_id(schema, record_id), created=False)

        return change

    return _told(desk.org.records.several(map(work, records), all_or_none=all_or_none))


def _delete(desk: Desk, call: Call) -> Answer:
    ids = [one for one in call.query.get("ids", "").split(",") if one]
    _at_most(len(ids), _RECORDS)

    def work(record_id: str) -> Callable[[], Done]:
        def remove() -> Done:
            schema = desk.org.owner_of(record_id) if full_id(record_id) else None
            if schema is None:
                raise ApiError("MALFORMED_ID", f"malformed id {record_id[:18]}")
            desk.org.records.remove(schema, record_id, call.user_id)
            return Done(checked_id(schema, record_id), created=False)

        return remove

    all_or_none = call.query.get("allOrNone", "false").lower() == "true"
    return _told(desk.org.records.several(map(work, ids), all_or_none=all_or_none))


def upsert(desk: Desk, call: Call) -> Answer:
    """`PATCH /composite/sobjects/X/<external id field>`."""
    schema, name = the_object(desk, call), call.at["field"]
    field = desk.org.records.lookup_field(schema, name)
    records, all_or_none = _given(call)

    def work(record: Mapping[str, Any]) -> Callable[[], Done]:
        def change() -> Done:
            key = next((key for key in record if key.lower() == field.name.lower()), None)
            if key is None or record[key] in (None, ""):
                raise ApiError("MISSING_ARGUMENT", f"{field.name} not specified", (field.name,))
            values = {other: value for other, value in record.items() if other != key}
            return desk.org.records.upsert(schema, field.name, str(record[key]), values, call.user_id)

        return change

    return _told(desk.org.records.several(map(work, records), all_or_none=all_or_none), created=True)


def read(desk: Desk, call: Call) -> Answer:
    """`GET` and `POST /composite/sobjects/X`: records by their ids."""
    schema = the_object(desk, call)
    said = call.json_object() if call.method == "POST" else {
        name: call.query.get(name, "").split(",") for name in ("ids", "fields")
    }  # fmt: skip
    ids, fields = said.get("ids") or [], said.get("fields") or []
    _at_most(len(ids), _READ if call.method == "POST" else 800)
    found = shown_records(desk, call, schema, [full_id(one) or one for one in ids], ["Id", *_without_id(fields)])
    return Answer(200, body=f"[{','.join(one or 'null' for one in found)}]".encode())


def _without_id(names: Sequence[str]) -> list[str]:
    return [name for name in names if name and name.lower() != "id"]


# collections of calls


def batch(desk: Desk, call: Call) -> Answer:
    """`POST /composite/batch`: up to 25 calls that know nothing of each other."""
    said = call.json_object()
    parts = said.get("batchRequests") or []
    _at_most(len(parts), _CALLS)
    results: list[dict[str, Any]] = []
    halted = False
    for part in parts:
        if halted:
            error = ApiError("BATCH_PROCESSING_HALTED", "Batch processing halted per request", status=412)
            results.append({"statusCode": 412, "result": error.shown()})
            continue
        url = str(part.get("url", ""))
        answer = _one(desk, call, part.get("method", "GET"), _absolute(url), part.get("richInput"))
        results.append({"statusCode": answer.status, "result": answer.parsed()})
        halted = bool(said.get("haltOnError")) and answer.status >= 400
    return Answer(200, {"hasErrors": any(one["statusCode"] >= 400 for one in results), "results": results})


def composite(desk: Desk, call: Call) -> Answer:
    """`POST /composite`: up to 25 calls in order, later ones may refer to answers of earlier ones."""
    said = call.json_object()
    parts = said.get("compositeRequest") or []
    _at_most(len(parts), _CALLS)
    answers: dict[str, Answer] = {}
    try:
        with desk.org.store.writing():
            for part in parts:
                answers[str(part.get("referenceId"))] = _referring(desk, call, part, answers)
            if said.get("allOrNone") and any(answer.status >= 400 for answer in answers.values()):
                raise _Undone
    except _Undone:
        halted = "The transaction was rolled back since another operation in the same transaction failed."
        undone = refused(ApiError("PROCESSING_HALTED", halted))
        answers = {name: answer if answer.status >= 400 else undone for name, answer in answers.items()}
    told = [
        {"body": answer.parsed(), "httpHeaders": answer.headers, "httpStatusCode": answer.status, "referenceId": name}
        for name, answer in answers.items()
    ]
    return Answer(200, {"compositeResponse": told})


class _Undone(Exception):
    """Takes a transaction back."""


def _referring(desk: Desk, call: Call, part: Mapping[str, Any], answers: Mapping[str, Answer]) -> Answer:
    try:
        url = _filled(str(part.get("url", "")), answers)
        body = _filled(part.get("body"), answers)
    except ApiError as error:
        return refused(error)
    return _one(desk, call, part.get("method", "GET"), url, body)


def _one(desk: Desk, call: Call, method: str, url: str, body: Any) -> Answer:
    inner = Call.to(str(method).upper(), url, body, call)
    try:
        if "/composite" in inner.path and "/composite/sobjects" not in inner.path:
            raise not_found()
        return desk.inside(inner)
    except ApiError as error:
        return refused(error)


def _absolute(url: str) -> str:
    return url if url.startswith("/services/data") else f"/services/data/{url.lstrip('/')}"


def _filled(value: Any, answers: Mapping[str, Answer]) -> Any:
    """A value with `@{reference.path}` replaced by what the answer of that reference holds."""
    if isinstance(value, str):
        whole = _REFERENCE.fullmatch(value)
        if whole:
            return _looked_up(whole, answers)
        return _REFERENCE.sub(lambda found: str(_looked_up(found, answers)), value)
    if isinstance(value, dict):
        return {key: _filled(inner, answers) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, answers) for inner in value]
    return value


def _looked_up(found: re.Match[str], answers: Mapping[str, Answer]) -> Any:
    name, path = found[1], found[2]
    answer = answers.get(name)
    value = answer.parsed() if answer is not None and answer.status < 400 else None
    for step in re.findall(r"\w+", path):
        if isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        elif isinstance(value, dict):
            value = next((inner for key, inner in value.items() if key.lower() == step.lower()), None)
        else:
            value = None
    if value is None:
        message = f"Invalid reference specified. No value for {name}{path} found in {name}"
        raise ApiError("PROCESSING_HALTED", message)
    return value


ROUTES = (
    ("POST,PATCH,DELETE", "/composite/sobjects", collection),
    ("GET,POST", "/composite/sobjects/{object}", read),
    ("PATCH", "/composite/sobjects/{object}/{field}", upsert),
    ("POST", "/composite/batch", batch),
    ("POST", "/composite", composite),
)
