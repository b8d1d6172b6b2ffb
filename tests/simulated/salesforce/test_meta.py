import pytest
import requests

from forceglue.errors import UsageError
from forceglue.simulated.salesforce import Org

FIELD_KEYS = {
    "name",
    "label",
    "type",
    "soapType",
    "length",
    "byteLength",
    "precision",
    "scale",
    "digits",
    "nillable",
    "calculated",
    "calculatedFormula",
    "compoundFieldName",
    "referenceTo",
    "relationshipName",
    "polymorphicForeignKey",
    "namePointing",
    "picklistValues",
    "restrictedPicklist",
    "encrypted",
    "custom",
    "permissionable",
    "unique",
    "externalId",
    "caseSensitive",
    "inlineHelpText",
    "createable",
    "updateable",
    "filterable",
    "sortable",
    "groupable",
    "defaultValue",
}


def test_versions_are_told_to_anybody(server):
    told = requests.get(f"{server.url}/services/data", timeout=30).json()
    assert [entry["version"] for entry in told] == [f"{n}.0" for n in range(58, 68)]
    assert [told[0]["label"], told[-1]["label"]] == ["Summer '23", "Summer '26"]
    assert told[2] == {"label": "Spring '24", "url": "/services/data/v60.0", "version": "60.0"}


def test_a_version_that_is_not_spoken(client):
    answer = client.get("/services/data/v99.0/limits")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (404, "NOT_FOUND")


def test_describe_has_the_keys_that_salesforce_sends(client):
    told = client.get("/sobjects/account/describe").json()
    assert told["name"] == "Account"
    assert told["keyPrefix"] == "001"
    assert told["urls"]["describe"] == "/services/data/v60.0/sobjects/Account/describe"
    assert {"queryable", "replicateable", "retrieveable", "createable", "childRelationships"} <= told.keys()
    fields = {field["name"]: field for field in told["fields"]}
    for field in fields.values():
        assert field.keys() >= FIELD_KEYS
    assert (fields["AnnualRevenue"]["precision"], fields["AnnualRevenue"]["scale"]) == (18, 2)
    assert [entry["value"] for entry in fields["Industry"]["picklistValues"]] == ["Media", "Foods"]
    assert fields["BillingCity"]["compoundFieldName"] == "BillingAddress"
    assert fields["OwnerId"]["relationshipName"] == "Owner"
    assert fields["Score__c"]["calculated"]
    assert not fields["Score__c"]["updateable"]
    children = {(entry["childSObject"], entry["field"]) for entry in told["childRelationships"]}
    assert ("Contact", "AccountId") in children


def test_the_global_describe_and_the_basic_one(client):
    told = client.get("/sobjects").json()
    assert [entry["name"] for entry in told["sobjects"]] == ["Account", "Contact", "User"]
    assert "fields" not in told["sobjects"][0]
    assert client.get("/sobjects/Contact").json()["objectDescribe"]["name"] == "Contact"
    assert client.get("/sobjects/Nothing/describe").status_code == 404


def test_field_level_security_says_nothing(org, client):
    org.hide_field("Account", "AnnualRevenue")
    names = [field["name"] for field in client.get("/sobjects/Account/describe").json()["fields"]]
    assert "AnnualRevenue" not in names
    assert client.error("SELECT AnnualRevenue FROM Account")["errorCode"] == "INVALID_FIELD"
    org.hide_field("Account", "AnnualRevenue", hidden=False)
    assert client.query("SELECT AnnualRevenue FROM Account").status_code == 200


