"""What lambdas/README.md says is so."""

from __future__ import annotations

import json
import os
import re
from types import ModuleType

import pytest

from common import connecting
from forceglue.salesforce.settings import SECRET_VARIABLE, VARIABLES, from_environment
from forceglue.simulated.salesforce.server import OrgServer
from lambdas.gateway import Context, event, gateway
from lambdas.refresher_kit import SHARDS, Place, grant
from salesforce.kit import answering
from tests.house.lock import ROOT

README = (ROOT / "lambdas" / "README.md").read_text("utf-8")


def section(title: str) -> str:
    return README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def blocks(language: str, title: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", section(title), re.DOTALL)


def test_every_function_is_told_of() -> None:
    for path in (ROOT / "lambdas").glob("*/handler.py"):
        assert f"[`{path.parent.name}`]" in README


def test_the_brokers_answer_has_these_fields(function: ModuleType) -> None:
    (shown,) = blocks("json", "Token broker")
    said = function.handler(event(), Context())
    assert json.loads(said["body"]).keys() == json.loads(shown).keys()


def test_the_client_as_it_is_shown(function: ModuleType, server: OrgServer, monkeypatch: pytest.MonkeyPatch) -> None:
    (shown,) = blocks("python", "Token broker")
    brokers = dict(os.environ)  # here caller and broker are one process, which cannot have both environments
    monkeypatch.setattr(connecting, "from_environment", lambda _, **more: from_environment(brokers, **more))
    with answering(gateway(function.handler)) as address:
        monkeypatch.setenv("SF_BROKER_URL", address.url)
        names: dict[str, object] = {}
        exec(shown, names)  # the README's own words
    assert server.org.access.use(names["token"].access_token)  # type: ignore[attr-defined]


FUNCTIONS = {
    "Token broker": "token_broker",
    "Token refresher": "token_refresher",
    "File profiles": "file_profiles",
    "Ingest": "ingest",
    "Job trigger": "job_trigger",
    "REST API": "rest_api",
    "Audit writer": "audit_writer",
}


def code(function: str, *files: str) -> str:
    folder = ROOT / "lambdas" / function
    return "\n".join((folder / name).read_text("utf-8") for name in files or [p.name for p in folder.glob("*.py")])


@pytest.mark.parametrize(("title", "function"), FUNCTIONS.items())
def test_every_variable_is_told_and_no_other(title: str, function: str) -> None:
    read = set(re.findall(r'given\.(?:text|number)\(\s*"([A-Z_]+)"', code(function, "settings.py")))
    table = "\n".join(line for line in section(title).splitlines() if line.startswith("| `"))
    told = {name.partition("=")[0] for name in re.findall(r"`([A-Z][A-Z_]+(?:=1)?)`", table)}
    assert read <= told <= read | {*VARIABLES, SECRET_VARIABLE, "ENV"}


@pytest.mark.parametrize(("title", "function"), FUNCTIONS.items())
def test_every_metric_is_told_and_no_other(title: str, function: str) -> None:
    told = section(title).partition("Metrics: ")[2]
    found = re.findall(r'(?:_count\(|name=|^    "[a-z_]+": )"([A-Z]\w+)"', code(function), re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", told)) == set(found)


def test_the_refreshers_answer_has_these_fields(refresher: ModuleType, place: Place, server: OrgServer) -> None:
    (shown,) = map(json.loads, blocks("json", "Token refresher"))
    counts = shown["statistics"]
    assert counts["users_queried"] == counts["tokens_refreshed"] + counts["tokens_skipped"] + counts["failures"]
    (user,) = place.enrol(server)
    server.org.access.revoke(place.tokens(user)["refresh_token"])
    answer = refresher.handler({}, Context(900))
    assert answer.keys() == shown.keys() and answer["statistics"].keys() == counts.keys()
    assert answer["statistics"]["errors"][0].keys() == counts["errors"][0].keys()


def test_a_user_is_enrolled_as_it_is_shown(refresher: ModuleType, place: Place, server: OrgServer) -> None:
    (shown,) = blocks("python", "Token refresher")
    text = json.dumps({"refresh_token": grant(server.org, "user-7")})
    place.aws.secrets.create_secret(Name="dev/salesforce/users/user-7", SecretString=text)
    exec(shown.replace("dev-SfUsers", place.table).replace("shards=4", f"shards={SHARDS}"), {})
    assert refresher.handler({}, Context(900))["statistics"]["tokens_refreshed"] == 1
    assert place.tokens("user-7").keys() == {
        "refresh_token", "access_token", "instance_url", "issued_at", "expires_at"
    }  # fmt: skip
