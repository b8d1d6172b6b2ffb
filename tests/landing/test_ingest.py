from __future__ import annotations

import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forceglue.errors import LandingError, UsageError
from forceglue.landing.ingest import IngestedFile, IngestReport, ingest_file, preview
from forceglue.landing.inventory import Loaded, inventory, load_facts
from forceglue.landing.retry import set_aside
from forceglue.landing.store import Store
from forceglue.mapping.model import FileChecks
from forceglue.mapping.project import Project
from landing.kit import ACCOUNTS, NOON, ONE, Killed, make_project

Run = Callable[..., IngestReport]
GOOD = "in/dev-Salesforce-Account/e1/a.csv"
BAD = "in/dev-Salesforce-Account/e1/b.parquet"
HERE = "processed/Account/2024/05/06/12/e1"
ASIDE = "error/Account/2024/05/06/12/e1"


def paths(store: Store, prefix: str = "") -> list[str]:
    return [entry.path for entry in store.list(prefix)]


def loaded(store: Store, project: Project) -> Loaded:
    return load_facts(store, project, inventory(store, project).files)


def test_a_good_file_goes_to_processed_with_its_facts(store: Store, project: Project, run: Run) -> None:
    store.write_bytes(GOOD, ACCOUNTS)
    landed = store.stat(GOOD)
    (passed,) = run(store).passed
    assert (passed.key, passed.moved_to, passed.object) == (GOOD, f"{HERE}/a.csv", "Account")
    assert paths(store) == [f"{HERE}/_a.csv.facts.json", f"{HERE}/a.csv"]
    assert store.read_bytes(f"{HERE}/a.csv") == ACCOUNTS
    (file,) = loaded(store, project).files
    assert landed
    assert (file.rows, file.fields, file.format) == (2, (("Id", "string"), ("Name", "string")), "csv")
    assert (file.path, file.uri) == (f"{HERE}/a.csv", store.uri(f"{HERE}/a.csv"))
    assert (file.source_uri, file.mtime) == (store.uri(GOOD), landed.mtime)
    assert (file.flow_execution, file.ingested_at) == ("e1", NOON)
    assert (file.request_id, file.function_name, file.function_version) == ("r-12", "ingest", "1.2")


def test_a_bad_file_goes_to_error_with_its_reason_and_no_value_of_it(store: Store, run: Run) -> None:
    store.write_bytes(BAD, b"Id,Name\n1,secret\n")
    (rejected,) = run(store).rejected
    assert (rejected.path, rejected.moved_to, rejected.code) == (BAD, f"{ASIDE}/b.parquet", "wrong_format")
    assert paths(store) == [f"{ASIDE}/b.parquet", f"{ASIDE}/b.parquet.reason.json"]
    data = store.read_bytes(f"{ASIDE}/b.parquet.reason.json")
    reason = json.loads(data)
    assert b"secret" not in data
    assert "plain text" in reason.pop("message")
    assert {name: reason[name] for name in ("code", "object", "original_key", "at")} == {
        "code": "wrong_format",
        "object": "Account",
        "original_key": BAD,
        "at": NOON.isoformat(),
    }
    assert (reason["request_id"], reason["function_name"], reason["function_version"]) == ("r-12", "ingest", "1.2")


@pytest.mark.parametrize(
    ("key", "token", "name", "execution"),
    [
        ("in/dev-Salesforce-Order-Product/e/f", "Order-Product", "OrderItem", "e"),
        ("in/dev-Salesforce-OrderItem/e/f", "OrderItem", "OrderItem", "e"),
        ("in/dev-salesforce-order-product/e/f", "order-product", "OrderItem", "e"),
        ("in/Salesforce-Account/e/f", "Account", "Account", "e"),
        ("in/Account/e/f", "Account", "Account", "e"),
        ("in/Account/f", "Account", "Account", None),
        ("in/uat-Salesforce-Branch__c/e/f", "Branch__c", "Branch__c", "e"),
    ],
)
def test_every_layout(
    store: Store, project: Project, run: Run, key: str, token: str, name: str, execution: str | None
) -> None:
    store.write_bytes(key, b"Id\n1\n")
    (passed,) = run(store).passed
    assert passed.moved_to == "/".join(p for p in (f"processed/{token}/2024/05/06/12", execution, "f") if p)
    (file,) = loaded(store, project).files
    assert (file.object, file.flow_execution, file.rows) == (name, execution, 1)


