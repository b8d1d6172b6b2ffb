"""Queries inside queries, and the names of relationships that describe tells."""

import json


def family(org):
    ids = [org.insert("Account", {"Name": name}) for name in ("a", "b", "c")]
    for at, owner in enumerate([0, 0, 0, 1]):
        org.insert("Contact", {"LastName": f"L{at}", "AccountId": ids[owner]})
    return ids


def test_children_stand_under_their_parents(org, client):
    family(org)
    answer = client.query(
        "SELECT Name, (SELECT LastName FROM Contacts ORDER BY LastName DESC LIMIT 2) FROM Account ORDER BY Name"
    )
    told = [
        (r["Name"], None if r["Contacts"] is None else [c["LastName"] for c in r["Contacts"]["records"]])
        for r in answer.json()["records"]
    ]
    assert told == [("a", ["L2", "L1"]), ("b", ["L3"]), ("c", None)]
    inner = answer.json()["records"][0]["Contacts"]
    assert (inner["totalSize"], inner["done"]) == (2, True)
    assert inner["records"][0]["attributes"]["type"] == "Contact"


def test_conditions_of_children_are_their_own(org, client):
    family(org)
    records = client.records("SELECT (SELECT Id FROM Contacts WHERE LastName = 'L0') FROM Account WHERE Name = 'a'")
    assert len(records[0]["Contacts"]["records"]) == 1


def test_describe_tells_the_relationships(client):
    told = client.get("/sobjects/Account/describe").json()["childRelationships"]
    assert {(link["relationshipName"], link["childSObject"], link["field"]) for link in told} == {
        ("Contacts", "Contact", "AccountId"),
        ("Accounts", "Account", "MasterRecordId"),
    }


def test_a_change_may_ask_that_nobody_was_faster(org, client, clock):
    made = org.insert("Account", {"Name": "a"})
    path = f"/sobjects/Account/{made}"
    late, early = "Sun, 15 Nov 2026 10:30:00 GMT", "Sun, 15 Nov 2026 10:29:59 GMT"
    for since, status in ((early, 412), (late, 204)):
        answer = client.call("PATCH", path, data=json.dumps({"Industry": "Media"}), headers={
            "If-Unmodified-Since": since, "Content-Type": "application/json"})  # fmt: skip
        assert answer.status_code == status
    assert client.call("PATCH", path, json={}, headers={"If-Unmodified-Since": "soon"}).status_code == 400
