import base64
import time
from datetime import timedelta

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from forceglue.simulated.salesforce.oauth import JWT_BEARER


def pem_pair():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


PRIVATE, PUBLIC = pem_pair()
OTHER, _ = pem_pair()


@pytest.fixture
def jwt_app(org):
    return org.access.add_app("jwt-app", public_key=PUBLIC, approved={"integration@example.com"})


def post(server, path="token", **form):
    return requests.post(f"{server.url}/services/oauth2/{path}", data=form, timeout=30)


def bearer(server, key=PRIVATE, **claims):
    said = {
        "iss": "jwt-app",
        "sub": "integration@example.com",
        "aud": "https://login.salesforce.com",
        "exp": int(time.time()) + 120,
    }
    assertion = jwt.encode({**said, **claims}, key, algorithm="RS256")
    return post(server, grant_type=JWT_BEARER, assertion=assertion)


def works(server, token):
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{server.url}/services/data/v60.0/limits", headers=headers, timeout=30)


def refusal(answer, status=400):
    assert answer.status_code == status
    assert answer.json().keys() == {"error", "error_description"}
    return answer.json()["error"], answer.json()["error_description"]


def test_a_signed_assertion_gives_a_session_that_works(server, jwt_app):
    answer = bearer(server)
    assert answer.status_code == 200
    told = answer.json()
    assert {"access_token", "instance_url", "id", "token_type", "issued_at", "signature", "scope"} <= told.keys()
    assert "expires_in" not in told
    assert told["instance_url"] == server.url
    assert works(server, told["access_token"]).status_code == 200


def test_the_same_user_and_app_get_the_same_session(server, jwt_app):
    assert bearer(server).json()["access_token"] == bearer(server).json()["access_token"]
    server.org.access.end_sessions()
    fresh = bearer(server).json()["access_token"]
    assert works(server, fresh).status_code == 200


@pytest.mark.parametrize("aud", ["SELF", "https://test.salesforce.com", "https://login.salesforce.com/"])
def test_audiences_that_are_taken(server, jwt_app, aud):
    assert bearer(server, aud=server.url if aud == "SELF" else aud).status_code == 200


@pytest.mark.parametrize(
    ("claims", "error", "description"),
    [
        ({"iss": "nobody"}, "invalid_client_id", "client identifier invalid"),
        ({"aud": "https://example.com"}, "invalid_grant", "audience is invalid"),
        ({"exp": 1}, "invalid_grant", "expired assertion"),
        ({"exp": int(time.time()) + 86_400}, "invalid_grant", "invalid assertion"),
        ({"exp": "soon"}, "invalid_grant", "invalid assertion"),
        ({"sub": "nobody@example.com"}, "invalid_grant", "user hasn't approved this consumer"),
    ],
)
def test_assertions_that_are_refused(server, jwt_app, claims, error, description):
    assert refusal(bearer(server, **claims)) == (error, description)


def test_a_wrong_key_an_unsigned_assertion_and_no_assertion_are_refused(server, jwt_app):
    assert refusal(bearer(server, key=OTHER)) == ("invalid_grant", "invalid assertion")
    said = {"iss": "jwt-app", "sub": "integration@example.com", "aud": server.url, "exp": int(time.time()) + 60}
    unsigned = jwt.encode(said, None, algorithm="none")
    assert refusal(post(server, grant_type=JWT_BEARER, assertion=unsigned)) == ("invalid_grant", "invalid assertion")
    assert refusal(post(server, grant_type=JWT_BEARER)) == ("invalid_grant", "invalid assertion")


def test_users_that_may_not(server, jwt_app):
    server.org.access.add_user("other@example.com")
    assert refusal(bearer(server, sub="other@example.com")) == ("invalid_grant", "user hasn't approved this consumer")
    server.org.access.administrator.active = False
    assert refusal(bearer(server)) == ("inactive_user", "user is inactive")


