"""`forceglue reconcile` as it is called: settings from the environment, exit codes, what is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from extract.kit import ACCOUNT, NOW
from forceglue.cli.main import main
from forceglue.simulated.salesforce import Org, SetClock, serve
from reconcile.kit import Bench, days


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOW)


@pytest.fixture
def bench(tmp_path: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mappings" / "objects").mkdir(parents=True)
    (tmp_path / "mappings" / "project.yaml").write_text("roots: {landing: landing, warehouse: warehouse}\n")
    (tmp_path / "mappings" / "objects" / "account.yaml").write_text("mapping: account\nsource: Account\n")
    with Org(clock=clock) as org:
        org.define(ACCOUNT)
        org.access.add_app("app", "app-secret", run_as="integration@example.com")
        org.load("Account", days(30))
        with serve(org) as running:
            made = Bench(tmp_path, org, running)
            made.write(made.rows())
            made.mark(NOW)
            yield made


def call(bench: Bench, *args: str, **environ: str | None) -> Result:
    given = {"SF_TOKEN_URL": bench.server.token_url, "SF_CLIENT_ID": "app", "SF_CLIENT_SECRET": "app-secret", **environ}
    return CliRunner().invoke(main, ["reconcile", *args], env=given)


def said(done: Result) -> str:
    return " ".join((done.output + (done.stderr or "")).split())


def test_equal_is_exit_code_0(bench: Bench) -> None:
    done = call(bench)
    assert done.exit_code == 0, done.output
    assert "1 table: 1 equal" in said(done) and "app-secret" not in done.output


def test_an_unexplained_difference_is_exit_code_1_and_an_explained_one_0(bench: Bench, clock: SetClock) -> None:
    clock.advance(timedelta(hours=1))
    bench.org.insert("Account", {"Name": "new"})
    done = call(bench, "account")
    assert done.exit_code == 0 and "+1 in flight" in said(done)
    bench.write(bench.rows(bench.rows()[0]["id"])[:-1])
    done = call(bench, "Account")
    assert done.exit_code == 1 and "Days that nothing explains" in said(done)


def test_json_and_html(bench: Bench) -> None:
    told = json.loads(call(bench, "--format", "json").stdout)
    assert told["status"] == "succeeded" and told["objects"][0]["totals"][0]["org"] == "30"
    assert call(bench, "--format", "html").stdout.startswith("<!doctype html>")


def test_since(bench: Bench) -> None:
    day = bench.rows()[-1]["created_date"].date()
    told = json.loads(call(bench, "--since", day.isoformat(), "--format", "json").stdout)
    assert told["since"] == day.isoformat() and told["objects"][0]["totals"][0]["org"] == "3"


def test_ids_go_to_a_file_and_not_to_the_console(bench: Bench) -> None:
    row = bench.rows()[5]
    bench.org.delete("Account", row["id"])
    bench.org.purge("Account", row["id"])
    done = call(bench, "--ids", "--out", "ids.csv", "--land-deleted", "--at-most", "1")
    assert done.exit_code == 0, done.output
    assert row["id"][:15] not in done.output and "landed for the next run" in said(done)
    assert row["id"][:15] in (bench.root / "ids.csv").read_text()
    assert list(bench.root.glob("landing/in/org-Salesforce-Account/*/*.parquet"))


def test_the_guard_is_exit_code_1_and_nothing_lands(bench: Bench) -> None:
    for row in bench.rows()[:4]:
        bench.org.delete("Account", row["id"])
        bench.org.purge("Account", row["id"])
    done = call(bench, "--ids", "--land-deleted")
    assert done.exit_code == 1 and "4 of the table's 30 live records would vanish, and at most 10 % may (3)" in said(
        done
    )
    assert not (bench.root / "landing" / "in").exists()


@pytest.mark.parametrize(
    ("args", "environ", "told"),
    [
        ((), {"SF_CLIENT_SECRET": None}, "SF_CLIENT_SECRET is not set"),
        (("Acount",), {}, "did you mean Account"),
        (("--since", "soon"), {}, "no day such as"),
        (("--out", "x.csv"), {}, "need --ids"),
        (("--land-deleted",), {}, "need --ids"),
        (("--ids", "--since", "2026-01-01"), {}, "--ids compares all records"),
        (("--ids", "--at-most", "some"), {}, "neither a number nor a share"),
        (("--ids", "--at-most", "110%"), {}, "neither a number nor a share"),
    ],
)
def test_what_is_wrong_with_the_call_is_exit_code_2(
    bench: Bench, args: tuple[str, ...], environ: dict[str, Any], told: str
) -> None:
    done = call(bench, *args, **environ)
    assert done.exit_code == 2 and told in said(done)


def test_the_budget_is_exit_code_1(bench: Bench) -> None:
    bench.server.usage.limit, bench.server.usage.used = 100, 57
    done = call(bench, "--budget", "60")
    assert done.exit_code == 1 and "1 that could not be compared" in said(done)
    assert "no more than 60% of them" in said(done) and "this extract" not in said(done)
