from __future__ import annotations

import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from demo.landed_org import Landed, StepReader, deleted, id18, latest, moment
from forceglue.demo.appflow import HOUR, NO_ROWS, REPEATED, full_load, hour
from forceglue.demo.objects import OBJECTS
from forceglue.demo.values import BASE
from forceglue.errors import UsageError
from forceglue.mapping.catalog import Catalog


def _tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_all_36_objects_of_the_catalog_land(org: Landed, catalog: Catalog) -> None:
    assert len(OBJECTS) == 36
    assert set(org.full.objects) == set(OBJECTS) == set(catalog.names)
    assert all(truth.files and truth.rows for truth in org.full.objects.values())


def test_the_files_on_disk_are_those_that_the_truth_names(org: Landed) -> None:
    told = [path for step in (org.full, org.hour) for truth in step.objects.values() for path in truth.paths]
    told += [bad.path for bad in org.full.bad_files]
    assert sorted(told) == sorted(_tree(org.folder))
    assert all(path.startswith("in/dev-Salesforce-") and path.count("/") == 3 for path in told)


@pytest.mark.parametrize("name", [name for name, plan in OBJECTS.items() if not plan.event])
def test_the_truth_of_the_full_load_is_what_the_files_hold(org: Landed, landed: StepReader, name: str) -> None:
    truth, rows = org.full.objects[name], landed(org.full, name)
    records = latest(rows)
    usable = [row for row in rows if row["id"] and moment(row["systemmodstamp"])]
    assert truth.rows == len(rows)
    assert truth.written == truth.records_after == len(records)
    assert truth.null_keys == sum(row["id"] is None for row in rows)
    assert truth.bad_stamps == sum(row["id"] is not None and moment(row["systemmodstamp"]) is None for row in rows)
    assert truth.superseded == len(usable) - len(records)
    assert truth.rows == truth.written + truth.superseded + truth.set_aside
    assert truth.deleted_after == sum(map(deleted, records.values()))
    assert truth.short_ids == sum(len(row["id"] or "") == 15 for row in rows)
    pairs = Counter((id18(row["id"]), moment(row["systemmodstamp"])) for row in usable)
    assert truth.ties == sum(number == 2 for number in pairs.values())
    texts = dict(OBJECTS[name].bad)
    assert truth.bad_casts == {f: n for f in texts if (n := sum(row[f.lower()] == texts[f] for row in rows))}


def test_events_have_no_id_and_those_without_files_are_counted(org: Landed, landed: StepReader) -> None:
    truth, rows = org.full.objects["BillingExtractReady__e"], landed(org.full, "BillingExtractReady__e")
    assert set(rows[0]) == {"createddate", "createdbyid", "fileids__c", "integrationjobid__c"}
    assert len({(row["integrationjobid__c"], row["createddate"]) for row in rows}) == len(rows) == truth.rows
    assert truth.ruled_out == sum(row["fileids__c"] is None for row in rows) > 0
    assert truth.written == truth.records_after == len(rows) - truth.ruled_out


@pytest.mark.parametrize("name", sorted({*HOUR, REPEATED, NO_ROWS}))
def test_the_truth_of_the_hour_is_what_the_files_hold(org: Landed, landed: StepReader, name: str) -> None:
    truth, now = org.hour.objects[name], landed(org.hour, name)
    before = latest(landed(org.full, name))
    after = latest(landed(org.full, name) + now)
    assert truth.rows == len(now)
    assert truth.records_after == len(after)
    assert truth.written == sum(key not in before or row is not before[key] for key, row in after.items())
    assert truth.deleted_after == sum(map(deleted, after.values()))
    assert truth.rows == truth.written + truth.superseded + truth.set_aside


def test_the_org_has_the_size_and_the_mess_that_a_demo_needs(org: Landed) -> None:
    whole = org.full.objects.values()
    assert 18_000 < sum(truth.records_after for truth in whole) < 23_000
    for count in ("superseded", "null_keys", "bad_stamps", "short_ids", "ties", "deleted_after"):
        assert sum(getattr(truth, count) > 0 for truth in whole) >= 10, count
    assert {truth.format for truth in whole} == {"parquet", "typed", "json", "csv"}
    assert Counter(truth.format for truth in whole)["json"] == Counter(truth.format for truth in whole)["csv"] == 2
    assert len(org.full.objects["OrderItem"].folders) == 2
    assert {"dev-Salesforce-Order-Ad-Placement"} == set(
        org.full.objects["vlocity_cmt__OrderItemAdPlacement__c"].folders
    )


def test_deleted_records_come_back_and_old_versions_of_deleted_ones_are_live(landed: StepReader, org: Landed) -> None:
    rows = landed(org.full, "Order")
    records = latest(rows)
    older = [row for row in rows if row["id"] and moment(row["systemmodstamp"]) and row is not records[id18(row["id"])]]
    pairs = {(row["isdeleted"], records[id18(row["id"])]["isdeleted"]) for row in older}
    assert pairs == {("true", "false"), ("false", "true"), ("false", "false")}


def test_versions_of_a_record_differ_and_lie_in_several_files(org: Landed) -> None:
    where: dict[str, set[str]] = {}
    for path in org.full.objects["OrderItem"].paths:
        for key in pq.read_table(org.folder / path, columns=["Id"]).column(0).to_pylist():
            where.setdefault((key or "")[:15], set()).add(path)
    assert any(len(paths) > 1 for paths in where.values())


