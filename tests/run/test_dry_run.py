from __future__ import annotations

import json
from pathlib import Path

import pytest

from forceglue.errors import UsageError
from forceglue.run.dry_run import DryRun, dry_run
from forceglue.run.report import MappingReport
from forceglue.run.runner import run
from run.small_project import everything, land, land_at_random, request, write_project

pytestmark = pytest.mark.usefixtures("spark")


def told(m: MappingReport) -> dict[str, object]:
    """What a plan promises of a mapping: everything but times and deliveries."""
    counts = (
        "landed",
        "written",
        "inserted",
        "updated",
        "deleted",
        "superseded",
        "filtered",
        "dropped",
        "quarantined",
        "held",
    )
    rules = {(r.name, r.severity, r.passed, r.failed) for r in m.rules}
    met = [(e.name, e.success, e.observed, e.unexpected_count) for e in m.expectations]
    return {name: getattr(m, name) for name in ("name", "status", "drift", *counts)} | {"rules": rules, "met": met}


@pytest.fixture
def base(tmp_path: Path) -> Path:
    write_project(tmp_path / "mappings")
    return tmp_path


def planned_then_run(base: Path, seed: int, load: int, *names: str) -> DryRun:
    land_at_random(base, seed, load)
    before = everything(base)
    planned = dry_run(request(base, names=names))
    assert everything(base) == before  # no warehouse, no delivery, and the files still under in/
    done = run(request(base, names=names))
    assert [told(m) for m in planned.mappings] == [told(m) for m in done.mappings]
    assert [len(m.files) for m in planned.mappings] == [len(m.files) for m in done.mappings]
    assert planned.status == done.status == "succeeded"
    assert planned.report.balance
    return planned


def test_numbers_of_merges_are_those_of_the_run(base: Path) -> None:
    """Two increments by chance, each planned and then run; their first load is planned by the test below."""
    names = ("deal", "history")
    land_at_random(base, 2, 0)
    assert run(request(base, names=names)).status == "succeeded"
    for seed in (2, 3):
        planned_then_run(base, seed, 1, *names)


def test_a_plan_writes_nothing_and_its_numbers_are_those_of_the_run(base: Path) -> None:
    for load in range(2):
        planned = planned_then_run(base, 1, load)
    by_name = {m.name: m for m in planned.mappings}
    assert by_name["log"].quarantined > 0 and by_name["history"].deleted > 0 and by_name["deal"].quarantined > 0
    assert by_name["campaign"].inserted == 1
    assert planned.notes["totals"][0] == "would be built: this run would change sales"
    assert planned.notes["sales"] == (
        "would be built: this run would change account, deal",
        "counted on the tables as this run would leave them",
    )


def test_with_nothing_new_there_is_no_jvm(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    land(
        base,
        "Account",
        "e1",
        [{"Id": "001A", "Name": "Acme", "SystemModstamp": "2024-05-01T10:00:00Z", "IsDeleted": "false"}],
    )
    run(request(base, names=("account",)))
    monkeypatch.setattr("forceglue.runtime.session.start", lambda **_: pytest.fail("a JVM"))
    planned = dry_run(request(base, names=("account",)))
    assert [m.status for m in planned.mappings] == ["unchanged"]
    assert not planned.told()


def test_what_would_stop_a_mapping_is_told_and_what_reads_it_is_skipped(base: Path) -> None:
    write_project(
        base / "mappings",
        account="mapping: account\nsource: Account\ncolumns: {id: Id, name: Name}\nquality: {fail: {named: name is not null}}\n",
    )
    land(base, "Account", "e1", [{"Id": "001A", "Name": ""}, {"Id": "001B", "Name": "b"}])
    (base / "landing/in/dev-Salesforce-Account/e2").mkdir()
    (base / "landing/in/dev-Salesforce-Account/e2/torn.parquet").write_bytes(b"PAR1" + bytes(100))
    before = everything(base)
    planned = dry_run(request(base, names=("sales",)))
    assert everything(base) == before
    account, deal, sales = planned.mappings
    assert (account.status, account.held, len(account.files)) == ("stopped", 2, 1)
    assert "named (1 rows)" in (account.error or "")
    assert (deal.status, sales.status, planned.status) == ("skipped", "skipped", "failed")
    assert [f.file.rsplit("/", 1)[1] for f in planned.rejected_files] == ["torn.parquet"]
    body = json.loads(planned.to_json())
    assert (
        body["plan"] is True and body["mappings"][0]["rules"][0]["failed"] == 1 and body["mappings"][0]["notes"] == []
    )


def test_a_dataset_whose_mapping_changed_is_counted_on_the_tables_as_they_are(base: Path) -> None:
    row = {"SystemModstamp": "2024-05-01T10:00:00Z", "IsDeleted": "false"}
    land(base, "Account", "e1", [{"Id": "001A", "Name": "Acme", **row}])
    land(base, "Opportunity", "e1", [{"Id": "006A", "StageName": "New", "Amount": "1", "AccountId": "001A", **row}])
    run(request(base, names=("sales",)))
    sales = base / "mappings/sales.yaml"
    sales.write_text(sales.read_text().replace("double", "twice") + "description: told anew\n")
    planned = dry_run(request(base, names=("sales",)))
    assert [(m.name, m.status, m.written) for m in planned.mappings] == [
        ("account", "unchanged", 0), ("deal", "unchanged", 0), ("sales", "written", 1),
    ]  # fmt: skip
    assert planned.notes["sales"] == (
        "would be built: its mapping has changed",
        "counted on the tables as they are now",
    )


def test_an_unknown_name_is_an_error(base: Path) -> None:
    with pytest.raises(UsageError, match='did you mean "account"'):
        dry_run(request(base, names=("acount",)))
