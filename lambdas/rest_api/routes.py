"""The endpoints. Powertools reads requests and answers from the annotations, and OpenAPI too."""

from __future__ import annotations

from typing import Annotated, Any, cast

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Header, Path, Query

from common.api.answers import success
from rest_api import models as m
from rest_api.asking import Asking
from rest_api.batches import COLLECTIONS, told
from rest_api.parts import Parts
from rest_api.preconditions import Precondition, etag, last_modified
from rest_api.repeated import Repeats

router = Router()  # type: ignore[no-untyped-call]

Fields = Annotated[
    str | None,
    Query(description="Fields to answer with, separated by commas.", pattern=r"^\w+(,\w+)*$", max_length=4_000),
]
IfMatch = Annotated[str | None, Header(alias="if-match", description="Change only the version with this ETag.")]
IfUnmodified = Annotated[
    str | None, Header(alias="if-unmodified-since", description="Change only what nobody changed since.")
]
Key = Annotated[
    str | None,
    Header(
        alias="idempotency-key", pattern=r"^[\x21-\x7e]{1,128}$", description="Made once, however often it is sent."
    ),
]
ObjectName = Annotated[str, Path(pattern=r"^\w+$", max_length=80, description="An object that has a mapping.")]
Id = Annotated[str, Path(pattern=m.ID, description="A record's Id: 15 or 18 characters.")]
AccountId = Annotated[str, Path(pattern=m.ID, description="Salesforce Account ID", examples=["001xx000003DHP1"])]
ContactId = Annotated[str, Path(pattern=m.ID, description="Salesforce Contact ID", examples=["003xx000004DAA1"])]
DealId = Annotated[str, Path(pattern=m.ID, description="Salesforce Opportunity ID", examples=["006xx000003DMIA"])]
JobId = Annotated[str, Path(pattern=m.ID, description="The job's Id.")]
Records = Annotated[list[dict[str, Any]], Body(min_length=1, max_length=20_000)]
Record = dict[str, Any]


def _parts() -> Parts:
    return cast("Parts", router.context["parts"])


def _asking() -> Asking:
    return cast("Asking", router.context["asking"])


def _repeats() -> Repeats:
    return cast("Repeats", router.context["repeats"])


def _read(name: str, record_id: str, fields: str | None) -> Response[Any]:
    found = _parts().records.read(_asking(), name, record_id, fields.split(",") if fields else None)
    headers: dict[str, str | list[str]] = {}
    if found.stamp:
        headers = {"ETag": etag(found.stamp), "Last-Modified": last_modified(found.stamp)}
    return Response(200, "application/json", success(found.values), headers=headers)


def _change(name: str, record_id: str, body: m.Given, match: str | None, since: str | None) -> Record:
    _parts().records.change(_asking(), name, record_id, body.values(), Precondition.of(match, since))
    return success({"record_id": record_id, "status": "updated"})


def _remove(name: str, record_id: str, match: str | None, since: str | None) -> Record:
    _parts().records.remove(_asking(), name, record_id, Precondition.of(match, since))
    return success({"record_id": record_id, "status": "deleted"})


# accounts


@router.post("/accounts", status_code=201, tags=["Accounts"], summary="Create an account")
def create_account(body: Annotated[m.NewAccount, Body()], key: Key = None) -> m.Envelope[m.AccountMade]:
    def make() -> Record:
        made = _parts().records.create(_asking(), "Account", body.values())
        return success({"record_id": made, "account_name": body.Name})

    return cast("m.Envelope[m.AccountMade]", _repeats().once(key, make))


@router.get("/accounts/<account_id>", tags=["Accounts"], summary="Get an account")
def get_account(account_id: AccountId, fields: Fields = None) -> Response[m.Envelope[m.Account]]:
    return _read("Account", account_id, fields)


