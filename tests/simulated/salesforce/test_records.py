from datetime import timedelta

import pytest


@pytest.fixture
def account(client):
    return client.call("POST", "/sobjects/Account", json={"Name": "Bluegum", "Code__c": "k1"}).json()["id"]


def refusals(answer):
    return {entry["errorCode"]: entry for entry in answer.json()}


def test_a_record_lives(client, account, clock, org):
    clock.advance(timedelta(minutes=1))
    assert client.call("PATCH", f"/sobjects/Account/{account}", json={"Industry": "Media"}).status_code == 204
    told = client.get(f"/sobjects/Account/{account[:15]}").json()
    assert told["attributes"] == {"type": "Account", "url": f"/services/data/v60.0/sobjects/Account/{account}"}
    assert (told["Name"], told["Industry"], told["Active__c"]) == ("Bluegum", "Media", False)
    assert told["CreatedDate"] == "2026-11-15T10:30:00.000+0000"
    assert told["LastModifiedDate"] == told["SystemModstamp"] == "2026-11-15T10:31:00.000+0000"
    assert told["OwnerId"] == told["CreatedById"] == org.access.administrator.id
    few = client.get(f"/sobjects/Account/{account}", params={"fields": "Name,Owner.Name"}).json()
    assert few.keys() == {"attributes", "Name", "Owner"}
    assert client.call("DELETE", f"/sobjects/Account/{account}").status_code == 204
    for method in ("GET", "PATCH", "DELETE"):
        answer = client.call(method, f"/sobjects/Account/{account}", json={})
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (404, "ENTITY_IS_DELETED")
    org.undelete("Account", account)
    assert client.get(f"/sobjects/Account/{account}").status_code == 200


