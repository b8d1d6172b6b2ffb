"""The witness: simple-salesforce's own client, unchanged, over https with a certificate made for the test."""

import json
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from simple_salesforce import Salesforce, SalesforceLogin
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)

from forceglue.simulated.salesforce import serve
from simulated.salesforce.test_oauth import PRIVATE, PUBLIC


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def https(org, certificate):
    with serve(org, certificate=certificate) as running:
        yield running


@pytest.fixture
def session(certificate):
    with requests.Session() as made:
        made.trust_env = False  # a bundle in the environment would win over `verify`
        made.verify = str(certificate[0])
        yield made


@pytest.fixture
def sf(https, session):
    token = https.org.access.sign_in(https.org.access.administrator).token
    return Salesforce(instance_url=https.url, session_id=token, session=session, version="60.0")


class ToLoopback(requests.adapters.HTTPAdapter):
    """Sends what is meant for any Salesforce host to the server."""

    def __init__(self, server):
        super().__init__()
        self._server = server

    def send(self, request, **more):
        rest = request.url.split("/", 3)[3]
        request.url = f"{self._server.url}/{rest}"
        return super().send(request, **more)


def sign_in(server, **said):
    with requests.Session() as session:
        session.mount("https://", ToLoopback(server))
        return SalesforceLogin(session=session, **said)


def test_its_sign_in_flows(server):
    access = server.org.access
    access.add_app("jwt-app", public_key=PUBLIC)
    access.add_user("old@example.com", "pass")
    host = server.url.removeprefix("http://")
    ways = [
        {"username": "integration@example.com", "consumer_key": "jwt-app", "privatekey": PRIVATE},
        {"consumer_key": "app", "consumer_secret": "app-secret", "domain": "acme.my"},
        {"username": "old@example.com", "password": "pass", "consumer_key": "app", "consumer_secret": "app-secret"},
    ]
    for way in ways:
        token, instance = sign_in(server, **way)
        assert instance == host
        assert access.use(token)
    with pytest.raises(SalesforceAuthenticationFailed, match="invalid_client"):
        sign_in(server, consumer_key="app", consumer_secret="wrong", domain="acme.my")


def test_describe(sf):
    assert [entry["name"] for entry in sf.describe()["sobjects"]] == ["Account", "Contact", "User"]
    assert sf.Account.describe()["keyPrefix"] == "001"
    assert sf.Account.metadata()["objectDescribe"]["name"] == "Account"
    assert sf.limits()["DailyApiRequests"]["Max"] == 1_000_000
    assert sf.api_usage["api-usage"].total == 1_000_000


def test_records(sf, clock):
    made = sf.Account.create({"Name": "Bluegum", "AnnualRevenue": 12.5, "Code__c": "k/1"})
    assert made["success"]
    assert sf.Account.update(made["id"], {"Industry": "Media"}) == 204
    assert sf.Account.get(made["id"])["Industry"] == "Media"
    assert sf.Account.get_by_custom_id("Code__c", "k/1")["Id"] == made["id"]
    assert sf.Account.upsert("Code__c/k2", {"Name": "Other"}) == 201
    assert sf.Account.upsert("Code__c/k2", {"Name": "Newer"}) == 200
    assert sf.Account.delete(made["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound, match="entity is deleted"):
        sf.Account.get(made["id"])
    with pytest.raises(SalesforceMalformedRequest, match="REQUIRED_FIELD_MISSING"):
        sf.Account.create({})
    clock.advance(timedelta(minutes=5))
    at = datetime(2026, 11, 15, 10, 0, tzinfo=UTC)
    assert [one["id"] for one in sf.Account.deleted(at, clock())["deletedRecords"]] == [made["id"]]
    assert len(sf.Account.updated(at, clock())["ids"]) == 1


def test_queries(org, sf):
    org.load("Account", [{"Name": f"n{at}"} for at in range(4100)])
    found = sf.query_all("SELECT Id, Name FROM Account")
    assert (found["totalSize"], len(found["records"]), found["done"]) == (4100, 4100, True)
    assert [record["Name"] for record in sf.query_all_iter("SELECT Name FROM Account")] == [
        f"n{at}" for at in range(4100)
    ]
    org.delete("Account", found["records"][0]["Id"])
    assert sf.query("SELECT COUNT() FROM Account")["totalSize"] == 4099
    assert sf.query_all("SELECT Id FROM Account", include_deleted=True)["totalSize"] == 4100
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_FIELD"):
        sf.query("SELECT Nope FROM Account")
    org.access.end_sessions()
    with pytest.raises(SalesforceExpiredSession, match="INVALID_SESSION_ID"):
        sf.query("SELECT Id FROM Account")


def test_bulk2(sf, org, tmp_path):
    records = [{"Name": f"n{at}", "Code__c": f"k{at}", "Description": 'a "quoted"\nline'} for at in range(30)]
    (told,) = sf.bulk2.Account.insert(records=records, wait=0.05)
    assert (told["numberRecordsTotal"], told["numberRecordsFailed"]) == (30, 0)
    results = list(sf.bulk2.Account.query("SELECT Name, Description FROM Account", max_records=20, wait=0.05))
    assert [len(text.splitlines()) for text in results] == [1 + 20 * 2, 1 + 10 * 2]
    changes = [{"Code__c": "k0", "Name": "new"}, {"Code__c": "k99", "Name": "made"}, {"Code__c": "k98", "Name": ""}]
    (told,) = sf.bulk2.Account.upsert(records=changes, external_id_field="Code__c", wait=0.05)
    assert told["numberRecordsFailed"] == 1
    assert "REQUIRED_FIELD_MISSING" in sf.bulk2.Account.get_failed_records(told["job_id"])
    assert org.count("Account") == 31
    sf.bulk2.Account.download("SELECT Id FROM Account", path=str(tmp_path), max_records=100, wait=0.05)
    (downloaded,) = tmp_path.iterdir()
    ids = [line.strip('"') for line in downloaded.read_text().splitlines()[1:]]
    (told,) = sf.bulk2.Account.delete(records=[{"Id": one} for one in ids[:10]], wait=0.05)
    assert told["numberRecordsFailed"] == 0
    assert (org.count("Account"), org.count("Account", deleted=True)) == (21, 31)


def test_composite(sf):
    records = [{"attributes": {"type": "Account"}, "Name": f"n{at}"} for at in range(3)]
    told = sf.restful("composite/sobjects", method="POST", data=json.dumps({"records": records}))
    assert [one["success"] for one in told] == [True, True, True]
    calls = [{"method": "GET", "url": "v60.0/limits"}]
    told = sf.restful("composite/batch", method="POST", data=json.dumps({"batchRequests": calls}))
    assert told["results"][0]["statusCode"] == 200