@router.patch("/accounts/<account_id>", tags=["Accounts"], summary="Update an account")
def update_account(
    account_id: AccountId, body: Annotated[m.AccountChange, Body()], match: IfMatch = None, since: IfUnmodified = None
) -> m.Envelope[m.Done]:
    return cast("m.Envelope[m.Done]", _change("Account", account_id, body, match, since))


@router.delete("/accounts/<account_id>", tags=["Accounts"], summary="Delete an account")
def delete_account(account_id: AccountId, match: IfMatch = None, since: IfUnmodified = None) -> m.Envelope[m.Done]:
    return cast("m.Envelope[m.Done]", _remove("Account", account_id, match, since))


# contacts


@router.post("/contacts", status_code=201, tags=["Contacts"], summary="Create a contact")
def create_contact(body: Annotated[m.NewContact, Body()], key: Key = None) -> m.Envelope[m.ContactMade]:
    def make() -> Record:
        made = _parts().records.create(_asking(), "Contact", body.values())
        name = " ".join(part for part in (body.FirstName, body.LastName) if part)
        return success({"record_id": made, "contact_name": name})

    return cast("m.Envelope[m.ContactMade]", _repeats().once(key, make))


@router.get("/contacts/<contact_id>", tags=["Contacts"], summary="Get a contact")
def get_contact(contact_id: ContactId, fields: Fields = None) -> Response[m.Envelope[m.Contact]]:
    return _read("Contact", contact_id, fields)


@router.patch("/contacts/<contact_id>", tags=["Contacts"], summary="Update a contact")
def update_contact(
    contact_id: ContactId, body: Annotated[m.ContactChange, Body()], match: IfMatch = None, since: IfUnmodified = None
) -> m.Envelope[m.Done]:
    return cast("m.Envelope[m.Done]", _change("Contact", contact_id, body, match, since))


@router.delete("/contacts/<contact_id>", tags=["Contacts"], summary="Delete a contact")
def delete_contact(contact_id: ContactId, match: IfMatch = None, since: IfUnmodified = None) -> m.Envelope[m.Done]:
    return cast("m.Envelope[m.Done]", _remove("Contact", contact_id, match, since))


# opportunities


@router.post("/opportunities", status_code=201, tags=["Opportunities"], summary="Create an opportunity")
def create_opportunity(body: Annotated[m.NewOpportunity, Body()], key: Key = None) -> m.Envelope[m.OpportunityMade]:
    def make() -> Record:
        made = _parts().records.create(_asking(), "Opportunity", body.values())
        return success({"record_id": made, "opportunity_name": body.Name, "amount": body.Amount})

    return cast("m.Envelope[m.OpportunityMade]", _repeats().once(key, make))


@router.get("/opportunities/<opportunity_id>", tags=["Opportunities"], summary="Get an opportunity")
def get_opportunity(opportunity_id: DealId, fields: Fields = None) -> Response[m.Envelope[m.Opportunity]]:
    return _read("Opportunity", opportunity_id, fields)


@router.patch("/opportunities/<opportunity_id>", tags=["Opportunities"], summary="Update an opportunity")
def update_opportunity(
    opportunity_id: DealId,
    body: Annotated[m.OpportunityChange, Body()],
    match: IfMatch = None,
    since: IfUnmodified = None,
) -> m.Envelope[m.Done]:
    return cast("m.Envelope[m.Done]", _change("Opportunity", opportunity_id, body, match, since))


@router.delete("/opportunities/<opportunity_id>", tags=["Opportunities"], summary="Delete an opportunity")
def delete_opportunity(opportunity_id: DealId, match: IfMatch = None, since: IfUnmodified = None) -> m.Envelope[m.Done]:
    return cast("m.Envelope[m.Done]", _remove("Opportunity", opportunity_id, match, since))


# any object that has a mapping


@router.post("/objects/<object_name>", status_code=201, tags=["Objects"], summary="Create a record")
def create_record(object_name: ObjectName, body: Annotated[m.AnyRecord, Body()], key: Key = None) -> m.Envelope[m.Made]:
    def make() -> Record:
        return success({"record_id": _parts().records.create(_asking(), object_name, body.values())})

    return cast("m.Envelope[m.Made]", _repeats().once(key, make))


