import gzip
from datetime import timedelta

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forceglue.simulated.salesforce import bulk_csv
from simulated.salesforce.kit import HARD, ended, pages, parsed, run_job


def test_a_result_in_pages_holds_every_record_once(org, client):
    org.load("Account", [{"Name": f"n{at}", "AnnualRevenue": at / 4, "Active__c": at % 2 == 0} for at in range(250)])
    job = run_job(client, "SELECT Id, Name, AnnualRevenue, Active__c, SystemModstamp FROM Account")
    assert job["numberRecordsProcessed"] == 250
    assert (job["object"], job["jobType"], job["apiVersion"], job["concurrencyMode"]) == (
        "Account", "V2Query", 60.0, "Parallel",
    )  # fmt: skip
    answers = pages(client, job, 100)
    assert [answer.headers["Sforce-NumberOfRecords"] for answer in answers] == ["100", "100", "50"]
    rows = []
    for answer in answers:
        header, *some = parsed(answer.content)
        assert header == ["Id", "Name", "AnnualRevenue", "Active__c", "SystemModstamp"]
        rows += some
    assert [row[1:] for row in rows] == [
        [f"n{at}", f"{at / 4}", "true" if at % 2 == 0 else "false", "2026-11-15T10:30:00.000Z"] for at in range(250)
    ]
    again = client.get(f"/jobs/query/{job['id']}/results", params={"maxRecords": 100, "locator": "MTAw"})
    assert again.content == answers[1].content


@pytest.mark.parametrize(("delimiter", "sign"), [*bulk_csv.DELIMITERS.items()])
@pytest.mark.parametrize(("ending", "chars"), [("LF", b"\n"), ("CRLF", b"\r\n")])
def test_hard_texts_come_byte_for_byte(org, client, delimiter, sign, ending, chars):
    org.load("Account", [{"Name": "n", "Description": value} for value in HARD])
    job = run_job(client, "SELECT Name, Description FROM Account", columnDelimiter=delimiter, lineEnding=ending)
    whole = b"".join(answer.content.partition(chars)[2] for answer in pages(client, job, 4))
    expected = "".join(f'"n"{sign}"{value.replace(chr(34), chr(34) * 2)}"{chars.decode()}' for value in HARD)
    assert whole == expected.encode()


TEXTS = st.lists(st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=30), min_size=1, max_size=8)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=TEXTS)
def test_any_texts_come_byte_for_byte(org, client, values):
    for record_id in [row["Id"] for row in org.rows("Account", ["Id"])]:
        org.purge("Account", record_id)
    org.load("Account", [{"Name": "n", "Description": value} for value in values])
    job = run_job(client, "SELECT Description FROM Account")
    whole = b"".join(answer.content.partition(b"\n")[2] for answer in pages(client, job, 3))
    assert whole == "".join(f'"{value.replace(chr(34), chr(34) * 2)}"\n' for value in values).encode()


def test_nothing_and_the_empty_text_are_the_same(org, client):
    org.load("Account", [{"Name": "a", "Description": ""}, {"Name": "b", "Description": None}])
    (answer,) = pages(client, run_job(client, "SELECT Name, Description FROM Account"), 10)
    assert answer.content == b'"Name","Description"\n"a",""\n"b",""\n'


def test_no_records_are_a_page_with_a_header(client):
    (answer,) = pages(client, run_job(client, "SELECT Id, Account.Name FROM Contact"), 10)
    assert (answer.content, answer.headers["Sforce-NumberOfRecords"]) == (b'"Id","Account.Name"\n', "0")


def test_query_all_sees_the_recycle_bin(org, client):
    org.load("Account", [{"Name": "here"}, {"Name": "gone", "IsDeleted": True}])
    assert run_job(client, "SELECT Id FROM Account")["numberRecordsProcessed"] == 1
    assert run_job(client, "SELECT Id FROM Account", "queryAll")["numberRecordsProcessed"] == 2


def test_a_large_table_is_read_in_parts_and_is_the_same(org, client, monkeypatch):
    monkeypatch.setattr(bulk_csv, "_WORTH_SPLITTING", 10)
    monkeypatch.setattr(bulk_csv.os, "cpu_count", lambda: 3)
    org.load("Account", [{"Name": f"n{at}", "IsDeleted": at % 7 == 0} for at in range(1000)])
    answers = pages(client, run_job(client, "SELECT Name FROM Account"), 400)
    rows = [row for answer in answers for row in parsed(answer.content)[1:]]
    assert rows == [[f"n{at}"] for at in range(1000) if at % 7]


