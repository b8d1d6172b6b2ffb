"""What the functions of file profiles are told by their environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from common.environment import Settings
from forceglue.profiles.stored import PREFIX


@dataclass(frozen=True)
class FileSettings:
    """Where files, profiles and rows are.

    Attributes:
        env: the environment; the second folder of a file's key, and the third of its profile's parameter.
        profiles: what the names of the profiles' parameters begin with.
        rejects: the DynamoDB table of rows whose state machine failed.
        landing: the bucket of the main job's landing.
        bus, event_source: where and as who events are told.
        machine: the ARN of the state machine that works through a file; only the function that starts it has one.
        remembered: seconds that a profile is used before it is asked for again.
    """

    env: str
    rejects: str
    landing: str
    bus: str
    profiles: str = PREFIX
    event_source: str = "forceglue.file-profiles"
    machine: str = ""
    remembered: int = 60


def file_settings(environ: Mapping[str, str]) -> FileSettings:
    """The settings. Raises `UsageError` with every problem."""
    given = Settings(environ)
    made = FileSettings(
        env=given.text("ENV", "the environment, such as dev"),
        rejects=given.text("REJECTS_TABLE", "the DynamoDB table of rows whose state machine failed"),
        landing=given.text("LANDING_BUCKET", "the bucket where the main job's files land"),
        bus=given.text("EVENT_BUS", "the bus of EventBridge for what became of a file"),
        profiles=given.text("PROFILES_PREFIX", "what the names of the profiles' parameters begin with", PREFIX),
        event_source=given.text("EVENT_SOURCE", "as who events are told", "forceglue.file-profiles"),
        machine=given.text("FILE_MACHINE_ARN", "the state machine that works through a file", ""),
        remembered=int(given.number("PROFILE_SECONDS", 60, least=0, most=3600)),
    )
    given.done()
    return made
