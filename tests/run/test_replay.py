from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from forceglue.errors import UsageError
from forceglue.run import object_run
from forceglue.run.report import RunReport
from run.desk import DATASET, NAMED, NO_RULES, Desk, Killed, only, reasons

pytestmark = pytest.mark.usefixtures("spark")


def test_rows_that_are_good_now_go_into_the_table_and_leave_the_quarantine(desk: Desk) -> None:
    desk.land("e1", "A,Anna,1.5,1", "B,,2.5,1", "C,Carl,many,1")
    desk.run()
    assert desk.keys() == ["B", "C"]
    before = {row.record: row for row in desk.aside()}
    desk.say(NO_RULES)
    report = desk.replay("account")
    done = only(report)
    assert (done.status, done.landed, done.written, done.quarantined, done.balance) == ("written", 2, 1, 1, True)
    assert desk.names() == {"A": "Anna", "B": None}
    (left,) = desk.aside()
    assert (left.record, reasons(left), left.file, left.row) == (
        "C",
        ["cast_amount"],
        before["C"].file,
        before["C"].row,
    )
    assert left.run_id == report.run_id
    assert left.at is not None and before["C"].at is not None and left.at > before["C"].at
    assert left.raw == before["C"].raw
    assert desk.plain_aside() == ["C"]
    assert (desk.root / "warehouse" / "_runs" / report.run_id / "report.html").exists()
    assert RunReport.from_json(desk.warehouse.read_bytes(f"_runs/{report.run_id}/report.json")).mappings == (done,)


def test_a_replayed_row_keeps_where_it_came_from(desk: Desk) -> None:
    desk.land("e1", "A,Anna,1.5,1", "B,,2.5,1")
    desk.run()
    desk.say(NO_RULES)
    desk.replay("account")
    loaded, again = desk.table()
    same = ("filename", "appflow_id", "processed_ts", "function_name", "function_version", "aws_request_id")
    assert {name: again[name] for name in same} == {name: loaded[name] for name in same}
    assert again["run_id"] != loaded["run_id"]
    assert again["appflow_id"] == "e1"


def test_a_second_replay_changes_nothing(desk: Desk) -> None:
    desk.land("e1", "A,Anna,1,1", "B,,1,1", "C,Carl,many,1")
    desk.run()
    desk.say(NO_RULES)
    desk.replay("account")
    rows, left = desk.table(), [(r.record, r.raw, r.reasons) for r in desk.aside()]
    again = only(desk.replay("account"))
    assert (again.landed, again.written, again.quarantined) == (1, 0, 1)
    assert desk.table() == rows
    assert [(r.record, r.raw, r.reasons) for r in desk.aside()] == left
    # and with nothing set aside there is nothing to do
    desk.say("on_cast_error: drop")
    assert only(desk.replay("account")).dropped == 1
    assert only(desk.replay("account")).status == "unchanged"
    assert desk.keys() == []


def test_an_older_version_never_overwrites_a_newer_one(desk: Desk) -> None:
    desk.land("e1", "A,,1,1", "B,,1,1", "C,,1,3")
    desk.run()
    desk.land("e2", "A,new,1,2", "B,equal,1,1", "C,old,1,2")
    desk.run()
    desk.say(NO_RULES)
    done = only(desk.replay("account"))
    # B has the same stamp: the one that landed last stands; C was newer than what is in the table
    assert desk.names() == {"A": "new", "B": "equal", "C": None}
    assert (done.landed, done.written, done.superseded, done.updated) == (3, 1, 2, 1)
    assert desk.keys() == []


def test_of_rows_without_an_order_the_one_that_landed_last_stands(desk: Desk) -> None:
    desk.say(NAMED, "order_by: Nowhere")
    desk.land("e1", "A,,1,1", "B,,1,1")
    desk.run()
    desk.land("e2", "A,new,1,1")
    desk.run()
    desk.say(NO_RULES, "order_by: Nowhere")
    desk.replay("account")
    assert desk.names() == {"A": "new", "B": None}


def test_only_the_latest_of_several_set_aside_versions_comes(desk: Desk) -> None:
    for execution, line in (("e1", "A,,1,1"), ("e2", "A,,2,3"), ("e3", "A,,3,2")):
        desk.land(execution, line)
        desk.run()
    assert len(desk.aside()) == 3
    desk.say(NO_RULES)
    done = only(desk.replay("account"))
    assert (done.landed, done.written, done.superseded) == (3, 1, 2)
    assert [str(row["amount"]) for row in desk.table()] == ["2.00"]