@pytest.mark.parametrize(
    ("values", "code", "fields"),
    [
        ({}, "REQUIRED_FIELD_MISSING", ["Name"]),
        ({"Name": "n", "Nope": 1}, "INVALID_FIELD", None),
        ({"Name": "n" * 256}, "STRING_TOO_LONG", ["Name"]),
        ({"Name": "n", "Industry": "Steel"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ["Industry"]),
        ({"Name": "n", "OwnerId": "x"}, "MALFORMED_ID", ["OwnerId"]),
        ({"Name": "n", "OwnerId": "001Sm0000000001AAA"}, "MALFORMED_ID", ["OwnerId"]),
        ({"Name": "n", "AnnualRevenue": "much"}, "JSON_PARSER_ERROR", None),
        ({"Name": "n", "AnnualRevenue": 1e17}, "NUMBER_OUTSIDE_VALID_RANGE", ["AnnualRevenue"]),
        ({"Name": "n", "Founded__c": "2026-02-30"}, "JSON_PARSER_ERROR", None),
        ({"Name": "n", "Name__c": {"a": 1}}, "INVALID_FIELD", None),
        ({"Name": {"a": 1}}, "JSON_PARSER_ERROR", None),
        ({"Name": "n", "Score__c": 1}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["Score__c"]),
        ({"Name": "n", "CreatedDate": "2026-01-01T00:00:00Z"}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["CreatedDate"]),
        ({"Name": "n", "Id": "001Sm0000000001AAA"}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["Id"]),
        ({"Name": "n", "Code__c": "k1"}, "DUPLICATE_VALUE", ["Code__c"]),
    ],
)
def test_what_is_not_taken(client, account, values, code, fields):
    answer = client.call("POST", "/sobjects/Account", json=values)
    assert answer.status_code == 400
    assert code in refusals(answer)
    assert refusals(answer)[code].get("fields") == fields
    assert len(client.records("SELECT Id FROM Account")) == 1


def test_all_that_is_wrong_is_told_at_once(client):
    answer = client.call("POST", "/sobjects/Account", json={"Industry": "Steel", "OwnerId": "x"})
    assert refusals(answer).keys() == {
        "REQUIRED_FIELD_MISSING", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "MALFORMED_ID",
    }  # fmt: skip


@pytest.mark.parametrize("body", [b"{", b"[1]", b"", b"\xff"])
def test_bodies_that_are_no_record(client, body):
    answer = client.call("POST", "/sobjects/Account", data=body)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")


def test_a_required_field_cannot_be_emptied_and_another_can(client, account):
    assert "REQUIRED_FIELD_MISSING" in refusals(
        client.call("PATCH", f"/sobjects/Account/{account}", json={"Name": None})
    )
    client.call("PATCH", f"/sobjects/Account/{account}", json={"Code__c": None})
    assert client.get(f"/sobjects/Account/{account}").json()["Code__c"] is None


def test_numbers_keep_their_digits(client):
    answer = client.call("POST", "/sobjects/Account", data=b'{"Name":"n","AnnualRevenue":1234567890123456.78}')
    assert '"AnnualRevenue":1.23456789012345678E15' in client.get(f"/sobjects/Account/{answer.json()['id']}").text


def test_records_that_are_not_there(client):
    for method, status, code in (("GET", 404, "NOT_FOUND"), ("PATCH", 404, "NOT_FOUND"), ("DELETE", 404, "NOT_FOUND")):
        answer = client.call(method, "/sobjects/Account/001Sm0000000777AAA"[:-3] + "", json={})
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (status, code)
    assert client.call("DELETE", "/sobjects/Account/003Sm0000000001").json()[0]["errorCode"] == "MALFORMED_ID"


def test_upsert_by_external_id(client, account, org):
    path = "/sobjects/Account/Code__c/k1"
    changed = client.call("PATCH", path, json={"Name": "New"})
    assert (changed.status_code, changed.json()["created"], changed.json()["id"]) == (200, False, account)
    made = client.call("PATCH", "/sobjects/Account/Code__c/a%2Fb", json={"Name": "Other"})
    assert (made.status_code, made.json()["created"]) == (201, True)
    assert client.get("/sobjects/Account/Code__c/a%2Fb").json()["Name"] == "Other"
    assert client.get("/sobjects/Account/Code__c/none").status_code == 404
    assert client.get("/sobjects/Account/Industry/x").json()[0]["errorCode"] == "NOT_FOUND"
    org.load("Account", [{"Name": "twin", "Code__c": "k1"}])
    several = client.call("PATCH", path, json={"Name": "Newer"})
    assert several.status_code == 300
    assert len(several.json()) == 2


def test_a_parent_by_its_external_id(client, account):
    made = client.call("POST", "/sobjects/Contact", json={"LastName": "a", "Account": {"Code__c": "k1"}}).json()
    assert client.get(f"/sobjects/Contact/{made['id']}").json()["AccountId"] == account
    wrong = client.call("POST", "/sobjects/Contact", json={"LastName": "a", "Account": {"Code__c": "no"}})
    assert wrong.json()[0]["errorCode"] == "INVALID_FIELD"


def test_a_file_is_read_by_its_own_address(org, client):
    org.define({"name": "Document", "fields": [{"name": "Id", "type": "id"}, {"name": "Body", "type": "base64"}]})
    made = org.insert("Document", {"Body": "AAFi"})
    told = client.get(f"/sobjects/Document/{made}").json()
    assert told["Body"] == f"/services/data/v60.0/sobjects/Document/{made}/Body"
    assert client.get(told["Body"]).content == b"\x00\x01b"


def window(client, what, start, end):
    return client.get(f"/sobjects/Account/{what}", params={"start": start, "end": end})


def test_deleted_and_updated(org, client, clock):
    ids = [org.insert("Account", {"Name": f"n{at}"}) for at in range(4)]
    clock.advance(timedelta(minutes=10))
    org.delete("Account", ids[0])
    org.purge("Account", ids[1])
    org.update("Account", ids[2], {"Name": "new"})
    clock.advance(timedelta(minutes=10))
    start, end = "2026-11-15T10:35:00+00:00", "2026-11-15T10:45:30.000Z"
    told = window(client, "deleted", start, end).json()
    assert told == {
        "deletedRecords": [
            {"deletedDate": "2026-11-15T10:40:00.000+0000", "id": one} for one in sorted([ids[0], ids[1]])
        ],
        "earliestDateAvailable": "2026-10-31T10:50:00.000+0000",
        "latestDateCovered": "2026-11-15T10:45:00.000+0000",
    }
    assert window(client, "updated", start, end).json() == {
        "ids": [ids[2]], "latestDateCovered": "2026-11-15T10:45:00.000+0000",
    }  # fmt: skip
    late = window(client, "updated", "2026-11-15T10:00:00Z", "2026-11-15T12:00:00Z").json()
    assert late["latestDateCovered"] == "2026-11-15T10:50:00.000+0000"
    assert set(late["ids"]) == {ids[2], ids[3]}
    org.undelete("Account", ids[0])
    assert [one["id"] for one in window(client, "deleted", start, end).json()["deletedRecords"]] == [ids[1]]


def test_a_process_that_is_not_complete_keeps_the_end_back(org, client, clock):
    one = org.insert("Account", {"Name": "n"})
    clock.advance(timedelta(minutes=10))
    org.records.unfinished_since = clock.at
    clock.advance(timedelta(minutes=10))
    org.purge("Account", one)
    clock.advance(timedelta(minutes=10))
    start, end = "2026-11-15T10:35:00Z", "2026-11-15T11:00:00Z"
    told = window(client, "deleted", start, end).json()
    assert (told["deletedRecords"], told["latestDateCovered"]) == ([], "2026-11-15T10:40:00.000+0000")
    org.records.unfinished_since = None
    assert [r["id"] for r in window(client, "deleted", start, end).json()["deletedRecords"]] == [one]


def test_a_start_before_the_log_may_be_refused(org, client, clock):
    org.access.session_life = timedelta(days=99)
    clock.advance(timedelta(days=2))
    org.records.log_since, org.records.log_refuses = clock.at - timedelta(hours=1), True
    refused = window(client, "deleted", "2026-11-15T10:30:00Z", "2026-11-17T10:30:00Z")
    assert refused.status_code == 400 and refused.json()[0] == {
        "errorCode": "INVALID_REPLICATION_DATE", "message": "startDate before org replication enabled date",
    }  # fmt: skip
    assert window(client, "deleted", "2026-11-17T09:30:00Z", "2026-11-17T10:30:00Z").status_code == 200


def test_the_delete_log_is_short(org, client, clock):
    org.access.session_life = timedelta(days=99)
    old = org.insert("Account", {"Name": "old"})
    org.purge("Account", old)
    clock.advance(timedelta(days=16))
    told = window(client, "deleted", "2026-11-10T00:00:00Z", "2026-12-01T00:00:00Z").json()
    assert told["deletedRecords"] == []
    assert told["earliestDateAvailable"] == "2026-11-16T10:30:00.000+0000"
    org.records.log_since = clock() - timedelta(days=1)
    told = window(client, "deleted", "2026-11-20T00:00:00Z", "2026-12-01T00:00:00Z").json()
    assert told["earliestDateAvailable"] == "2026-11-30T10:30:00.000+0000"


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        ("2026-10-01T00:00:00Z", "2026-11-15T00:00:00Z", "INVALID_REPLICATION_DATE"),
        ("2026-11-15T10:00:10Z", "2026-11-15T10:00:50Z", "INVALID_REPLICATION_DATE"),
        ("yesterday", "2026-11-15T10:00:50Z", "INVALID_REPLICATION_DATE"),
        ("", "2026-11-15T10:00:50Z", "MISSING_ARGUMENT"),
    ],
)
def test_windows_that_are_refused(client, start, end, code):
    for what in ("deleted", "updated"):
        answer = window(client, what, start, end)
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)


