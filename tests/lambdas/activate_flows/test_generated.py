"""The flows that `forceglue flows` makes, activated as their own template says."""

from __future__ import annotations

from flows.kit import as_api, resolved
from forceglue.flows.flow import logical_id
from forceglue.flows.objects import flow_objects
from forceglue.flows.template import Request, templates
from forceglue.mapping.load import load_project
from lambdas.active_flows_kit import Stack
from tests.house.lock import ROOT


def test_all_flows_of_the_project_are_active_and_run_in_full_once(stack: Stack) -> None:
    objects, left_out = flow_objects(load_project(ROOT / "mappings"))
    (template,) = templates(objects, left_out, Request())
    names = {}
    for logical, resource in template["Resources"].items():
        if resource["Type"] == "AWS::AppFlow::Flow":
            call = as_api(resource)
            names[logical] = call["flowName"]
            stack.appflow.add(call["flowName"], trigger=call["triggerConfig"]["triggerType"])
    properties = resolved(template["Resources"]["Activation"]["Properties"])
    # a Ref of a flow is its name
    properties |= {"Flows": [names[logical] for logical in properties["Flows"]], "ServiceTimeout": "900"}
    assert stack.create(**properties)["Data"] == {"Activated": "35", "Active": "0", "Stopped": "0", "Run": "0"}
    assert stack.update(**properties | {"RunFull": "true"})["Data"] == {
        "Activated": "0", "Active": "35", "Stopped": "0", "Run": "35"
    }  # fmt: skip
    full = stack.appflow.flows[names[f"{logical_id('Account')}Full"]]
    assert len(full.runs) == 1
    assert stack.delete()["Status"] == "SUCCESS"
    assert not any(flow.status == "Active" for flow in stack.appflow.flows.values())
