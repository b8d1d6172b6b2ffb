"""What the job trigger is told by its environment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from common.environment import Settings
from job_trigger.decision import Pace
from job_trigger.glue_job import GATHERING

OWN = ("--CORRELATION_ID", "--EVENT_BUS", GATHERING)
"""Arguments that a run is given anyway."""


@dataclass(frozen=True)
class TriggerSettings:
    """Which job, where its item is kept, whom to tell.

    Attributes:
        arguments: of each run, besides those of the job's definition.
    """

    job: str
    table: str
    bus: str
    source: str
    pace: Pace
    arguments: Mapping[str, str] = field(default_factory=dict)


def trigger_settings(environ: Mapping[str, str]) -> TriggerSettings:
    """The settings. Raises `UsageError` with every problem."""
    given = Settings(environ)
    bus = given.text("EVENT_BUS", "the bus that is told, and that the job tells: its name")
    made = TriggerSettings(
        job=given.text("JOB_NAME", "the Glue job"),
        table=given.text("TRIGGER_TABLE", "the DynamoDB table of the job's item"),
        bus=bus,
        source=given.text("EVENT_SOURCE", "the source of its events", "forceglue.job-trigger"),
        pace=Pace(
            tries=int(given.number("TRIES", 5, least=1, most=100)),
            first=given.number("FIRST_WAIT_SECONDS", 300, least=0, most=86_400),
            longest=given.number("LONGEST_WAIT_SECONDS", 3600, least=0, most=86_400),
            busy=given.number("BUSY_WAIT_SECONDS", 60, least=1, most=86_400),
            # longer than the function may run: who asks Glue is then surely over
            lease=given.number("START_LEASE_SECONDS", 180, least=1, most=3600),
        ),
        arguments={"--EVENT_BUS": bus, **_arguments(given)},
    )
    given.done()
    return made


def _arguments(given: Settings) -> dict[str, str]:
    text = given.text("JOB_ARGUMENTS", "more arguments, as JSON", "{}")
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    if not isinstance(told, dict) or not all(isinstance(value, str) for value in told.values()):
        given.complain(
            f'JOB_ARGUMENTS is {text!r}, and is a JSON object of texts: {{"--PARAMS": "a=1,b=2"}}, or {{}} for none'
        )
        return {}
    for name in told:
        if not name.startswith("--") or name in OWN:
            allowed = f"a name begins with -- and is none of {', '.join(OWN)}, which the trigger gives itself"
            given.complain(f"JOB_ARGUMENTS has {name!r}: {allowed}")
    return told
