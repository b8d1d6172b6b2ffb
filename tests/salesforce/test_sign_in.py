"""The token requests over real HTTP: what is sent, what an error means, one token for all threads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from forceglue.errors import AnswerLostError, SalesforceBusyError, SignInError
from forceglue.salesforce.session import Web
from forceglue.salesforce.settings import Connection
from forceglue.salesforce.sign_in import SignIn, Token, sign_in
from salesforce.kit import QUICK, Address, Answer, Asked, answering, in_turn

KEY = rsa.generate_private_key(65537, 2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
GOOD = {"access_token": "00D!token", "instance_url": "http://127.0.0.1:9", "token_type": "Bearer"}


def connection(address: Address, flow: str = "client_credentials", **more: object) -> Connection:
    return Connection(flow, f"{address.url}/services/oauth2/token", client_id="3MVG9", client_secret="hush", **more)  # type: ignore[arg-type]


def refused(error: str, said: str, status: int = 400) -> Answer:
    return Answer({"error": error, "error_description": said}, status)


def test_jwt_bearer_signs_what_salesforce_asks_for() -> None:
    with answering(in_turn(Answer(GOOD))) as address:
        one = connection(
            address, "jwt", username="etl@acme.example", private_key=PEM, audience="https://login.salesforce.com"
        )
        assert sign_in(one, Web(), QUICK).token() == Token("00D!token", "http://127.0.0.1:9")
        form = address.asked[0].form
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    claims = jwt.decode(
        form["assertion"], KEY.public_key(), algorithms=["RS256"], audience="https://login.salesforce.com"
    )
    assert (claims["iss"], claims["sub"]) == ("3MVG9", "etl@acme.example") and "exp" in claims
    assert "hush" not in str(form)


@pytest.mark.parametrize(
    ("flow", "form"),
    [
        ("client_credentials", {"grant_type": "client_credentials", "client_id": "3MVG9", "client_secret": "hush"}),
        (
            "password",
            {"grant_type": "password", "client_id": "3MVG9", "client_secret": "hush", "username": "u", "password": "p"},
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:Salesforce retires")
def test_forms(flow: str, form: dict[str, str]) -> None:
    with answering(in_turn(Answer(GOOD))) as address:
        sign_in(connection(address, flow, username="u", password="p"), Web(), QUICK).token()
        assert address.asked[0].form == form


def test_a_password_warns() -> None:
    with answering(in_turn(Answer(GOOD))) as address, pytest.warns(UserWarning, match="retires"):
        sign_in(connection(address, "password"), Web(), QUICK)


@pytest.mark.parametrize(
    ("code", "said", "advice"),
    [
        ("invalid_grant", "user hasn't approved this consumer", "pre-authorise"),
        ("invalid_grant", "audience validation failed", "SF_AUDIENCE"),
        ("invalid_grant", "invalid assertion", "certificate"),
        ("invalid_grant", "expired access/refresh token", "authorise the app again"),
        ("invalid_grant", "no client credentials user enabled", "Run As"),
        ("invalid_grant", "ip restricted", "IP"),
        ("invalid_client_id", "client identifier invalid", "consumer key"),
        ("invalid_client", "invalid client credentials", "SF_CLIENT_SECRET"),
        ("unsupported_grant_type", "grant type not supported", "enable it"),
        ("something_new", "", "Setup"),
    ],
)
def test_an_error_says_what_to_do_and_is_not_tried_again(code: str, said: str, advice: str) -> None:
    with answering(in_turn(refused(code, said))) as address:
        with pytest.raises(SignInError) as caught:
            sign_in(connection(address), Web(), QUICK).token()
        assert len(address.asked) == 1
    assert code in str(caught.value) and advice in str(caught.value) and "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "first",
    [
        refused("rate_limit_exceeded", "login rate exceeded"),
        refused("invalid_grant", "concurrent refresh"),
        Answer({}, 503),
        Answer(b"<html>", 500),
        Answer({}, 429, {"Retry-After": "0"}),
    ],
)
def test_what_passes_is_tried_again(first: Answer) -> None:
    with answering(in_turn(first, Answer(GOOD))) as address:
        assert sign_in(connection(address), Web(), QUICK).token().access_token == "00D!token"
        assert len(address.asked) == 2


def test_tries_come_to_an_end() -> None:
    with answering(in_turn(Answer({}, 503))) as address:
        with pytest.raises(SalesforceBusyError):
            sign_in(connection(address), Web(), QUICK).token()
        assert len(address.asked) == QUICK.tries + 1


def test_a_secret_that_is_said_back_is_hidden() -> None:
    answer = refused("invalid_client", "secret hush is wrong")
    with answering(in_turn(answer)) as address, pytest.raises(SignInError) as caught:
        sign_in(connection(address), Web(), QUICK).token()
    assert "hush" not in str(caught.value) + caught.value.reason


@pytest.mark.parametrize("instance", ["http://evil.example", "https://a@b.example", ""])
def test_a_token_is_sent_to_no_odd_place(instance: str) -> None:
    with answering(in_turn(Answer({**GOOD, "instance_url": instance}))) as address, pytest.raises(SignInError):
        sign_in(connection(address), Web(), QUICK).token()


def test_a_redirect_is_not_followed() -> None:
    with (
        answering(in_turn(Answer({}, 302, {"Location": "http://127.0.0.1:1/"}))) as address,
        pytest.raises(SignInError, match="elsewhere"),
    ):
        sign_in(connection(address), Web(), QUICK).token()


def test_many_threads_get_one_token_and_one_renewal() -> None:
    made: list[Token | None] = []

    def fetch(stale: Token | None) -> Token:
        made.append(stale)
        return Token(f"t{len(made)}", "http://127.0.0.1:9")

    way = SignIn(fetch)
    with ThreadPoolExecutor(32) as pool:
        first = {t.access_token for t in pool.map(lambda _: way.token(), range(200))}
        renewed = {
            t.access_token for t in pool.map(lambda _: way.renewed(Token("t1", "http://127.0.0.1:9")), range(200))
        }
    assert (first, renewed, len(made)) == ({"t1"}, {"t2"}, 2)


def test_wrong_credentials_are_tried_once_however_many_ask() -> None:
    with answering(in_turn(refused("invalid_grant", "authentication failure"))) as address:
        way = sign_in(connection(address), Web(), QUICK)

        def ask(_: int) -> str:
            with pytest.raises(SignInError) as caught:
                way.token()
            return caught.value.code

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(ask, range(32))) == {"invalid_grant"}
        assert len(address.asked) == 1


def test_a_broker_is_told_the_hash_of_a_stale_token() -> None:
    with answering(in_turn(Answer(GOOD), Answer({**GOOD, "access_token": "00D!next"}))) as address:
        way = sign_in(replace(connection(address, "broker"), token_url=f"{address.url}/sf/token"), Web(), QUICK)
        first = way.token()
        assert way.renewed(first).access_token == "00D!next"
        assert [a.query for a in address.asked] == [{}, {"stale": first.hash}]
        assert "00D" not in first.hash and all("hush" not in str(a) for a in address.asked)


def test_a_broker_that_refuses_is_not_asked_again() -> None:
    with answering(in_turn(Answer({"error": "open_circuit"}, 403))) as address:
        with pytest.raises(SignInError, match="open_circuit"):
            sign_in(connection(address, "broker"), Web(), QUICK).token()
        assert len(address.asked) == 1


class Rotating:
    """Gives a new refresh token each time, and takes everything back when an old one comes again."""

    def __init__(self) -> None:
        self.good, self.number, self.revoked, self.lock = "r0", 0, False, threading.Lock()

    def __call__(self, asked: Asked) -> Answer:
        with self.lock:
            if self.revoked or asked.form["refresh_token"] != self.good:
                self.revoked = True
                return refused("invalid_grant", "expired access/refresh token")
            self.number += 1
            self.good = f"r{self.number}"
            return Answer({**GOOD, "access_token": f"a{self.number}", "refresh_token": self.good})


def refreshing(address: Address, file: Path, seed: str = "r0") -> SignIn:
    return sign_in(connection(address, "refresh", refresh_token=seed, token_file=file), Web(), QUICK)


def test_refresh_tokens_rotate_and_are_stored_before_use(tmp_path: Path) -> None:
    file, server = tmp_path / "deep" / "token.json", Rotating()
    with answering(server) as address:
        way = refreshing(address, file)
        token = way.token()
        assert '"r1"' in file.read_text() and file.stat().st_mode & 0o777 == 0o600
        assert way.renewed(token).access_token == "a2"
        assert refreshing(address, file).token().access_token == "a2"  # another process takes the token that is there
        assert refreshing(address, file).renewed(Token("a2", GOOD["instance_url"])).access_token == "a3"
    assert not server.revoked and server.number == 3


def test_an_old_refresh_token_is_never_sent_twice_by_many_at_once(tmp_path: Path) -> None:
    server = Rotating()
    with answering(server) as address, ThreadPoolExecutor(16) as pool:
        stale = refreshing(address, tmp_path / "t").token()
        found = set(pool.map(lambda _: refreshing(address, tmp_path / "t").renewed(stale).access_token, range(64)))
    assert (found, server.number, server.revoked) == ({"a2"}, 2, False)


def test_a_token_that_a_person_gives_anew_begins_another_chain(tmp_path: Path) -> None:
    server = Rotating()
    with answering(server) as address:
        refreshing(address, tmp_path / "t").token()
        server.good, server.number = "n0", 10
        assert refreshing(address, tmp_path / "t", "n0").token().access_token == "a11"


def test_a_lost_answer_is_not_asked_for_again(tmp_path: Path) -> None:
    with answering(in_turn(Answer(GOOD, cut=5))) as address:
        with pytest.raises(SignInError, match="answer was lost"):
            refreshing(address, tmp_path / "t").token()
        assert len(address.asked) == 1


@pytest.mark.parametrize(
    "lost", [Answer(GOOD, cut=5), Answer({}, 500), Answer({}, 504), refused("invalid_grant", "concurrent refresh")]
)
def test_a_refresh_token_that_may_be_spent_is_not_sent_again_by_any_process(tmp_path: Path, lost: Answer) -> None:
    with answering(in_turn(lost, Answer({**GOOD, "refresh_token": "n1"}))) as address:
        for _ in range(3):
            with pytest.raises(AnswerLostError, match="not sent again"):
                refreshing(address, tmp_path / "t").token()
        assert len(address.asked) == 1
        assert refreshing(address, tmp_path / "t", "n0").token().access_token == "00D!token"


@pytest.mark.parametrize(
    "first", [Answer({}, 503), Answer({}, 429), refused("rate_limit_exceeded", ""), refused("invalid_client", "")]
)
def test_a_refresh_token_that_was_not_taken_is_sent_again(tmp_path: Path, first: Answer) -> None:
    with answering(in_turn(first, Answer({**GOOD, "refresh_token": "r1"}))) as address:
        if first.status == 400 and first.body["error"] == "invalid_client":
            with pytest.raises(SignInError):
                refreshing(address, tmp_path / "t").token()
        assert refreshing(address, tmp_path / "t").token().access_token == "00D!token"
        assert [one.form["refresh_token"] for one in address.asked] == ["r0", "r0"]


def test_a_refresh_token_of_an_app_that_does_not_rotate_survives_a_lost_answer(tmp_path: Path) -> None:
    with answering(in_turn(Answer(GOOD), Answer(GOOD, cut=5), Answer({**GOOD, "access_token": "00D!b"}))) as address:
        stale = refreshing(address, tmp_path / "t").token()
        with pytest.raises(AnswerLostError):
            refreshing(address, tmp_path / "t").renewed(stale)
        assert refreshing(address, tmp_path / "t").renewed(stale).access_token == "00D!b"


def test_a_damaged_token_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("{")
    with answering(in_turn(Answer(GOOD))) as address, pytest.raises(SignInError, match="damaged"):
        refreshing(address, tmp_path / "t").token()
