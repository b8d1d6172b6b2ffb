"""What lambdas/README.md says of AppFlow is so."""

from __future__ import annotations

import re
from typing import Any

import yaml

from activate_flows.wanted import wanted
from deploy.templates import load
from forceglue.mapping.load import load_project
from lambdas.test_readme import blocks, code, section
from multiply_flows.multiply import multiplied
from tests.house.lock import ROOT


def shown() -> tuple[dict[str, Any], dict[str, Any]]:
    activation, multiplication = (load(block) for block in blocks("yaml", "AppFlow"))
    return activation, multiplication


def test_the_activation_as_it_is_shown_is_understood() -> None:
    activation, _ = shown()
    properties = activation["Activation"]["Properties"] | {"Flows": ["dev-Orders", "dev-Invoices"]}
    assert wanted(properties).flows == ("dev-Orders", "dev-Invoices")
    assert wanted(properties | {"RunFull": "true"}).run_full and not wanted(properties).run_full


def test_the_multiplication_as_it_is_shown_gives_two_flows() -> None:
    _, template = shown()
    listed = template["Parameters"]["Objects"]["Default"].split(",")
    made = multiplied(template, {"Objects": listed})["Resources"]
    assert [*made] == ["FlowAccount", "FlowOrderProduct", "Activation"]
    flow = made["FlowOrderProduct"]["Properties"]
    assert flow["FlowName"] == {"Fn::Sub": "${EnvPrefix}-Salesforce-Order-Product"}
    assert flow["Description"] == "Order Product, by hand"
    assert flow["SourceFlowConfig"]["SourceConnectorProperties"]["Salesforce"]["Object"] == "OrderItem"
    assert made["Activation"]["Properties"]["Flows"] == [{"Ref": "FlowAccount"}, {"Ref": "FlowOrderProduct"}]


def test_every_metric_is_told_and_no_other() -> None:
    told = {
        name
        for text in re.findall(r"Metrics of it:\s+([^.]+)\.", section("AppFlow"))
        for name in re.findall(r"`(\w+)`", text)
    }
    found = {
        name
        for function in ("activate_flows", "multiply_flows")
        for name in re.findall(r'(?:name=|^    "[a-z_]+": )"([A-Z]\w+)"', code(function), re.MULTILINE)
    }
    assert told == found


def test_the_flows_shown_are_those_of_this_project() -> None:
    from forceglue.flows.objects import flow_objects

    tokens = {one.token for one in flow_objects(load_project(ROOT / "mappings"))[0]}
    names = re.findall(r"^\| `dev-Salesforce-([\w-]+?)(?:\.full)?` \|", section("AppFlow"), re.MULTILINE)
    assert len(names) == 2 and {*names} <= tokens


def test_what_is_said_of_the_macros_name_is_what_the_template_makes() -> None:
    template = load((ROOT / "lambdas" / "templates" / "appflow.yaml").read_text("utf-8"))
    (_, _, name) = template["Resources"]["Macro"]["Properties"]["Name"]["Fn::If"]
    _, multiplication = shown()
    assert name["Fn::Sub"].replace("${EnvPrefix}", "dev") == multiplication["Transform"]
    assert yaml.safe_load(
        template["Resources"]["ActivateArn"]["Properties"]["Name"]["Fn::Sub"].replace("${EnvPrefix}", "dev")
    ) == ("/dev/cfn-cr-lambda/activateflows")
