"""`forceglue extract` as it is called: settings from the environment, exit codes, what is shown."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from extract.kit import ACCOUNT, CONTACT, accounts, expected, landed, latest
from forceglue.cli.main import main
from forceglue.simulated.salesforce import Org, serve


@pytest.fixture
def org() -> Iterator[Any]:
    with Org() as made:
        made.define(ACCOUNT, CONTACT)
        made.access.add_app("app", "app-secret", run_as="integration@example.com")
        made.load("Account", accounts(120, at=datetime.now(UTC) - timedelta(days=1)))
        yield made


@pytest.fixture
def server(org: Any) -> Iterator[Any]:
    with serve(org) as running:
        yield running


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mappings" / "objects").mkdir(parents=True)
    (tmp_path / "mappings" / "project.yaml").write_text(
        "roots: {landing: landing}\nobjects: {never_read: [Industry]}\n"
    )
    (tmp_path / "mappings" / "objects" / "customer.yaml").write_text("mapping: customer\nsource: Account\n")
    return tmp_path


def call(server: Any, *args: str, **environ: str | None) -> Result:
    given = {"SF_TOKEN_URL": server.token_url, "SF_CLIENT_ID": "app", "SF_CLIENT_SECRET": "app-secret", **environ}
    return CliRunner().invoke(main, ["extract", *args], env=given)


def test_the_mappings_objects(org: Any, server: Any, here: Path) -> None:
    done = call(server)
    assert done.exit_code == 0, done.output
    assert "120 rows landed" in done.output and "Account" in done.output and "bulk" in done.output
    assert "Logo__c" in done.output and "app-secret" not in done.output
    found = latest(here / "landing")
    assert len(found) == 120 and "Industry" not in next(iter(found.values()))
    shown = call(server, "--status").output
    assert "Landed up to" in shown and "Account   2026-" in shown


def test_json(org: Any, server: Any, here: Path) -> None:
    done = call(server, "customer", "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["status"], told["objects"][0]["name"]) == (0, "succeeded", "Account")
    marks = json.loads(call(server, "--status", "--json").stdout)
    assert marks[0]["object"] == "Account" and marks[0]["rows"] == 120


def test_formulas_and_deletions_are_told_with_their_cost(org: Any, server: Any, here: Path) -> None:
    call(server)
    gone, changed = list(expected(org, ACCOUNT))[:2]
    org.store.purge(org.object("Account"), gone, f"{datetime.now(UTC) - timedelta(hours=1):%Y-%m-%dT%H:%M:%S.000Z}")
    org.recalculate("Account", changed, {"Score__c": 7})
    mark = here / "landing/_extract/Account.json"
    told = json.loads(mark.read_text())  # as if the whole read had been two days ago
    mark.write_text(json.dumps(told | {"whole_at": (datetime.now(UTC) - timedelta(days=2)).isoformat()}))
    done = call(server, "--no-refresh", "--no-deleted")
    assert "nothing new" in done.output and "refreshed" not in done.output
    shown = " ".join((done := call(server)).output.split())
    assert done.exit_code == 0 and "119 refreshed (" in shown and "1 deletion (1 call)" in shown
    assert "119 refreshed, 1 deletion" in shown
    (mark,) = json.loads(call(server, "--status", "--json").stdout)
    assert mark["refreshed_at"] and mark["deletions_until"] and mark["deletions_unknown_until"] is None
    assert "119 refreshed" in call(server, "--refresh").output


def test_deletions_that_are_unknown_are_shown(org: Any, server: Any, here: Path) -> None:
    call(server)
    mark = here / "landing/_extract/Account.json"
    mark.write_text(mark.read_text().replace('"whole_at"', '"other"'))
    done = call(server)
    assert done.exit_code == 0 and "forceglue reconcile --ids Account" in " ".join(done.output.split())
    assert "unknown:" in call(server, "--status", COLUMNS="300").output


def test_a_failed_object_is_exit_code_1_and_the_others_land(org: Any, server: Any, here: Path) -> None:
    (here / "mappings" / "objects" / "gone.yaml").write_text("mapping: gone\nsource: Gone__c\n")
    done = call(server)
    assert done.exit_code == 1 and "no such object" in done.output and len(latest(here / "landing")) == 120


def test_the_budget_is_exit_code_1_and_says_that_it_goes_on(org: Any, server: Any, here: Path) -> None:
    server.usage.limit, server.usage.used = 100, 48
    done = call(server, "--budget", "50")
    assert done.exit_code == 1 and "no more than 50% of them" in " ".join(done.output.split())
    assert "goes on where it was" in " ".join(done.output.split())
    assert call(server, "--budget", "100").exit_code == 0


@pytest.mark.parametrize(
    ("args", "environ", "told"),
    [
        ((), {"SF_CLIENT_SECRET": None}, "SF_CLIENT_SECRET is not set"),
        ((), {"SF_TOKEN_URL": "http://example.com/"}, "for this machine only"),
        (("Acount",), {}, "did you mean Account"),
        (("--since", "soon"), {}, "neither an ISO time"),
        (("--overlap", "ten"), {}, "no span of time"),
        (("--landing", ""), {"SF_API_VERSION": "99.0"}, "newest is 67.0"),
    ],
)
def test_what_is_wrong_with_the_call_is_exit_code_2(
    server: Any, here: Path, args: tuple[str, ...], environ: dict[str, Any], told: str
) -> None:
    done = call(server, *args, **environ)
    assert done.exit_code == 2 and told in " ".join(done.output.split())


def test_a_refused_sign_in_is_exit_code_1(server: Any, here: Path) -> None:
    done = call(server, SF_CLIENT_SECRET="hush")
    assert done.exit_code == 1 and "SF_CLIENT_SECRET is wrong" in done.output and "hush" not in done.output


def test_a_process_that_is_killed_goes_on(org: Any, server: Any, here: Path) -> None:
    """kill -9 at times by chance; then all is there, and once."""
    org.load("Account", accounts(30_000, start=1000, at=datetime.now(UTC) - timedelta(days=2), Description=None))
    environ = {**os.environ, "SF_TOKEN_URL": server.token_url, "SF_CLIENT_ID": "app", "SF_CLIENT_SECRET": "app-secret"}
    code = "from forceglue.cli.main import main; main(['extract', 'Account'])"
    chance = random.Random(5)
    for _ in range(4):
        running = subprocess.Popen(
            [sys.executable, "-c", code], env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(chance.uniform(0.6, 2.2))
        running.send_signal(signal.SIGKILL)
        running.wait()
    assert call(server, "Account").exit_code == 0
    rows = Counter(row["Id"] for row in landed(here / "landing"))
    found = latest(here / "landing")
    assert found == {i: {k: v for k, v in row.items() if k != "Industry"} for i, row in expected(org, ACCOUNT).items()}
    assert set(rows.values()) == {1}


def test_help_starts_at_once_and_loads_nothing_heavy() -> None:
    code = (
        "import sys; from forceglue.cli.main import main\n"
        "try: main(['extract', '--help'])\nexcept SystemExit: pass\n"
        "print([m for m in ('requests', 'pyarrow', 'jwt', 'boto3', 'rich', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")