@pytest.mark.parametrize("token", ["Order-Prodct", "Ort-Übersicht"])
def test_a_file_of_an_unknown_object(store: Store, run: Run, token: str) -> None:
    store.write_bytes(f"in/dev-Salesforce-{token}/e/f", b"Id\n1\n")
    (rejected,) = run(store).rejected
    assert rejected.code == "unknown_object"
    assert rejected.moved_to == f"error/{token}/2024/05/06/12/e/f"


def test_a_file_of_another_object(store: Store, run: Run) -> None:
    store.write_bytes("in/dev-Salesforce-Account/e/f", b"Id,ProductCode,Family\n1,x,y\n")
    (rejected,) = run(store).rejected
    assert rejected.code == "other_object"
    assert "Product2" in rejected.message


def test_new_fields_are_drift_and_no_other_object(store: Store, run: Run) -> None:
    store.write_bytes("in/dev-Salesforce-Account/e/f", b"Id,ProductCode,Family,New__c\n1,x,y,z\n")
    assert run(store).passed


def test_objects_without_a_mapping_as_the_project_says(store: Store, run: Run) -> None:
    key = "in/dev-Salesforce-Product/e/f"
    store.write_bytes(key, b"Id\n1\n")
    (ignored,) = run(store, used=make_project(unmapped="ignore")).ignored
    assert (ignored.key, ignored.code, paths(store)) == (key, "unmapped", [key])
    (rejected,) = run(store, used=make_project(unmapped="error")).rejected
    assert (rejected.code, rejected.object) == ("unknown_object", "Product2")
    assert "write a mapping" in rejected.message


@pytest.mark.parametrize("key", ["in/x.csv", "in/a/b/c/d.csv", "in/A/e/_SUCCESS", "in/A/e/.DS_Store"])
def test_what_is_no_landed_file_stays_and_is_told(store: Store, run: Run, key: str) -> None:
    store.write_bytes(key, b"Id\n1\n")
    report = run(store)
    assert [(f.key, f.moved_to) for f in report.ignored] == [(key, None)]
    assert paths(store) == [key]


def test_a_root_without_in_has_nothing_to_ingest(store: Store, run: Run) -> None:
    store.write_bytes("Account.csv", ACCOUNTS)
    assert run(store) == IngestReport()


def test_files_without_rows_pass_and_are_told(store: Store, run: Run) -> None:
    store.write_bytes(GOOD, b"Id,Name\n")
    report = run(store)
    assert report.without_rows == report.passed != ()
    store.write_bytes(GOOD, b"Id,Name\n")
    (rejected,) = run(store, used=make_project(files=FileChecks(min_rows=1))).rejected
    assert rejected.code == "too_few_rows"


def test_the_same_name_in_the_same_hour_overwrites_nothing(store: Store, project: Project, run: Run) -> None:
    contents = [ACCOUNTS, b"Id,Name\n001C,x\n", ACCOUNTS]
    for content in contents:
        store.write_bytes(GOOD, content)
        run(store)
    names = [f"{HERE}/a.csv", f"{HERE}/a~2.csv", f"{HERE}/a~3.csv"]
    assert [file.path for file in loaded(store, project).files] == names
    assert [store.read_bytes(name) for name in names] == contents
    assert [file.rows for file in loaded(store, project).files] == [2, 1, 2]


def test_two_folders_of_one_object_with_the_same_name_at_once(store: Store, project: Project, run: Run) -> None:
    for env in ("dev", "sit", "uat", "prod"):
        store.write_bytes(f"in/{env}-Salesforce-Account/e1/a.csv", f"Id,Name\n1,{env}\n".encode())
    assert len({file.moved_to for file in run(store).passed}) == 4
    found = {store.read_bytes(file.path).decode() for file in loaded(store, project).files}
    assert found == {f"Id,Name\n1,{env}\n" for env in ("dev", "sit", "uat", "prod")}


