"""No secret and no token of Salesforce is in anything that people read or keep, at any level of any library's log.

What the simulated org gave out or was given is looked for in: standard output and error, the log of every library at
DEBUG, error texts, reports, the state and files of the extract, the snapshots of describe.
"""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from extract.kit import ACCOUNT, CONTACT, TASK_STATUS, accounts
from forceglue.cli.main import main
from forceglue.salesforce.retry import Pace
from forceglue.simulated.salesforce import Org, OrgServer, serve
from salesforce.kit import QUICK, Answer, answering

if TYPE_CHECKING:
    from played import Played

USER = "integration@example.com"
CLIENT, PASSWORD = "s3cret/of+the=app", "pa55 word+token"
KEY = rsa.generate_private_key(65537, 2048)
PRIVATE = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
PUBLIC = (
    KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
)
COMMANDS = (
    ["catalog", "pull", "--all"],
    ["drift", "--format", "json"],
    ["extract", "--json"],
    ["extract", "--all"],
    ["drift"],
)
NAMES = ("SF_BROKER_URL", "SF_SECRET", "SF_PRIVATE_KEY", "SF_PRIVATE_KEY_FILE", "SF_REFRESH_TOKEN", "SF_CLIENT_SECRET")


@pytest.fixture
def server() -> Iterator[OrgServer]:
    with Org() as org:
        org.define(ACCOUNT, CONTACT, TASK_STATUS)
        org.access.add_user("person@example.com", PASSWORD)
        org.access.add_app("app", CLIENT, run_as=USER, public_key=PUBLIC)
        org.load("Account", accounts(60, at=datetime.now(UTC) - timedelta(days=1)))
        with serve(org) as running:
            org.access.audiences.add(running.url)
            yield running


class Heard:
    """Calls commands and hears all that they say."""

    def __init__(self, folder: Path, server: OrgServer, capfd: pytest.CaptureFixture[str]) -> None:
        self.folder, self.server, self._capfd = folder, server, capfd
        self.log = io.StringIO()
        self.said: list[str] = []
        self.codes: list[int] = []
        (folder / "mappings" / "objects").mkdir(parents=True)
        (folder / "mappings" / "project.yaml").write_text("roots: {landing: landing, warehouse: warehouse}\n")
        (folder / "mappings" / "objects" / "account.yaml").write_text("mapping: account\nsource: Account\n")

    def call(self, words: list[str], environ: dict[str, str]) -> None:
        given = {**dict.fromkeys(NAMES), "SF_TOKEN_URL": self.server.token_url, "SF_CLIENT_ID": "app", **environ}
        root, handler = logging.getLogger(), logging.StreamHandler(self.log)
        before = root.level
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        try:
            done = CliRunner().invoke(main, words, env=given)
        finally:
            root.setLevel(before)
            root.removeHandler(handler)
        out, err = self._capfd.readouterr()
        self.codes.append(done.exit_code)
        self.said += [done.stdout, done.stderr, out, err, repr(done.exception)]

    def everything(self) -> str:
        kept = (p.read_bytes().decode("latin-1") for p in self.folder.rglob("*") if p.is_file() and p.name != "token")
        return "\n".join([*self.said, self.log.getvalue(), *kept])


def nothing_of(secrets: tuple[str, ...], everything: str) -> None:
    """None of them, in none of the forms in which they travel, and no signed assertion."""
    forms = {form for secret in secrets for form in (secret, quote_plus(secret), json.dumps(secret)[1:-1])}
    assert len(forms) >= len(secrets) > 0
    found = [form for form in forms if form in everything]
    places = [everything[max(0, everything.index(form) - 200) : everything.index(form)] for form in found]
    assert places == []
    assert "eyJ" not in everything  # where a JSON Web Token begins


def issued(server: OrgServer) -> tuple[str, ...]:
    access = server.org.access
    key = "".join(PRIVATE.splitlines()[1:3])
    return (*access.sessions, *access.refreshes, CLIENT, PASSWORD, key, PRIVATE.splitlines()[1])


