import pytest

from simulated.salesforce.kit import ended, parsed


def ingest(client, operation, data, **said):
    asked = {"object": "Account", "operation": operation, "contentType": "CSV", **said}
    made = client.call("POST", "/jobs/ingest", json=asked)
    assert made.status_code == 200, made.text
    job = made.json()
    assert job["state"] == "Open"
    url = f"/{job['contentUrl']}"
    assert client.call("PUT", url, data=data.encode(), headers={"Content-Type": "text/csv"}).status_code == 201
    closed = client.call("PATCH", f"/jobs/ingest/{job['id']}", json={"state": "UploadComplete"})
    assert closed.json()["state"] == "UploadComplete"
    return ended(client, f"/jobs/ingest/{job['id']}")


def results(client, job, which, **more):
    return parsed(client.get(f"/jobs/ingest/{job['id']}/{which}").content, **more)


def test_insert_tells_what_became_of_each_row(client):
    data = 'Name,Industry,Description\nBluegum,Media,"two\nlines, ""q"""\nno industry,Steel,\n,Media,x\n'
    job = ingest(client, "insert", data)
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 3, 2)
    header, row = results(client, job, "successfulResults")
    assert header == ["sf__Id", "sf__Created", "Name", "Industry", "Description"]
    assert row[1:] == ["true", "Bluegum", "Media", 'two\nlines, "q"']
    assert client.get(f"/sobjects/Account/{row[0]}").json()["Description"] == 'two\nlines, "q"'
    header, *bad = results(client, job, "failedResults")
    assert header[:2] == ["sf__Id", "sf__Error"]
    assert [row[1].partition(":")[0] for row in bad] == [
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "REQUIRED_FIELD_MISSING",
    ]  # fmt: skip
    assert results(client, job, "unprocessedrecords") == [["Name", "Industry", "Description"]]


def test_update_empties_with_a_sign_and_leaves_empty_cells_alone(org, client):
    one = org.insert("Account", {"Name": "a", "Industry": "Media", "Code__c": "k"})
    job = ingest(client, "update", f"Id,Name,Industry,Code__c\n{one},new,#N/A,\n001Sm0000009999AAA,x,,\n")
    assert job["numberRecordsFailed"] == 1
    told = client.get(f"/sobjects/Account/{one}").json()
    assert (told["Name"], told["Industry"], told["Code__c"]) == ("new", None, "k")


def test_upsert_by_external_id(client):
    said = {"externalIdFieldName": "Code__c"}
    ingest(client, "upsert", "Code__c,Name\n1,a\n2,b\n", **said)
    job = ingest(client, "upsert", "Code__c,Name\n2,c\n3,d\n,e\n", **said)
    assert [row[1] for row in results(client, job, "successfulResults")[1:]] == ["false", "true"]
    assert job["numberRecordsFailed"] == 1
    records = client.records("SELECT Code__c, Name FROM Account ORDER BY Code__c")
    assert [(record["Code__c"], record["Name"]) for record in records] == [("1", "a"), ("2", "c"), ("3", "d")]


def test_parents_by_their_external_ids(org, client):
    one = org.insert("Account", {"Name": "a", "Code__c": "k"})
    job = ingest(client, "insert", "LastName,Account.Code__c\nb,k\n", object="Contact")
    assert job["numberRecordsFailed"] == 0
    assert client.records("SELECT AccountId FROM Contact") == [{"AccountId": one}]


def test_delete_and_hard_delete(org, client):
    ids = [org.insert("Account", {"Name": "n"}) for _ in range(3)]
    ingest(client, "delete", f"Id\n{ids[0]}\n")
    assert org.get("Account", ids[0])["IsDeleted"] == "true"
    ingest(client, "hardDelete", f"Id\n{ids[0]}\n{ids[1]}\n")
    assert [record["Id"] for record in client.records("SELECT Id FROM Account", deleted=True)] == [ids[2]]


def test_delimiters_and_line_ends(client):
    job = ingest(client, "insert", "Name\tCode__c\r\na,b\t1\r\n", columnDelimiter="TAB", lineEnding="CRLF")
    assert job["state"] == "JobComplete"
    assert client.records("SELECT Name FROM Account") == [{"Name": "a,b"}]
    assert results(client, job, "successfulResults", delimiter="\t")[0] == ["sf__Id", "sf__Created", "Name", "Code__c"]


@pytest.mark.parametrize(
    ("operation", "data", "part"),
    [
        ("insert", "Nope\n1\n", "Field name not found : Nope"),
        ("insert", "Name\r\na\r\n", "LineEnding is invalid on user data"),
        ("update", "Name\na\n", "must contain the field Id"),
        ("insert", "", "no header"),
    ],
)
def test_data_that_fail_the_job(client, operation, data, part):
    job = ingest(client, operation, data)
    assert job["state"] == "Failed"
    assert part in job["errorMessage"]
    assert client.records("SELECT Id FROM Account") == []


@pytest.mark.parametrize(
    "said",
    [{"operation": "query"}, {"object": "Nope"}, {"operation": "upsert"}, {"columnDelimiter": "DOT"}],
)
def test_jobs_that_are_none(client, said):
    answer = client.call("POST", "/jobs/ingest", json={"object": "Account", "operation": "insert"} | said)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALIDJOB")


def test_a_job_goes_through_its_states_once(client):
    made = client.call("POST", "/jobs/ingest", json={"object": "Account", "operation": "insert"}).json()
    path = f"/jobs/ingest/{made['id']}"
    assert client.call("PUT", f"{path}/batches", data=b"Name\na\n").status_code == 201
    assert client.call("PUT", f"{path}/batches", data=b"Name\nb\n").json()[0]["errorCode"] == "INVALIDBATCH"
    assert client.call("PATCH", path, json={"state": "Open"}).json()[0]["errorCode"] == "INVALIDJOBSTATE"
    assert client.call("DELETE", path).json()[0]["errorCode"] == "INVALIDJOBSTATE"
    assert client.call("PATCH", path, json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert client.call("PUT", f"{path}/batches", data=b"Name\nb\n").json()[0]["errorCode"] == "INVALIDJOBSTATE"
    assert client.records("SELECT Id FROM Account") == []
    assert [job["id"] for job in client.get("/jobs/ingest").json()["records"]] == [made["id"]]
    assert client.call("DELETE", path).status_code == 204
    assert client.get(path).status_code == 404


def test_many_rows(client):
    data = "Name,AnnualRevenue\n" + "".join(f"n{at},{at}.5\n" for at in range(2500))
    job = ingest(client, "insert", data)
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (2500, 0)
    assert client.records("SELECT SUM(AnnualRevenue) s FROM Account") == [{"s": sum(range(2500)) + 1250.0}]