@pytest.mark.parametrize(
    ("step", "write"),
    [
        ("propose", "upsert"),
        ("set_aside", "upsert"),
        ("commit", "upsert"),
        ("set_aside", "append"),
        ("commit", "append"),
    ],
)
def test_killed_after_any_step_nothing_is_lost_and_nothing_twice(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, step: str, write: str
) -> None:
    desk.say(NAMED, f"target: {{write: {write}}}")
    desk.land("e1", "A,Anna,1,1", "B,,1,1", "C,Carl,many,1")
    desk.run()
    desk.say(NO_RULES, f"target: {{write: {write}}}")
    real = getattr(object_run, step)

    def dies(*args: Any, **named: Any) -> None:
        real(*args, **named)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(object_run, step, dies)
        with pytest.raises(Killed):
            desk.replay("account")
    counted = len(desk.table()) + len(desk.keys())
    assert counted == 3, "between the steps every row counts once"
    if write == "upsert" and step == "set_aside":  # a run in between sees the same
        desk.land("e2", "D,Dora,1,1")
        desk.run()
        desk.land("e3", "E,,many,1")
        desk.run()
        assert desk.keys() == ["B", "C", "E"]
        desk.replay("account")
        assert (desk.names(), desk.plain_aside()) == ({"A": "Anna", "B": None, "D": "Dora"}, ["C", "E"])
        return
    desk.replay("account")
    assert desk.names() == {"A": "Anna", "B": None}
    assert desk.keys() == ["C"] == desk.plain_aside()


@pytest.mark.parametrize("write", ["append", "snapshot", "scd2", "replace"])
def test_every_way_to_write(desk: Desk, write: str) -> None:
    desk.say(NAMED, f"target: {{write: {write}}}")
    desk.land("e1", "A,Anna,1,1", "B,,1,1")
    desk.run()
    desk.land("e2", "A,Ann,1,2", "C,,1,2")
    desk.run()
    snapshots = {row.get("snapshot_at") for row in desk.table()}
    desk.say(NO_RULES, f"target: {{write: {write}}}")
    done = only(desk.replay("account"))
    assert done.balance
    found = [(row["id"], row["name"]) for row in desk.table()]
    if write == "replace":  # what the load before had set aside is gone with it
        assert found == [("A", "Ann"), ("C", None)]
    else:
        assert found == [("A", "Anna"), ("A", "Ann"), ("B", None), ("C", None)]
    assert desk.keys() == []
    assert {row.get("snapshot_at") for row in desk.table()} == snapshots, "rows join the snapshot that they belong to"
    rows = desk.table()
    assert only(desk.replay("account")).status == "unchanged"
    assert desk.table() == rows


def test_fields_that_may_no_longer_be_read_leave_the_raw_rows(desk: Desk) -> None:
    desk.land("e1", "A,,secret,1")
    desk.run()
    desk.say(NAMED.replace("name_is_set: name is not null", "id_is_long: length(id) > 9"), "never_read: [Amount]")
    text = (desk.root / "mappings" / "account.yaml").read_text()
    (desk.root / "mappings" / "account.yaml").write_text(
        text.replace('  amount: {from: Amount, type: "decimal(10,2)"}\n', "")
    )
    desk.replay("account")
    (left,) = desk.aside()
    assert reasons(left) == ["id_is_long"]
    assert left.raw is not None and set(left.raw) == {"Id", "Name", "SystemModstamp", "IsDeleted"}


def test_a_field_in_another_case_and_fields_that_landed_later(desk: Desk) -> None:
    desk.land("e1", "A,,1,1")
    desk.run()
    desk.land("e2", 'B,,2,2024-05-06 02:00:00,"a ""b"", ü\n{"', head="id,name,amount,systemmodstamp,Note__c")
    desk.run()
    assert len(desk.keys()) == 2
    desk.say(NO_RULES, "rest: keep")
    done = only(desk.replay("account"))
    assert done.written == 2
    first, second = desk.table()
    assert (str(first["amount"]), first["note__c"]) == ("1.00", None)
    assert (str(second["amount"]), second["note__c"]) == ("2.00", 'a "b", ü\n{')
    assert second["system_modstamp"].replace(tzinfo=None) == datetime(2024, 5, 6, 2)