def test_a_name_that_somebody_else_s_file_has_is_left_to_it(store: Store, run: Run) -> None:
    store.write_bytes(f"{HERE}/a.csv", b"Id\nold\n")
    store.write_bytes(GOOD, ACCOUNTS)
    (passed,) = run(store).passed
    assert passed.moved_to == f"{HERE}/a~2.csv"
    assert store.read_bytes(f"{HERE}/a.csv") == b"Id\nold\n"


def turn(store: Store, project: Project, key: str, now: datetime = NOON) -> IngestedFile:
    return ingest_file(store, project, key, now=now, function_name="i", function_version="1", request_id="r")


def land(store: Store) -> None:
    out = io.BytesIO()
    pq.write_table(pa.table({"Id": ["1", "2", "3"]}), out)
    store.write_bytes(GOOD, ACCOUNTS)
    store.write_bytes(BAD, b"Id,Name\n1,secret\n")
    store.write_bytes("in/dev-Salesforce-Order-Product/e2/0001", out.getvalue())


@pytest.mark.parametrize("again", [NOON, ONE], ids=["same-hour", "an-hour-later"])
def test_killed_between_any_two_steps_and_run_again(
    store: Store, project: Project, mortal: Callable[[Store, int], Store], again: datetime
) -> None:
    """Wherever it dies, every file is whole somewhere, and the next run ends with the same files, each once."""
    contents = {GOOD: ACCOUNTS, BAD: b"Id,Name\n1,secret\n"}
    steps = deaths = 0
    while True:
        for path in paths(store):
            store.delete(path)
        for key, content in contents.items():
            store.write_bytes(key, content)
        dying = mortal(store, steps)
        try:
            for key in contents:
                turn(dying, project, key, NOON)
        except Killed:
            deaths += 1
        else:
            break
        everything = [store.read_bytes(path) for path in paths(store)]
        assert all(content in everything for content in contents.values())
        for key in contents:
            turn(store, project, key, again)
        assert paths(store, "in") == []
        found = loaded(store, project)
        assert [(file.object, file.rows, store.read_bytes(file.path)) for file in found.files] == [
            ("Account", 2, ACCOUNTS)
        ]
        assert found.rejected == ()
        assert {(f.code, store.read_bytes(f.path)) for f in set_aside(store)} == {("wrong_format", contents[BAD])}
        steps += 1
    assert deaths >= 8


def test_two_ingests_at_the_same_time(store: Store, project: Project, run: Run) -> None:
    for number in range(60):
        store.write_bytes(f"in/dev-Salesforce-Account/e{number % 7}/{number}.csv", f"Id\n{number}\n".encode())
        store.write_bytes(f"in/dev-Salesforce-Account/e{number % 7}/{number}.parquet", f"Id\n{number}\n".encode())
    with ThreadPoolExecutor(3) as pool:
        reports = list(pool.map(lambda now: run(Store(store.root), now), (NOON, NOON, ONE)))
    assert paths(store, "in") == []
    assert not [file for report in reports for file in report.failed]
    assert sorted(file.key for report in reports for file in report.passed) == sorted(
        f"in/dev-Salesforce-Account/e{n % 7}/{n}.csv" for n in range(60)
    )
    found = loaded(store, project)
    assert sorted(store.read_bytes(file.path) for file in found.files) == sorted(
        f"Id\n{n}\n".encode() for n in range(60)
    )
    assert len(set_aside(store)) == 60
    notes = [path for path in paths(store, "processed") if path.endswith(".facts.json")]
    assert len(notes) == 60  # the loser of a file took its facts away again


