"""Flows of a template as AppFlow's own API takes them, judged by botocore's model of it."""

from __future__ import annotations

import re
from typing import Any

from botocore.session import Session
from botocore.validate import ParamValidator

MODEL = Session().get_service_model("appflow")
CREATE_FLOW = MODEL.operation_model("CreateFlow").input_shape
PARAMETERS = {
    "EnvPrefix": "dev",
    "LandingBucket": "landing",
    "KeyArn": "arn:aws:kms:eu-west-1:123456789012:key/1",
    "ConnectorProfile": "salesforce",
    "RunFull": "false",
}


def resolved(value: Any) -> Any:
    """A template's value with its parameters put in; `NamesConnector` holds."""
    match value:
        case {"Ref": name, **more} if not more:
            return PARAMETERS.get(name, name)
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{(\w+)\}", lambda found: PARAMETERS[found[1]], text)
        case {"Fn::If": [_, true, _]}:
            return resolved(true)
        case dict():
            return {key: resolved(one) for key, one in value.items()}
        case list():
            return [resolved(one) for one in value]
        case _:
            return value


def as_api(resource: dict[str, Any]) -> dict[str, Any]:
    """The call of CreateFlow that CloudFormation makes of a resource."""
    told = resolved(resource["Properties"])
    told["Tags"] = {tag["Key"]: tag["Value"] for tag in told["Tags"]}
    if scheduled := told["TriggerConfig"].get("TriggerProperties"):
        told["TriggerConfig"]["TriggerProperties"] = {"Scheduled": scheduled}
    for task in told["Tasks"]:
        task["TaskProperties"] = {one["Key"]: one["Value"] for one in task.get("TaskProperties", ())}
    return _named(told, CREATE_FLOW)


def complaints(resource: dict[str, Any]) -> str:
    """What botocore has to say against a flow; and what it leaves unsaid: enumerations and patterns."""
    call = as_api(resource)
    return str(ParamValidator().validate(call, CREATE_FLOW).generate_report()) + "".join(_unsaid(call, CREATE_FLOW))


def _named(value: Any, shape: Any) -> Any:
    """CloudFormation writes the members of the API with a capital; connectors have one there too."""
    if shape.type_name == "structure":
        members = {name.lower(): name for name in shape.members}
        return {members[key.lower()]: _named(one, shape.members[members[key.lower()]]) for key, one in value.items()}
    if shape.type_name == "list":
        return [_named(one, shape.member) for one in value]
    return value


def _unsaid(value: Any, shape: Any) -> Any:
    if shape.type_name == "structure":
        for key, one in value.items():
            yield from _unsaid(one, shape.members[key])
    elif shape.type_name == "list":
        for one in value:
            yield from _unsaid(one, shape.member)
    elif shape.type_name == "map":
        for key, one in value.items():
            yield from _unsaid(key, shape.key)
            yield from _unsaid(one, shape.value)
    else:
        told = shape.metadata
        if "enum" in told and value not in told["enum"]:
            yield f"{shape.name}: {value!r} is none of {told['enum']}\n"
        if "pattern" in told and not re.fullmatch(told["pattern"], value, re.ASCII):
            yield f"{shape.name}: {value!r} is not of the form {told['pattern']}\n"
        if "max" in told and (len(value) if isinstance(value, str) else value) > told["max"]:
            yield f"{shape.name}: {value!r} is more than {told['max']}\n"
