import csv
import io
import time

import pytest

HARD = [
    'says "go"', "two\nlines", "dos\r\nline", "cr\ronly", "nul\x00byte", "comma,semi;tab\tpipe|", "  blanks  ", "ünï 🎬",
    "x" * 100_000, '"', '""', "\n", "NULL", "null", "=1+1",
]  # fmt: skip


def run_job(client, soql, operation="query", **said):
    made = client.call("POST", "/jobs/query", json={"operation": operation, "query": soql, **said})
    assert made.status_code == 200, made.text
    job = made.json()
    assert job["state"] == "UploadComplete"
    for _ in range(400):
        told = client.get(f"/jobs/query/{job['id']}").json()
        if told["state"] in ("JobComplete", "Failed", "Aborted"):
            return told
        time.sleep(0.01)
    raise AssertionError(told)


def pages(client, job, most):
    locator, found = None, []
    while locator != "null":
        params = {"maxRecords": most} | ({"locator": locator} if locator else {})
        answer = client.get(f"/jobs/query/{job['id']}/results", params=params)
        assert answer.status_code == 200
        found.append(answer)
        locator = answer.headers["Sforce-Locator"]
    return found


def parsed(content, delimiter=","):
    csv.field_size_limit(10_000_000)
    return list(csv.reader(io.StringIO(content.decode(), newline=""), delimiter=delimiter))


def test_a_result_in_pages_holds_every_record_once(org, client):
    org.load("Account", [{"Name": f"n{at}", "AnnualRevenue": at / 4, "Active__c": at % 2 == 0} for at in range(250)])
    job = run_job(client, "SELECT Id, Name, AnnualRevenue, Active__c, SystemModstamp FROM Account")
    assert job["numberRecordsProcessed"] == 250
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


@pytest.mark.parametrize(("delimiter", "sign"), [("COMMA", ","), ("TAB", "\t"), ("CARET", "^"), ("PIPE", "|")])
@pytest.mark.parametrize(("ending", "chars"), [("LF", b"\n"), ("CRLF", b"\r\n")])
def test_hard_texts_come_byte_for_byte(org, client, delimiter, sign, ending, chars):
    org.load("Account", [{"Name": "n", "Description": value} for value in HARD])
    job = run_job(client, "SELECT Name, Description FROM Account", columnDelimiter=delimiter, lineEnding=ending)
    whole = b"".join(answer.content.partition(chars)[2] for answer in pages(client, job, 4))
    expected = "".join(f'"n"{sign}"{value.replace(chr(34), chr(34) * 2)}"{chars.decode()}' for value in HARD)
    assert whole == expected.encode()


def test_nothing_and_the_empty_text_are_the_same(org, client):
    org.load("Account", [{"Name": "a", "Description": ""}, {"Name": "b", "Description": None}])
    (answer,) = pages(client, run_job(client, "SELECT Name, Description FROM Account"), 10)
    assert answer.content == b'"Name","Description"\n"a",""\n"b",""\n'
