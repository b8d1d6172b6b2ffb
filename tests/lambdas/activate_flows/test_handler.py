"""The custom resource as CloudFormation and AppFlow see it."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from activate_flows import activation
from lambdas.active_flows_kit import STACK, Stack

DELTAS = ["dev-Salesforce-Account", "dev-Salesforce-Contact"]
FULL = [f"{name}.full" for name in DELTAS]


@pytest.fixture
def flows(stack: Stack) -> Stack:
    stack.appflow.add(*DELTAS)
    stack.appflow.add(*FULL, trigger="OnDemand")
    return stack


def states(stack: Stack) -> dict[str, str]:
    return {name: flow.status for name, flow in stack.appflow.flows.items()}


def runs(stack: Stack) -> dict[str, int]:
    return {name: len(flow.runs) for name, flow in stack.appflow.flows.items() if flow.trigger == "OnDemand"}


def test_scheduled_flows_are_activated_and_flows_on_demand_are_left_alone(flows: Stack) -> None:
    said = flows.create(Flows=[*DELTAS, *FULL])
    assert said == {
        "Status": "SUCCESS", "PhysicalResourceId": "dev-flows-Activation", "StackId": STACK, "Reason": "",
        "RequestId": said["RequestId"], "LogicalResourceId": "Activation",
        "Data": {"Activated": "2", "Active": "0", "Stopped": "0", "Run": "0"},
    }  # fmt: skip
    assert states(flows) == dict.fromkeys(DELTAS, "Active") | dict.fromkeys(FULL, "Draft")
    assert runs(flows) == dict.fromkeys(FULL, 0)
    assert flows.cloudformation.types == [""]


def test_full_flows_run_when_that_is_asked_after_all_others_are_active(flows: Stack) -> None:
    assert flows.create(Flows=[*FULL, *DELTAS], RunFull="true")["Data"]["Run"] == "2"
    assert runs(flows) == dict.fromkeys(FULL, 1)
    assert [*flows.appflow.of("start-flow")] == [*DELTAS, *FULL]


def test_a_request_that_comes_twice_does_nothing_twice(flows: Stack) -> None:
    for _ in range(2):
        flows.ask("Create", {"Flows": [*DELTAS, *FULL], "RunFull": "true"}, request="the-same")
        for flow in flows.appflow.flows.values():
            flow.running = False  # the first run is over when the request comes again
    assert runs(flows) == dict.fromkeys(FULL, 1)
    assert [said["Status"] for said in flows.cloudformation.heard] == ["SUCCESS", "SUCCESS"]
    assert len({said["PhysicalResourceId"] for said in flows.cloudformation.heard}) == 1


def test_an_update_runs_only_full_flows_that_have_not_been_asked_for(flows: Stack) -> None:
    flows.create(Flows=[*DELTAS, FULL[0]], RunFull="true")
    flows.update(Flows=[*DELTAS, FULL[0]], RunFull="true", Made="2")
    flows.appflow.flows[FULL[0]].running = False
    flows.update(Flows=[*DELTAS, *FULL], RunFull="true", Made="3")
    assert runs(flows) == {FULL[0]: 1, FULL[1]: 1}
    flows.appflow.flows[FULL[0]].running = flows.appflow.flows[FULL[1]].running = False
    flows.update(Flows=[*DELTAS, *FULL], RunFull="false")
    flows.update(Flows=[*DELTAS, *FULL], RunFull="true")
    assert runs(flows) == {FULL[0]: 2, FULL[1]: 2}


def test_a_full_flow_that_comes_under_a_prefix_runs_once(flows: Stack) -> None:
    flows.create(Prefix="dev-Salesforce-", RunFull="true")
    for flow in flows.appflow.flows.values():
        flow.running = False
    flows.appflow.add("dev-Salesforce-Lead.full", trigger="OnDemand")
    assert flows.update(Prefix="dev-Salesforce-", RunFull="true", Made="2")["Data"]["Run"] == "1"
    assert runs(flows) == dict.fromkeys((*FULL, "dev-Salesforce-Lead.full"), 1)


def test_an_update_starts_what_appflow_has_switched_off_and_stops_what_is_no_more_wanted(flows: Stack) -> None:
    flows.create(Flows=DELTAS)
    flows.appflow.flows[DELTAS[0]].status = "Suspended"
    said = flows.update(Flows=DELTAS[:1], Made="2")
    assert said["PhysicalResourceId"] == flows.physical
    assert states(flows)[DELTAS[0]] == "Active" and states(flows)[DELTAS[1]] == "Suspended"
    assert said["Data"] == {"Activated": "1", "Active": "0", "Stopped": "1", "Run": "0"}


def test_delete_stops_all_that_is_active(flows: Stack) -> None:
    flows.create(Flows=[*DELTAS, *FULL])
    flows.appflow.flows[DELTAS[1]].status = "Suspended"
    del flows.appflow.flows[FULL[1]]  # a person was quicker
    assert flows.delete()["Status"] == "SUCCESS"
    assert flows.appflow.of("stop-flow") == [DELTAS[0]]
    assert states(flows)[DELTAS[0]] == "Suspended"
    assert flows.delete()["Status"] == "SUCCESS"


def test_flows_are_meant_by_what_their_names_begin_with_too(stack: Stack) -> None:
    names = [f"dev-Salesforce-Object{number:03}" for number in range(25)]
    stack.appflow.add(*names, "etl-Salesforce-Object000")
    stack.appflow.page = 10
    assert stack.create(Prefix="dev-Salesforce-")["Data"]["Activated"] == "25"
    assert states(stack)["etl-Salesforce-Object000"] == "Draft"
    assert len(stack.appflow.of("list-flows")) == 3
    stack.delete()
    assert {*states(stack).values()} == {"Suspended", "Draft"}


def test_a_flow_is_told_active_when_it_is(stack: Stack) -> None:
    stack.appflow.add("dev-slow", slow=5)
    assert stack.create(Flows="dev-slow")["Status"] == "SUCCESS"
    assert states(stack)["dev-slow"] == "Active"
    assert len(stack.appflow.of("describe-flow")) == 7
    stack.delete()
    assert states(stack)["dev-slow"] == "Suspended"


def test_a_flow_that_does_not_get_active_fails_the_stack_with_appflows_reason(stack: Stack, monkeypatch) -> None:
    monkeypatch.setattr(activation, "SETTLED_SECONDS", 0.05)
    stack.appflow.add("dev-broken", slow=10**6, status="Errored", message="The connection has expired")
    said = stack.create(Flows=["dev-broken"])
    assert said["Status"] == "FAILED"
    assert "dev-broken: started, and it is Errored (The connection has expired)" in said["Reason"]


def test_every_problem_is_told_and_holds_up_no_other_flow(flows: Stack) -> None:
    flows.appflow.fail("start-flow", DELTAS[0], "AccessDeniedException")
    flows.appflow.fail("start-flow", FULL[1], "ServiceQuotaExceededException")
    said = flows.create(Flows=[DELTAS[0], "dev-nobody", DELTAS[1], *FULL], RunFull="true")
    assert said["Status"] == "FAILED"
    told = said["Reason"].splitlines()
    assert [line.partition(":")[0] for line in told] == [DELTAS[0], "dev-nobody", FULL[1]]
    assert "its name must begin with the environment" in told[0]
    assert "there is no such flow" in told[1] and "have it raised" in told[2]
    assert states(flows)[DELTAS[1]] == "Active" and runs(flows) == {FULL[0]: 1, FULL[1]: 0}


def test_appflow_that_is_busy_is_asked_again(stack: Stack) -> None:
    names = [f"dev-{number}" for number in range(6)]
    stack.appflow.add(*names)
    stack.appflow.throttled = 4
    assert stack.create(Flows=names)["Status"] == "SUCCESS"
    assert {*states(stack).values()} == {"Active"}
    stack.appflow.fail("stop-flow", "dev-0", *["ThrottlingException"] * 5)  # more than botocore itself tries
    assert stack.delete()["Status"] == "SUCCESS"
    assert {*states(stack).values()} == {"Suspended"}


@pytest.mark.parametrize("operation", ["start-flow", "stop-flow"])
def test_a_flow_that_is_being_worked_at_is_tried_again(stack: Stack, operation: str) -> None:
    stack.appflow.add("dev-one")
    stack.appflow.fail(operation, "dev-one", "ConflictException", "ConflictException")
    stack.create(Flows=["dev-one"])
    assert states(stack)["dev-one"] == "Active"
    stack.delete()
    assert states(stack)["dev-one"] == "Suspended"
    assert {said["Status"] for said in stack.cloudformation.heard} == {"SUCCESS"}


def test_a_conflict_without_end_is_told(stack: Stack) -> None:
    stack.appflow.add("dev-one")
    stack.appflow.fail("start-flow", "dev-one", *["ConflictException"] * 50)
    said = stack.create(Flows=["dev-one"])
    assert said["Status"] == "FAILED" and "deploy again when its run is over" in said["Reason"]
    assert len(stack.appflow.of("start-flow")) == activation.TRIES


def test_a_full_run_that_is_under_way_is_what_was_wanted(flows: Stack) -> None:
    flows.appflow.flows[FULL[0]].running = True
    assert flows.create(Flows=FULL, RunFull="true")["Data"]["Run"] == "1"
    assert runs(flows) == {FULL[0]: 0, FULL[1]: 1}


def test_an_answer_that_is_lost_starts_no_second_run(flows: Stack) -> None:
    flows.appflow.lost["start-flow"] = 1
    assert flows.create(Flows=FULL[:1], RunFull="true")["Status"] == "SUCCESS"
    assert runs(flows)[FULL[0]] == 1 and len(flows.appflow.of("start-flow")) == 2


def test_answers_that_are_lost_more_often_than_botocore_asks_are_asked_for_again(flows: Stack) -> None:
    flows.appflow.lost["start-flow"] = 6
    assert flows.create(Flows=FULL[:1], RunFull="true")["Status"] == "SUCCESS"
    assert runs(flows)[FULL[0]] == 1 and len(flows.appflow.of("start-flow")) == 7


def test_before_the_functions_time_is_over_the_stack_is_told_what_is_left(flows: Stack) -> None:
    said = flows.ask("Create", {"Flows": DELTAS}, seconds=1)  # less than what is kept for the answer
    assert said["Status"] == "FAILED"
    assert "before 2 flows (dev-Salesforce-Account, dev-Salesforce-Contact …): deploy again" in said["Reason"]
    said = flows.ask("Create", {"Prefix": "dev-"}, seconds=1)
    assert "before all flows were listed" in said["Reason"]


@pytest.mark.parametrize(
    ("properties", "told"),
    [
        ({}, "neither Flows nor Prefix"),
        ({"Flows": ["a b"]}, "Flows is a list of flows' names"),
        ({"Flows": {"a": 1}}, "Flows is a list of flows' names"),
        ({"Flows": ["dev-one"], "RunFull": "yes"}, "RunFull is true or false"),
        ({"Prefix": ["dev-"]}, "Prefix is what flows' names begin with"),
        ({"Prefix": "d"}, "two characters at least"),
        ({"Flow": ["dev-one"], "Prefix": "dev-"}, "Flow is no property: is Flows meant?"),
    ],
)
def test_properties_that_are_wrong_fail_the_stack_and_do_not_hold_up_its_end(stack: Stack, properties, told) -> None:
    said = stack.create(**properties)
    assert said["Status"] == "FAILED" and told in said["Reason"]
    assert stack.delete()["Status"] == "SUCCESS"
    assert stack.appflow.calls == []


def test_an_error_that_nobody_thought_of_is_told_and_is_one_of_the_function(stack: Stack, monkeypatch) -> None:
    monkeypatch.setattr(stack.function, "wanted", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        stack.create(Flows=["dev-one"])
    (said,) = stack.cloudformation.heard
    assert said["Status"] == "FAILED" and "an error of its own" in said["Reason"]


def test_a_listing_that_is_refused_is_told(stack: Stack) -> None:
    stack.appflow.fail("list-flows", "", "AccessDeniedException")
    said = stack.create(Prefix="dev-")
    assert said["Status"] == "FAILED" and "the flows could not be listed" in said["Reason"]


def test_cloudformation_gets_its_answer_though_its_address_fails_at_first(flows: Stack) -> None:
    flows.cloudformation.statuses = [503, 0, 500]
    assert flows.create(Flows=DELTAS)["Status"] == "SUCCESS"


def test_an_answer_that_is_never_taken_is_an_error_without_the_address(flows: Stack, capsys) -> None:
    from common.cloudformation import NotAnsweredError

    flows.cloudformation.statuses = [403] * 5
    with pytest.raises(NotAnsweredError, match="HTTP 403") as told:
        flows.create(Flows=DELTAS)
    assert "5ec7e7" not in str(told.value) + capsys.readouterr().out


def test_the_log_tells_every_flow_under_cloudformations_request_and_no_secret(flows: Stack, capsys) -> None:
    said = flows.create(Flows=[*DELTAS, *FULL])
    heard = capsys.readouterr().out
    assert "5ec7e7" not in heard
    lines = [json.loads(line) for line in heard.splitlines() if '"flows looked after"' in line]
    assert [line["correlation_id"] for line in lines] == [said["RequestId"]]
    assert lines[0]["flows"]["activated"] == DELTAS


def test_the_server_of_these_tests_answers_as_botocore_expects(stack: Stack) -> None:
    from common.aws import client

    stack.appflow.add("dev-demand", trigger="OnDemand")
    for call, code in ((("stop_flow", "dev-demand"), "UnsupportedOperationException"),
                       (("describe_flow", "dev-nobody"), "ResourceNotFoundException")):  # fmt: skip
        with pytest.raises(ClientError) as told:
            getattr(client("appflow"), call[0])(flowName=call[1])
        assert told.value.response["Error"]["Code"] == code
