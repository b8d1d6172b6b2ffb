"""Changes of records: what is sent, in how many calls, and what is never sent twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from forceglue.errors import OutcomeUnknownError, SalesforceBusyError, SalesforceError
from forceglue.salesforce.client import Salesforce
from forceglue.salesforce.ingest import as_csv
from forceglue.salesforce.settings import Connection
from forceglue.salesforce.sign_in import SignIn, Token
from forceglue.simulated.salesforce import Org, SetClock, serve
from forceglue.simulated.salesforce.server import OrgServer
from salesforce.kit import QUICK, Answer, answering, in_turn

NOW = datetime(2026, 11, 15, 10, 30, 0, 500_000, tzinfo=UTC)
ACCOUNT = {
    "name": "Account",
    "fields": [
        {"name": "Name", "type": "string", "length": 20, "nillable": False},
        {"name": "Phone", "type": "string", "length": 40},
        {"name": "Code__c", "type": "string", "length": 10, "externalId": True, "unique": True},
        {"name": "Size__c", "type": "double", "precision": 18, "scale": 2},
        {"name": "Open__c", "type": "boolean"},
        {"name": "IsDeleted", "type": "boolean"},
        {"name": "LastModifiedDate", "type": "datetime"},
        {"name": "SystemModstamp", "type": "datetime"},
    ],
}


@pytest.fixture
def server() -> Iterator[OrgServer]:
    with Org(clock=SetClock(NOW)) as org:
        org.define(ACCOUNT)
        org.access.add_app("app", "secret", run_as="integration@example.com")
        with serve(org) as running:
            yield running


@pytest.fixture
def client(server: OrgServer) -> Iterator[Salesforce]:
    way = Connection("client_credentials", server.token_url, client_id="app", client_secret="secret")
    with Salesforce(way, pace=QUICK) as made:
        _ = made.version
        made.limits()
        server.usage.forget()
        yield made


def test_a_change_says_what_was_and_is_in_one_call(client: Salesforce, server: OrgServer) -> None:
    made = client.records.create("Account", {"Name": "a", "Phone": "1"})
    server.usage.forget()
    done = client.records.change("Account", made, {"Phone": "2", "Size__c": 1.5})
    assert (done.before, done.after) == ({"Phone": "1", "Size__c": None}, {"Phone": "2", "Size__c": 1.5})
    gone = client.records.remove("Account", made, ["Name", "Phone"])
    assert gone.before == {"Name": "a", "Phone": "2"} and server.usage.calls() == 2


def test_a_change_that_is_refused_changes_nothing(client: Salesforce, server: OrgServer) -> None:
    made = client.records.create("Account", {"Name": "a"})
    with pytest.raises(SalesforceError, match="STRING_TOO_LONG") as refused:
        client.records.change("Account", made, {"Phone": "2", "Name": "x" * 21})
    assert refused.value.fields == ("Name",)
    assert server.org.get("Account", made)["Phone"] is None
    with pytest.raises(SalesforceError) as missing:
        client.records.change("Account", f"{made[:14]}9", {"Phone": "2"})
    assert missing.value.status == 404


def test_everything_that_is_wrong_with_a_record_is_told(client: Salesforce) -> None:
    with pytest.raises(SalesforceError) as refused:
        client.records.create("Account", {"Phone": "1" * 41, "Code__c": "x" * 11, "Name": "a"})
    assert set(refused.value.fields) == {"Phone", "Code__c"}
    assert "Phone: data" in refused.value.reason and "Code: data" in refused.value.reason


def test_only_what_nobody_has_changed_is_changed(client: Salesforce, server: OrgServer) -> None:
    made = client.records.create("Account", {"Name": "a"})
    client.records.change_unmodified("Account", made, {"Phone": "1"}, NOW.replace(microsecond=0))
    with pytest.raises(SalesforceError) as refused:
        client.records.change_unmodified(
            "Account", made, {"Phone": "2"}, NOW.replace(microsecond=0) - timedelta(seconds=1)
        )
    assert refused.value.status == 412 and server.org.get("Account", made)["Phone"] == "1"


def test_an_upsert_makes_or_changes(client: Salesforce, server: OrgServer) -> None:
    first = client.records.upsert("Account", "Code__c", "a/b c", {"Name": "a"})
    again = client.records.upsert("Account", "Code__c", "a/b c", {"Name": "b"})
    assert (first.created, first.before) == (True, {}) and first.after == {"Code__c": "a/b c", "Name": "a"}
    assert (again.created, again.id) == (False, first.id)
    assert (again.before["Name"], again.after["Name"]) == ("a", "b")
    assert server.usage.calls() == 2


def test_a_collection_tells_of_each_record(client: Salesforce, server: OrgServer) -> None:
    found = client.records.create_many("Account", [{"Name": "a"}, {"Phone": "1"}, {"Name": "c"}])
    assert found[0].id and found[2].id and found[1].error is not None and found[1].error.fields == ("Name",)
    assert server.usage.calls() == 1


@pytest.mark.parametrize("fault", ["cut", "refuse"])
def test_what_may_have_been_made_is_not_sent_again(client: Salesforce, server: OrgServer, fault: str) -> None:
    if fault == "cut":
        server.faults.cut(0, path="/sobjects/Account")
    else:
        server.faults.then(lambda: None)
        server.faults.refuse(502, path="/sobjects/Account", code="", message="")
    with pytest.raises(OutcomeUnknownError, match="may have been made"):
        client.records.create("Account", {"Name": "a"})
    assert server.usage.calls("/sobjects/Account") == 1


def test_what_was_surely_not_made_is_sent_again(client: Salesforce, server: OrgServer) -> None:
    server.faults.refuse(503, path="/sobjects/Account")
    server.faults.refuse(429, path="/sobjects/Account")
    assert client.records.create("Account", {"Name": "a"})
    assert server.org.count("Account") == 1


# what the simulated org does not do


def _org(url: str) -> Salesforce:
    way = SignIn(lambda _: Token("t", url))
    return Salesforce(Connection("broker", url, api_version="66.0"), pace=QUICK, sign_in_by=way)


def _together(*answers: tuple[int, Any]) -> Answer:
    parts = [
        {"httpStatusCode": status, "body": body, "referenceId": f"part{at}"}
        for at, (status, body) in enumerate(answers)
    ]
    return Answer({"compositeResponse": parts})


HALTED = (400, [{"errorCode": "PROCESSING_HALTED", "message": "another part failed"}])
LOCKED = (400, [{"errorCode": "UNABLE_TO_LOCK_ROW", "message": "unable to obtain exclusive access", "fields": []}])


def test_a_locked_row_inside_a_call_is_waited_for() -> None:
    versions = Answer([{"version": "66.0"}])
    done = _together((200, {"Phone": "1"}), (204, None), (200, {"Phone": "2"}))
    with answering(in_turn(versions, _together(HALTED, LOCKED, HALTED), done)) as address:
        assert _org(address.url).records.change("Account", "001", {"Phone": "2"}).after == {"Phone": "2"}
        assert len(address.asked) == 3
    with (
        answering(in_turn(versions, _together(HALTED, LOCKED, HALTED))) as address,
        pytest.raises(SalesforceBusyError) as busy,
    ):
        _org(address.url).records.change("Account", "001", {"Phone": "2"})
    assert busy.value.code == "UNABLE_TO_LOCK_ROW"


def test_records_that_met_a_locked_row_are_sent_again_they_alone() -> None:
    locked = {"success": False, "errors": [{"statusCode": "UNABLE_TO_LOCK_ROW", "message": "locked", "fields": []}]}
    first = Answer([{"id": "1", "success": True, "errors": []}, locked, {"id": "3", "success": True, "errors": []}])
    with answering(
        in_turn(Answer([{"version": "66.0"}]), first, Answer([{"id": "2", "success": True, "errors": []}]))
    ) as address:
        found = _org(address.url).records.create_many("Account", [{"Name": one} for one in "abc"])
        assert [one.id for one in found] == ["1", "2", "3"] and len(address.asked) == 3


# bulk ingest


def test_an_ingest_job_from_end_to_end(client: Salesforce, server: OrgServer) -> None:
    records = [{"Name": f'"{at}",\n'} for at in range(300)]
    records[7] = {"Name": "x", "Phone": None, "Size__c": 1.5, "Open__c": True}  # type: ignore[dict-item]
    records[8] = {"Name": "x" * 21}
    job = client.ingest.start("Account", records)
    while job.busy:
        job = client.ingest.job(job.id)
    assert (job.state, job.processed, job.failed, job.object) == ("JobComplete", 300, 1, "Account")
    (failed,) = client.ingest.rows(job.id, "failedResults")
    assert failed.id is None and "STRING_TOO_LONG" in str(failed.error) and failed.values["Name"] == "x" * 21
    good = {row.values["Name"]: str(row.id) for row in client.ingest.rows(job.id, "successfulResults")}
    assert len(good) == 299
    stored = server.org.get("Account", good["x"])
    assert (stored["Size__c"], stored["Open__c"], stored["Phone"]) == ("1.5", "true", None)


def test_an_upload_says_what_is_emptied_and_what_is_not_said() -> None:
    assert as_csv([{"A": None}, {"B": "x"}, {"A": 1.5, "B": False}]) == 'A,B\n"#N/A",""\n"","x"\n"1.5","false"\n'


def test_a_job_that_could_not_be_filled_is_aborted(client: Salesforce, server: OrgServer) -> None:
    server.faults.refuse(400, path="/batches", code="INVALIDBATCH", message="no")
    with pytest.raises(SalesforceError, match="INVALIDBATCH"):
        client.ingest.start("Account", [{"Name": "a"}])
    (job,) = server.desk.bulk_ingest.jobs.values()
    assert job.state == "Aborted"
