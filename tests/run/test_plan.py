"""The plan of one object: files, columns, mode, drift; a value, made without Spark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from forceglue.landing.inventory import LandedFile
from forceglue.landing.position import Position
from forceglue.mapping.model import DatasetMapping, ObjectMapping, ProjectSettings
from forceglue.mapping.project import Project
from forceglue.run.plan import ObjectPlan, fingerprint, landed_types, plan_object
from forceglue.write.delta_table import TableState

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
TEXT = {"Id": "string", "Name": "string", "SystemModstamp": "string", "IsDeleted": "string"}


def file(n: int = 1, fields: Mapping[str, str] | None = None, rows: int = 10) -> LandedFile:
    at = NOON + timedelta(minutes=n)
    told = tuple((TEXT if fields is None else fields).items())
    return LandedFile(f"f{n}", f"f{n}", f"/f{n}", f"in/f{n}", "Account", "csv", 1, at, rows, told, f"flow-{n}", at)


def state(**columns: str) -> TableState:
    return TableState(
        3, 7, {"id": "string", "name": "string", "system_modstamp": "string", "is_deleted": "boolean", **columns}
    )


def planned(
    *files: LandedFile, table: TableState | None = None, before: Mapping[str, str] | None = None, refresh: bool = False,
    catalog: tuple[str, ...] = (), keeps: bool = False, **mapping: Any,
) -> ObjectPlan:  # fmt: skip
    made = ObjectMapping.model_validate({"mapping": "account", "source": "Account", **mapping})
    full = Project(Path(), ProjectSettings(), {"account": made}, {}).with_defaults(made)
    fields = {k.lower(): v for k, v in (before or {}).items()}
    return plan_object(
        full, catalog_fields=catalog, files=files or (file(),), repeated=(), position=Position("account", fields=fields), table=table,
        full_refresh=refresh, keeps_types=keeps,
    )  # fmt: skip


def kinds(plan: ObjectPlan) -> dict[str, str | None]:
    return {c.name: c.type for c in plan.columns}


def test_a_first_load_of_text() -> None:
    plan = planned()
    assert plan.mode == "create"
    assert kinds(plan) == {"id": "string", "name": "string", "system_modstamp": "string", "is_deleted": "boolean"}
    assert (plan.names.key, plan.names.order, plan.names.deleted) == (("id",), "system_modstamp", "is_deleted")
    assert plan.carried == set(kinds(plan))
    assert (plan.landed, plan.unchanged, plan.stopped, plan.drift) == (10, False, None, ())


def test_types_that_land_are_kept_where_that_is_asked_for_and_text_where_files_differ() -> None:
    typed = {**TEXT, "Amount": "double", "On": "date", "At": "timestamp_ns"}
    found = kinds(planned(file(1, typed), keeps=True))
    assert (found["amount"], found["on"], found["at"]) == ("double", "date", "timestamp")
    assert kinds(planned(file(1, typed)))["amount"] == "string"
    plan = planned(file(1, typed), file(2, {**typed, "Amount": "decimal(18,2)"}), keeps=True)
    assert kinds(plan)["amount"] == "string"


def test_a_table_keeps_its_types_and_its_spelling() -> None:
    landed = file(1, {**TEXT, "Amount": "double", "EXTRA": "string"})
    plan = planned(landed, table=state(amount="decimal(18,2)", Extra="bigint"), keeps=True)
    assert kinds(plan)["amount"] == "decimal(18,2)"
    assert kinds(plan)["Extra"] == "bigint"
    assert plan.mode == "merge"


@pytest.mark.parametrize(
    ("write", "table", "refresh", "mode"),
    [
        ("upsert", None, False, "create"),
        ("upsert", None, True, "replace"),
        ("upsert", state(), False, "merge"),
        ("upsert", state(), True, "replace"),
        ("scd2", state(), False, "merge"),
        ("append", state(), False, "append"),
        ("snapshot", state(), False, "append"),
        ("replace", state(), False, "replace"),
    ],
)
def test_modes(write: str, table: TableState | None, refresh: bool, mode: str) -> None:
    assert planned(table=table, refresh=refresh, target={"write": write}).mode == mode


def test_replace_takes_the_last_load_and_passes_over_the_others() -> None:
    plan = planned(file(1), file(2), replace(file(3), flow_execution="flow-2"), target={"write": "replace"})
    assert [f.path for f in plan.files] == ["f2", "f3"]
    assert [f.path for f in plan.skipped] == ["f1"]
    assert plan.landed == 30
    assert [f.path for f in plan.taken] == ["f1", "f2", "f3"]


NEW = {**TEXT, "New__c": "string"}
LESS = {k: v for k, v in TEXT.items() if k != "Name"}
NUMBER = {**TEXT, "Name": "double"}


@pytest.mark.parametrize(
    ("policy", "fields", "change", "stopped", "there"),
    [
        ("evolve", NEW, "appeared", False, True),
        ("ignore", NEW, "appeared", False, False),
        ("freeze", NEW, "appeared", True, True),
        ("evolve", LESS, "vanished", False, False),
        ("freeze", LESS, "vanished", True, False),
        ("evolve", NUMBER, "changed its type from double to string", False, False),
        ("ignore", NUMBER, "changed its type from double to string", False, False),
        ("freeze", NUMBER, "changed its type from double to string", True, False),
    ],
)
def test_drift(policy: str, fields: dict[str, str], change: str, stopped: bool, there: bool) -> None:
    if fields is NUMBER:  # it was a number, in a column of numbers, and is text now
        plan = planned(table=state(name="double"), before=NUMBER, on_drift=policy)
    else:
        plan = planned(file(1, fields), table=state(), before=TEXT, on_drift=policy)
    assert [(d.change, d.policy) for d in plan.drift] == [(change, policy)]
    assert (plan.stopped is not None) == stopped
    assert ("new__c" in kinds(plan)) == there


@pytest.mark.parametrize("write", ["upsert", "append", "scd2", "snapshot"])
def test_a_table_takes_no_rows_of_other_types_than_it_has(write: str) -> None:
    columns = {"columns": {"amount": {"from": "Amount", "type": "DECIMAL(20, 4)"}, "n": {"from": "N", "type": "long"}}}
    table = state(amount="decimal(18,2)", n="bigint")
    plan = planned(table=table, target={"write": write}, **columns)
    assert plan.stopped is not None
    assert "amount is decimal(18,2) there and decimal(20,4) in the mapping." in plan.stopped
    assert "--full-refresh" in plan.stopped
    assert planned(table=table, refresh=True, target={"write": write}, **columns).stopped is None
    assert planned(table=state(amount="decimal(20,4)"), target={"write": write}, **columns).stopped is None


def test_a_table_of_the_last_load_alone_takes_any_types() -> None:
    columns = {"columns": {"amount": {"from": "Amount", "type": "double"}}}
    assert planned(table=state(amount="string"), target={"write": "replace"}, **columns).stopped is None


def test_a_column_of_text_takes_whatever_comes() -> None:
    assert planned(file(1, NUMBER), table=state(), before=TEXT, on_drift="freeze").drift == ()


def test_no_drift_without_a_load_before_nor_in_the_case_of_names() -> None:
    assert planned(file(1, NEW), table=state()).drift == ()
    assert planned(file(1, {k.upper(): v for k, v in TEXT.items()}), table=state(), before=TEXT).drift == ()
    assert planned(file(1, NEW), before=TEXT).drift == ()


def test_a_vanished_field_is_not_carried() -> None:
    plan = planned(file(1, LESS), table=state(), before=TEXT, catalog=tuple(TEXT))
    assert "name" in kinds(plan)
    assert "name" not in plan.carried


@pytest.mark.parametrize(
    ("deletes", "table", "drops"),
    [("mark", None, False), ("keep", state(), True), ("delete", None, True), ("delete", state(), False)],
)
def test_whether_deleted_records_are_written(deletes: str, table: TableState | None, drops: bool) -> None:
    assert planned(table=table, target={"deletes": deletes}).drops_deleted == drops


def test_fields_that_nothing_may_read_are_in_no_plan() -> None:
    plan = planned(file(1, {**TEXT, "Secret__c": "string"}), never_read=["SECRET__C"])
    assert "secret__c" not in kinds(plan)
    assert "secret__c" not in landed_types(plan.files, frozenset({"secret__c"}))


def test_a_fingerprint_is_that_of_the_mapping() -> None:
    one = DatasetMapping.model_validate({"mapping": "D", "from": "a", "columns": {"x": "y"}})
    other = one.model_copy(update={"where": "x > 1"})
    assert fingerprint(one) == fingerprint(one.model_copy()) != fingerprint(other)
