"""`GET /sf/token` as it is deployed: environment, secret, event, answer, logs and metrics; and the client that asks it."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import pytest
from botocore.credentials import Credentials

from forceglue.errors import SalesforceBusyError, SignInError
from forceglue.salesforce.client import Salesforce
from forceglue.salesforce.session import Web
from forceglue.salesforce.settings import from_environment
from forceglue.salesforce.sign_in import SignIn, Token, sign_in
from forceglue.simulated.salesforce.server import OrgServer
from lambdas.gateway import Context, event, gateway, signed
from lambdas.kit import CLIENT, SECRET, TOKEN_PATH, USER, Aws, asked, expire
from salesforce.kit import QUICK, Answer, Asked, answering
from salesforce.test_client import PUBLIC
from salesforce.test_sign_in import PEM


def called(function: ModuleType, query: dict[str, str] | None = None, **more: Any) -> tuple[int, dict[str, Any]]:
    said = function.handler(event(query=query, **more), Context())
    return said["statusCode"], json.loads(said["body"])


def lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What went to the log, EMF among it."""
    return [json.loads(line) for line in capfd.readouterr().out.splitlines() if line.startswith("{")]


def test_the_answer_is_that_of_oauth_and_is_kept_by_nobody(function: ModuleType, server: OrgServer) -> None:
    said = function.handler(event(), Context())
    body = json.loads(said["body"])
    assert said["statusCode"] == 200 and body["token_type"] == "Bearer" and 3500 < body["expires_in"] <= 3600
    assert server.org.access.use(body["access_token"]) and body["instance_url"] == server.url
    assert said["multiValueHeaders"]["Cache-Control"] == ["no-store"]


