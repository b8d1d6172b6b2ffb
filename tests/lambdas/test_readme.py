"""What lambdas/README.md says is so."""

from __future__ import annotations

import json
import os
import re
from types import ModuleType

import pytest

from forceglue.salesforce.settings import SECRET_VARIABLE, VARIABLES, from_environment
from forceglue.simulated.salesforce.server import OrgServer
from lambdas.gateway import Context, event, gateway
from salesforce.kit import answering
from tests.house.lock import ROOT
from token_broker import connecting

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


def test_every_variable_of_the_broker_is_told_and_no_other() -> None:
    code = (ROOT / "lambdas" / "token_broker" / "settings.py").read_text("utf-8")
    read = set(re.findall(r'given\.(?:text|number)\(\s*"([A-Z_]+)"', code))
    table = "\n".join(line for line in section("Token broker").splitlines() if line.startswith("| `"))
    told = {name.partition("=")[0] for name in re.findall(r"`([A-Z][A-Z_]+(?:=1)?)`", table)}
    assert read <= told <= read | {*VARIABLES, SECRET_VARIABLE}


def test_every_metric_of_the_broker_is_told_and_no_other() -> None:
    files = (ROOT / "lambdas" / "token_broker").glob("*.py")
    code = "\n".join(path.read_text("utf-8") for path in files)
    told = section("Token broker").partition("Metrics: ")[2]
    assert set(re.findall(r"`(\w+)`", told)) == set(re.findall(r'(?:_count\(|name=)"([A-Z]\w+)"', code))