@pytest.fixture
def heard(tmp_path: Path, server: OrgServer, capfd: pytest.CaptureFixture[str], monkeypatch: Any) -> Heard:
    monkeypatch.chdir(tmp_path)
    return Heard(tmp_path, server, capfd)


def by_key(heard: Heard) -> dict[str, str]:
    return {"SF_PRIVATE_KEY": PRIVATE, "SF_USERNAME": USER}


def by_secret(heard: Heard) -> dict[str, str]:
    return {"SF_CLIENT_SECRET": CLIENT}


def by_password(heard: Heard) -> dict[str, str]:
    said = {"SF_USERNAME": "person@example.com", "SF_PASSWORD": PASSWORD, "SF_CLIENT_SECRET": CLIENT}
    return {**said, "SF_ALLOW_PASSWORD": "1"}


def by_refresh_token(heard: Heard) -> dict[str, str]:
    access = heard.server.org.access
    token = access.grant_refresh(access.administrator, access.apps["app"])
    kept = {"SF_REFRESH_TOKEN": token, "SF_CLIENT_SECRET": CLIENT, "SF_TOKEN_FILE": str(heard.folder / "token")}
    return kept | {"SF_USERNAME": USER}


@pytest.mark.filterwarnings("ignore:Salesforce retires")
@pytest.mark.parametrize("way", [by_key, by_secret, by_password, by_refresh_token])
def test_of_no_way_to_sign_in(heard: Heard, way: Callable[[Heard], dict[str, str]]) -> None:
    environ = way(heard)
    for words in COMMANDS:
        heard.call(words, environ)
    assert heard.codes == [0] * len(COMMANDS), heard.said
    everything = heard.everything()
    assert "urllib3" in everything or "http" in heard.log.getvalue().lower()  # the libraries were heard
    nothing_of(issued(heard.server), everything)


def test_of_a_broker(heard: Heard) -> None:
    access = heard.server.org.access
    session = access.sign_in(access.administrator)
    token = {"access_token": session.token, "instance_url": heard.server.url}
    with answering(lambda _: Answer(token)) as broker:
        for words in COMMANDS:
            heard.call(words, {"SF_BROKER_URL": broker.url})
    assert heard.codes == [0] * len(COMMANDS), heard.said
    nothing_of(issued(heard.server), heard.everything())


FAULTS: dict[str, Callable[[OrgServer], object]] = {
    "refused": lambda server: server.faults.refuse(503, times=None, path="/jobs/query"),
    "odd": lambda server: server.faults.refuse(400, times=None, path="/sobjects", code="X", message="no"),
    "cut": lambda server: server.faults.cut(3, times=None, path="/results"),
    "expired": lambda server: server.faults.then(server.org.access.end_sessions, times=3),
    "always expired": lambda server: server.faults.then(server.org.access.end_sessions, times=None),
    "no token": lambda server: server.faults.refuse(500, times=None, path="/oauth2/token"),
    "wrong secret": lambda server: server.org.access.apps.clear(),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_when_something_goes_wrong(heard: Heard, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pace.__init__, "__defaults__", tuple(vars(QUICK).values()))  # nobody waits
    FAULTS[fault](heard.server)
    for environ in (by_secret(heard), by_key(heard)):
        heard.call(["extract"], environ)
        heard.call(["catalog", "pull", "Account"], environ)
    assert fault == "expired" or any(heard.codes), heard.said
    nothing_of(issued(heard.server), heard.everything())


def test_of_the_demo(played: Played) -> None:
    """Its log has every library's, Spark's gateway included; its folder has the reports and the extract's state."""
    texts = [played.output, played.log.read_text("utf-8")]
    texts += [path.read_bytes().decode("latin-1") for path in played.folder.rglob("*") if path.is_file()]
    everything = "\n".join(texts)
    assert "Command to send" in everything  # of py4j: the log was heard
    forms = [form for secret in played.secrets for form in (secret, quote_plus(secret)) if form in everything]
    assert len(played.secrets) >= 3 and forms == []
