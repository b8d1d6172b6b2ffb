import time

import pytest
import requests

from simulated.salesforce.kit import run_job


def limits(client):
    return client.get("/limits")


def test_calls_are_refused_so_often(client):
    client.server.faults.refuse(503, times=2, retry_after=7)
    answers = [limits(client) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert answers[0].json()[0]["errorCode"] == "SERVER_UNAVAILABLE"


def test_only_some_paths_and_only_later(client):
    client.server.faults.refuse(429, path="/sobjects", skip=1)
    statuses = [client.get(path).status_code for path in ("/limits", "/sobjects", "/sobjects", "/sobjects")]
    assert statuses == [200, 200, 429, 200]


def test_a_probability_follows_the_seed(org):
    from forceglue.simulated.salesforce.faults import Faults
    from forceglue.simulated.salesforce.http import Call

    def strikes(seed):
        faults = Faults(seed)
        faults.refuse(500, times=None, chance=0.3)
        return [bool(faults.struck(Call("GET", "/x"), "refuse")) for _ in range(200)]

    assert strikes(1) == strikes(1)
    assert strikes(1) != strikes(2)
    assert 30 < sum(strikes(1)) < 90


def test_a_connection_is_cut_in_the_middle_of_a_body(org, client):
    org.load("Account", [{"Name": f"name {at}"} for at in range(3000)])
    job = run_job(client, "SELECT Name FROM Account")
    url = f"{client.root}/jobs/query/{job['id']}/results"
    plain = {"Accept-Encoding": "identity"}
    whole = client.session.get(url, headers=plain, timeout=30).content
    client.server.faults.cut(1000, path="/results")
    answer = client.session.get(url, headers=plain, timeout=30, stream=True)
    assert answer.headers["Content-Length"] == str(len(whole))
    got = b""
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        for chunk in answer.iter_content(100):
            got += chunk
    assert got == whole[: len(got)]
    assert len(got) <= 1000
    assert client.session.get(url, headers=plain, timeout=30).content == whole


def test_a_cut_json_answer(org, client):
    client.server.faults.cut(10, path="/sobjects")
    with pytest.raises(requests.exceptions.RequestException):
        client.get("/sobjects")
    assert client.get("/sobjects").status_code == 200


def test_headers_are_lost_or_wrong(org, client):
    org.load("Account", [{"Name": "a"}])
    job = run_job(client, "SELECT Name FROM Account")
    path = f"/jobs/query/{job['id']}/results"
    client.server.faults.miscount(5)
    assert client.get(path).headers["Sforce-NumberOfRecords"] == "6"
    client.server.faults.strip("Sforce-Locator", "Sforce-NumberOfRecords", path="/results")
    for _ in range(2):
        assert not {"Sforce-Locator", "Sforce-NumberOfRecords"} & client.get(path).headers.keys()
    client.server.faults.clear()
    assert client.get(path).headers["Sforce-Locator"] == "null"


def test_slow_answers_hold_up_no_others(client):
    client.server.faults.slow(0.4, path="/limits")
    before = time.monotonic()
    assert limits(client).status_code == 200
    assert time.monotonic() - before >= 0.4


def test_tokens_end_after_so_many_calls(client):
    client.server.org.access.calls_per_token = 2
    form = {"grant_type": "client_credentials", "client_id": "app", "client_secret": "app-secret"}
    token = requests.post(client.server.token_url, data=form, timeout=30).json()["access_token"]
    client.session.headers["Authorization"] = f"Bearer {token}"
    assert [limits(client).status_code for _ in range(3)] == [200, 200, 401]


def test_a_field_goes_away_between_two_pages(org, client):
    org.load("Account", [{"Name": f"n{at}"} for at in range(2500)])
    client.server.faults.then(lambda: org.hide_field("Account", "Code__c"), path="/query")
    first = client.query("SELECT Name, Code__c FROM Account")
    assert first.status_code == 200
    deadline = time.monotonic() + 10
    while org.object("Account").field("Code__c") and time.monotonic() < deadline:
        time.sleep(0.01)
    assert client.get(first.json()["nextRecordsUrl"]).json()[0]["errorCode"] == "INVALID_FIELD"


def test_the_log_counts_calls_and_keeps_no_secret(client):
    client.server.usage.forget()
    client.query("SELECT Id FROM Account WHERE Name = 'very secret'")
    limits(client)
    client.get("/nothing")
    usage = client.server.usage
    assert [(entry.method, entry.path.rpartition("/")[2], entry.status) for entry in usage.log] == [
        ("GET", "query", 200), ("GET", "limits", 200), ("GET", "nothing", 404),
    ]  # fmt: skip
    assert usage.calls("/query") == 1
    assert usage.statuses() == {200: 2, 404: 1}
    assert "secret" not in repr(usage.log)