def test_a_result_is_used_again_until_something_changes(org, client):
    org.load("Account", [{"Name": "a"}])
    jobs = client.server.desk.bulk_query.jobs
    soql = "SELECT Name FROM Account"
    first, second = run_job(client, soql), run_job(client, soql)
    assert jobs[first["id"]].result is jobs[second["id"]].result
    org.insert("Account", {"Name": "b"})
    third = run_job(client, soql)
    assert third["numberRecordsProcessed"] == 2
    assert jobs[first["id"]].result.rows == 1


def test_the_results_of_a_job_stay_as_they_were(org, client):
    org.load("Account", [{"Name": f"n{at}"} for at in range(20)])
    job = run_job(client, "SELECT Name FROM Account")
    before = [answer.content for answer in pages(client, job, 7)]
    org.update("Account", next(org.rows("Account"))["Id"], {"Name": "new"})
    run_job(client, "SELECT Name FROM Account")
    assert [answer.content for answer in pages(client, job, 7)] == before


def test_compressed_where_it_is_accepted(org, client):
    org.load("Account", [{"Name": f"name {at}"} for at in range(3000)])
    job = run_job(client, "SELECT Name FROM Account")
    url = f"{client.root}/jobs/query/{job['id']}/results"
    session = client.session
    plain = session.get(url, headers={"Accept-Encoding": "identity"}, timeout=30)
    zipped = session.get(url, headers={"Accept-Encoding": "gzip"}, stream=True, timeout=30)
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(zipped.raw.read(decode_content=False)) == plain.content
    client.server.desk.gzip = False
    assert "Content-Encoding" not in session.get(url, timeout=30).headers


def test_pages_at_the_same_time(org, client):
    org.load("Account", [{"Name": f"n{at}"} for at in range(95)])
    client.server.desk.bulk_query.page = 10
    job = run_job(client, "SELECT Name FROM Account")
    rows, path = [], f"/jobs/query/{job['id']}/resultPages"
    for expected in (5, 5):
        told = client.get(path).json()
        assert len(told["resultPages"]) == expected
        for page in told["resultPages"]:
            rows += parsed(client.get(page["resultUrl"]).content)[1:]
        path = told["nextRecordsUrl"]
    assert told["done"]
    assert rows == [[f"n{at}"] for at in range(95)]


@pytest.mark.parametrize(
    ("soql", "code", "part"),
    [
        ("SELECT BillingAddress FROM Account", "FUNCTIONALITY_NOT_ENABLED", "compound data not supported in Bulk"),
        ("SELECT COUNT() FROM Account", "FEATURENOTENABLED", "Aggregate"),
        ("SELECT Industry FROM Account GROUP BY Industry", "FEATURENOTENABLED", "GROUP BY"),
        ("SELECT Id FROM Account OFFSET 5", "FEATURENOTENABLED", "Offset"),
        ("SELECT TYPEOF Owner WHEN User THEN Name END FROM Contact", "FEATURENOTENABLED", "TypeOf"),
        ("SELECT Id, (SELECT Id FROM Contacts) FROM Account", "FEATURENOTENABLED", "Aggregate Relationships"),
        ("SELECT Id, Body FROM Document", "FEATURENOTENABLED", "Binary"),
        ("SELECT Id FROM TaskStatus", "INVALIDENTITY", "'TaskStatus' is not supported by the Bulk API"),
        ("SELECT Nope FROM Account", "INVALID_FIELD", "No such column 'Nope'"),
    ],
)
def test_what_bulk_refuses(org, client, soql, code, part):
    fields = [{"name": "Id", "type": "id"}, {"name": "Body", "type": "base64"}]
    org.define({"name": "TaskStatus", "fields": fields}, {"name": "Document", "fields": fields})
    answer = client.call("POST", "/jobs/query", json={"operation": "query", "query": soql})
    assert answer.status_code == 400
    assert answer.json()[0]["errorCode"] == code
    assert part in answer.json()[0]["message"]


