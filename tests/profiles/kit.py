"""Profiles for tests: a small one, and what differs from it."""

from __future__ import annotations

import json
from typing import Any

from forceglue.mapping.model.profile import FileProfile
from forceglue.profiles.load import read_profile

ARN = "arn:aws:states:eu-west-1:123456789012:stateMachine:dev-file-row"
SMALL: dict[str, Any] = {
    "parserId": "csv",
    "maxBytes": 1_000_000,
    "mappings": {"id": "ID", "name": "Name", "amount": {"from": "Amount", "type": "decimal(8,2)"}},
    "rowStateMachineArn": ARN,
}


def text(**more: Any) -> str:
    """The small profile as JSON; None takes a word out."""
    return json.dumps({name: value for name, value in (SMALL | more).items() if value is not None or name == "quote"})


def profile(**more: Any) -> FileProfile:
    """The small profile, sound."""
    read = read_profile(text(**more), "small.json")
    assert read.profile is not None and read.sound, "\n".join(map(str, read.problems))
    return read.profile
