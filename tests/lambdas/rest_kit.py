"""An org with the objects of the API's examples, and the API in front of it."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

import requests

from forceglue.simulated.salesforce import Org
from forceglue.simulated.salesforce.server import OrgServer
from lambdas.kit import CLIENT, SECRET, USER, Aws

ACCOUNT_ID, CONTACT_ID, OPPORTUNITY_ID = "001xx000003DHP1", "003xx000004DAA1", "006xx000003DMIA"
CREATED = "2025-01-01T00:00:00.000Z"
STAGES = [
    "Prospecting", "Qualification", "Needs Analysis", "Value Proposition", "Proposal/Price Quote",
    "Negotiation/Review", "Closed Won", "Closed Lost",
]  # fmt: skip


def text(name: str, length: int = 255, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "string", "length": length, **more}


def _system() -> list[dict[str, Any]]:
    return [
        {"name": "IsDeleted", "type": "boolean"},
        {"name": "OwnerId", "type": "reference", "referenceTo": ["User"]},
        {"name": "CreatedDate", "type": "datetime"},
        {"name": "LastModifiedDate", "type": "datetime"},
        {"name": "SystemModstamp", "type": "datetime"},
    ]


ACCOUNT = {
    "name": "Account",
    "fields": [
        {"name": "Id", "type": "id"}, text("Name", nillable=False), {"name": "Phone", "type": "phone", "length": 40},
        {"name": "Website", "type": "url", "length": 255}, text("Industry"), text("BillingCity", 40),
        text("BillingCountry", 80), text("Code__c", externalId=True, unique=True), text("Secret__c"),
        {"name": "NumberOfEmployees", "type": "int"},
        {"name": "ParentId", "type": "reference", "referenceTo": ["Account"]}, *_system(),
    ],
}  # fmt: skip
CONTACT = {
    "name": "Contact",
    "fields": [
        {"name": "Id", "type": "id"}, text("FirstName", 40), text("LastName", 80, nillable=False), text("Name", 121),
        {"name": "Email", "type": "email", "length": 80}, {"name": "Phone", "type": "phone", "length": 40},
        {"name": "AccountId", "type": "reference", "referenceTo": ["Account"]}, *_system(),
    ],
}  # fmt: skip
OPPORTUNITY = {
    "name": "Opportunity",
    "fields": [
        {"name": "Id", "type": "id"}, text("Name", 120, nillable=False),
        {"name": "Amount", "type": "currency", "precision": 18, "scale": 2},
        {"name": "StageName", "type": "picklist", "picklistValues": STAGES, "restrictedPicklist": True,
         "nillable": False},
        {"name": "CloseDate", "type": "date", "nillable": False},
        {"name": "AccountId", "type": "reference", "referenceTo": ["Account"]},
        {"name": "Probability", "type": "percent", "precision": 3, "scale": 0}, *_system(),
    ],
}  # fmt: skip
PRODUCT = {
    "name": "Product2",
    "fields": [
        {"name": "Id", "type": "id"}, text("Name", nillable=False), text("ProductCode"), text("Hidden__c"),
        text("Sku__c", externalId=True, unique=True), *_system(),
    ],
}  # fmt: skip
USERS = {"name": "User", "fields": [{"name": "Id", "type": "id"}, text("Username"), text("Name")]}
LEAD = {"name": "Lead", "fields": [{"name": "Id", "type": "id"}, text("LastName", nillable=False), *_system()]}
"""An object that no mapping knows."""

OBJECTS = {
    "objects": {
        "Account": {
            "mapping": "account", "never": ["secret__c"], "personal": [], "parents": {"Parent": ["Account"]},
            "fields": ["Id", "Name", "Phone", "Code__c", "NumberOfEmployees", "ParentId", "SystemModstamp"],
        },
        "Contact": {"mapping": "contact", "never": [], "personal": ["email"], "parents": {}, "fields": ["Id"]},
        "Product2": {
            "mapping": "product", "never": ["hidden__c"], "personal": [], "parents": {},
            "fields": ["Id", "Name", "ProductCode", "Sku__c", "SystemModstamp"],
        },
    }
}  # fmt: skip


def filled(org: Org) -> Org:
    """The org with an app, the objects, and the records that the examples ask for."""
    org.access.add_app(CLIENT, SECRET, run_as=USER)
    org.define(ACCOUNT, CONTACT, OPPORTUNITY, PRODUCT, USERS, LEAD)
    org.load("User", [{"Id": org.access.administrator.id, "Username": USER, "Name": "Ivy"}])
    org.load("Account", [{
        "Id": ACCOUNT_ID, "Name": "Acme Corporation", "Phone": "555-123-4567", "Website": "https://acme.com",
        "Industry": "Technology", "BillingCity": "San Francisco", "BillingCountry": "USA", "CreatedDate": CREATED,
        "Secret__c": "hush",
    }])  # fmt: skip
    org.load("Contact", [{
        "Id": CONTACT_ID, "FirstName": "John", "LastName": "Doe", "Name": "John Doe", "Email": "john.doe@acme.com",
        "Phone": "555-123-4567", "AccountId": ACCOUNT_ID, "CreatedDate": CREATED,
    }])  # fmt: skip
    org.load("Opportunity", [{
        "Id": OPPORTUNITY_ID, "Name": "Enterprise Deal", "Amount": 150000, "StageName": "Proposal/Price Quote",
        "CloseDate": "2025-12-31", "AccountId": ACCOUNT_ID, "Probability": 75, "CreatedDate": CREATED,
    }])  # fmt: skip
    return org


@dataclass
class Made:
    """What the function uses on AWS."""

    queue: str
    table: str


def made_on(aws: Aws, sqs: Any) -> Made:
    name = f"rest-api-{uuid.uuid4().hex[:8]}"
    aws.dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    return Made(sqs.create_queue(QueueName=name)["QueueUrl"], name)


class Client:
    """An application that uses the API."""

    def __init__(self, url: str, server: OrgServer, sqs: Any, made: Made) -> None:
        self.url, self.server, self._sqs, self.made = url, server, sqs, made
        self.session = requests.Session()

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        if body is not None:
            more["json"] = body
        return self.session.request(method, f"{self.url}{path}", timeout=60, **more)

    def refused(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, str, str]:
        """Status, code and words of a refusal, whose envelope is looked at."""
        answer = self.call(method, path, body, **more)
        told = answer.json()
        assert set(told) == {"success", "error", "error_code", "timestamp"} and told["success"] is False
        return answer.status_code, told["error_code"], told["error"]

    def audited(self) -> list[dict[str, Any]]:
        """The entries that are in the queue."""
        found: list[dict[str, Any]] = []
        while messages := self._sqs.receive_message(QueueUrl=self.made.queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found += json.loads(message["Body"])
                self._sqs.delete_message(QueueUrl=self.made.queue, ReceiptHandle=message["ReceiptHandle"])
        return found
