"""An object's two flows as CloudFormation resources.

    <env>-Salesforce-<Object>         every hour what has changed since its last run that succeeded
    <env>-Salesforce-<Object>.full    all of it, when somebody starts it

Both land as `in/<flow's name>/<execution>/<file>` (`landing.layout`), by Bulk API 2.0 alone: where AppFlow may choose
the API, it chooses by the number of records, and the two write stamps and nulls differently.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from forceglue.flows.objects import FlowObject
from forceglue.landing.layout import FULL, IN

Resource = dict[str, Any]

MOST_OFFSET = 36_000
"""Seconds, by AppFlow's API."""


@dataclass(frozen=True)
class Every:
    """How often the scheduled flows run: `count` times `unit` (minutes, hours, days)."""

    count: int = 1
    unit: str = "hours"

    @property
    def expression(self) -> str:
        return f"rate({self.count}{self.unit})"

    @property
    def seconds(self) -> int:
        return self.count * {"minutes": 60, "hours": 3600, "days": 86_400}[self.unit]


def flows(one: FlowObject, every: Every) -> dict[str, Resource]:
    """Logical id → resource: the scheduled flow, then the full one."""
    logical = logical_id(one.name)
    return {f"{logical}Delta": _flow(one, every), f"{logical}Full": _flow(one, None)}


def logical_id(name: str) -> str:
    """An API name as the beginning of a logical id, which has letters and digits only; no two names share one.

    It follows from the name alone: another mapping never changes it, and so never makes a flow anew.
    """
    plain = re.sub(r"[^A-Za-z0-9]", "", name)
    return plain if plain == name else plain + hashlib.sha256(name.encode()).hexdigest()[:6]


def offset(name: str, every: Every) -> int:
    """Seconds after the schedule's time: a minute of its own for each object, the same whatever else is read."""
    minutes = min(every.seconds, MOST_OFFSET) // 60
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) % minutes * 60


def _flow(one: FlowObject, every: Every | None) -> Resource:
    name = f"${{EnvPrefix}}-Salesforce-{one.token}" + ("" if every else FULL)
    source: Resource = {
        "ConnectorType": "Salesforce",
        "ConnectorProfileName": {
            "Fn::If": [
                "NamesConnector",
                {"Ref": "ConnectorProfile"},
                {"Fn::Sub": "{{resolve:ssm:/${EnvPrefix}/salesforce/connectorName}}"},
            ]
        },
        "SourceConnectorProperties": {
            "Salesforce": {
                "Object": one.name,
                "DataTransferApi": "BULKV2",
                "EnableDynamicFieldUpdate": one.fields is None,
                "IncludeDeletedRecords": one.deleted,
            }
        },
    }
    if every and one.cursor:
        source["IncrementalPullConfig"] = {"DatetimeTypeFieldName": one.cursor}
    return {
        "Type": "AWS::AppFlow::Flow",
        "Properties": {
            "FlowName": {"Fn::Sub": name},
            "Description": f"{one.name}, " + (_told(one, every) if every else "all records, on demand"),
            "KMSArn": {"Ref": "KeyArn"},
            "TriggerConfig": _trigger(one, every),
            "SourceFlowConfig": source,
            "DestinationFlowConfigList": [_destination()],
            "Tasks": _tasks(one),
            "Tags": [{"Key": "forceglue-object", "Value": one.name}],
        },
    }


def _told(one: FlowObject, every: Every) -> str:
    span = f"every {every.count} {every.unit}" if every.count > 1 else f"every {every.unit.rstrip('s')}"
    return f"{span} what has changed by {one.cursor}" if one.cursor else f"{span} all records"


def _trigger(one: FlowObject, every: Every | None) -> Resource:
    if every is None:
        return {"TriggerType": "OnDemand"}
    return {
        "TriggerType": "Scheduled",
        "TriggerProperties": {
            "DataPullMode": "Incremental" if one.cursor else "Complete",
            "ScheduleExpression": every.expression,
            "ScheduleOffset": offset(one.name, every),
        },
    }


def _destination() -> Resource:
    return {
        "ConnectorType": "S3",
        "DestinationConnectorProperties": {
            "S3": {
                "BucketName": {"Ref": "LandingBucket"},
                "BucketPrefix": IN,
                "S3OutputFormatConfig": {
                    "FileType": "PARQUET",
                    # everything as text, as Salesforce sent it: the mappings say the types
                    "PreserveSourceDataTyping": False,
                    "PrefixConfig": {"PrefixType": "PATH", "PathPrefixHierarchy": ["EXECUTION_ID"]},
                    "AggregationConfig": {"AggregationType": "None"},
                },
            }
        },
    }


def _tasks(one: FlowObject) -> list[Resource]:
    """The order matters: AppFlow takes the filter first, and a list in another order for a change."""
    if one.fields is None:
        never = json.dumps(list(one.never), separators=(",", ":"))
        return [
            {
                "TaskType": "Map_all",
                "SourceFields": [],
                "ConnectorOperator": {"Salesforce": "NO_OP"},
                "TaskProperties": [{"Key": "EXCLUDE_SOURCE_FIELDS_LIST", "Value": never}],
            }
        ]
    chosen = {
        "TaskType": "Filter",
        "SourceFields": list(one.fields),
        "ConnectorOperator": {"Salesforce": "PROJECTION"},
    }
    mapped = [
        {
            "TaskType": "Map",
            "SourceFields": [field],
            "DestinationField": field,
            "ConnectorOperator": {"Salesforce": "NO_OP"},
        }
        for field in one.fields
    ]
    return [chosen, *mapped]