def test_metrics_and_logs_tell_what_happened(function: ModuleType, capfd: pytest.CaptureFixture[str]) -> None:
    called(function)
    called(function)
    told = lines(capfd)
    metrics = [line for line in told if "_aws" in line]
    assert [line["TokenRefreshCount"] for line in metrics if "TokenRefreshCount" in line] == [[1.0]]
    latencies = [line["BrokerLatencyMs"][0] for line in metrics if "BrokerLatencyMs" in line]
    assert len(latencies) == 2 and all(took > 0 for took in latencies)
    assert metrics[-1]["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "forceglue"
    (refreshed,) = [line for line in told if line.get("message") == "token refreshed"]
    assert refreshed["service"] == "token-broker" and refreshed["correlation_id"].startswith("request-")


@pytest.mark.parametrize(
    ("query", "path", "status", "code"),
    [
        ({"stale": "00D!token"}, "/sf/token", 400, "invalid_request"),
        ({"stale": "A" * 64}, "/sf/token", 400, "invalid_request"),
        (None, "/sf/other", 404, "not_found"),
    ],
)
def test_a_wrong_call_is_told_in_the_same_envelope(
    function: ModuleType, server: OrgServer, query: dict[str, str] | None, path: str, status: int, code: str
) -> None:
    found, body = called(function, query, path=path)
    assert (found, body["error"]) == (status, code)
    assert body.keys() == {"error", "error_description", "request_id"} and not asked(server)


def test_a_refusal_of_salesforce_says_what_to_do_and_not_to_come_again(function: ModuleType, server: OrgServer) -> None:
    server.org.access.apps[CLIENT].run_as = None
    said = function.handler(event(), Context())
    body = json.loads(said["body"])
    assert said["statusCode"] == 502 and "Run As" in body["error_description"]
    assert "Retry-After" not in said["multiValueHeaders"]


def test_what_passes_says_when_to_come_again(
    function: ModuleType, server: OrgServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATIENCE_SECONDS", "0")
    server.faults.refuse(503, times=None, path=TOKEN_PATH)
    said = function.handler(event(), Context())
    assert said["statusCode"] == 503 and int(said["multiValueHeaders"]["Retry-After"][0]) >= 1


def test_settings_that_lack_are_told_all_at_once(function: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("APP_ID", "AUTH_KEY"):
        monkeypatch.delenv(name)
    status, body = called(function)
    assert (status, body["error"]) == (500, "not_set_up")
    assert "APP_ID" in body["error_description"] and "AUTH_KEY" in body["error_description"]


def test_a_broker_behind_a_broker_is_refused(function: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SF_BROKER_URL", "https://broker.example")
    assert "SF_BROKER_URL" in called(function)[1]["error_description"]


def test_what_nobody_foresaw_is_told_to_the_log_alone(
    function: ModuleType, aws: Aws, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AUTH_TABLE", "no-such-table")
    status, body = called(function)
    assert (status, body["error"]) == (500, "internal") and "table" not in str(body)
    told = lines(capfd)
    assert any("ResourceNotFoundException" in str(line) for line in told)
    assert any("BrokerFailed" in line for line in told)


def test_jwt_bearer_from_a_secret(
    function: ModuleType, aws: Aws, server: OrgServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.org.access.apps[CLIENT].public_key = PUBLIC
    held = {"token_url": server.token_url, "client_id": CLIENT, "username": USER, "private_key": PEM}
    aws.secrets.create_secret(Name="broker/jwt", SecretString=json.dumps(held))
    for name in ("SF_TOKEN_URL", "SF_CLIENT_ID", "SF_CLIENT_SECRET"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("SF_SECRET", "broker/jwt")
    assert server.org.access.use(called(function)[1]["access_token"])
    monkeypatch.setenv("SF_SECRET", "broker/none")
    expire(aws)
    function.broker.cache_clear()
    status, body = called(function)
    assert status == 500 and "broker/none" in body["error_description"]


def test_user_name_and_password_need_their_flag(
    function: ModuleType, server: OrgServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.org.access.users[USER].password = "pass-word-9931"
    monkeypatch.setenv("SF_USERNAME", USER)
    monkeypatch.setenv("SF_PASSWORD", "pass-word-9931")
    monkeypatch.delenv("SF_CLIENT_SECRET")
    status, body = called(function)
    assert status == 500 and "SF_ALLOW_PASSWORD" in body["error_description"]
    monkeypatch.setenv("SF_CLIENT_SECRET", SECRET)
    monkeypatch.setenv("SF_ALLOW_PASSWORD", "1")
    assert server.org.access.use(called(function)[1]["access_token"])


def test_no_secret_is_in_any_output(
    function: ModuleType,
    aws: Aws,
    server: OrgServer,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", "DEBUG")
    app = server.org.access.apps[CLIENT]
    refresh = server.org.access.grant_refresh(server.org.access.users[USER], app)
    monkeypatch.setenv("SF_REFRESH_TOKEN", refresh)
    answers = [called(function)]
    expire(aws)
    function.broker.cache_clear()
    server.faults.cut(5, path=TOKEN_PATH)
    answers += [called(function), called(function, path="/sf/other"), called(function, {"stale": "x"})]
    monkeypatch.delenv("SF_REFRESH_TOKEN")
    monkeypatch.setenv("SF_CLIENT_SECRET", "wrong-secret-5561")
    function.broker.cache_clear()
    answers.append(called(function))
    assert [status for status, _ in answers] == [200, 502, 404, 400, 502]
    out, err = capfd.readouterr()
    shown = out + err + json.dumps([body for status, body in answers if status != 200])
    sessions, refreshes = server.org.access.sessions, server.org.access.refreshes
    assert len(sessions) >= 2 and len(refreshes) >= 2 and "token refreshed" in shown
    for secret in (*sessions, *refreshes, SECRET, "wrong-secret-5561"):
        assert secret not in shown


# the client


def broker_client(url: str, **more: str) -> SignIn:
    return sign_in(from_environment({"SF_BROKER_URL": url, **more}), Web(), QUICK)


@pytest.mark.usefixtures("aws")
def test_a_whole_call_of_salesforce_by_the_brokers_token(function: ModuleType, server: OrgServer) -> None:
    with (
        answering(gateway(function.handler)) as address,
        Salesforce(from_environment({"SF_BROKER_URL": address.url})) as org,
    ):
        assert org.objects() is not None
        server.org.access.end_sessions()
        assert org.objects() is not None
    assert asked(server) == 2
    assert [bool(one.query) for one in address.asked] == [False, True]


@pytest.mark.usefixtures("aws")
def test_the_client_signs_as_iam_asks_for(function: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session-token")
    ours = Credentials("test", "test", "session-token")
    with answering(gateway(function.handler, lambda one: signed(one, ours, "eu-west-1"))) as address:
        way = broker_client(address.url, SF_BROKER_AUTH="iam")
        token = way.token()
        assert way.renewed(token).access_token != token.access_token
        with pytest.raises(SignInError, match="SF_BROKER_AUTH"):
            broker_client(address.url).token()
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
        with pytest.raises(SignInError, match="execute-api:Invoke"):
            broker_client(address.url, SF_BROKER_AUTH="iam").token()


@pytest.mark.usefixtures("aws")
def test_the_client_takes_one_token_of_cognito_for_many_calls(function: ModuleType) -> None:
    def cognito(one: Asked) -> Answer:
        if one.headers.get("Authorization") != "Basic aWQ6aHVzaA==":
            return Answer({"error": "invalid_client"}, 400)
        return Answer({"access_token": "cognito-token", "expires_in": 3600})

    with (
        answering(cognito) as pool,
        answering(
            gateway(function.handler, lambda one: one.headers.get("Authorization") == "Bearer cognito-token")
        ) as address,
    ):
        given = {"SF_BROKER_AUTH_URL": f"{pool.url}/oauth2/token", "SF_CLIENT_ID": "id"}
        way = broker_client(address.url, **given, SF_CLIENT_SECRET="hush")
        token = way.token()
        assert way.renewed(token) != token and len(pool.asked) == 1
        assert pool.asked[0].form == {"grant_type": "client_credentials"}
        with pytest.raises(SignInError, match="SF_BROKER_AUTH_URL") as caught:
            broker_client(address.url, **given, SF_CLIENT_SECRET="wrong").token()
        assert "wrong" not in str(caught.value)


def test_the_client_tries_again_what_passes_and_nothing_else(function: ModuleType, server: OrgServer) -> None:
    busy = [Answer({"message": "Internal server error"}, 502), Answer({"error": "x"}, 503, {"Retry-After": "0"})]
    real = gateway(function.handler)
    with answering(lambda one: busy.pop() if busy else real(one)) as address:
        assert isinstance(broker_client(address.url).token(), Token) and len(address.asked) == 3
        server.org.access.apps[CLIENT].client_secret = "changed"
        function.broker.cache_clear()
        stale = broker_client(address.url)
        with pytest.raises(SignInError, match="SF_CLIENT_SECRET is wrong"):
            stale.renewed(stale.token())
        assert len(address.asked) == 5
    with pytest.raises(SalesforceBusyError, match="cannot be reached"):
        broker_client(address.url).token()
