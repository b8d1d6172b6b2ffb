"""The API describes itself: an OpenAPI 3.1 document, a page to try it, the README."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from lambdas.rest_kit import Client
from lambdas.served import served
from tests.house.lock import ROOT

README = (ROOT / "lambdas" / "README.md").read_text("utf-8").partition("\n## REST API\n")[2].partition("\n## ")[0]


def test_every_endpoint_is_described_with_its_answers_and_refusals(api: Client) -> None:
    answer = api.call("GET", "/openapi.json")
    told = answer.json()
    assert answer.headers["Content-Type"] == "application/json" and told["openapi"].startswith("3.1")
    assert set(told["paths"]) == {
        "/accounts", "/accounts/{account_id}", "/contacts", "/contacts/{contact_id}", "/opportunities",
        "/opportunities/{opportunity_id}", "/objects/{object_name}", "/objects/{object_name}/{record_id}",
        "/objects/{object_name}/{key_field}/{key_value}", "/query", "/batch/accounts", "/batch/jobs/{job_id}", "/health",
    }  # fmt: skip
    for path, operations in told["paths"].items():
        for method, operation in operations.items():
            statuses = set(operation["responses"])
            assert {"400", "403", "404", "429", "500", "503", "504"} <= statuses and "422" not in statuses
            assert "201" in statuses or method != "post" or path == "/query"
    new = told["components"]["schemas"]["NewAccount"]
    assert new["required"] == ["Name"] and "Industry" in new["properties"]


def test_nothing_is_referred_to_that_is_not_there(api: Client) -> None:
    text = api.call("GET", "/openapi.json").text
    schemas = json.loads(text)["components"]["schemas"]
    assert set(re.findall(r"#/components/schemas/([^\"]+)", text)) <= schemas.keys()


def test_the_page_has_all_that_it_needs_in_it(function: ModuleType, api: Client) -> None:
    with served(function.handler, stage="/v1") as url:
        answer = Client(url, api.server, None, api.made).call("GET", "/docs")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert not re.search(r'<(?:script|link)[^>]+(?:src|href)="', answer.text)
    assert '"servers": [{"url": "/v1"}]' in answer.text and "/accounts/{account_id}" in answer.text


@pytest.mark.slow
def test_the_page_shows_the_api_in_a_browser(api: Client, tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    assert browser, "install chromium, or leave this test to who has it"
    command = [
        browser, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}",
        "--virtual-time-budget=20000", "--dump-dom", f"{api.url}/docs",
    ]  # fmt: skip
    page = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    shown = html.unescape(re.sub(r"<[^>]+>|\u200b", "", page))
    for words in ("Salesforce REST API", "Create an account", "/accounts/{account_id}", "Run a SOQL query", "/health"):
        assert words in shown, words


def test_the_readme_names_every_endpoint_and_code(api: Client) -> None:
    code = "\n".join(
        path.read_text("utf-8")
        for folder in ("rest_api", "common/api")
        for path in sorted((ROOT / "lambdas" / folder).glob("*.py"))
    )
    given = set(re.findall(r'Problem\(\s*\d{3}, "([A-Z_]+)"', code)) | {"OUTCOME_UNKNOWN"}
    table = README.partition("| status |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`([A-Z_]+)`", table)) == given
    for path in api.call("GET", "/openapi.json").json()["paths"]:
        first = path.split("/")[1]
        assert f"/{first}" in README, path
