"""The dashboard shows every metric, alarm, function and queue that there is, and none that there is not."""

from __future__ import annotations

import re
from typing import Any

import pytest

from deploy.templates import Template, templates
from tests.house.templates import LAMBDAS, code

ALL = templates()
FUNCTIONS = sorted({
    one["Properties"]["Handler"].partition(".")[0]
    for template in ALL.values()
    for one in template.body["Resources"].values()
    if one["Type"] == "AWS::Serverless::Function"
})  # fmt: skip


def filled(value: Any) -> Any:
    """A value of a template in the environment `dev`."""
    if isinstance(value, dict):
        if "Ref" in value:
            return {"EnvPrefix": "dev", "AWS::Region": "eu-west-1"}[value["Ref"]]
        if "Fn::Sub" in value:
            known = {"EnvPrefix": "dev", "AWS::Region": "eu-west-1", "AWS::AccountId": "1", "AWS::Partition": "aws"}
            return re.sub(r"\$\{([^}]+)\}", lambda found: known[found[1]], value["Fn::Sub"])
        return {name: filled(one) for name, one in value.items()}
    if isinstance(value, list):
        return [filled(one) for one in value]
    return value


@pytest.fixture(scope="module")
def widgets() -> list[dict[str, Any]]:
    body = ALL["monitoring"].body["Resources"]["Dashboard"]["Properties"]["DashboardBody"]
    found: list[dict[str, Any]] = filled(body["Fn::ToJsonString"]["widgets"])
    return found


@pytest.fixture(scope="module")
def shown(widgets: list[dict[str, Any]]) -> set[tuple[str, str, frozenset[tuple[str, str]]]]:
    """Namespace, metric and dimensions of all that is drawn."""
    found = set()
    for widget in widgets:
        for metric in widget["properties"].get("metrics", []):
            namespace, name, *rest = [part for part in metric if isinstance(part, str)]
            found.add((namespace, name, frozenset(zip(rest[::2], rest[1::2], strict=True))))
    return found


def made(kind: str, key: str) -> set[str]:
    """The names of all resources of a kind that every environment has."""
    return {
        filled(one["Properties"][key])
        for template in ALL.values()
        for one in template.body["Resources"].values()
        if one["Type"] == kind and "Condition" not in one
    }


def emitted(function: str) -> set[str]:
    """The metrics that a function tells: those of its modules' own calls, and those that its part of the README lists."""
    own = "\n".join(path.read_text("utf-8") for path in (LAMBDAS / function).glob("*.py"))
    called = set(re.findall(r'(?:add_metric|_count)\(\s*(?:name=)?"([A-Z]\w+)"', own))
    for mapped in re.findall(r"(?s)_METRICS?\b[^=\n]*= \{(.*?)\n\}", own):
        called |= set(re.findall(r'"([A-Z]\w+)"', mapped))
    title = {"rest_api": "REST API"}.get(function, function.replace("_", " ").capitalize())
    section = (LAMBDAS / "README.md").read_text("utf-8").partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    lines = re.findall(r"^Metrics: (.*?)\.$", section, re.MULTILINE | re.DOTALL)
    return called | {name for line in lines for name in re.findall(r"`(\w+)`", line)}


def test_every_metric_of_a_function_is_shown_and_each_that_is_shown_is_told(
    shown: set[tuple[str, str, frozenset[tuple[str, str]]]],
) -> None:
    drawn: dict[str, set[str]] = {}
    for namespace, name, dimensions in shown:
        if namespace == "forceglue":
            told = dict(dimensions)
            assert told.keys() == {"env", "service"} and told["env"] == "dev", name
            drawn.setdefault(told["service"].replace("-", "_"), set()).add(name)
    for function, names in drawn.items():
        for name in names:
            assert f'"{name}"' in code(function), f"{function} tells no {name}"
    for function in FUNCTIONS:
        assert emitted(function), f"lambdas/README.md lists no metrics of {function}"
        missing = emitted(function) - drawn.get(function, set())
        assert not missing, f"lambdas/templates/monitoring.yaml does not show {sorted(missing)} of {function}"


def test_every_alarm_is_shown(widgets: list[dict[str, Any]]) -> None:
    alarms = [arn for widget in widgets if widget["type"] == "alarm" for arn in widget["properties"]["alarms"]]
    assert len(set(alarms)) == len(alarms)
    names = {arn.rpartition(":alarm:")[2] for arn in alarms}
    assert names == made("AWS::CloudWatch::Alarm", "AlarmName")
    # what one widget takes
    assert len(alarms) <= 100


def test_every_function_is_shown(shown: set[tuple[str, str, frozenset[tuple[str, str]]]]) -> None:
    functions = made("AWS::Serverless::Function", "FunctionName")
    for metric in ("Invocations", "Errors", "Throttles", "Duration"):
        drawn = {
            dict(dimensions)["FunctionName"]
            for space, name, dimensions in shown
            if (space, name) == ("AWS/Lambda", metric)
        }
        assert drawn == functions, metric


def test_every_queue_is_shown_with_its_age_or_as_dead_letters(
    shown: set[tuple[str, str, frozenset[tuple[str, str]]]],
) -> None:
    drawn: dict[str, set[str]] = {}
    for space, name, dimensions in shown:
        if space == "AWS/SQS":
            drawn.setdefault(name, set()).add(dict(dimensions)["QueueName"])
    dead, at_work = drawn["ApproximateNumberOfMessagesVisible"], drawn["ApproximateAgeOfOldestMessage"]
    queues = made("AWS::SQS::Queue", "QueueName")
    assert dead | at_work == queues and not dead & at_work
    assert at_work == {name for template in ALL.values() for name in with_redrive(template)}


def with_redrive(template: Template) -> set[str]:
    queues = [one["Properties"] for one in template.body["Resources"].values() if one["Type"] == "AWS::SQS::Queue"]
    return {filled(one["QueueName"]) for one in queues if "RedrivePolicy" in one}


def test_the_job_is_shown_by_its_name(shown: set[tuple[str, str, frozenset[tuple[str, str]]]]) -> None:
    jobs = {dict(dimensions)["JobName"] for space, _, dimensions in shown if space == "Glue"}
    assert jobs == made("AWS::Glue::Job", "Name")


def test_errors_are_looked_for_in_every_log_of_a_function(widgets: list[dict[str, Any]]) -> None:
    (query,) = [widget["properties"]["query"] for widget in widgets if widget["type"] == "log"]
    logs = {name for name in made("AWS::Logs::LogGroup", "LogGroupName") if name.startswith("/aws/lambda/")}
    assert set(re.findall(r"SOURCE '([^']+)'", query)) == logs


def test_widgets_fit_the_grid_and_say_their_region(widgets: list[dict[str, Any]]) -> None:
    row = 0
    for widget in widgets:
        assert widget["type"] in {"text", "alarm", "metric", "log"}
        row = row + widget["width"] if row + widget["width"] <= 24 else widget["width"]
        if widget["type"] in {"metric", "log"}:
            assert widget["properties"]["region"] == "eu-west-1"
            assert widget["properties"]["title"]
    assert row in {0, 24}