def test_forms_of_stamps_and_names(org: Landed, landed: StepReader) -> None:
    stamps = {
        n: pq.read_schema(org.folder / org.full.objects[n].paths[0])
        for n in ("Opportunity", "vlocity_cmt__AccountAdServer__c")
    }
    assert pa.types.is_timestamp(stamps["Opportunity"].field("SystemModstamp").type)
    assert pa.types.is_boolean(stamps["Opportunity"].field("IsDeleted").type)
    assert all(name == name.lower() for name in stamps["vlocity_cmt__AccountAdServer__c"].names)
    assert {row["systemmodstamp"][23:] for row in landed(org.full, "Account")} == {"Z"}
    assert {row["systemmodstamp"][23:] for row in landed(org.hour, "Account")} == {"+0000"}
    assert all(
        moment(row["systemmodstamp"]) < BASE for row in landed(org.full, "Order") if moment(row["systemmodstamp"])
    )


def test_csv_is_as_bulk_api_writes_it(org: Landed) -> None:
    contact = (org.folder / org.full.objects["Contact"].paths[0]).read_bytes()
    targeting = (org.folder / org.full.objects["Targeting__c"].paths[0]).read_bytes()
    assert contact.startswith(b'\xef\xbb\xbf"Id"')
    assert b'"\r\n"' in contact
    assert targeting.startswith(b'"Id"')
    assert b'"\r\n"' not in targeting
    assert b"and\na newline" in targeting


def test_text_has_quotes_newlines_blanks_and_other_scripts(landed: StepReader, org: Landed) -> None:
    texts = {value for row in landed(org.full, "Order") for value in row.values() if value}
    for part in ('"', "\n", "\r\n", ",", "广告", "رسالة", "ไทย", "🎬", "NULL", "NA", "00123"):
        assert any(part in text for text in texts), part
    assert any(text != text.strip() for text in texts)


def test_credential_like_fields_land_with_dummies_and_no_one_has_a_social_security_number(
    landed: StepReader, org: Landed
) -> None:
    users = landed(org.full, "User")
    for field in ("xfiles__amazon_iam_key__c", "xfiles__amazon_iam_secret__c"):
        assert {row[field][:12] for row in users} == {"DO-NOT-READ-"}
    contacts = landed(org.full, "Contact")
    assert {row["vlocity_cmt__ssn__c"] for row in contacts} == {None}
    assert all(row["email"] is None or row["email"].endswith("@example.com") for row in contacts)


def test_bad_files_are_bad(org: Landed) -> None:
    wrong = {bad.wrong: org.folder / bad.path for bad in org.full.bad_files}
    assert set(wrong) == {"empty file", "truncated Parquet", "text named .parquet", "no Id"}
    assert wrong["empty file"].stat().st_size == 0
    for name in ("truncated Parquet", "text named .parquet"):
        with pytest.raises(pa.ArrowInvalid):
            pq.read_table(wrong[name])
    assert wrong["truncated Parquet"].read_bytes().startswith(b"PAR1")
    assert "Id" not in pq.read_schema(wrong["no Id"]).names


def test_the_hour_has_new_late_repeated_and_no_rows_and_fields_that_come_and_go(
    org: Landed, landed: StepReader
) -> None:
    steps = org.hour.objects
    assert len(steps) >= 12
    assert steps[NO_ROWS].files == 1
    assert steps[NO_ROWS].rows == 0
    assert steps[REPEATED].written == 0
    assert steps[REPEATED].superseded > 0
    assert (org.folder / steps[REPEATED].paths[0]).read_bytes() == (
        org.folder / org.full.objects[REPEATED].paths[0]
    ).read_bytes()
    assert 0 < steps["QuoteLineItem"].written < steps["QuoteLineItem"].rows
    assert steps["Order"].new_fields == ("SWM_Campaign_Label__c",)
    assert "swm_campaign_label__c" in landed(org.hour, "Order")[0]
    assert steps["Product2"].lost_fields == ("vlocity_cmt__HelpText__c",)
    assert "vlocity_cmt__helptext__c" not in landed(org.hour, "Product2")[0]
    assert any(truth.records_after > org.full.objects[name].records_after for name, truth in steps.items())
    assert steps["Account"].deleted_after > org.full.objects["Account"].deleted_after
    newest = max(moment(row["systemmodstamp"]) for row in landed(org.hour, "Order"))
    assert BASE < newest < BASE + timedelta(hours=1)


def test_two_calls_write_the_same_bytes_whatever_the_hash_seed(org: Landed, catalog: Catalog, tmp_path: Path) -> None:
    full = full_load(tmp_path, catalog)
    step = hour(tmp_path, catalog, full)
    assert (full, step) == (org.full, org.hour)
    assert _tree(tmp_path) == _tree(org.folder)
    code = (
        "import hashlib; from random import Random; from forceglue.demo.values import pool; "
        "told = repr([pool(kind, Random('7')) for kind in ('money', 'long_text', 'pick')]); "
        "print(hashlib.sha256(told.encode()).hexdigest())"
    )
    root = str(Path(__file__).parents[2] / "glue")
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": root},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1


def test_another_seed_is_another_org_and_scale_multiplies_it(org: Landed, catalog: Catalog, tmp_path: Path) -> None:
    other = full_load(tmp_path / "seed", catalog, seed=8)
    assert _tree(tmp_path / "seed").keys() != _tree(org.folder).keys()
    assert other.objects["Order"].records_after == 800
    double = full_load(tmp_path / "scale", catalog, scale=2)
    assert {name: t.records_after for name, t in double.objects.items()} == {
        n: 2 * t.records_after for n, t in org.full.objects.items()
    }


def test_an_object_without_a_describe_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Account: not in the catalog"):
        full_load(tmp_path, Catalog())
