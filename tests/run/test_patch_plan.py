"""Which patches meet a table, and which columns they know values for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forceglue.landing.inventory import LandedFile
from forceglue.landing.patch import Kind, Patch
from forceglue.landing.position import Position
from forceglue.mapping.model import ObjectMapping, ProjectSettings
from forceglue.mapping.project import Project
from forceglue.run.patch_plan import plan_patch
from forceglue.run.plan import ObjectPlan
from forceglue.write.delta_table import TableState

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
REFRESH = {"Id": "string", "SystemModstamp": "timestamp", "Score__c": "double"}
DELETED = {"Id": "string", "IsDeleted": "boolean", "SystemModstamp": "timestamp"}
VANISHED = {"Id": "string", "IsDeleted": "boolean"}
FIELDS: dict[Kind, dict[str, str]] = {"refresh": REFRESH, "deleted": DELETED, "vanished": VANISHED}
HAD = {
    "id": "string", "name": "string", "score": "double", "system_modstamp": "timestamp", "is_deleted": "boolean",
    "filename": "string", "processed_ts": "timestamp",
}  # fmt: skip
SAID = {
    "id": "Id",
    "name": "Name",
    "score": {"from": "Score__c", "type": "double"},
    "system_modstamp": "SystemModstamp",
}


def file(kind: Kind, n: int = 1, *, at: int | None = None, fields: Mapping[str, str] | None = None) -> LandedFile:
    """The n-th file, whose reading began at the minute `at`."""
    landed, name = NOON + timedelta(minutes=n), f"{kind}-{n}"
    told = tuple((fields or FIELDS[kind]).items())
    patch = Patch(kind, NOON + timedelta(minutes=n if at is None else at))
    return LandedFile(
        name, name, name, name, "Account", "parquet", 1, landed, 10, told, ingested_at=landed, patch=patch
    )


def planned(
    *files: LandedFile, columns: Any = None, had: Mapping[str, str] | None = None, refreshed: int | None = None,
    catalog: tuple[str, ...] = (), keeps: bool = False, **mapping: Any,
) -> ObjectPlan:  # fmt: skip
    said = {"mapping": "account", "source": "Account", "columns": SAID if columns is None else columns, **mapping}
    full = Project(Path(), ProjectSettings(), {}, {}).with_defaults(ObjectMapping.model_validate(said))
    then = None if refreshed is None else NOON + timedelta(minutes=refreshed)
    (kind,) = {f.patch.kind for f in files if f.patch}
    return plan_patch(
        full, kind, catalog_fields=catalog, files=files, position=Position("account", 7, refreshed=then),
        table=TableState(3, 7, had or HAD), keeps_types=keeps,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "carried"),
    [("refresh", {"score"}), ("deleted", {"is_deleted", "system_modstamp"}), ("vanished", {"is_deleted"})],
)
def test_what_each_kind_brings(kind: Kind, carried: set[str]) -> None:
    plan = planned(file(kind))
    assert (plan.carried, plan.mode, plan.patch, plan.drift, plan.stopped) == (carried, "merge", kind, (), None)
    assert (plan.names.key, plan.names.order, plan.names.deleted) == (("id",), "system_modstamp", "is_deleted")


def test_the_key_and_the_order_of_a_table_are_known_though_no_field_names_them() -> None:
    """An object without a mapping file and without an entry in the catalog, and a file with two fields."""
    plan = planned(file("vanished"), columns=(), rest="keep", had={**HAD, "extra": "bigint"}, keeps=True)
    assert (plan.names.key, plan.names.order, plan.names.deleted) == (("id",), "system_modstamp", "is_deleted")
    assert {c.name: c.type for c in plan.columns}["extra"] == "bigint"


@given(times=st.lists(st.integers(0, 5), min_size=1, max_size=6), refreshed=st.none() | st.integers(0, 5))
def test_the_newest_refresh_is_read_whole_and_every_file_is_accounted_for(
    times: list[int], refreshed: int | None
) -> None:
    files = [file("refresh", n, at=at) for n, at in enumerate(times)]
    plan = planned(*files, refreshed=refreshed)
    assert set(plan.taken) == set(files)
    assert plan.landed == 10 * len(files)
    read = [times[files.index(f)] for f in plan.files]
    newest = max(times)
    assert read == ([] if refreshed is not None and newest < refreshed else [newest] * times.count(newest))


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        *((kind, {"write": write}) for kind in FIELDS for write in ("append", "replace", "snapshot")),
        ("deleted", {"deletes": "keep"}),
        ("vanished", {"write": "scd2", "deletes": "keep"}),
    ],
)
def test_what_a_table_does_not_take_is_passed_over(kind: Kind, target: dict[str, str]) -> None:
    plan = planned(file(kind), target=target)
    assert (plan.files, len(plan.skipped), plan.landed, plan.unchanged) == ((), 1, 10, False)


def test_a_refresh_of_fields_that_no_column_uses_is_passed_over() -> None:
    plan = planned(file("refresh", fields={**REFRESH, "Score__c": "double"}), columns={"id": "Id", "name": "Name"})
    assert (plan.files, len(plan.skipped)) == ((), 1)


def test_a_column_is_computed_where_all_that_it_is_made_of_was_read_and_not_only_the_key() -> None:
    columns = {
        **SAID,
        "doubled": {"sql": "Score__c * 2"},
        "both": {"sql": "concat(Score__c, Name)"},
        "year": {"sql": "year(SystemModstamp)"},
        "aged": {"sql": "datediff(SystemModstamp, to_date(Score__c))"},
        "today": {"sql": "current_date()"},
        "origin": {"value": "salesforce"},
        "of_score": "scored.Name",
        "of_name": "named.Name",
        "of_key": "keyed.Name",
        "in_sql": {"sql": "upper(scored.Name)"},
    }
    lookups = {
        "scored": {"object": "X", "by": "score__C"},
        "named": {"object": "X", "by": "Name"},
        "keyed": {"object": "X", "by": "Id"},
        "unused": {"object": "X", "by": "Score__c"},
    }
    plan = planned(file("refresh"), columns=columns, lookups=lookups)
    assert plan.carried == {"score", "doubled", "aged", "of_score", "in_sql"}
    assert set(plan.mapping.lookups) == {"scored"}


@pytest.mark.parametrize(
    ("where", "judged"),
    [("Score__c > 0", True), ("Id like '0%' and Score__c > 0", True), ("Score__c > 0 and Name = 'x'", False)],
)
def test_where_is_asked_only_of_what_was_read(where: str, judged: bool) -> None:
    assert planned(file("refresh"), where=where).mapping.where == (where if judged else None)
    assert planned(file("deleted"), where="Id is not null").mapping.where is None


def test_rules_judge_refreshed_rows_and_no_deletion_and_expectations_are_about_loads() -> None:
    quality = {"quarantine": {"low": "score < 5"}}
    asked = [{"expect_table_row_count_to_be_between": {"min_value": 1}}]
    refresh = planned(file("refresh"), quality=quality, expectations=asked).mapping
    assert ([name for name, _, _ in refresh.rules()], refresh.expectations) == (["low"], ())
    assert planned(file("vanished"), quality=quality, expectations=asked).mapping.rules() == ()


@pytest.mark.parametrize(("policy", "taken"), [("evolve", True), ("freeze", False), ("ignore", False)])
def test_a_field_that_nobody_has_agreed_to_becomes_no_column(policy: str, taken: bool) -> None:
    fields = {**REFRESH, "New__c": "string"}
    plan = planned(
        file("refresh", fields=fields), columns=(), rest="keep", on_drift=policy, had={**HAD, "score__c": "double"}
    )
    assert (plan.carried == {"score__c", "new__c"}) is taken
    known = planned(file("refresh", fields=fields), rest="keep", on_drift=policy, catalog=("Id", "New__c", "Score__c"))
    assert known.carried == {"score", "new__c"}


def test_a_type_that_the_table_does_not_have_stops_a_patch_and_is_said() -> None:
    plan = planned(file("refresh"), had={**HAD, "score": "string"})
    assert "score is string there and double in the mapping" in (plan.stopped or "")
    assert planned(file("vanished"), had={**HAD, "score": "string"}).stopped is None