def test_an_administrator_changes_fields(org, client):
    org.load("Account", [{"Name": "a", "Founded__c": "2020-01-01"}])
    org.add_field("Account", {"name": "New__c", "type": "string", "length": 10})
    assert client.records("SELECT Name, New__c FROM Account") == [{"Name": "a", "New__c": None}]
    org.change_field("Account", "New__c", length=40, label="Newer")
    org.change_field("Account", "AnnualRevenue", type="string", length=30)
    fields = {field["name"]: field for field in client.get("/sobjects/Account/describe").json()["fields"]}
    assert (fields["New__c"]["length"], fields["New__c"]["label"]) == (40, "Newer")
    assert (fields["AnnualRevenue"]["type"], fields["AnnualRevenue"]["soapType"]) == ("string", "xsd:string")
    org.remove_field("Account", "Founded__c")
    assert client.error("SELECT Founded__c FROM Account")["errorCode"] == "INVALID_FIELD"
    org.add_field("Account", {"name": "Founded__c", "type": "date"})
    assert client.records("SELECT Founded__c FROM Account") == [{"Founded__c": None}]


def test_names_alone_make_an_object_with_types_that_suit():
    names = ["Id", "Name", "AccountId", "OwnerId", "TotalAmount", "StartDate", "IsActive__c", "BillingAddress"]
    said = {"name": "Order", "fields": [{"name": name} for name in names]}
    with Org() as org:
        org.define({"name": "Account", "fields": []}, said)
        order = org.object("Order")
        kinds = {field.name: field.type for field in order.fields}
        assert [kinds[name] for name in names] == [
            "id", "string", "reference", "reference", "currency", "date", "boolean", "address",
        ]  # fmt: skip
        assert order.known("AccountId").references == ("Account",)
        assert {"SystemModstamp", "IsDeleted", "CreatedDate", "BillingCity", "BillingLatitude"} <= kinds.keys()
        with pytest.raises(UsageError, match="no field 'Nope'"):
            order.known("Nope")


def test_an_event_has_no_id_and_cannot_be_queried(org, client):
    org.define({"name": "Ready__e", "fields": [{"name": "Files__c"}]})
    told = client.get("/sobjects/Ready__e/describe").json()
    assert "Id" not in [field["name"] for field in told["fields"]]
    assert not told["queryable"]
    assert client.error("SELECT Files__c FROM Ready__e")["errorCode"] == "INVALID_TYPE"


def test_limits_and_the_header(client):
    told = client.get("/limits")
    assert told.json()["DailyApiRequests"]["Max"] == 1_000_000
    assert told.headers["Sforce-Limit-Info"] == "api-usage=1/1000000"
    client.server.usage.used = client.server.usage.limit
    client.server.usage.bursts = "1/750"
    refused = client.get("/limits")
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (403, "REQUEST_LIMIT_EXCEEDED")
    assert refused.headers["Sforce-Limit-Info"] == "api-usage=1000000/1000000; api-bursts=1/750"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "NOT_FOUND"),
        ("PUT", "/limits", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/query?q=" + "a" * 17_000, 414, "URI_TOO_LONG"),
        ("GET", "/query", 400, "MALFORMED_QUERY"),
        ("POST", "/composite/tree/Account", 404, "NOT_FOUND"),
    ],
)
def test_errors_are_lists(client, method, path, status, code):
    answer = client.call(method, path)
    assert answer.status_code == status
    assert [entry["errorCode"] for entry in answer.json()] == [code]


def test_without_a_token(server):
    answer = requests.get(f"{server.url}/services/data/v60.0/limits", timeout=30)
    assert answer.status_code == 401
    assert "Sforce-Limit-Info" not in answer.headers


def test_counts_of_records(org, client):
    org.load("Account", [{"Name": "a"}, {"Name": "b", "IsDeleted": True}])
    assert client.get("/limits/recordCount", params={"sObjects": "account,Nope"}).json() == {
        "sObjects": [{"count": 1, "name": "Account"}]
    }


def test_a_fault_of_the_simulated_org_itself_is_answered_and_told(org, client, monkeypatch):
    def broken(*_):
        raise KeyError("broken")

    monkeypatch.setattr(org, "find", broken)
    answer = client.get("/sobjects/Account")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (500, "UNKNOWN_EXCEPTION")
    monkeypatch.undo()
    with pytest.raises(KeyError, match="broken"):
        client.server.stop()
    client.server.desk.failures.clear()
