from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from flows.kit import as_api, complaints
from forceglue.errors import UsageError
from forceglue.flows import template as made
from forceglue.flows.difference import differences
from forceglue.flows.flow import Every, flows, logical_id, offset
from forceglue.flows.objects import FlowObject, LeftOut, flow_objects
from forceglue.flows.template import Request, stack_of, templates, text
from forceglue.landing.layout import LandedKey, landed
from forceglue.mapping.load import load_project
from tests.house.lock import ROOT

HOUR = Every()
NAMED = FlowObject("Account", "Account", ("Id", "Name", "Größe__c"), (), "SystemModstamp", deleted=False)
WHOLE = FlowObject("Thing__c", "Thing", None, ("Secret__c", "Body"), None, deleted=True)


@pytest.fixture(scope="module")
def ours() -> tuple[tuple[FlowObject, ...], tuple[LeftOut, ...]]:
    return flow_objects(load_project(ROOT / "mappings"))


def lint(path: Path) -> str:
    linter = Path(sys.executable).with_name("cfn-lint")
    environment = os.environ | {"AWS_DEFAULT_REGION": "eu-west-1"}
    said = subprocess.run([str(linter), str(path)], capture_output=True, text=True, check=False, env=environment)
    return said.stdout + said.stderr


def only_flows(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: one for name, one in template["Resources"].items() if one["Type"] == "AWS::AppFlow::Flow"}


def test_the_flows_of_this_project_are_what_cloudformation_and_appflow_take(ours, tmp_path: Path) -> None:
    (template,) = templates(*ours, Request("dev"))
    found = only_flows(template)
    assert len(found) == 2 * len(ours[0]) == 70
    assert [complaint for one in found.values() if (complaint := complaints(one))] == []
    file = tmp_path / "flows.yaml"
    file.write_text(text(template), "utf-8")
    assert lint(file) == ""


@pytest.mark.parametrize("one", [NAMED, WHOLE], ids=lambda one: one.name)
def test_fields_by_name_and_everything_are_what_appflow_takes(one: FlowObject) -> None:
    assert [complaint for flow in flows(one, Every(15, "minutes")).values() if (complaint := complaints(flow))] == []


def test_the_judge_of_these_tests_finds_what_is_wrong() -> None:
    broken = next(iter(flows(WHOLE, HOUR).values()))
    broken["Properties"]["SourceFlowConfig"]["SourceConnectorProperties"]["Salesforce"]["DataTransferApi"] = "BULK"
    broken["Properties"]["FlowName"]["Fn::Sub"] = "${EnvPrefix} Thing"
    assert "SalesforceDataTransferApi" in complaints(broken) and "FlowName" in complaints(broken)


def test_every_flow_lands_by_bulk_alone_as_parquet_in_a_folder_of_its_run(ours) -> None:
    (template,) = templates(*ours, Request())
    for one in only_flows(template).values():
        call = as_api(one)
        salesforce = call["sourceFlowConfig"]["sourceConnectorProperties"]["Salesforce"]
        assert salesforce["dataTransferApi"] == "BULKV2"
        place = call["destinationFlowConfigList"][0]["destinationConnectorProperties"]["S3"]
        assert place["s3OutputFormatConfig"] == {
            "fileType": "PARQUET",
            "preserveSourceDataTyping": False,
            "prefixConfig": {"prefixType": "PATH", "pathPrefixHierarchy": ["EXECUTION_ID"]},
            "aggregationConfig": {"aggregationType": "None"},
        }
        key = f"{place['bucketPrefix']}/{call['flowName']}/execution/file.parquet"
        (token,) = (o.token for o in ours[0] if o.name == salesforce["object"])
        assert landed(key) == LandedKey("dev", token, "execution", "file.parquet")


def test_one_flow_reads_what_has_changed_and_one_reads_all() -> None:
    delta, full = (as_api(one) for one in flows(NAMED, HOUR).values())
    assert delta["flowName"] == "dev-Salesforce-Account" and full["flowName"] == "dev-Salesforce-Account.full"
    assert full["triggerConfig"] == {"triggerType": "OnDemand"}
    assert "incrementalPullConfig" not in full["sourceFlowConfig"]
    scheduled = delta["triggerConfig"]["triggerProperties"]["Scheduled"]
    assert (scheduled["dataPullMode"], scheduled["scheduleExpression"]) == ("Incremental", "rate(1hours)")
    assert delta["sourceFlowConfig"]["incrementalPullConfig"] == {"datetimeTypeFieldName": "SystemModstamp"}
    assert delta["tasks"] == full["tasks"]


def test_without_a_stamp_the_scheduled_flow_reads_all() -> None:
    delta, _ = (as_api(one) for one in flows(WHOLE, HOUR).values())
    assert delta["triggerConfig"]["triggerProperties"]["Scheduled"]["dataPullMode"] == "Complete"
    assert "incrementalPullConfig" not in delta["sourceFlowConfig"]


def test_the_filter_comes_first_and_each_field_is_mapped_to_itself() -> None:
    first, *mapped = as_api(flows(NAMED, HOUR)["AccountFull"])["tasks"]
    assert (first["taskType"], first["sourceFields"]) == ("Filter", ["Id", "Name", "Größe__c"])
    assert [(one["taskType"], one["sourceFields"], one["destinationField"]) for one in mapped] == [
        ("Map", [name], name) for name in ("Id", "Name", "Größe__c")
    ]


def test_everything_lands_but_what_is_never_read_and_new_fields_come_by_themselves() -> None:
    for one in flows(WHOLE, HOUR).values():
        call = as_api(one)
        assert call["tasks"] == [
            {"taskType": "Map_all", "sourceFields": [], "connectorOperator": {"Salesforce": "NO_OP"},
             "taskProperties": {"EXCLUDE_SOURCE_FIELDS_LIST": '["Secret__c","Body"]'}}
        ]  # fmt: skip
        source = call["sourceFlowConfig"]["sourceConnectorProperties"]["Salesforce"]
        assert source["enableDynamicFieldUpdate"] is True and source["includeDeletedRecords"] is True