def test_a_rule_that_rejects_a_file_judges_it_as_a_whole_again(desk: Desk) -> None:
    rejecting = "quality: {reject_file: {name_is_set: name is not null}}"
    desk.say(rejecting)
    desk.land("e1", "A,Anna,1,1", "B,,1,1")
    desk.land("e2", "C,Carl,1,1")
    desk.run()
    assert (desk.names(), desk.keys()) == ({"C": "Carl"}, ["A", "B"])
    assert only(desk.replay("account")).quarantined == 2
    assert (desk.names(), desk.keys()) == ({"C": "Carl"}, ["A", "B"])
    desk.say(NO_RULES)
    assert only(desk.replay("account")).written == 2
    assert set(desk.names()) == {"A", "B", "C"}


def test_a_gate_stops_a_replay_and_changes_nothing(desk: Desk) -> None:
    desk.land("e1", "A,Anna,1,1", "B,,1,1")
    desk.run()
    desk.say("quality: {fail: {name_is_set: name is not null}}")
    report = desk.replay("account")
    assert (report.status, only(report).status, only(report).held) == ("failed", "stopped", 1)
    assert (desk.names(), desk.keys()) == ({"A": "Anna"}, ["B"])


def test_expectations_of_a_whole_load_are_not_asked_of_a_few_rows(desk: Desk) -> None:
    desk.land("e1", "A,Anna,1,1", "B,,1,1")
    desk.run()
    desk.say(NO_RULES, "expectations: [expect_table_row_count_to_be_between: {min_value: 100}]")
    assert only(desk.replay("account")).status == "written"
    assert set(desk.names()) == {"A", "B"}


def test_the_next_run_loads_only_what_is_new_after_a_replay(desk: Desk) -> None:
    desk.land("e1", "A,Anna,1,1", "B,,1,1")
    desk.run()
    desk.say(NO_RULES)
    desk.replay()
    assert only(desk.run()).status == "unchanged"
    desk.land("e2", "D,Dora,1,1")
    assert only(desk.run()).landed == 1
    assert desk.names() == {"A": "Anna", "B": None, "D": "Dora"}


def test_a_full_refresh_does_not_double_what_is_set_aside(desk: Desk) -> None:
    desk.land("e1", "A,Anna,1,1", "B,,1,1")
    desk.run()
    desk.run(full_refresh=True)
    assert desk.keys() == ["B"] == desk.plain_aside()


def test_a_dataset_is_built_again(desk: Desk) -> None:
    desk.say_dataset()
    desk.land("e1", "A,Anna,1,1", "B,Bartholomew,1,1")
    desk.run()
    assert desk.keys("Named") == ["B"]
    report = desk.replay("Named")
    assert (only(report).kind, only(report).status, only(report).quarantined) == ("dataset", "written", 1)
    assert desk.keys("Named") == ["B"] == desk.plain_aside("Named"), "built twice, set aside once"
    desk.say_dataset(DATASET.replace("< 5", "< 50"))
    assert only(desk.replay()).written == 2
    assert (desk.root / "delivery" / "named.csv").read_text().splitlines()[1:] == ["A,Anna", "B,Bartholomew"]
    assert only(desk.replay("Named")).status == "unchanged"


def test_an_object_without_a_mapping(desk: Desk) -> None:
    desk.land(
        "e1", ",x,2024-05-06T01:00:00Z", "R1,y,2024-05-06T01:00:00Z", head="Id,Name,SystemModstamp", token="Region__c"
    )
    desk.run()
    assert [row.raw for row in desk.aside("region__c")] == [
        {"Id": None, "Name": "x", "SystemModstamp": "2024-05-06T01:00:00Z"}
    ]
    done = only(desk.replay("region__c"))
    assert (done.name, done.landed, done.quarantined) == ("region__c", 1, 1)
    assert len(desk.plain_aside("region__c")) == 1


def test_an_unknown_name_names_the_nearest(desk: Desk) -> None:
    with pytest.raises(UsageError, match='did you mean "account"'):
        desk.replay("acount")
