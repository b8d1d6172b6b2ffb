from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forceglue.landing.layout import folder_parts
from multiply_flows.multiply import MultiplyError, multiplied


def sub(text: str) -> dict[str, Any]:
    return {"Fn::Sub": text}


def ref(name: str) -> dict[str, Any]:
    return {"Ref": name}


def flow(entries: Any, **more: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::AppFlow::Flow",
        "Multiply": entries,
        "Properties": {
            "FlowName": sub("${EnvPrefix}-Salesforce-${FlowToken}"),
            "Description": ref("DisplayName"),
            "SourceFlowConfig": {"SourceConnectorProperties": {"Salesforce": {"Object": ref("ObjectName")}}},
        },
        **more,
    }


def template(entries: Any, others: dict[str, Any] | None = None, **sections: Any) -> dict[str, Any]:
    return {
        "Parameters": {"EnvPrefix": {"Type": "String"}},
        "Resources": {"Flow": flow(entries), **(others or {})},
    } | sections


def problems(told: dict[str, Any], parameters: dict[str, Any] | None = None) -> list[str]:
    with pytest.raises(MultiplyError) as caught:
        multiplied(told, parameters or {})
    return caught.value.problems


def test_one_marked_flow_becomes_one_for_each_object() -> None:
    made = multiplied(template("Account, Order Product|OrderItem"), {})
    assert made["Resources"] == {
        "FlowAccount": {
            "Type": "AWS::AppFlow::Flow",
            "Properties": {
                "FlowName": sub("${EnvPrefix}-Salesforce-Account"),
                "Description": "Account",
                "SourceFlowConfig": {"SourceConnectorProperties": {"Salesforce": {"Object": "Account"}}},
            },
        },
        "FlowOrderProduct": {
            "Type": "AWS::AppFlow::Flow",
            "Properties": {
                "FlowName": sub("${EnvPrefix}-Salesforce-Order-Product"),
                "Description": "Order Product",
                "SourceFlowConfig": {"SourceConnectorProperties": {"Salesforce": {"Object": "OrderItem"}}},
            },
        },
    }
    assert made["Parameters"] == {"EnvPrefix": {"Type": "String"}}


@pytest.mark.parametrize("value", ["Account,Lead", ["Account", "Lead"]])
def test_the_list_may_be_a_parameter(value: Any) -> None:
    made = multiplied(template(ref("Objects")), {"Objects": value})
    assert [*made["Resources"]] == ["FlowAccount", "FlowLead"]


def test_what_depends_on_the_marked_one_depends_on_all_its_copies() -> None:
    others = {
        "A": {"Type": "X", "DependsOn": "Flow"},
        "B": {"Type": "X", "DependsOn": ["C", "Flow"]},
        "C": {"Type": "X"},
    }
    made = multiplied(template("Account, Lead", others), {})["Resources"]
    assert made["A"]["DependsOn"] == ["FlowAccount", "FlowLead"]
    assert made["B"]["DependsOn"] == ["C", "FlowAccount", "FlowLead"]
    assert made["C"] == {"Type": "X"}


def test_where_a_list_has_room_all_copies_are_meant() -> None:
    others = {
        "Activation": {
            "Type": "Custom::ActiveFlows",
            "Properties": {
                "Flows": [ref("Flow")],
                "Arns": [
                    {"Fn::GetAtt": ["Flow", "FlowArn"]},
                    {"Fn::GetAtt": "Flow.FlowArn"},
                    "else",
                    sub("${Flow.FlowArn}/*"),
                ],
                "Statement": [{"Action": "a", "Resource": sub("${Flow}")}, {"Resource": [ref("Flow"), "x"]}],
                "Joined": {"Fn::Join": [",", [ref("Flow"), ref("EnvPrefix")]]},
                "Told": [sub("${! Flow } ${ Flow }")],
            },
        }
    }
    told = multiplied(template("Account, Lead", others), {})["Resources"]["Activation"]["Properties"]
    assert told == {
        "Flows": [ref("FlowAccount"), ref("FlowLead")],
        "Arns": [
            {"Fn::GetAtt": ["FlowAccount", "FlowArn"]}, {"Fn::GetAtt": ["FlowLead", "FlowArn"]},
            {"Fn::GetAtt": "FlowAccount.FlowArn"}, {"Fn::GetAtt": "FlowLead.FlowArn"}, "else",
            sub("${FlowAccount.FlowArn}/*"), sub("${FlowLead.FlowArn}/*"),
        ],
        "Statement": [
            {"Action": "a", "Resource": sub("${FlowAccount}")}, {"Action": "a", "Resource": sub("${FlowLead}")},
            {"Resource": [ref("FlowAccount"), ref("FlowLead"), "x"]},
        ],
        "Joined": {"Fn::Join": [",", [ref("FlowAccount"), ref("FlowLead"), ref("EnvPrefix")]]},
        "Told": [sub("${! Flow } ${FlowAccount}"), sub("${! Flow } ${FlowLead}")],
    }  # fmt: skip


