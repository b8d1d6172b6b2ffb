"""What a query may do, whoever asks: no string gets further than it should."""

from __future__ import annotations

from types import ModuleType
from urllib.parse import quote

import pytest

from forceglue.simulated.salesforce.ids import full_id
from forceglue.soql.write import literal
from lambdas.injections import QUERIES, VALUES
from lambdas.rest_kit import ACCOUNT_ID, CONTACT_ID, Client
from lambdas.served import served


def rows(api: Client, soql: str) -> list[dict[str, object]]:
    answer = api.call("POST", "/query", {"soql": soql})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, object]] = answer.json()["data"]["records"]
    return found


def test_there_are_enough_strings() -> None:
    assert len(set(VALUES)) + len(set(QUERIES)) >= 150


def test_no_value_of_the_list_is_more_than_a_value(api: Client) -> None:
    for value in VALUES:
        for condition in (f"Name = {literal(value)}", f"Name IN ({literal(value)})"):
            assert rows(api, f"SELECT Id FROM Account WHERE {condition}") == [], value


def test_a_value_of_the_list_is_found_as_what_it_is(api: Client) -> None:
    for value in VALUES:
        name = value[:200].replace("\x00", "").strip()
        if not name:
            continue
        made = api.call("POST", "/accounts", {"Name": name}).json()["data"]["record_id"]
        assert {"Id": made} in rows(api, f"SELECT Id FROM Account WHERE Name = {literal(name)}")


def test_no_query_of_the_list_gets_to_salesforce_and_back(api: Client) -> None:
    api.call("GET", "/health")
    for soql in QUERIES:
        api.server.usage.forget()
        status, code, words = api.refused("POST", "/query", {"soql": soql})
        assert status == 400 and code in ("QUERY_ERROR", "VALIDATION_ERROR"), (soql[:80], words)
        assert "hush" not in words or "hush" in soql
        # some are found out by Salesforce itself; the others never leave
        assert api.server.usage.calls("/query") <= 1


def test_what_is_not_allowed_never_leaves(api: Client) -> None:
    api.call("GET", "/health")
    api.server.usage.forget()
    for soql in QUERIES:
        if "Secret__c" in soql or "User" in soql or "FOR " in soql or "ALL ROWS" in soql:
            api.refused("POST", "/query", {"soql": soql})
    assert api.server.usage.calls("/query") == 0


def test_no_value_leads_elsewhere_as_a_part_of_a_path(api: Client) -> None:
    api.call("GET", "/health")
    api.server.usage.forget()
    for value in VALUES:
        for path in ("/accounts/{}", "/objects/{}/001xx000003DHP1", "/objects/Account/{}", "/batch/jobs/{}"):
            assert api.refused("GET", path.format(quote(value[:500], safe="")))[0] in (400, 404, 405)
    assert api.server.usage.log == ()


def test_no_value_is_more_than_an_external_id(api: Client) -> None:
    for value in VALUES:
        api.call("PUT", f"/objects/Account/Code__c/{quote(value[:200], safe='')}", {"Name": "x"})
    assert api.server.org.get("Account", str(full_id(ACCOUNT_ID)))["Name"] == "Acme Corporation"


