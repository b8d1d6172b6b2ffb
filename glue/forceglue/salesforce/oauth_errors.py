"""What Salesforce's token address says when it gives no token, and what a person does about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Advice:
    """What to do about an answer.

    Attributes:
        passes: it may be asked again, as it is.
        concurrent: another refresh of the same token is under way.
        inactive: the user may not sign in at all.
        ends_token: a refresh token that was sent is no longer good; a person authorises the app again.
    """

    text: str
    passes: bool = False
    concurrent: bool = False
    inactive: bool = False
    ends_token: bool = False


_CONCURRENT = Advice("another process refreshes at this moment", passes=True, concurrent=True)
_INACTIVE = Advice("activate the user in Setup", inactive=True)
_RATE = Advice("too many sign-ins in a short time; wait, and let the processes share a token broker", passes=True)

# a part of error_description, in lower case → advice; looked at first, in this order
_BY_DESCRIPTION = (
    ("concurrent", _CONCURRENT),
    ("currently being processed", _CONCURRENT),
    ("rate limit", _RATE),
    ("login rate exceeded", _RATE),
    (
        "hasn't approved this consumer",
        Advice("pre-authorise the user: in the app's policies set `Admin approved users` and give the user's profile "
               "or permission set to the app"),
    ),
    ("audience", Advice("the audience is wrong: set SF_AUDIENCE to https://login.salesforce.com, "
                        "https://test.salesforce.com (a sandbox) or the My Domain address")),
    ("invalid assertion", Advice("the assertion is refused: see that the app holds the certificate of this private "
                                 "key, that SF_USERNAME is the user's name, and that this machine's clock is right")),
    ("expired access/refresh token", Advice("the refresh token is no longer valid: authorise the app again, and give "
                                            "the new one as SF_REFRESH_TOKEN", ends_token=True)),
    ("expired authorization code", Advice("the code is used or too old: authorise the app again")),
    ("no client credentials user", Advice("the app has no `Run As` user: set one under Client Credentials Flow")),
    ("client credentials flow", Advice("enable the Client Credentials Flow for the app, with a `Run As` user")),
    ("request not supported on this domain", Advice("this flow needs the org's own address: set SF_TOKEN_URL to "
                                                    "https://<My Domain>.my.salesforce.com/services/oauth2/token")),
    ("inactive user", _INACTIVE),
    ("user is inactive", _INACTIVE),
    ("user is not active", _INACTIVE),
    ("ip restricted", Advice("allow this address: the profile's login IP ranges, or the app's IP relaxation")),
    ("ip not", Advice("allow this address: the profile's login IP ranges, or the app's IP relaxation")),
    ("authentication failure", Advice("user name or password (with its security token) is wrong; do not try often, "
                                      "the user would be locked")),
)  # fmt: skip

_BY_CODE = {
    "invalid_client_id": Advice("SF_CLIENT_ID is not the consumer key of an app of this org"),
    "invalid_client": Advice("SF_CLIENT_ID or SF_CLIENT_SECRET is wrong"),
    "invalid_grant": Advice("see the user's login history in Setup for the reason", ends_token=True),
    "inactive_user": _INACTIVE,
    "inactive_org": Advice("the org is locked, closed or suspended"),
    "rate_limit_exceeded": _RATE,
    "unsupported_grant_type": Advice("the app does not allow this flow: enable it, or take another"),
    "invalid_app_access": Advice("the app's policies do not let this user in: pre-authorise the user"),
    "invalid_request": Advice("see that SF_TOKEN_URL is a token address"),
    "unauthorized_client": Advice("the app does not allow this flow: enable it, or take another"),
}
_OTHERWISE = Advice("see the app's settings and the user's login history in Setup")


def advice(code: str, description: str) -> Advice:
    """What to do about `error` and `error_description`; what is not known does not pass by itself."""
    said = description.lower()
    found = next((known for part, known in _BY_DESCRIPTION if part in said), None)
    return found or _BY_CODE.get(code, _OTHERWISE)