@router.get("/objects/<object_name>/<record_id>", tags=["Objects"], summary="Get a record")
def get_record(object_name: ObjectName, record_id: Id, fields: Fields = None) -> Response[m.Envelope[Record]]:
    return _read(object_name, record_id, fields)


@router.patch("/objects/<object_name>/<record_id>", tags=["Objects"], summary="Update a record")
def update_record(
    object_name: ObjectName,
    record_id: Id,
    body: Annotated[m.AnyRecord, Body()],
    match: IfMatch = None,
    since: IfUnmodified = None,
) -> m.Envelope[m.Done]:
    return cast("m.Envelope[m.Done]", _change(object_name, record_id, body, match, since))


@router.delete("/objects/<object_name>/<record_id>", tags=["Objects"], summary="Delete a record")
def delete_record(
    object_name: ObjectName, record_id: Id, match: IfMatch = None, since: IfUnmodified = None
) -> m.Envelope[m.Done]:
    return cast("m.Envelope[m.Done]", _remove(object_name, record_id, match, since))


@router.put(
    "/objects/<object_name>/<key_field>/<key_value>",
    tags=["Objects"],
    summary="Update the record with this external id, or create it",
)
def upsert_record(
    object_name: ObjectName,
    key_field: Annotated[str, Path(pattern=r"^\w+$", max_length=80, description="An external id field.")],
    key_value: Annotated[str, Path(max_length=255)],
    body: Annotated[m.AnyRecord, Body()],
) -> m.Envelope[m.Upserted]:
    done = _parts().records.upsert(_asking(), object_name, key_field, key_value, body.values())
    answer = success({"record_id": done.id, "status": "created" if done.created else "updated"})
    return cast("m.Envelope[m.Upserted]", answer)


# queries and batches


@router.post("/query", tags=["Advanced"], summary="Run a SOQL query, or get its next page")
def query(body: Annotated[m.Ask, Body()]) -> m.Envelope[m.Page]:
    return cast("m.Envelope[m.Page]", success(_parts().queries.ask(_asking(), body.soql, body.cursor)))


@router.post("/batch/accounts", status_code=201, tags=["Advanced"], summary="Create many accounts")
def batch_accounts(body: Records, key: Key = None) -> Response[m.Envelope[m.Batch] | m.Envelope[m.Job]]:
    def make() -> Record:
        one = _parts().objects.object("Account")
        records = [m.checked(m.NewAccount, record, one) for record in body]
        if len(records) > COLLECTIONS:
            job = _parts().batches.submit(_asking(), "Account", records)
            return success({"job_id": job.id, "state": job.state, "total": len(records)})
        results = [told(one) for one in _parts().batches.create(_asking(), "Account", records)]
        done = sum(one["success"] for one in results)
        return success({"total": len(results), "successful": done, "failed": len(results) - done, "results": results})

    answer = _repeats().once(key, make)
    return Response(202 if "job_id" in answer["data"] else 201, "application/json", answer)  # type: ignore[arg-type]


@router.get("/batch/jobs/<job_id>", tags=["Advanced"], summary="How far a batch is that Salesforce works off")
def batch_job(job_id: JobId) -> m.Envelope[m.Job]:
    job, results = _parts().batches.job(_asking(), job_id)
    answer = {"job_id": job.id, "state": job.state, "processed": job.processed, "failed": job.failed}
    answer |= {"error": job.error or None} | ({} if job.busy else {"results": [told(one) for one in results]})
    return cast("m.Envelope[m.Job]", success(answer))


@router.get("/health", tags=["Health"], summary="Whether Salesforce can be reached")
def health() -> m.Envelope[m.Health]:
    from rest_api.health import health as looked

    return cast("m.Envelope[m.Health]", success(looked(_parts)))
