"""Records: what may be read and written, by whom, under which condition, how often; and what the audit is told."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from types import ModuleType

import pytest

from forceglue.simulated.salesforce.ids import full_id
from forceglue.simulated.salesforce.server import OrgServer
from lambdas.kit import Aws
from lambdas.rest_kit import ACCOUNT_ID, CONTACT_ID, OPPORTUNITY_ID, Client, Made
from lambdas.served import served


def test_a_field_that_does_not_fit_is_named(api: Client) -> None:
    for path, body, field in (
        ("/accounts", {"Name": 7}, "Name"),
        ("/accounts", {"Name": "a", "Phone": "1" * 41}, "Phone"),
        ("/contacts", {"LastName": "a", "AccountId": "nope"}, "AccountId"),
        ("/opportunities", {"Name": "a", "StageName": "b", "CloseDate": "soon"}, "CloseDate"),
        ("/opportunities", {"Name": "a", "StageName": "b", "CloseDate": "2025-12-31", "Amount": "many"}, "Amount"),
    ):
        status, code, words = api.refused("POST", path, body)
        assert (status, code) == (400, "VALIDATION_ERROR") and words.startswith(f"{field}: "), words


def test_a_field_that_salesforce_refuses_is_named(api: Client) -> None:
    stage = {"Name": "a", "StageName": "Nonsense", "CloseDate": "2025-12-31"}
    status, code, words = api.refused("POST", "/opportunities", stage)
    assert (status, code) == (400, "VALIDATION_ERROR") and "StageName" in words
    status, code, words = api.refused("PATCH", f"/contacts/{CONTACT_ID}", {"Email": "nobody"})
    assert (status, code) == (400, "VALIDATION_ERROR") and "Email" in words
    assert api.refused("POST", "/objects/Product2", {"ProductCode": "x"}) == (
        400, "MISSING_PARAMETERS", "Required field missing: Name",
    )  # fmt: skip


def test_only_mapped_fields_are_read_and_written(api: Client) -> None:
    for method, path, body in (
        ("POST", "/accounts", {"Name": "a", "Secret__c": "x"}),
        ("PATCH", f"/accounts/{ACCOUNT_ID}", {"Secret__c": "x"}),
        ("GET", f"/accounts/{ACCOUNT_ID}?fields=Name,Secret__c", None),
        ("POST", "/objects/Product2", {"Name": "a", "Hidden__c": "x"}),
        ("PUT", "/objects/Product2/Hidden__c/x", {"Name": "a"}),
    ):
        status, code, words = api.refused(method, path, body)
        assert (status, code) == (400, "VALIDATION_ERROR") and ("Secret__c" in words or "Hidden__c" in words)


def test_fields_are_chosen_in_any_case(api: Client) -> None:
    data = api.call("GET", f"/accounts/{ACCOUNT_ID}?fields=numberofemployees,Name").json()["data"]
    assert data == {"NumberOfEmployees": None, "Name": "Acme Corporation"}


def test_fields_of_the_mapping_may_be_given_beside_those_of_the_endpoint(api: Client) -> None:
    made = api.call("POST", "/accounts", {"Name": "a", "NumberOfEmployees": 7, "code__c": "k"}).json()["data"]
    stored = api.server.org.get("Account", made["record_id"])
    assert (stored["NumberOfEmployees"], stored["Code__c"]) == ("7", "k")


def test_any_object_with_a_mapping(api: Client) -> None:
    made = api.call("POST", "/objects/Product2", {"Name": "Lamp", "ProductCode": "L1"})
    assert made.status_code == 201
    path = f"/objects/product/{made.json()['data']['record_id']}"  # the name of the mapping is as good
    data = api.call("GET", path).json()["data"]
    assert data["Name"] == "Lamp" and set(data) == {"Id", "Name", "ProductCode", "Sku__c", "SystemModstamp"}
    assert api.call("PATCH", path, {"Name": "Lantern"}).json()["data"]["status"] == "updated"
    assert api.call("GET", f"{path}?fields=Name").json()["data"] == {"Name": "Lantern"}
    assert api.call("DELETE", path).json()["data"]["status"] == "deleted"
    assert api.refused("GET", path)[:2] == (404, "NOT_FOUND")
    assert api.refused("GET", f"/objects/Lead/{ACCOUNT_ID}")[:2] == (404, "NOT_FOUND")


def test_upsert_by_external_id(api: Client) -> None:
    first = api.call("PUT", "/objects/Product2/Sku__c/A%201", {"Name": "Lamp"})
    assert (first.status_code, first.json()["data"]["status"]) == (200, "created")
    again = api.call("PUT", "/objects/Product2/sku__c/A%201", {"Name": "Lantern"}).json()["data"]
    assert again == {"record_id": first.json()["data"]["record_id"], "status": "updated"}
    assert api.server.org.get("Product2", again["record_id"])["Sku__c"] == "A 1"
    first, second = api.audited()
    assert (first["operation"], first["after"]) == ("CREATE_PRODUCT2", {"Sku__c": "A 1", "Name": "Lamp"})
    assert (second["operation"], second["before"], second["after"]) == (
        "UPDATE_PRODUCT2", {"Name": "Lamp"}, {"Name": "Lantern"},
    )  # fmt: skip


def test_an_upsert_that_salesforce_refuses(api: Client) -> None:
    assert api.refused("PUT", "/objects/Product2/Sku__c/B", {"ProductCode": "x"}) == (
        400, "MISSING_PARAMETERS", "Required field missing: Name",
    )  # fmt: skip
    assert api.refused("PUT", "/objects/Product2/ProductCode/x", {"Name": "x"})[:2] == (404, "NOT_FOUND")
    assert api.audited() == []


def test_a_duplicate_is_told(api: Client) -> None:
    assert api.call("POST", "/accounts", {"Name": "a", "Code__c": "k"}).status_code == 201
    status, code, words = api.refused("POST", "/accounts", {"Name": "b", "Code__c": "k"})
    assert (status, code) == (409, "DUPLICATE") and "Code__c" in words


def test_ids_that_are_none_and_ids_of_others(api: Client) -> None:
    assert api.refused("GET", "/accounts/123")[:2] == (400, "VALIDATION_ERROR")
    for method in ("GET", "DELETE"):
        assert api.refused(method, "/accounts/001xx000003DHP9") == (404, "NOT_FOUND", "Account not found")
        assert api.refused(method, f"/accounts/{CONTACT_ID}") == (404, "NOT_FOUND", "Account not found")
    assert api.refused("PATCH", "/accounts/001xx000003DHP9", {"Name": "x"}) == (404, "NOT_FOUND", "Account not found")
    assert api.refused("PATCH", "/accounts/001xx000003DHP9", {})[:2] == (404, "NOT_FOUND")


# preconditions


def test_a_change_is_made_of_the_version_that_was_seen(api: Client) -> None:
    seen = api.call("GET", f"/accounts/{ACCOUNT_ID}")
    tag = seen.headers["ETag"]
    first = api.call("PATCH", f"/accounts/{ACCOUNT_ID}", {"Phone": "1"}, headers={"If-Match": tag})
    assert first.status_code == 200
    refused = api.refused("PATCH", f"/accounts/{ACCOUNT_ID}", {"Phone": "2"}, headers={"If-Match": tag})
    assert refused[:2] == (412, "PRECONDITION_FAILED")
    assert api.refused("DELETE", f"/accounts/{ACCOUNT_ID}", headers={"If-Match": tag})[0] == 412
    new = api.call("GET", f"/accounts/{ACCOUNT_ID}").headers["ETag"]
    assert new != tag and api.server.org.get("Account", str(full_id(ACCOUNT_ID)))["Phone"] == "1"
    several = {"If-Match": f"{tag}, W/{new}"}
    assert api.call("DELETE", f"/accounts/{ACCOUNT_ID}", headers=several).status_code == 200


def test_a_change_between_our_look_and_our_write_is_seen_by_salesforce(api: Client) -> None:
    tag = api.call("GET", f"/accounts/{ACCOUNT_ID}").headers["ETag"]
    late = lambda: api.server.org.update("Account", str(full_id(ACCOUNT_ID)), {"Phone": "9"})  # noqa: E731
    api.server.faults.then(late, path="/sobjects/Account/")
    refused = api.refused("PATCH", f"/accounts/{ACCOUNT_ID}", {"Phone": "2"}, headers={"If-Match": tag})
    assert refused[:2] == (412, "PRECONDITION_FAILED")
    assert api.server.org.get("Account", str(full_id(ACCOUNT_ID)))["Phone"] == "9"


def test_unmodified_since(api: Client) -> None:
    said = api.call("GET", f"/accounts/{ACCOUNT_ID}").headers["Last-Modified"]
    before = "Wed, 01 Jan 2020 00:00:00 GMT"
    path = f"/accounts/{ACCOUNT_ID}"
    assert api.refused("PATCH", path, {"Phone": "1"}, headers={"If-Unmodified-Since": before})[0] == 412
    assert api.call("PATCH", path, {"Phone": "1"}, headers={"If-Unmodified-Since": said}).status_code == 200
    assert api.refused("PATCH", path, {"Phone": "1"}, headers={"If-Unmodified-Since": "soon"})[0] == 400
    assert api.call("PATCH", path, {"Phone": "3"}, headers={"If-Match": "*"}).status_code == 200


# idempotency keys


def test_a_post_with_a_key_is_done_once(api: Client) -> None:
    key = {"Idempotency-Key": "k-1"}
    before = api.server.org.count("Account")
    first = api.call("POST", "/accounts", {"Name": "a"}, headers=key)
    again = api.call("POST", "/accounts", {"Name": "a"}, headers=key)
    assert (again.status_code, again.json()) == (first.status_code, first.json()) == (201, first.json())
    assert api.server.org.count("Account") == before + 1 and len(api.audited()) == 1
    assert api.refused("POST", "/accounts", {"Name": "b"}, headers=key)[:2] == (409, "IDEMPOTENCY_CONFLICT")
    assert api.call("POST", "/accounts", {"Name": "a"}, headers={"Idempotency-Key": "k-2"}).status_code == 201


def test_a_refusal_is_not_kept_for_a_key(api: Client) -> None:
    key = {"Idempotency-Key": "k-1"}
    assert api.refused("POST", "/accounts", {"Name": "a", "Nope__c": "x"}, headers=key)[0] == 400
    assert api.call("POST", "/accounts", {"Name": "a"}, headers=key).status_code == 201


def test_a_key_is_its_callers_own(function: ModuleType, api: Client) -> None:
    key = {"Idempotency-Key": "k-1"}
    mine = api.call("POST", "/accounts", {"Name": "a"}, headers=key).json()["data"]
    with served(function.handler, lambda _: {"identity": {"userArn": "arn:other"}}) as url:
        other = Client(url, api.server, None, api.made).call("POST", "/accounts", {"Name": "a"}, headers=key)
    assert other.json()["data"]["record_id"] != mine["record_id"]


def test_a_key_whose_first_request_is_under_way(function: ModuleType, made: Made) -> None:
    from common.api.callers import Caller
    from common.api.problems import Problem
    from common.api.transaction import Transaction
    from lambdas.gateway import Context
    from rest_api.asking import Asking
    from rest_api.repeated import Repeats

    asking = Asking(Transaction("", "c", "l", "/accounts", "POST"), Caller("me", frozenset()))
    one, other = (Repeats(made.table, asking, "{}", Context()) for _ in range(2))

    def twice() -> dict[str, object]:
        with pytest.raises(Problem) as refused:
            other.once("k", pytest.fail)
        assert (refused.value.status, refused.value.code) == (409, "IN_PROGRESS")
        assert refused.value.headers == {"Retry-After": "1"}
        return {"done": True}

    assert one.once("k", twice) == {"done": True} == other.once("k", pytest.fail)


def test_what_may_have_been_made_is_not_made_again_under_its_key(api: Client) -> None:
    key = {"Idempotency-Key": "k-1"}
    api.call("GET", "/health")
    before = api.server.org.count("Account")
    api.server.faults.cut(0, path="/sobjects/Account")
    assert api.refused("POST", "/accounts", {"Name": "a"}, headers=key)[:2] == (504, "OUTCOME_UNKNOWN")
    assert api.refused("POST", "/accounts", {"Name": "a"}, headers=key)[:2] == (504, "OUTCOME_UNKNOWN")
    assert api.server.org.count("Account") == before + 1


# callers


@pytest.mark.parametrize(
    ("scope", "read", "write", "delete"),
    [
        ("forceglue/read", 200, 403, 403), ("forceglue/write", 403, 200, 403), ("forceglue/delete", 403, 403, 200),
        ("forceglue/read:Account forceglue/write:account", 200, 200, 403), ("forceglue/read:Contact", 403, 403, 403),
        ("other/read other/write", 403, 403, 403), ("", 403, 403, 403),
    ],
)  # fmt: skip
def test_callers_do_what_their_scopes_say(
    function: ModuleType, server: OrgServer, made: Made, scope: str, read: int, write: int, delete: int
) -> None:
    with served(function.handler, lambda _: {"authorizer": {"claims": {"client_id": "c", "scope": scope}}}) as url:
        one = Client(url, server, None, made)
        path = f"/accounts/{ACCOUNT_ID}"
        assert one.call("GET", path).status_code == read
        assert one.call("PATCH", path, {"Phone": "1"}).status_code == write
        assert one.call("DELETE", path).status_code == delete


# the audit


def test_a_change_is_told_with_what_was_and_is(function: ModuleType, api: Client) -> None:
    who = {"authorizer": {"claims": {"client_id": "billing", "scope": "forceglue/write"}}}
    with served(function.handler, lambda _: who) as url:
        one = Client(url, api.server, api._sqs, api.made)
        headers = {"X-Correlation-Id": "c-77", "X-Application-Label": "Billing"}
        change = {"Phone": "555-0", "Industry": "Technology"}
        answer = one.call("PATCH", f"/accounts/{ACCOUNT_ID}", change, headers=headers)
        assert answer.headers["X-Correlation-Id"] == "c-77"
        (entry,) = one.audited()
    assert datetime.fromisoformat(entry.pop("timestamp")) > datetime.now().astimezone() - timedelta(minutes=1)
    assert entry.pop("id")
    assert entry == {
        "operation": "UPDATE_ACCOUNT", "object": "Account", "record_id": ACCOUNT_ID, "caller": "billing",
        "application_label": "Billing", "correlation_id": "c-77",
        "before": {"Phone": "555-123-4567"}, "after": {"Phone": "555-0"},  # Industry is what it was
    }  # fmt: skip


def test_personal_fields_are_masked(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from rest_api import parts

    api.call("PATCH", f"/contacts/{CONTACT_ID}", {"FirstName": "Jonathan", "Email": None})
    (entry,) = api.audited()
    assert entry["before"] == {"FirstName": "***", "Email": "***"}
    assert entry["after"] == {"FirstName": "***", "Email": None}
    monkeypatch.setenv("PERSONAL_FIELDS", "Account.Phone, Amount")
    parts.parts.cache_clear()
    api.call("PATCH", f"/accounts/{ACCOUNT_ID}", {"Phone": "1", "Industry": "x"})
    api.call("PATCH", f"/opportunities/{OPPORTUNITY_ID}", {"Amount": 1})
    first, second = api.audited()
    assert first["after"] == {"Phone": "***", "Industry": "x"} and second["after"] == {"Amount": "***"}


def test_creations_and_deletions_are_told(api: Client) -> None:
    made = api.call("POST", "/accounts", {"Name": "a", "Phone": "1"}).json()["data"]["record_id"]
    api.call("DELETE", f"/accounts/{made}")
    first, second = api.audited()
    assert (first["operation"], first["before"], first["after"]) == (
        "CREATE_ACCOUNT", {"Name": None, "Phone": None}, {"Name": "a", "Phone": "1"},
    )  # fmt: skip
    assert (second["operation"], second["record_id"]) == ("DELETE_ACCOUNT", made)
    assert second["before"]["Name"] == "a" and set(second["after"].values()) == {None}


def test_what_is_refused_is_not_told(api: Client) -> None:
    api.refused("PATCH", f"/contacts/{CONTACT_ID}", {"Email": "nobody"})
    api.refused("DELETE", "/accounts/001xx000003DHP9")
    assert api.audited() == []


def test_an_entry_that_the_queue_does_not_take_is_in_the_log(
    api: Client, aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from rest_api import parts

    monkeypatch.setenv("AUDIT_QUEUE_URL", f"{aws.url}/123456789012/gone")
    parts.parts.cache_clear()
    assert api.call("PATCH", f"/contacts/{CONTACT_ID}", {"FirstName": "Jo"}).status_code == 200
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "did not take" in line]
    ((entry,),) = [json.loads(line["entries"]) for line in told]
    assert entry["record_id"] == CONTACT_ID and entry["after"] == {"FirstName": "***"}


# what comes with every answer


def test_a_transaction_is_named_in_every_answer(api: Client) -> None:
    answer = api.call("GET", "/health")
    assert len(answer.headers["X-Correlation-Id"]) == 36 and answer.headers["X-Application-Label"]
    for path in ("/nowhere", "/accounts/1", "/openapi.json"):
        headers = {"x-correlation-id": "mine", "x-application-label": "me"}
        answer = api.call("GET", path, headers=headers)
        assert (answer.headers["X-Correlation-Id"], answer.headers["X-Application-Label"]) == ("mine", "me")
    strange = api.call("GET", "/health", headers={"X-Correlation-Id": "<script>"})
    assert strange.headers["X-Correlation-Id"] != "<script>"


def test_paths_and_methods_that_are_none(api: Client) -> None:
    assert api.refused("GET", "/nowhere")[:2] == (404, "NOT_FOUND")
    answer = api.call("PUT", f"/accounts/{ACCOUNT_ID}", {})
    assert answer.status_code == 405 and answer.headers["Allow"] == "DELETE, GET, PATCH"
    refused = api.refused("POST", "/accounts", data="Name=a", headers={"Content-Type": "text/plain"})
    assert refused[:2] == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("body", ['{"Name": NaN}', '{"Name": "\\ud800"}', "[" * 100_000, "", "null", "7", '"x"', "[]"])
def test_bodies_that_are_no_record(api: Client, body: str) -> None:
    status, code, _ = api.refused("POST", "/accounts", data=body, headers={"Content-Type": "application/json"})
    assert status == 400 and code in ("INVALID_JSON", "MISSING_PARAMETERS", "VALIDATION_ERROR")
