"""Resource types of the templates that ministack's CloudFormation does not know.

What an API of ministack can make is made through it; what only says something to a service that is not emulated is
recorded with its name.
"""

from __future__ import annotations

import json
from typing import Any

from ministack.services import glue, iam
from ministack.services.cloudformation import provisioners

Made = tuple[str, dict[str, Any]]


def apply() -> None:
    """Adds them."""
    for kind, (create, delete) in TYPES.items():
        if kind not in provisioners._RESOURCE_HANDLERS:
            provisioners._RESOURCE_HANDLERS[kind] = _handlers(create, delete)


def _handlers(create: Any, delete: Any) -> dict[str, Any]:
    def update(physical: str, old: dict[str, Any], new: dict[str, Any], stack: str, logical: str | None = None) -> Made:
        delete(physical, old)
        made: Made = create(logical or physical, new, stack)
        return made

    return {"create": create, "update": update, "update_with_logical_id": True, "delete": delete}


def _checked(answer: Any, what: str) -> None:
    status, _, body = answer
    if status >= 400:
        raise ValueError(f"{what}: {body!r}")


def _name(logical: str, props: dict[str, Any], stack: str) -> str:
    given = props.get("Name") or provisioners._physical_name(stack, logical, max_len=128)
    return str(given)


# AWS::IAM::RolePolicy


def _put_role_policy(logical: str, props: dict[str, Any], _stack: str) -> Made:
    asked = {"RoleName": [props["RoleName"]], "PolicyName": [props["PolicyName"]]}
    document = props.get("PolicyDocument", {})
    answer = iam._put_role_policy({**asked, "PolicyDocument": [json.dumps(document)]})
    _checked(answer, f"AWS::IAM::RolePolicy {logical}")
    return f"{props['PolicyName']}|{props['RoleName']}", {}


def _delete_role_policy(_physical: str, props: dict[str, Any]) -> None:
    iam._delete_role_policy({"RoleName": [props["RoleName"]], "PolicyName": [props["PolicyName"]]})


# AWS::Glue::SecurityConfiguration


def _create_security(logical: str, props: dict[str, Any], stack: str) -> Made:
    name = _name(logical, props, stack)
    encryption = props.get("EncryptionConfiguration", {})
    answer = glue._create_security_configuration({"Name": name, "EncryptionConfiguration": encryption})
    _checked(answer, f"AWS::Glue::SecurityConfiguration {logical}")
    return name, {}


def _delete_security(physical: str, _props: dict[str, Any]) -> None:
    glue._delete_security_configuration({"Name": physical})


# what is only recorded


def _record(logical: str, props: dict[str, Any], stack: str) -> Made:
    name = _name(logical, props, stack)
    return name, {"Name": name, "Id": name}


def _forget(_physical: str, _props: dict[str, Any]) -> None:
    """Nothing was made."""


TYPES: dict[str, tuple[Any, Any]] = {
    "AWS::IAM::RolePolicy": (_put_role_policy, _delete_role_policy),
    "AWS::Glue::SecurityConfiguration": (_create_security, _delete_security),
    "AWS::ApiGatewayV2::Deployment": (_record, _forget),
    "AWS::ApiGatewayV2::RouteResponse": (_record, _forget),
    "AWS::AppFlow::Flow": (_record, _forget),
    "AWS::AppFlow::ConnectorProfile": (_record, _forget),
    "AWS::CloudFormation::Macro": (_record, _forget),
}