def test_too_many_ids(org, client, clock):
    org.records.ids_most = 3
    org.load("Account", [{"Name": "n", "IsDeleted": at > 3} for at in range(8)])
    clock.advance(timedelta(minutes=5))
    for what in ("deleted", "updated"):
        answer = window(client, what, "2026-11-15T10:00:00Z", "2026-11-15T11:00:00Z")
        assert answer.json()[0]["errorCode"] == "EXCEEDED_ID_LIMIT"


def test_the_recycle_bin_is_emptied(org, client, clock):
    org.load("Account", [{"Name": "n", "IsDeleted": True}, {"Name": "m"}])
    clock.advance(timedelta(days=14))
    assert org.empty_recycle_bin() == 0
    clock.advance(timedelta(days=1))
    assert org.empty_recycle_bin() == 1
    assert org.count("Account", deleted=True) == 1


def test_a_change_may_not_make_a_second_one(client, account):
    other = client.call("POST", "/sobjects/Account", json={"Name": "b", "Code__c": "k2"}).json()["id"]
    answer = client.call("PATCH", f"/sobjects/Account/{other}", json={"Code__c": "k1"})
    assert refusals(answer).keys() == {"DUPLICATE_VALUE"}
    assert client.call("PATCH", f"/sobjects/Account/{other}", json={"Code__c": "k2", "Name": "c"}).status_code == 204
