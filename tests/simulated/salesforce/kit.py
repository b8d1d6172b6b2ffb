"""What several tests of the simulated org share."""

import csv
import io
import time

HARD = [
    'says "go"', "two\nlines", "dos\r\nline", "cr\ronly", "nul\x00byte", "comma,semi;tab\tpipe|", "  blanks  ", "ünï 🎬",
    "x" * 100_000, '"', '""', "\n", "NULL", "null", "=1+1",
]  # fmt: skip
ENDED = ("JobComplete", "Failed", "Aborted")


def run_job(client, soql, operation="query", **said):
    """A Bulk query job, waited for."""
    made = client.call("POST", "/jobs/query", json={"operation": operation, "query": soql, **said})
    assert made.status_code == 200, made.text
    assert made.json()["state"] == "UploadComplete"
    return ended(client, f"/jobs/query/{made.json()['id']}")


def ended(client, path):
    """A job once it is done."""
    for _ in range(3000):
        told = client.get(path).json()
        if told["state"] in ENDED:
            return told
        time.sleep(0.01)
    raise AssertionError(told)


def pages(client, job, most):
    """All pages of a query job's results."""
    locator, found = None, []
    while locator != "null":
        params = {"maxRecords": most} | ({"locator": locator} if locator else {})
        answer = client.get(f"/jobs/query/{job['id']}/results", params=params)
        assert answer.status_code == 200
        found.append(answer)
        locator = answer.headers["Sforce-Locator"]
    return found


def parsed(content, delimiter=","):
    """Rows of a CSV."""
    csv.field_size_limit(10_000_000)
    return list(csv.reader(io.StringIO(content.decode(), newline=""), delimiter=delimiter))