def test_a_file_that_vanished_is_no_error(store: Store, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    assert turn(store, project, GOOD).status == "vanished"
    assert turn(store, project, "in/../x").status == "ignored"
    store.write_bytes(GOOD, ACCOUNTS)
    real = store.move

    def late(source: str, target: str, **more: Any) -> None:
        store.delete(source)
        real(source, target, **more)

    monkeypatch.setattr(store, "move", late)
    assert turn(store, project, GOOD).status == "vanished"
    assert paths(store) == []


def test_what_is_landed_anew_while_it_is_judged_is_judged_anew(
    store: Store, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write_bytes(GOOD, ACCOUNTS)
    real, later = store.move, [b"Id,Name\n001C,x\n"]

    def move(source: str, target: str, **more: Any) -> None:
        if later:
            store.write_bytes(source, later.pop())
        real(source, target, **more)

    monkeypatch.setattr(store, "move", move)
    done = turn(store, project, GOOD)
    assert (done.status, done.facts and done.facts.rows) == ("passed", 1)
    assert paths(store) == [f"{HERE}/_a.csv.facts.json", f"{HERE}/a.csv"]  # no facts of the first content are left
    assert store.read_bytes(f"{HERE}/a.csv") == b"Id,Name\n001C,x\n"


def test_a_file_that_is_landed_anew_all_the_time_stays(
    store: Store, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write_bytes(GOOD, ACCOUNTS)
    real, number = store.move, iter(range(9))

    def move(source: str, target: str, **more: Any) -> None:
        store.write_bytes(source, f"Id\n{next(number)}\n".encode())
        real(source, target, **more)

    monkeypatch.setattr(store, "move", move)
    assert (turn(store, project, GOOD).status, paths(store)) == ("failed", [GOOD])


def test_a_store_that_refuses_one_file_does_not_stop_the_others(
    store: Store, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(store)
    real = store.move

    def move(source: str, target: str, **more: Any) -> None:
        if source == GOOD:
            raise LandingError("no permission at a.csv")
        real(source, target, **more)

    monkeypatch.setattr(store, "move", move)
    report = run(store)
    assert [(f.key, f.message) for f in report.failed] == [(GOOD, "no permission at a.csv")]
    assert (len(report.passed), len(report.rejected)) == (1, 1)
    assert paths(store, "in") == [GOOD]


def test_a_read_that_fails_does_not_put_a_good_file_aside(
    store: Store, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(store)

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError("connection reset")

    monkeypatch.setattr(store, "open_input", lambda path: Broken())
    report = run(store)
    assert len(report.failed) == 3
    assert len(paths(store, "in")) == 3


def test_preview_says_the_same_and_moves_nothing(store: Store, project: Project, run: Run) -> None:
    land(store)
    before = paths(store)
    seen = preview(store, project)
    assert paths(store) == before
    done = run(store)
    assert [(f.key, f.status, f.object, f.code, f.facts) for f in seen.files] == [
        (f.key, f.status, f.object, f.code, f.facts) for f in done.files
    ]


def test_progress_is_told_file_by_file(store: Store, run: Run) -> None:
    land(store)
    told: list[IngestedFile] = []
    report = run(store, on_file=told.append)
    assert len(told) == 3
    assert tuple(told) == report.files


def test_a_time_without_a_zone_is_refused(store: Store, run: Run) -> None:
    store.write_bytes(GOOD, ACCOUNTS)
    with pytest.raises(UsageError, match="time zone"):
        run(store, NOON.replace(tzinfo=None))
    assert paths(store) == [GOOD]


def test_a_file_that_another_call_moves_just_now_gets_no_second_name(
    store: Store, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one writes sidecar and file after this one has looked for the sidecar, and before it looks for the file."""
    store.write_bytes(GOOD, ACCOUNTS)
    real, written = store.exists, []

    def exists(path: str) -> bool:
        if not written:
            written.append(turn(Store(store.root), project, GOOD))
        return real(path)

    monkeypatch.setattr(store, "exists", exists)
    monkeypatch.setattr(store, "delete", lambda path: pytest.fail(f"a sidecar too many: {path}"))
    assert turn(store, project, GOOD).status == "vanished"
    assert written[0].status == "passed"
    assert paths(store) == [f"{HERE}/_a.csv.facts.json", f"{HERE}/a.csv"]