@pytest.mark.parametrize(
    "value", [ref("Flow"), {"Fn::GetAtt": "Flow.FlowArn"}, sub("x/${Flow}"), {"Fn::If": ["C", ref("Flow"), "x"]},
              {"Fn::Sub": ["${a}", {"a": ref("Flow")}]}]
)  # fmt: skip
def test_where_there_is_room_for_one_only_it_is_told(value: Any) -> None:
    told = problems(template("Account, Lead", {"A": {"Type": "X", "Properties": {"One": value}}}))
    assert len(told) == 1 and told[0].startswith("Resources.A.Properties.One") and "2 resources now" in told[0]
    told = problems(template("Account, Lead", Outputs={"Name": {"Value": value}}))
    assert len(told) == 1 and told[0].startswith("Outputs.Name.Value")


def test_resources_that_are_multiplied_alike_belong_together() -> None:
    alarm = {
        "Type": "AWS::CloudWatch::Alarm", "Multiply": "Lead, Account", "DependsOn": "Flow",
        "Properties": {"Dimensions": [{"Name": "FlowName", "Value": ref("Flow")}], "AlarmName": sub("a-${Flow}-${DisplayName}")},
    }  # fmt: skip
    made = multiplied(template("Account, Lead", {"Alarm": alarm}), {})["Resources"]
    assert made["AlarmLead"] == {
        "Type": "AWS::CloudWatch::Alarm", "DependsOn": ["FlowLead"],
        "Properties": {"Dimensions": [{"Name": "FlowName", "Value": ref("FlowLead")}], "AlarmName": sub("a-${FlowLead}-Lead")},
    }  # fmt: skip


def test_a_variable_of_a_subs_own_and_a_literal_stay() -> None:
    told = template("Account")
    told["Resources"]["Flow"]["Properties"] = {
        "FlowName": {"Fn::Sub": ["${DisplayName}-${ObjectName}", {"DisplayName": ref("ObjectName")}]},
        "Description": sub("${!DisplayName} ${DisplayName} ${AWS::Region}"),
    }
    assert multiplied(told, {})["Resources"]["FlowAccount"]["Properties"] == {
        "FlowName": {"Fn::Sub": ["${DisplayName}-Account", {"DisplayName": "Account"}]},
        "Description": sub("${!DisplayName} Account ${AWS::Region}"),
    }


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ("", "the list is empty"),
        (" , ", "the list is empty"),
        (None, "the list is a text with commas"),
        ([1], "the list is a text with commas"),
        (ref("Nobody"), "Nobody is no parameter of the template"),
        ("Order Product", "'Order Product' is no API name of an object: write Order Product|ObjectApiName"),
        ("Order|Order Item", "'Order Item' is no API name"),
        ("|Account", "has no display name"),
        ("a${B}|Account", "has no display name"),
        ("A B|A, A-B|B", "'A B' and 'A-B' give flows of one name"),
        ("Account, account", "'Account' and 'account' give flows of one name"),
        ("Account, Account", "give flows of one name"),
    ],
)
def test_what_is_wrong_with_a_list_is_told_with_its_place(entries: Any, told: str) -> None:
    (said,) = problems(template(entries))
    assert said.startswith("Resources.Flow.Multiply: ") and told in said


