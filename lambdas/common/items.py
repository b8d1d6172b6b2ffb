"""Items of DynamoDB: one conditional update, and their values in Python and back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

Values = dict[str, dict[str, Any]]
"""Attributes with their types, as the API has them: `{"name": {"S": "x"}}`."""
_NAME = re.compile(r"#(\w+)")


def update(
    dynamodb: Any,
    at: Mapping[str, Any],
    *,
    set_to: Values | None = None,
    add: Values | None = None,
    remove: Iterable[str] = (),
    where: Iterable[str] = (),
    values: Values | None = None,
) -> tuple[bool, Values | None]:
    """Changes an item where all conditions hold.

    Args:
        at: `TableName` and `Key`.
        where: conditions; attributes are written `#name` (many words are reserved), values as in `values`.

    Returns:
        Whether they held, and the item: after the change, or as it is; None where there is none.
    """
    set_to, add, remove = set_to or {}, add or {}, tuple(remove)
    clauses = ["SET " + ", ".join(f"#{name} = :{name}" for name in set_to)] if set_to else []
    clauses += ["ADD " + ", ".join(f"#{name} :{name}" for name in add)] if add else []
    clauses += ["REMOVE " + ", ".join(f"#{name}" for name in remove)] if remove else []
    change, condition = " ".join(clauses), " AND ".join(f"({one})" for one in where)
    given = {f":{name}": value for name, value in {**set_to, **add}.items()} | (values or {})
    try:
        answer = dynamodb.update_item(
            **at,
            UpdateExpression=change,
            ExpressionAttributeNames={f"#{name}": name for name in _NAME.findall(f"{change} {condition}")},
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
            **({"ConditionExpression": condition} if condition else {}),
            **({"ExpressionAttributeValues": given} if given else {}),
        )
    except dynamodb.exceptions.ConditionalCheckFailedException as refused:
        return False, refused.response.get("Item")
    return True, answer["Attributes"]


def number(value: float) -> dict[str, str]:
    """A number as the API has it; of a time, its milliseconds."""
    return {"N": str(value if isinstance(value, int) else round(Decimal(value), 3))}


def plain(item: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Attributes without their types; numbers are still text."""
    return {name: next(iter(value.values())) for name, value in item.items()}