def test_flows_do_not_start_all_at_once(ours) -> None:
    starts = Counter(offset(one.name, HOUR) for one in ours[0])
    assert len(starts) > len(ours[0]) / 2 and max(starts.values()) <= 4
    assert all(start % 60 == 0 and start < 3600 for start in starts)


@given(st.text(max_size=40), st.builds(Every, st.integers(1, 60), st.sampled_from(["minutes", "hours", "days"])))
def test_a_flow_starts_within_its_span_and_appflows_bound(name: str, every: Every) -> None:
    assert 0 <= offset(name, every) < min(every.seconds, 36_001)


names = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,20}", fullmatch=True)


@given(st.sets(names, max_size=30))
def test_no_two_objects_share_a_logical_id(found: set[str]) -> None:
    made = {logical for name in found for logical in flows(FlowObject(name, name, None, (), None, True), HOUR)}
    assert len(made) == 2 * len(found) and all(re.fullmatch("[A-Za-z0-9]+", one) for one in made)
    assert logical_id("A_B__c") != logical_id("AB__c")


def test_the_same_mappings_give_the_same_text_in_any_process(ours, tmp_path: Path) -> None:
    words = "from forceglue.cli.main import main; main()"
    texts = set()
    for seed in ("1", "2"):
        file = tmp_path / f"{seed}.yaml"
        subprocess.run(
            [sys.executable, "-c", words, "flows", "--out", str(file), "--mappings", str(ROOT / "mappings")],
            check=True, capture_output=True, env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT / "glue")},
        )  # fmt: skip
        texts.add(file.read_text("utf-8"))
    assert len(texts) == 1
    assert not re.search(r"[&*]id\d", texts.pop())


def test_another_object_changes_nothing_of_the_others(ours) -> None:
    (before,), (after,) = templates(ours[0][1:], ours[1], Request()), templates(*ours, Request())
    added = f"Salesforce-{ours[0][0].token}"
    assert list(differences(before, after)) == [f"{added}: new", f"{added}.full: new"]
    lines = {*text(before).splitlines()} - {*text(after).splitlines()}
    assert [line.split(":")[0].strip() for line in lines] == ["Made"]


def test_the_activation_waits_for_every_flow_and_looks_again_when_one_changes(ours) -> None:
    (template,) = templates(*ours, Request())
    activation = template["Resources"]["Activation"]["Properties"]
    assert activation["Flows"] == [{"Ref": name} for name in only_flows(template)]
    assert list(template["Resources"])[-1] == "Activation"
    (other,) = templates(*ours, Request(every=Every(2)))
    assert other["Resources"]["Activation"]["Properties"]["Made"] != activation["Made"]


def many(count: int, fields: int = 0) -> list[FlowObject]:
    columns = tuple(f"Field_{number}__c" for number in range(fields)) or None
    return [
        FlowObject(f"Object_{number}__c", f"O{number}", columns, (), "SystemModstamp", True) for number in range(count)
    ]


@pytest.mark.parametrize(("objects", "what"), [(many(12), "20"), (many(4, 20), "20,000 bytes")])
def test_more_than_a_template_takes_is_told_with_the_number_of_stacks_that_do(
    objects: list[FlowObject], what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # CloudFormation's own limits are 25 and 50 times as high
    monkeypatch.setattr(made, "MOST_RESOURCES", 20)
    monkeypatch.setattr(made, "MOST_BYTES", 20_000)
    with pytest.raises(UsageError, match="--stacks") as told:
        templates(objects, (), Request())
    assert f"CloudFormation takes {what}." in str(told.value)
    stacks = int(str(told.value).rpartition("--stacks ")[2].rstrip("."))
    divided = templates(objects, (), Request(stacks=stacks))
    assert len(divided) == stacks > 1
    assert sum(len(only_flows(one)) for one in divided) == 2 * len(objects)
    for one in divided:
        assert len(one["Resources"]) <= 20 and len(text(one).encode()) <= 20_000


def test_the_limits_are_cloudformations() -> None:
    assert (made.MOST_RESOURCES, made.MOST_BYTES) == (500, 1_000_000)


def test_an_object_stays_in_its_stack_whatever_else_is_read() -> None:
    before, after = (templates(many(count), (), Request(stacks=3)) for count in (20, 21))
    for old, new in zip(before, after, strict=True):
        assert only_flows(old).keys() <= only_flows(new).keys()
    assert {stack_of(one.name, 3) for one in many(20)} == {0, 1, 2}


def test_objects_without_flows_stand_in_the_template_with_the_reason() -> None:
    (template,) = templates([NAMED], [LeftOut("TaskStatus", "Bulk refuses it", "extract reads it")], Request())
    assert template["Metadata"]["ObjectsWithoutFlows"] == {"TaskStatus": "Bulk refuses it; extract reads it"}


def test_a_template_reads_back_as_it_was_made(ours) -> None:
    (template,) = templates(*ours, Request("dev"))
    assert yaml.safe_load(text(template)) == template
    assert list(differences(yaml.safe_load(text(template)), template)) == []


@pytest.mark.parametrize("before", [None, "text", [1], {"Resources": 3}])
def test_anything_else_than_a_template_has_no_flow(before: Any) -> None:
    (template,) = templates([NAMED], (), Request())
    assert list(differences(before, template)) == [
        "Salesforce-Account: new", "Salesforce-Account.full: new", "the template's parameters or metadata: changed"
    ]  # fmt: skip
