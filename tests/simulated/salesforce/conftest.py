"""A small org on a real socket, and a client that is signed in."""

from datetime import UTC, datetime

import pytest
import requests

from forceglue.simulated.salesforce import Org, SetClock, serve

NOW = datetime(2026, 11, 15, 10, 30, tzinfo=UTC)


def text(name, **more):
    return {"name": name, "type": "string", "length": 255, **more}


ACCOUNT = {
    "name": "Account",
    "keyPrefix": "001",
    "fields": [
        {"name": "Id", "type": "id"},
        {"name": "IsDeleted", "type": "boolean"},
        {"name": "MasterRecordId", "type": "reference", "referenceTo": ["Account"]},
        text("Name", nillable=False),
        {"name": "Industry", "type": "picklist", "picklistValues": ["Media", "Foods"], "restrictedPicklist": True},
        {"name": "Tags__c", "type": "multipicklist", "picklistValues": ["a", "b", "c"]},
        {"name": "AnnualRevenue", "type": "currency", "precision": 18, "scale": 2},
        {"name": "NumberOfEmployees", "type": "int"},
        {"name": "Description", "type": "textarea", "length": 131072},
        {"name": "BillingAddress", "type": "address"},
        {"name": "Founded__c", "type": "date"},
        {"name": "Active__c", "type": "boolean"},
        text("Code__c", externalId=True, unique=True),
        {"name": "Score__c", "type": "double", "precision": 18, "scale": 4, "calculated": True},
        {"name": "OwnerId", "type": "reference", "referenceTo": ["User"]},
        {"name": "CreatedDate", "type": "datetime"},
        {"name": "CreatedById", "type": "reference", "referenceTo": ["User"]},
        {"name": "LastModifiedDate", "type": "datetime"},
        {"name": "LastModifiedById", "type": "reference", "referenceTo": ["User"]},
        {"name": "SystemModstamp", "type": "datetime"},
    ],
}
CONTACT = {
    "name": "Contact",
    "fields": [
        {"name": "Id", "type": "id"},
        {"name": "IsDeleted", "type": "boolean"},
        text("LastName", nillable=False, length=80),
        {"name": "AccountId", "type": "reference", "referenceTo": ["Account"]},
        {"name": "OwnerId", "type": "reference", "referenceTo": ["Group", "User"]},
        {"name": "Email", "type": "email"},
        {"name": "CreatedDate", "type": "datetime"},
        {"name": "LastModifiedDate", "type": "datetime"},
        {"name": "SystemModstamp", "type": "datetime"},
    ],
}
USER = {"name": "User", "fields": [{"name": "Id", "type": "id"}, text("Username"), text("Name")]}


@pytest.fixture
def clock():
    return SetClock(NOW)


@pytest.fixture
def org(clock):
    with Org(clock=clock) as made:
        made.define(ACCOUNT, CONTACT, USER)
        made.load("User", [{"Id": made.access.administrator.id, "Username": "integration@example.com", "Name": "Ivy"}])
        made.access.add_app("app", "app-secret", run_as="integration@example.com")
        yield made


@pytest.fixture
def server(org):
    with serve(org) as running:
        yield running


class Client:
    """requests, with a token and the root of one API version."""

    def __init__(self, server, version="60.0"):
        self.server, self.session = server, requests.Session()
        form = {"grant_type": "client_credentials", "client_id": "app", "client_secret": "app-secret"}
        told = requests.post(server.token_url, data=form, timeout=30).json()
        self.session.headers["Authorization"] = f"Bearer {told['access_token']}"
        self.root = f"{server.url}/services/data/v{version}"

    def call(self, method, path, **more):
        url = f"{self.server.url}{path}" if path.startswith("/services") else f"{self.root}{path}"
        return self.session.request(method, url, timeout=30, **more)

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def query(self, soql, *, deleted=False, **more):
        return self.get("/queryAll" if deleted else "/query", params={"q": soql}, **more)

    def records(self, soql, *, deleted=False):
        """All records of a query, without attributes."""
        answer = self.query(soql, deleted=deleted).json()
        found = answer["records"]
        while not answer["done"]:
            answer = self.get(answer["nextRecordsUrl"]).json()
            found += answer["records"]
        return [_bare(record) for record in found]

    def error(self, soql):
        answer = self.query(soql)
        assert answer.status_code == 400
        return answer.json()[0]


def _bare(record):
    return {
        key: _bare(value) if isinstance(value, dict) and "attributes" in value else value
        for key, value in record.items()
        if key != "attributes"
    }


@pytest.fixture
def client(server):
    with_token = Client(server)
    yield with_token
    with_token.session.close()
