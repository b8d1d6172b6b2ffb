# ruff: noqa: S608 - names come from the schema and are quoted, values are parameters
"""Records one by one: by id and by external id; what was deleted and updated."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from forceglue.simulated.salesforce.checks import checked_id
from forceglue.simulated.salesforce.errors import ApiError, not_found
from forceglue.simulated.salesforce.http import Answer, Call
from forceglue.simulated.salesforce.render import record_writer
from forceglue.simulated.salesforce.routes_meta import basic, the_object
from forceglue.simulated.salesforce.schema import ObjectSchema
from forceglue.simulated.salesforce.soql.compile import compile_query
from forceglue.simulated.salesforce.wire import parsed_moment
from forceglue.soql import ast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forceglue.simulated.salesforce.desk import Desk


def of_object(desk: Desk, call: Call) -> Answer:
    """`GET` and `POST /sobjects/X`."""
    if call.method == "GET":
        return basic(desk, call)
    made = desk.org.records.create(the_object(desk, call), call.json_object(), call.user_id)
    location = {"Location": f"/services/data/v{call.version}/sobjects/{the_object(desk, call).name}/{made}"}
    return Answer(201, {"id": made, "success": True, "errors": []}, headers=location)


def by_id(desk: Desk, call: Call) -> Answer:
    """`GET`, `PATCH` and `DELETE /sobjects/X/<id>`."""
    schema, records = the_object(desk, call), desk.org.records
    try:
        record_id = checked_id(schema, call.at["id"])
    except ApiError as error:
        raise ApiError(error.code, error.message, error.fields, status=404 if call.method == "GET" else 400) from None
    with_404 = "Provided external ID field does not exist or is not accessible: Id"
    try:
        if call.method == "GET":
            return _shown(desk, call, schema, record_id)
        if call.method == "DELETE":
            records.remove(schema, record_id, call.user_id)
        else:
            with desk.org.store.writing():
                _unmodified(call, records.living(schema, record_id))
                records.change(schema, record_id, call.json_object(), call.user_id)
    except ApiError as error:
        if error.code == "INVALID_CROSS_REFERENCE_KEY" and not error.fields:
            raise not_found(with_404 if call.method == "PATCH" else not_found().message) from None
        raise
    return Answer(204)


def _unmodified(call: Call, there: Mapping[str, str | None]) -> None:
    """`If-Unmodified-Since` of a change: to the second, as HTTP dates are."""
    said = call.headers.get("if-unmodified-since")
    if said is None:
        return
    try:
        since = parsedate_to_datetime(said).astimezone(UTC)
    except ValueError:
        raise ApiError("INVALID_HEADER", f"If-Unmodified-Since is no date: {said[:40]}") from None
    changed = there.get("LastModifiedDate") or there.get("SystemModstamp")
    if changed and parsed_moment(changed).replace(microsecond=0) > since:
        raise ApiError("PRECONDITION_FAILED", "The record was modified after If-Unmodified-Since", status=412)


def _shown(desk: Desk, call: Call, schema: ObjectSchema, record_id: str) -> Answer:
    desk.org.records.living(schema, record_id)
    asked = call.query.get("fields")
    names = [name.strip() for name in asked.split(",")] if asked else [entry.name for entry in schema.seen]
    (body,) = shown_records(desk, call, schema, [record_id], names)
    if body is None:
        raise not_found()
    return Answer(200, body=body.encode())


def shown_records(
    desk: Desk, call: Call, schema: ObjectSchema, ids: Sequence[str], names: Sequence[str]
) -> list[str | None]:
    """Records as JSON by their ids; None for one that is not there or deleted."""
    text = f"SELECT {', '.join(names)} FROM {schema.name}"
    items, place = [], len("SELECT ")
    for name in names:
        items.append(ast.Item(ast.Path(name, place)))
        place += len(name) + 2
    wanted = tuple(ast.Given("text", one, 0) for one in ids)
    query = ast.Query(
        text, tuple(items), ast.Path(schema.name, place), where=ast.Within(ast.Path("Id", 0), wanted, negated=False)
    )
    compiled = compile_query(desk.org, query)
    owner = {entry.prefix: entry.name for entry in desk.org.objects}
    write = record_writer(compiled, call.version, lambda one: owner.get(one[:3], ""))
    rows = desk.org.store.rows(compiled.select(compiled.columns), compiled.all_params)
    found = {row[0]: write(row) for row in rows}
    return [found.get(one) for one in ids]


def blob(desk: Desk, call: Call) -> Answer:
    """`GET /sobjects/X/<id>/<field>`: a file's bytes; by external id: `/sobjects/X/<field>/<value>`."""
    schema = the_object(desk, call)
    field = schema.field(call.at["second"])
    if field is None or field.type != "base64" or call.method != "GET":
        return by_external_id(desk, call)
    there = desk.org.records.living(schema, checked_id(schema, call.at["first"]))
    content = base64.b64decode(there[field.name] or "")
    return Answer(200, body=content, type="application/octet-stream")


def by_external_id(desk: Desk, call: Call) -> Answer:
    """`GET`, `PATCH` (upsert) and `DELETE /sobjects/X/<field>/<value>`."""
    schema, records = the_object(desk, call), desk.org.records
    name, value = call.at["first"], call.at["second"]
    field = records.lookup_field(schema, name)
    if call.method == "PATCH":
        try:
            done = records.upsert(schema, name, value, call.json_object(), call.user_id)
        except ApiError as error:
            if error.code == "MULTIPLE_CHOICES":
                return _several(call, schema, records.having(schema, field, value))
            raise
        told = {"id": done.id, "success": True, "errors": [], "created": done.created}
        return Answer(201 if done.created else 200, told)
    found = [value] if field.name == "Id" else records.having(schema, field, value)
    if len(found) > 1:
        return _several(call, schema, found)
    if not found:
        raise not_found()
    call.at = {**call.at, "id": found[0]}
    return by_id(desk, call)


def _several(call: Call, schema: ObjectSchema, ids: list[str]) -> Answer:
    """Which records were meant, for the client to choose."""
    return Answer(300, [f"/services/data/v{call.version}/sobjects/{schema.name}/{one}" for one in ids])


def deleted(desk: Desk, call: Call) -> Answer:
    """`GET /sobjects/X/deleted?start=…&end=…`."""
    start, end = _dates(call)
    return Answer(200, desk.org.records.deleted(the_object(desk, call), start, end))


def updated(desk: Desk, call: Call) -> Answer:
    """`GET /sobjects/X/updated?start=…&end=…`."""
    start, end = _dates(call)
    return Answer(200, desk.org.records.updated(the_object(desk, call), start, end))


def _dates(call: Call) -> tuple[str, str]:
    if missing := [name for name in ("start", "end") if not call.query.get(name)]:
        raise ApiError("MISSING_ARGUMENT", f"Missing required parameter: {', '.join(missing)}")
    return call.query["start"], call.query["end"]


ROUTES = (
    ("GET,POST", "/sobjects/{object}", of_object),
    ("GET", "/sobjects/{object}/deleted", deleted),
    ("GET", "/sobjects/{object}/updated", updated),
    ("GET,PATCH,DELETE", "/sobjects/{object}/{id}", by_id),
    ("GET,PATCH,DELETE", "/sobjects/{object}/{first}/{second}", blob),
)
