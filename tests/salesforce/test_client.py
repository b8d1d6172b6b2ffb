"""The client against the simulated org: each way in, describe, queries, deletes, counts, Bulk jobs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from extract.kit import ACCOUNT, CONTACT, NOW, TASK_STATUS, accounts, client, csv_rows, run
from forceglue.errors import SalesforceError, SignInError
from forceglue.salesforce.bulk import gone
from forceglue.salesforce.client import Salesforce
from forceglue.salesforce.settings import Connection, from_environment
from forceglue.simulated.salesforce import Org, serve
from salesforce.test_sign_in import KEY, PEM

USER = "integration@example.com"
PUBLIC = (
    KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
)


@pytest.fixture
def org() -> Iterator[Any]:
    with Org() as made:
        made.define(ACCOUNT, CONTACT, TASK_STATUS)
        made.access.add_app("app", "app-secret", run_as=USER, public_key=PUBLIC)
        yield made


@pytest.fixture
def server(org: Any) -> Iterator[Any]:
    with serve(org) as running:
        yield running


def environment(server: Any, **more: str) -> dict[str, str]:
    return {"SF_TOKEN_URL": server.token_url, "SF_CLIENT_ID": "app", **more}


def test_jwt_bearer(server: Any, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text(PEM)
    given = environment(server, SF_USERNAME=USER, SF_PRIVATE_KEY_FILE=str(tmp_path / "key.pem"))
    with Salesforce(from_environment(given)) as one:
        assert one.version == "67.0" and {"Account", "Contact"} <= {o["name"] for o in one.objects()}


def test_client_credentials_and_a_wrong_secret(server: Any) -> None:
    with Salesforce(from_environment(environment(server, SF_CLIENT_SECRET="app-secret"))) as one:
        assert one.describe("Account")["name"] == "Account"
    with (
        Salesforce(from_environment(environment(server, SF_CLIENT_SECRET="hush"))) as one,
        pytest.raises(SignInError) as caught,
    ):
        one.objects()
    assert "SF_CLIENT_SECRET" in str(caught.value) and "hush" not in str(caught.value)


@pytest.mark.filterwarnings("ignore:Salesforce retires")
def test_user_name_and_password(org: Any, server: Any) -> None:
    org.access.add_user("old@example.com", "pass+token")
    given = environment(server, SF_CLIENT_SECRET="app-secret", SF_USERNAME="old@example.com", SF_PASSWORD="pass+token")
    with Salesforce(from_environment(given, allow_password=True)) as one:
        assert one.objects()


def test_refresh_tokens_that_rotate(org: Any, server: Any, tmp_path: Path) -> None:
    seed = org.access.grant_refresh(org.access.administrator, org.access.apps["app"])
    given = environment(server, SF_CLIENT_SECRET="app-secret", SF_REFRESH_TOKEN=seed, SF_TOKEN_FILE=str(tmp_path / "t"))
    for _ in range(3):
        with Salesforce(from_environment(given)) as one:
            assert one.objects()
        org.access.end_sessions()  # the next one must refresh again, with the token that was kept
    assert seed not in (tmp_path / "t").read_text()


def test_an_app_that_the_user_is_not_approved_for(org: Any, server: Any, tmp_path: Path) -> None:
    org.access.add_app("other", None, public_key=PUBLIC, approved=set())
    (tmp_path / "key.pem").write_text(PEM)
    given = environment(server, SF_USERNAME=USER, SF_PRIVATE_KEY_FILE=str(tmp_path / "key.pem"), SF_CLIENT_ID="other")
    with Salesforce(from_environment(given)) as one, pytest.raises(SignInError, match="pre-authorise"):
        one.objects()


def test_describe_many_and_one_that_is_not_there(server: Any) -> None:
    with client(server) as one:
        found = one.describe_many(["Account", "Nowhere__c", "Contact"])
        calls = one.budget.calls
        assert found["Account"]["name"] == "Account" and isinstance(found["Nowhere__c"], SalesforceError)  # type: ignore[index]
        assert calls == 2  # versions, and one for all three
        assert isinstance(one.describe_many(["Nowhere__c"])["Nowhere__c"], SalesforceError)


def test_queries_in_pages(org: Any, server: Any) -> None:
    org.load("Account", accounts(4500))
    ids = [r["Id"] for r in org.rows("Account", ["Id"])]
    org.delete("Account", ids[0])
    with client(server) as one:
        pages = list(one.query("SELECT Id, Name FROM Account"))
        everything = [r["Id"] for page in one.query("SELECT Id FROM Account", deleted=True) for r in page.records]
    assert [len(page.records) for page in pages] == [2000, 2000, 499] and pages[0].total == 4499
    assert sorted(everything) == sorted(ids)


def test_a_token_that_expires_between_two_pages(org: Any, server: Any) -> None:
    org.load("Account", accounts(4500))
    server.faults.then(org.access.end_sessions, path="/query", times=2)
    with client(server) as one:
        assert sum(len(page.records) for page in one.query("SELECT Id FROM Account")) == 4500


def test_deleted_and_updated(org: Any, server: Any) -> None:
    org.load("Account", accounts(5))
    ids = [r["Id"] for r in org.rows("Account", ["Id"])]
    org.delete("Account", ids[0])
    org.update("Account", ids[1], {"Name": "x"})
    with client(server) as one:
        now = one.now()
        start, end = now - timedelta(days=1), now + timedelta(minutes=1)
        gone_ones, changed = one.deleted("Account", start, end), one.updated("Account", start, end)
    assert list(gone_ones.ids) == [ids[0]] and gone_ones.ids[ids[0]].tzinfo is not None  # type: ignore[union-attr]
    assert gone_ones.earliest is not None and gone_ones.covered_to <= end
    assert ids[1] in changed.ids


def test_limits_and_counts(org: Any, server: Any) -> None:
    org.load("Account", accounts(5))
    with client(server) as one:
        assert one.limits()["DailyApiRequests"]["Max"] > 0 and one.budget.used is not None
        assert one.record_counts(["Account", "Nowhere__c"]) == {"Account": 5}


def test_a_bulk_job_and_its_pages(org: Any, server: Any) -> None:
    org.load("Account", accounts(25))
    with client(server) as one:
        job = one.bulk.create("SELECT Id, Description FROM Account")
        while job.busy:
            job = one.bulk.state(job.id, job.version)
        assert job.complete and job.rows == 25
        rows, locator = [], None
        while True:
            with one.bulk.page(job.id, job.version, locator, 10) as page:
                rows += csv_rows(page.body.read(1 << 24))[1:]
                assert page.rows in (10, 5)
                locator = page.next
            if locator is None:
                break
        assert [row[1] for row in rows] == [r["Description"] for r in org.rows("Account", ["Description"])]
        one.bulk.delete(job.id, job.version)
        one.bulk.delete(job.id, job.version)  # is gone already
        with pytest.raises(SalesforceError) as caught, one.bulk.page(job.id, job.version, None, 10):
            pass
        assert gone(caught.value)


def test_a_page_goes_compressed_over_the_wire(org: Any, server: Any) -> None:
    org.load("Account", accounts(500))
    with client(server) as one:
        job = one.bulk.create("SELECT Id, Name FROM Account")
        while job.busy:
            job = one.bulk.state(job.id, job.version)
        with one.bulk.page(job.id, job.version, None, 500) as page:
            assert page.body._raw.headers["Content-Encoding"] == "gzip"
            assert len(csv_rows(page.body.read(1 << 24))) == 501


def test_a_bulk_query_that_is_refused(server: Any) -> None:
    with client(server) as one, pytest.raises(SalesforceError) as caught:
        one.bulk.create("SELECT Id, BillingAddress FROM Account")
    assert caught.value.status == 400 and "compound" in caught.value.reason and not gone(caught.value)


def test_no_secret_and_no_token_is_logged_anywhere(
    org: Any, server: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """A whole extract, with tokens that expire, refusals and a broken sign-in, everything logged that can be."""
    org.load("Account", accounts(120, at=NOW - timedelta(days=1)))
    org.access.calls_per_token = 4
    caplog.set_level(logging.DEBUG)
    for name in ("urllib3", "requests", "forceglue", "http.client"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    server.faults.refuse(503, chance=0.2, times=None)
    report = run(server, tmp_path / "landing", "Account")
    assert report.rows == 120
    bad = Connection("client_credentials", server.token_url, client_id="app", client_secret="hush-secret")
    with pytest.raises(SignInError) as caught, Salesforce(bad) as one:
        one.objects()
    told = caplog.text + "".join(capsys.readouterr()) + repr(bad) + repr(caught.value) + report.to_json()
    told += "".join(file.read_text() for file in (tmp_path / "landing").rglob("*.json"))
    assert "/services/data/v67.0/jobs/query" in caplog.text
    secrets = ["app-secret", "hush-secret", *org.access.sessions]
    assert len(secrets) > 3 and not [secret for secret in secrets if secret in told]
