"""A token from Salesforce: how long it is used, and what a strange answer costs."""

from __future__ import annotations

import time

import jwt
import pytest

from common.minting import mint, web
from forceglue.errors import AnswerLostError, SignInError
from forceglue.salesforce.settings import Connection
from salesforce.kit import Answer, answering, in_turn

GOOD = {"access_token": "00D!a.b.c", "instance_url": "http://127.0.0.1:9"}


def minted(body: dict[str, str], flow: str = "client_credentials"):
    with answering(in_turn(Answer(body))) as address:
        one = Connection(flow, f"{address.url}/services/oauth2/token", client_id="i", client_secret="s")  # type: ignore[arg-type]
        return mint(one, web(), "r0" if flow == "refresh" else "", 3600)


def test_an_opaque_token_is_used_as_long_as_the_settings_say() -> None:
    found = minted(GOOD)
    assert found.expires_at == found.issued_at + 3600 and abs(found.issued_at - time.time()) < 10


def test_a_token_that_says_when_it_ends_is_not_used_longer() -> None:
    ends = int(time.time()) + 900
    assert minted({**GOOD, "access_token": jwt.encode({"exp": ends}, "k" * 32)}).expires_at == ends
    late = jwt.encode({"exp": ends + 9000}, "k" * 32)
    assert minted({**GOOD, "access_token": late}).expires_at < ends + 3600


def test_only_a_new_refresh_token_counts() -> None:
    assert minted({**GOOD, "refresh_token": "r1"}, "refresh").refresh_token == "r1"
    assert minted({**GOOD, "refresh_token": "r0"}, "refresh").refresh_token is None
    assert minted(GOOD, "refresh").refresh_token is None


def test_an_answer_that_is_no_token_has_cost_the_refresh_token() -> None:
    with pytest.raises(AnswerLostError, match="spent"):
        minted({"hello": "there"}, "refresh")
    with pytest.raises(SignInError) as caught:
        minted({"hello": "there"})
    assert not isinstance(caught.value, AnswerLostError)
