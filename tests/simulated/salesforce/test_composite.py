import pytest


def account(**values):
    return {"attributes": {"type": "Account"}, **values}


def told(answer):
    assert answer.status_code == 200
    return [one["errors"][0]["statusCode"] if one["errors"] else "ok" for one in answer.json()]


def test_collections_of_records(client):
    records = [account(Name="a"), account(), {"Name": "no type"}, account(Name="b")]
    made = client.call("POST", "/composite/sobjects", json={"records": records})
    assert told(made) == ["ok", "REQUIRED_FIELD_MISSING", "INVALID_TYPE", "ok"]
    first, last = made.json()[0]["id"], made.json()[3]["id"]
    changes = [account(id=first, Name="x"), account(Id=last, Nope=1), account(Name="no id")]
    answer = client.call("PATCH", "/composite/sobjects", json={"records": changes})
    assert told(answer) == ["ok", "INVALID_FIELD", "MISSING_ARGUMENT"]
    names = sorted(record["Name"] for record in client.records("SELECT Name FROM Account"))
    assert names == ["b", "x"]
    answer = client.call("DELETE", "/composite/sobjects", params={"ids": f"{first},{last},junk"})
    assert told(answer) == ["ok", "ok", "MALFORMED_ID"]
    assert client.records("SELECT Id FROM Account") == []


def test_all_or_none(client):
    body = {"allOrNone": True, "records": [account(Name="a"), account()]}
    answer = client.call("POST", "/composite/sobjects", json=body)
    assert told(answer) == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]
    assert client.records("SELECT Id FROM Account") == []
    assert told(client.call("POST", "/composite/sobjects", json=body | {"allOrNone": False}))[0] == "ok"


def test_a_collection_is_upserted_by_external_id(client):
    records = [account(Name="a", Code__c="1"), account(Name="b", Code__c="2")]
    path = "/composite/sobjects/Account/Code__c"
    assert [one["created"] for one in client.call("PATCH", path, json={"records": records}).json()] == [True, True]
    records = [account(Name="c", Code__c="2"), account(Name="d", Code__c="3"), account(Name="e")]
    answer = client.call("PATCH", path, json={"records": records})
    assert told(answer) == ["ok", "ok", "MISSING_ARGUMENT"]
    assert [one.get("created") for one in answer.json()] == [False, True, None]


def test_the_same_key_twice_in_one_collection_is_one_record(client):
    records = [account(Name="a", Code__c="1"), account(Name="b", Code__c="1")]
    answer = client.call("PATCH", "/composite/sobjects/Account/Code__c", json={"records": records})
    assert [one["created"] for one in answer.json()] == [True, False]
    answer = client.call("POST", "/composite/sobjects", json={"records": [account(Name="c", Code__c="1")]})
    assert told(answer) == ["DUPLICATE_VALUE"]


def test_records_are_read_by_their_ids(org, client):
    ids = [org.insert("Account", {"Name": name}) for name in "ab"]
    org.delete("Account", ids[1])
    answer = client.call("POST", "/composite/sobjects/Account", json={"ids": ids, "fields": ["Name", "Id"]})
    assert [one and one["Name"] for one in answer.json()] == ["a", None]
    again = client.get("/composite/sobjects/Account", params={"ids": ",".join(ids), "fields": "Name"})
    assert again.json() == answer.json()


@pytest.mark.parametrize("count", [200, 201])
def test_at_most_two_hundred_records(client, count):
    answer = client.call("POST", "/composite/sobjects", json={"records": [account(Name="n")] * count})
    assert answer.status_code == (200 if count == 200 else 400)
    assert len(client.records("SELECT Id FROM Account")) == (200 if count == 200 else 0)


def test_a_batch_of_calls(client):
    parts = [
        {"method": "GET", "url": "v60.0/sobjects/Account/describe"},
        {"method": "POST", "url": "v60.0/sobjects/Account", "richInput": {"Name": "a"}},
        {"method": "GET", "url": "v60.0/nothing"},
        {"method": "GET", "url": "v60.0/query?q=SELECT+Name+FROM+Account"},
    ]
    answer = client.call("POST", "/composite/batch", json={"batchRequests": parts}).json()
    assert answer["hasErrors"]
    assert [one["statusCode"] for one in answer["results"]] == [200, 201, 404, 200]
    assert answer["results"][0]["result"]["name"] == "Account"
    assert answer["results"][3]["result"]["records"][0]["Name"] == "a"
    halted = client.call("POST", "/composite/batch", json={"batchRequests": parts, "haltOnError": True}).json()
    assert [one["statusCode"] for one in halted["results"]] == [200, 201, 404, 412]
    too_many = client.call("POST", "/composite/batch", json={"batchRequests": parts[:1] * 26})
    assert too_many.status_code == 400


def parts(last):
    return [
        {"method": "POST", "url": "/services/data/v60.0/sobjects/Account", "referenceId": "acc", "body": {"Name": "a"}},
        {
            "method": "POST",
            "url": "/services/data/v60.0/sobjects/Contact",
            "referenceId": "con",
            "body": {"LastName": "b", "AccountId": "@{acc.id}"},
        },
        {
            "method": "GET",
            "url": "/services/data/v60.0/query?q=SELECT Id FROM Contact WHERE AccountId='@{acc.id}'",
            "referenceId": "found",
        },
        {"method": "GET", "url": f"/services/data/v60.0/sobjects/Contact/{last}", "referenceId": "last"},
    ]


def test_calls_that_refer_to_each_other(client):
    told = client.call("POST", "/composite", json={"compositeRequest": parts("@{found.records[0].Id}")}).json()
    answers = {one["referenceId"]: one for one in told["compositeResponse"]}
    assert [one["httpStatusCode"] for one in answers.values()] == [201, 201, 200, 200]
    assert answers["last"]["body"]["AccountId"] == answers["acc"]["body"]["id"]


def test_one_that_fails_takes_all_back(client):
    body = {"allOrNone": True, "compositeRequest": parts("@{nobody.id}")}
    told = client.call("POST", "/composite", json=body).json()["compositeResponse"]
    assert {one["body"][0]["errorCode"] for one in told} == {"PROCESSING_HALTED"}
    assert client.records("SELECT Id FROM Account") == []
    client.call("POST", "/composite", json=body | {"allOrNone": False})
    assert len(client.records("SELECT Id FROM Contact")) == 1


def test_a_composite_call_is_one_call(client):
    before = client.server.usage.used
    client.call("POST", "/composite", json={"compositeRequest": parts("@{con.id}")})
    assert client.server.usage.used == before + 1