@pytest.mark.parametrize(
    "said",
    [{"operation": "insert"}, {"query": ""}, {"columnDelimiter": "DOT"}, {"lineEnding": "CR"}, {"contentType": "JSON"}],
)
def test_a_job_that_is_none(client, said):
    asked = {"operation": "query", "query": "SELECT Id FROM Account"} | said
    answer = client.call("POST", "/jobs/query", json=asked)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALIDJOB")


def test_results_need_the_jobs_version_and_a_done_job(org, client):
    client.server.desk.bulk_query.delay = 30
    made = client.call("POST", "/jobs/query", json={"operation": "query", "query": "SELECT Id FROM Account"}).json()
    path = f"/jobs/query/{made['id']}"
    assert client.get(f"{path}/results").json()[0]["errorCode"] == "INVALIDJOBSTATE"
    assert client.call("DELETE", path).json()[0]["errorCode"] == "INVALIDJOBSTATE"
    assert client.call("PATCH", path, json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert client.call("PATCH", path, json={"state": "Aborted"}).json()[0]["errorCode"] == "INVALIDJOBSTATE"
    assert client.call("DELETE", path).status_code == 204
    assert client.get(path).status_code == 404
    client.server.desk.bulk_query.delay = 0
    job = run_job(client, "SELECT Id FROM Account")
    assert client.get(f"/services/data/v61.0/jobs/query/{job['id']}/results").status_code == 409
    assert client.get(f"/jobs/query/{job['id']}/results?locator=nonsense").status_code == 400
    assert [entry["id"] for entry in client.get("/jobs/query").json()["records"]] == [job["id"]]


def test_states_follow_each_other(client):
    bulk = client.server.desk.bulk_query
    bulk.delay = 0.15
    made = client.call("POST", "/jobs/query", json={"operation": "query", "query": "SELECT Id FROM Account"}).json()
    seen = []
    while not seen or seen[-1] != "JobComplete":
        state = client.get(f"/jobs/query/{made['id']}").json()["state"]
        seen += [] if seen and seen[-1] == state else [state]
    assert seen == ["UploadComplete", "InProgress", "JobComplete"]


def test_a_job_that_fails_says_why(client):
    client.server.faults.fail_job()
    job = run_job(client, "SELECT Id FROM Account")
    assert job["state"] == "Failed"
    assert job["errorMessage"].startswith("QUERY_TIMEOUT")
    assert run_job(client, "SELECT Id FROM Account")["state"] == "JobComplete"


def test_a_field_that_goes_away_before_the_job_starts_fails_it(org, client):
    client.server.desk.bulk_query.delay = 0.2
    said = {"operation": "query", "query": "SELECT Founded__c FROM Account"}
    made = client.call("POST", "/jobs/query", json=said).json()
    org.remove_field("Account", "Founded__c")
    job = ended(client, f"/jobs/query/{made['id']}")
    assert job["state"] == "Failed"
    assert "No such column 'Founded__c'" in job["errorMessage"]


def test_five_hundred_fields(org, client):
    fields = [{"name": "Id", "type": "id"}, *({"name": f"F{at}__c", "type": "string"} for at in range(800))]
    org.define({"name": "Wide__c", "fields": fields})
    org.load("Wide__c", [{f"F{at}__c": str(at) for at in range(800)}])
    job = run_job(client, "SELECT " + ", ".join(field["name"] for field in fields) + " FROM Wide__c")
    (answer,) = pages(client, job, 10)
    assert parsed(answer.content)[1][1:] == [str(at) for at in range(800)]
    assert requests.get(client.server.url, timeout=30).status_code == 404


def test_jobs_and_results_are_there_for_seven_days(org, client, clock):
    org.access.session_life = timedelta(days=30)
    org.load("Account", [{"Name": "a"}])
    old = run_job(client, "SELECT Name FROM Account")
    org.insert("Account", {"Name": "b"})
    clock.advance(timedelta(days=6))
    new = run_job(client, "SELECT Name FROM Account")
    files = set(org.store.folder.glob("750*"))
    clock.advance(timedelta(days=1))
    assert client.get(f"/jobs/query/{old['id']}").status_code == 404
    assert client.get(f"/jobs/query/{new['id']}/results").status_code == 200
    left = set(org.store.folder.glob("750*"))
    assert left < files
    assert {path.name.partition(".")[0] for path in left} == {new["id"]}