def test_all_problems_are_told_at_once() -> None:
    told = problems(template("Order Product, A|B|C", {"Other": flow("", Type="X")}))
    assert len(told) == 3 and any("Resources.Other" in one for one in told)


def test_names_of_the_template_that_hide_an_entrys_are_told() -> None:
    told = template("Account")
    told["Parameters"]["ObjectName"] = {"Type": "String"}
    assert problems(told) == ["ObjectName stands for the entry: rename what has that name in the template"]


def test_copies_that_would_be_one_flow_are_told() -> None:
    told = template("Account, Lead")
    told["Resources"]["Flow"]["Properties"]["FlowName"] = sub("${EnvPrefix}-flow")
    assert problems(told) == ["Resources.Flow: its copies have one FlowName: put ${FlowToken} into it"]


def test_a_snippet_is_no_template() -> None:
    assert "under the Transform of a template" in problems({"Type": "X"})[0]


def test_an_id_that_is_taken_gets_a_mark_of_its_own() -> None:
    made = multiplied(template("Account, Größe|G__c, 大きさ|S__c", {"FlowAccount": {"Type": "X"}}), {})["Resources"]
    assert made["FlowAccount"] == {"Type": "X"}
    assert len(made) == 4 and all(name.isascii() and name.isalnum() for name in made)
    assert len([name for name in made if name.startswith("FlowAccount")]) == 2


displays = st.text(st.characters(categories=["L", "N"], include_characters=" -_.&/()!@#"), min_size=1, max_size=25)
api_names = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,20}", fullmatch=True)
lists = st.lists(st.tuples(displays.map(str.strip).filter(bool), api_names), min_size=1, max_size=12)


def unique(told: list[tuple[str, str]]) -> list[str]:
    from forceglue.landing.objects import flow_token

    by_token = {flow_token(display).casefold(): f"{display}|{name}" for display, name in told}
    return list(by_token.values())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


@given(lists, st.randoms(use_true_random=False))
def test_the_order_of_the_list_changes_no_resource(told: list[tuple[str, str]], chance: Any) -> None:
    first = unique(told)
    second = [*first]
    chance.shuffle(second)
    a, b = (multiplied(template(entries), {})["Resources"] for entries in (first, second))
    assert a == b and len(a) == len(first)


@given(lists, st.sets(st.from_regex(r"Flow[A-Za-z0-9]{0,6}", fullmatch=True), max_size=4))
def test_ids_are_safe_and_no_resource_is_lost(told: list[tuple[str, str]], taken: set[str]) -> None:
    entries = unique(told)
    others = {name: {"Type": "X", "Number": number} for number, name in enumerate(sorted(taken - {"Flow"}))}
    made = multiplied(template(entries, others), {})["Resources"]
    assert len(made) == len(entries) + len(others)
    assert all(name.isascii() and name.isalnum() for name in made)
    assert {name: made[name] for name in others} == others


@given(lists, st.dictionaries(st.from_regex(r"Own[A-Za-z]{1,5}", fullmatch=True), json_values, max_size=4), json_values)
def test_everything_else_stays_as_it_was_and_a_second_time_changes_nothing(told, others, metadata) -> None:
    given_ = template(unique(told), others, Metadata=metadata)
    before = copy.deepcopy(given_)
    made = multiplied(given_, {})
    assert given_ == before
    assert {name: made["Resources"][name] for name in others} == others
    assert made["Metadata"] == metadata and made["Parameters"] == before["Parameters"]
    assert multiplied(made, {}) == made
    assert "Multiply" not in json.dumps([one for name, one in made["Resources"].items() if name not in others])


@given(lists)
def test_each_flows_files_land_in_a_folder_of_its_display_name(told: list[tuple[str, str]]) -> None:
    entries = unique(told)
    made = multiplied(template(entries), {})["Resources"]
    for one, entry in zip(made.values(), entries, strict=True):
        name = one["Properties"]["FlowName"]
        name = (name["Fn::Sub"] if isinstance(name, dict) else name).replace("${EnvPrefix}", "dev")
        env, token = folder_parts(name)
        assert (env, token) == ("dev", one["Properties"]["FlowName"]["Fn::Sub"].partition("Salesforce-")[2])
        assert one["Properties"]["Description"] == entry.partition("|")[0]