def test_a_query_without_a_limit_gets_one_and_says_so(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from rest_api import parts

    monkeypatch.setenv("QUERY_ROWS", "2")
    parts.parts.cache_clear()
    api.server.org.load("Account", [{"Name": f"A{at}"} for at in range(5)])
    data = api.call("POST", "/query", {"soql": "SELECT Id FROM Account"}).json()["data"]
    assert (data["total_size"], data["limited_to"], len(data["records"])) == (2, 2, 2)
    assert api.call("POST", "/query", {"soql": "SELECT COUNT() FROM Account"}).json()["data"]["total_size"] == 6
    assert "limited_to" not in api.call("POST", "/query", {"soql": "SELECT Id FROM Account LIMIT 1"}).json()["data"]
    status, code, words = api.refused("POST", "/query", {"soql": "SELECT Id FROM Account LIMIT 3"})
    assert (status, code) == (400, "QUERY_ERROR") and "at most 2" in words


def test_pages_follow_each_other_by_cursor(api: Client) -> None:
    api.server.org.load("Account", [{"Name": f"A{at:04d}"} for at in range(4_500)])
    soql = "SELECT Name FROM Account WHERE Name LIKE 'A0%' OR Name LIKE 'A1%' OR Name LIKE 'A2%' OR Name LIKE 'A3%' ORDER BY Name"
    page = api.call("POST", "/query", {"soql": soql}).json()["data"]
    found = [record["Name"] for record in page["records"]]
    sizes = [len(found)]
    while not page["done"]:
        page = api.call("POST", "/query", {"cursor": page["next_cursor"]}).json()["data"]
        found += [record["Name"] for record in page["records"]]
        sizes.append(len(page["records"]))
    assert found == [f"A{at:04d}" for at in range(4_000)]
    assert sizes == [2_000, 2_000] and "next_cursor" not in page


def test_a_cursor_is_good_for_its_caller_alone(function: ModuleType, api: Client) -> None:
    api.server.org.load("Account", [{"Name": f"A{at:04d}"} for at in range(2_500)])
    cursor = api.call("POST", "/query", {"soql": "SELECT Name FROM Account"}).json()["data"]["next_cursor"]
    with served(function.handler, lambda _: {"identity": {"userArn": "arn:aws:iam::123456789012:user/other"}}) as url:
        other = Client(url, api.server, None, api.made)
        refused = other.refused("POST", "/query", {"cursor": cursor})
    assert refused == (400, "QUERY_ERROR", "The cursor is not one of this caller's")
    for wrong in (cursor[:-8], f"x{cursor[1:]}", "abc", "!!!", "AAAA", cursor[: len(cursor) // 2]):
        assert api.refused("POST", "/query", {"cursor": wrong})[:2] == (400, "QUERY_ERROR"), wrong
    assert api.call("POST", "/query", {"cursor": cursor}).status_code == 200


def test_soql_and_cursor_exclude_each_other(api: Client) -> None:
    assert api.refused("POST", "/query", {"soql": "SELECT Id FROM Account", "cursor": "x"})[1] == "MISSING_PARAMETERS"


def test_a_query_reads_only_what_its_caller_may(function: ModuleType, api: Client) -> None:
    claims = {"authorizer": {"claims": {"client_id": "c1", "scope": "forceglue/read:Account other/read"}}}
    with served(function.handler, lambda _: claims) as url:
        one = Client(url, api.server, None, api.made)
        assert rows(one, "SELECT Name FROM Account") == [{"Name": "Acme Corporation"}]
        for soql in (
            "SELECT Id FROM Contact",
            "SELECT Id, (SELECT Id FROM Contacts) FROM Account",
            "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact)",
        ):
            assert one.refused("POST", "/query", {"soql": soql})[:2] == (403, "FORBIDDEN")


def test_relationships_lead_to_mapped_objects(api: Client) -> None:
    record = {"Id": full_id(CONTACT_ID), "Account": {"Name": "Acme Corporation"}}
    assert rows(api, "SELECT Id, Account.Name FROM Contact") == [record]
    assert rows(api, "SELECT c.Id, c.Account.Name FROM Contact c WHERE c.Account.Name LIKE 'Ac%'") == [record]
    assert rows(api, "SELECT Parent.Name FROM Account") == [{"Parent": None}]
    assert rows(api, "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact WHERE Email != null)") == [
        {"Id": full_id(ACCOUNT_ID)}
    ]


def test_groups_and_functions(api: Client) -> None:
    (row,) = rows(api, "SELECT StageName, COUNT(Id) n, SUM(Amount) total FROM Opportunity GROUP BY StageName")
    assert row == {"StageName": "Proposal/Price Quote", "n": 1, "total": 150000.0}


def test_what_salesforce_gets_was_written_by_us(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from forceglue.salesforce.client import Salesforce

    sent: list[str] = []
    asked = Salesforce.query_page
    monkeypatch.setattr(Salesforce, "query_page", lambda self, **more: sent.append(more["soql"]) or asked(self, **more))
    rows(api, "select   Id from Account where\n Name='O\\'Neil' and(Phone=null)")
    assert sent == ["SELECT Id FROM Account WHERE (Name = 'O\\'Neil' AND Phone = NULL) LIMIT 50000"]