def test_client_credentials(server):
    good = {"grant_type": "client_credentials", "client_id": "app", "client_secret": "app-secret"}
    assert works(server, post(server, **good).json()["access_token"]).status_code == 200
    basic = "Basic " + base64.b64encode(b"app:app-secret").decode()
    answer = requests.post(
        server.token_url,
        data={"grant_type": "client_credentials"},
        headers={"Authorization": basic},
        timeout=30,
    )
    assert answer.status_code == 200
    assert refusal(post(server, **{**good, "client_secret": "x"})) == ("invalid_client", "invalid client credentials")
    assert refusal(post(server, **{**good, "client_id": "x"})) == ("invalid_client_id", "client identifier invalid")
    server.org.access.apps["app"].run_as = None
    assert refusal(post(server, **good)) == ("invalid_grant", "no client credentials user enabled")
    assert refusal(post(server, grant_type="magic")) == ("unsupported_grant_type", "grant type not supported")


def test_a_refresh_token_is_replaced_and_the_old_one_gives_everything_away(server):
    access = server.org.access
    app = access.add_app("web", "web-secret")
    first = access.grant_refresh(access.administrator, app)
    form = {"grant_type": "refresh_token", "client_id": "web", "client_secret": "web-secret"}
    told = post(server, **form, refresh_token=first).json()
    second = told["refresh_token"]
    assert second != first
    newer = post(server, **form, refresh_token=second).json()
    assert works(server, newer["access_token"]).status_code == 200
    assert refusal(post(server, **form, refresh_token=first)) == ("invalid_grant", "expired access/refresh token")
    assert works(server, newer["access_token"]).status_code == 401
    assert post(server, **form, refresh_token=newer["refresh_token"]).status_code == 400


def test_without_rotation_a_refresh_token_stays(server):
    access = server.org.access
    app = access.add_app("web", "web-secret", rotates=False)
    token = access.grant_refresh(access.administrator, app)
    form = {"grant_type": "refresh_token", "client_id": "web", "client_secret": "web-secret", "refresh_token": token}
    assert [post(server, **form).status_code for _ in range(2)] == [200, 200]
    assert "refresh_token" not in post(server, **form).json()


def test_password(server):
    server.org.access.add_user("old@example.com", "secret+token")
    form = {"grant_type": "password", "client_id": "app", "client_secret": "app-secret", "username": "old@example.com"}
    assert post(server, **form, password="secret+token").status_code == 200
    assert refusal(post(server, **form, password="secret")) == ("invalid_grant", "authentication failure")


def test_a_session_lives_as_long_as_it_is_used(client, clock):
    client.server.org.access.session_life = timedelta(minutes=30)
    for _ in range(3):
        clock.advance(timedelta(minutes=20))
        assert client.get("/limits").status_code == 200
    clock.advance(timedelta(minutes=31))
    answer = client.get("/limits")
    assert answer.status_code == 401
    assert answer.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]


def test_revoke_introspect_and_userinfo(server, client):
    token = client.session.headers["Authorization"].removeprefix("Bearer ")
    form = {"client_id": "app", "client_secret": "app-secret", "token": token}
    told = post(server, "introspect", **form).json()
    assert told["active"]
    assert told["username"] == "integration@example.com"
    assert post(server, "introspect", **{**form, "client_secret": "no"}).status_code == 401
    who = client.get("/services/oauth2/userinfo").json()
    assert who["organization_id"] == server.org.id
    assert post(server, "revoke", token=token).status_code == 200
    assert refusal(post(server, "revoke", token=token))[0] == "unsupported_token_type"
    assert post(server, "introspect", **form).json() == {"active": False}
    assert client.get("/services/oauth2/userinfo").status_code == 403
    assert client.get("/limits").status_code == 401


def test_no_secret_shows_in_a_repr(server, jwt_app):
    access = server.org.access
    session = access.sign_in(access.administrator, access.apps["app"])
    shown = repr(access.apps) + repr(session) + repr(access.add_user("a@example.com", "pass-word"))
    for secret in ("app-secret", session.token, "pass-word"):
        assert secret not in shown
