"""The examples of the API's description, each answered as it is written; ids are the org's own."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from forceglue.simulated.salesforce.ids import full_id
from lambdas.rest_kit import ACCOUNT_ID, CONTACT_ID, OPPORTUNITY_ID, Client

ACME = {
    "Name": "Acme Corporation", "Phone": "555-123-4567", "Website": "https://acme.com", "Industry": "Technology",
    "BillingCity": "San Francisco", "BillingCountry": "USA",
}  # fmt: skip
CREATED = "2025-01-01T00:00:00.000+0000"


def answered(api: Client, method: str, path: str, body: object = None, status: int = 200) -> dict[str, object]:
    """The data of an answer, whose envelope is looked at: three members, the time of now, JSON."""
    answer = api.call(method, path, body)
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    told = answer.json()
    assert list(told) == ["success", "data", "timestamp"] and told["success"] is True
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}", told["timestamp"])
    at = datetime.fromisoformat(told["timestamp"]).replace(tzinfo=UTC)
    assert abs((datetime.now(UTC) - at).total_seconds()) < 60
    return told["data"]


def an_id(value: object, prefix: str) -> bool:
    return isinstance(value, str) and value.startswith(prefix) and full_id(value) == value


def test_create_account(api: Client) -> None:
    data = answered(api, "POST", "/accounts", ACME, 201)
    assert an_id(data["record_id"], "001")
    assert data == {"record_id": data["record_id"], "account_name": "Acme Corporation"}
    stored = api.server.org.get("Account", str(data["record_id"]))
    assert {name: stored[name] for name in ACME} == ACME


def test_get_account(api: Client) -> None:
    data = answered(api, "GET", f"/accounts/{ACCOUNT_ID}")
    assert data == {"Id": full_id(ACCOUNT_ID), **ACME, "CreatedDate": CREATED}
    assert list(data) == ["Id", *ACME, "CreatedDate"]


def test_update_account(api: Client) -> None:
    change = {
        "Name": "Acme Corporation Updated", "Phone": "555-987-6543", "Website": "https://newacme.com",
        "Industry": "Software", "BillingCity": "Seattle", "BillingCountry": "USA",
    }  # fmt: skip
    data = answered(api, "PATCH", f"/accounts/{ACCOUNT_ID}", change)
    assert data == {"record_id": ACCOUNT_ID, "status": "updated"}
    stored = api.server.org.get("Account", str(full_id(ACCOUNT_ID)))
    assert {name: stored[name] for name in change} == change


@pytest.mark.parametrize(
    ("path", "record_id", "name"),
    [
        ("/accounts", ACCOUNT_ID, "Account"),
        ("/contacts", CONTACT_ID, "Contact"),
        ("/opportunities", OPPORTUNITY_ID, "Opportunity"),
    ],
)
def test_delete(api: Client, path: str, record_id: str, name: str) -> None:
    data = answered(api, "DELETE", f"{path}/{record_id}")
    assert data == {"record_id": record_id, "status": "deleted"}
    assert api.server.org.get(name, str(full_id(record_id)))["IsDeleted"] == "true"  # in the recycle bin
    assert api.refused("GET", f"{path}/{record_id}") == (404, "NOT_FOUND", f"{name} not found")


def test_create_contact(api: Client) -> None:
    given = {"FirstName": "John", "LastName": "Doe", "Email": "john.doe@acme.com", "Phone": "555-123-4567",
             "AccountId": ACCOUNT_ID}  # fmt: skip
    data = answered(api, "POST", "/contacts", given, 201)
    assert an_id(data["record_id"], "003")
    assert data == {"record_id": data["record_id"], "contact_name": "John Doe"}


def test_get_contact(api: Client) -> None:
    assert answered(api, "GET", f"/contacts/{CONTACT_ID}") == {
        "Id": full_id(CONTACT_ID), "FirstName": "John", "LastName": "Doe", "Email": "john.doe@acme.com",
        "Phone": "555-123-4567", "AccountId": full_id(ACCOUNT_ID), "CreatedDate": CREATED,
    }  # fmt: skip


def test_update_contact(api: Client) -> None:
    change = {"FirstName": "Jonathan", "LastName": "Smith", "Email": "jonathan.smith@acme.com",
              "Phone": "555-987-6543"}  # fmt: skip
    assert answered(api, "PATCH", f"/contacts/{CONTACT_ID}", change) == {"record_id": CONTACT_ID, "status": "updated"}
    assert api.server.org.get("Contact", str(full_id(CONTACT_ID)))["Name"] == "Jonathan Smith"


def test_create_opportunity(api: Client) -> None:
    given = {"Name": "Enterprise Deal", "Amount": 150000.00, "StageName": "Prospecting", "CloseDate": "2025-12-31",
             "AccountId": ACCOUNT_ID}  # fmt: skip
    data = answered(api, "POST", "/opportunities", given, 201)
    assert an_id(data["record_id"], "006")
    assert data == {"record_id": data["record_id"], "opportunity_name": "Enterprise Deal", "amount": 150000.00}


@pytest.mark.parametrize(
    "stage",
    [
        "Prospecting", "Qualification", "Needs Analysis", "Value Proposition", "Proposal/Price Quote",
        "Negotiation/Review", "Closed Won", "Closed Lost",
    ],
)  # fmt: skip
def test_every_standard_stage_is_taken(api: Client, stage: str) -> None:
    answered(api, "PATCH", f"/opportunities/{OPPORTUNITY_ID}", {"StageName": stage})


def test_get_opportunity(api: Client) -> None:
    assert answered(api, "GET", f"/opportunities/{OPPORTUNITY_ID}") == {
        "Id": full_id(OPPORTUNITY_ID), "Name": "Enterprise Deal", "Amount": 150000.00,
        "StageName": "Proposal/Price Quote", "CloseDate": "2025-12-31", "AccountId": full_id(ACCOUNT_ID),
        "Probability": 75, "CreatedDate": CREATED,
    }  # fmt: skip


def test_update_opportunity(api: Client) -> None:
    change = {"Name": "Enterprise Deal - Updated", "Amount": 200000.00, "StageName": "Negotiation/Review",
              "CloseDate": "2025-06-30"}  # fmt: skip
    data = answered(api, "PATCH", f"/opportunities/{OPPORTUNITY_ID}", change)
    assert data == {"record_id": OPPORTUNITY_ID, "status": "updated"}
    assert api.server.org.get("Opportunity", str(full_id(OPPORTUNITY_ID)))["Amount"] == "200000.0"


def test_query(api: Client) -> None:
    api.server.org.load("Account", [
        {"Id": "001xx000003DHP2", "Name": "TechCorp Inc", "Phone": "555-987-6543", "Industry": "Technology"},
        {"Id": "001xx000003DHP3", "Name": "Grain Ltd", "Industry": "Farming"},
    ])  # fmt: skip
    soql = "SELECT Id, Name, Phone FROM Account WHERE Industry = 'Technology' LIMIT 100"
    assert answered(api, "POST", "/query", {"soql": soql}) == {
        "total_size": 2,
        "done": True,
        "records": [
            {"Id": full_id("001xx000003DHP1"), "Name": "Acme Corporation", "Phone": "555-123-4567"},
            {"Id": full_id("001xx000003DHP2"), "Name": "TechCorp Inc", "Phone": "555-987-6543"},
        ],
    }


def test_accounts_with_their_contacts(api: Client) -> None:
    soql = "SELECT Id, Name, (SELECT Id, FirstName, LastName FROM Contacts) FROM Account"
    data = answered(api, "POST", "/query", {"soql": soql})
    inner = [{"Id": full_id(CONTACT_ID), "FirstName": "John", "LastName": "Doe"}]
    assert data["records"] == [
        {
            "Id": full_id(ACCOUNT_ID),
            "Name": "Acme Corporation",
            "Contacts": {"total_size": 1, "done": True, "records": inner},
        }
    ]


def test_high_value_opportunities(api: Client) -> None:
    soql = (
        "SELECT Id, Name, Amount, StageName FROM Opportunity \n"
        "WHERE Amount > 100000 AND StageName != 'Closed Lost'\nORDER BY Amount DESC"
    )
    record = {"Id": full_id(OPPORTUNITY_ID), "Name": "Enterprise Deal", "Amount": 150000.00,
              "StageName": "Proposal/Price Quote"}  # fmt: skip
    assert answered(api, "POST", "/query", {"soql": soql})["records"] == [record]


def test_count_of_records(api: Client) -> None:
    soql = "SELECT COUNT() FROM Account WHERE Industry = 'Technology'"
    assert answered(api, "POST", "/query", {"soql": soql}) == {"total_size": 1, "done": True, "records": []}


COMPANIES = [
    {"Name": "Company 1", "Phone": "555-0001", "Industry": "Technology"},
    {"Name": "Company 2", "Phone": "555-0002", "Industry": "Manufacturing"},
    {"Name": "Company 3", "Phone": "555-0003", "Industry": "Finance"},
]


def test_batch_of_accounts(api: Client) -> None:
    data = answered(api, "POST", "/batch/accounts", COMPANIES, 201)
    ids = [result["record_id"] for result in data["results"]]
    assert all(an_id(one, "001") for one in ids)
    results = [{"success": True, "record_id": one, "error": None} for one in ids]
    assert data == {"total": 3, "successful": 3, "failed": 0, "results": results}
    assert [api.server.org.get("Account", one)["Name"] for one in ids] == ["Company 1", "Company 2", "Company 3"]


def test_batch_with_partial_success(api: Client) -> None:
    data = answered(api, "POST", "/batch/accounts", [COMPANIES[0], {"Phone": "555-0002"}, COMPANIES[2]], 201)
    first, _, third = data["results"]
    assert (data["total"], data["successful"], data["failed"]) == (3, 2, 1)
    assert data["results"][1] == {"success": False, "record_id": None, "error": "Required field missing: Name"}
    assert first["success"] and third["success"]


def test_health(api: Client) -> None:
    assert answered(api, "GET", "/health") == {
        "status": "healthy", "salesforce_connected": True, "function": "aws_salesforce_lambda", "version": "1.0.0"
    }  # fmt: skip


def test_health_where_salesforce_does_not_let_it_in(api: Client) -> None:
    api.server.org.access.apps["app"].client_secret = "another"
    data = answered(api, "GET", "/health")
    assert (data["status"], data["salesforce_connected"]) == ("degraded", False)
    assert str(data["error"]).startswith("Authentication failed: ")
    assert set(data) == {"status", "salesforce_connected", "error"}


def test_a_body_that_is_no_json(api: Client) -> None:
    refused = api.refused("POST", "/accounts", data='{"Name": ', headers={"Content-Type": "application/json"})
    assert refused == (400, "INVALID_JSON", "Invalid JSON in request body")


def test_required_parameters(api: Client) -> None:
    assert api.refused("POST", "/accounts", {"Phone": "1"}) == (
        400, "MISSING_PARAMETERS", "Required field missing: Name",
    )  # fmt: skip
    assert api.refused("POST", "/query", {})[:2] == (400, "MISSING_PARAMETERS")


def test_soql_that_is_none(api: Client) -> None:
    status, code, words = api.refused("POST", "/query", {"soql": "SELECT Id FORM Account"})
    assert ((status, code) == (400, "QUERY_ERROR") and "'FORM'" in words) or "Account" in words


def test_salesforce_does_not_let_the_service_in(api: Client) -> None:
    api.server.org.access.apps["app"].client_secret = "another"
    status, code, words = api.refused("GET", f"/accounts/{ACCOUNT_ID}")
    assert (status, code) == (500, "AUTH_ERROR") and words.startswith("Authentication failed: ")
