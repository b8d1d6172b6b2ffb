"""A template with marked resources → the template with one of them for each entry. A pure function.

    Flow:
      Type: AWS::AppFlow::Flow
      Multiply: Account, Order Product|OrderItem      # or a list, or !Ref of a parameter
      Properties:
        FlowName: !Sub "${EnvPrefix}-Salesforce-${FlowToken}"
        … Object: !Ref ObjectName

`DisplayName`, `FlowToken` and `ObjectName` stand for the entry in `Ref` and `Fn::Sub` of the marked resource.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from multiply_flows.entries import Entry, entries, logical_ids
from multiply_flows.references import References
from multiply_flows.words import replaced

MARK = "Multiply"
_SECTIONS = ("Resources", "Outputs", "Conditions", "Rules", "Hooks")
_WORDS = ("DisplayName", "FlowToken", "ObjectName")


class MultiplyError(Exception):
    """The template cannot be multiplied; `problems` has everything that is wrong."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def multiplied(template: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The template multiplied; one without a mark comes back as it is, and nothing is changed in the one that is given.

    Args:
        parameters: the values of the template's parameters.

    Raises:
        MultiplyError: with every problem.
    """
    resources = template.get("Resources")
    if not isinstance(resources, dict):
        raise MultiplyError(
            ["there are no Resources: name the macro under the Transform of a template, not inside of it"]
        )
    problems: list[str] = []
    marked = {name: one for name, one in resources.items() if isinstance(one, dict) and MARK in one}
    copies: dict[str, dict[Entry, str]] = {}
    for name, one in marked.items():
        mine: list[str] = []
        told = _told(one[MARK], parameters, mine)
        found = () if mine else entries(told, mine)
        copies[name] = logical_ids(name, found, resources, mine)
        problems += (f"Resources.{name}.{MARK}: {problem}" for problem in mine)
    made = {id_ for ids in copies.values() for id_ in ids.values()}
    if len(made) < sum(map(len, copies.values())):
        problems.append("two marked resources give one logical id: rename one of them")
    known = {*(template.get("Parameters") or {}), *resources}
    if marked and (hidden := sorted(known & {*_WORDS})):
        problems.append(f"{', '.join(hidden)} stands for the entry: rename what has that name in the template")
    if problems:
        raise MultiplyError(problems)
    result = _rewritten(template, copies, problems)
    problems += _same_names(result, copies)
    if problems:
        raise MultiplyError(list(dict.fromkeys(problems)))
    return result


def _told(mark: Any, parameters: Mapping[str, Any], problems: list[str]) -> Any:
    if isinstance(mark, dict) and mark.keys() == {"Ref"}:
        if mark["Ref"] not in parameters:
            problems.append(f"{mark['Ref']} is no parameter of the template")
        return parameters.get(mark["Ref"])
    return mark


def _rewritten(
    template: Mapping[str, Any], copies: Mapping[str, Mapping[Entry, str]], problems: list[str]
) -> dict[str, Any]:
    listed = {name: list(ids.values()) for name, ids in copies.items()}
    elsewhere = References(listed, {}, problems)
    result: dict[str, Any] = {}
    for section, content in template.items():
        if section != "Resources":
            result[section] = elsewhere.rewrite(content, section) if section in _SECTIONS else content
            continue
        result[section] = {}
        for name, resource in content.items():
            if name not in copies:
                result[section][name] = _resource(resource, elsewhere, f"Resources.{name}")
                continue
            for entry, logical in copies[name].items():
                own = {other: ids[entry] for other, ids in copies.items() if entry in ids}
                here = References(listed, own, problems)
                plain = {key: one for key, one in resource.items() if key != MARK}
                result[section][logical] = _resource(replaced(plain, entry.words), here, f"Resources.{logical}")
    return result


def _resource(resource: Any, references: References, place: str) -> Any:
    if not isinstance(resource, dict):
        return resource
    return {
        key: references.depends(one) if key == "DependsOn" else references.rewrite(one, f"{place}.{key}")
        for key, one in resource.items()
    }


def _same_names(result: Mapping[str, Any], copies: Mapping[str, Mapping[Entry, str]]) -> list[str]:
    """Copies that are all alike: CloudFormation would find the second flow's name taken in the middle of its work."""
    problems = []
    for name, ids in copies.items():
        told = [json.dumps(_name(result["Resources"][logical]), sort_keys=True) for logical in ids.values()]
        if len({*told}) < len(told):
            problems.append(f"Resources.{name}: its copies have one FlowName: put ${{FlowToken}} into it")
    return problems


def _name(resource: Mapping[str, Any]) -> Any:
    if resource.get("Type") != "AWS::AppFlow::Flow":
        return id(resource)
    return (resource.get("Properties") or {}).get("FlowName")
