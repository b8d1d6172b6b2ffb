"""What the ingest functions are told by their environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from common.environment import Settings
from forceglue.errors import UsageError


@dataclass(frozen=True)
class IngestSettings:
    """Where files land, who is told, and by which mappings they are judged; times in seconds.

    Attributes:
        landing: the root below which `in/`, `processed/` and `error/` lie.
        bus, source: the event bus, and in whose name events are put on it.
        mappings, mappings_env, mappings_params: the folder or `s3://` prefix of the mappings, the environment of
            project.yaml that counts, values of their `${NAME}`.
        mappings_seconds: how often is looked whether they changed.
        flows: what the names of AppFlow's flows begin with; empty where there are none.
        flow_queue: the queue of flow runs that are to be reconciled.
        wait: how long after its end a flow run's files may still be on their way through `in/`.
        overdue: a file that has lain in `in/` for longer is announced again: its event was lost.
        stranded: one that has lain there for longer needs a person.
        look_back: how old a flow run may be whose own event was lost.
    """

    landing: str
    bus: str
    source: str
    mappings: str
    mappings_env: str | None = None
    mappings_params: Mapping[str, str] = field(default_factory=dict)
    mappings_seconds: float = 60
    flows: str = ""
    flow_queue: str = ""
    wait: float = 1800
    overdue: float = 900
    stranded: float = 86_400
    look_back: float = 86_400

    @property
    def bucket(self) -> str:
        """The bucket of the landing; empty where it is a folder."""
        scheme, found, rest = self.landing.partition("://")
        return rest.partition("/")[0] if found and scheme.startswith("s3") else ""

    @property
    def prefix(self) -> str:
        """What keys of the bucket have before `in/`: nothing, or a prefix that ends with `/`."""
        rest = self.landing.partition("://")[2].partition("/")[2].strip("/")
        return f"{rest}/" if rest and self.bucket else ""


def ingest_settings(environ: Mapping[str, str]) -> IngestSettings:
    """The settings. Raises `UsageError` with every problem."""
    given = Settings(environ)
    params = given.text("MAPPINGS_PARAMS", "values of the mappings' ${NAME}, as NAME=value,NAME=value", "")
    made = IngestSettings(
        landing=given.text("LANDING", "where files land, s3://bucket or s3://bucket/prefix").rstrip("/"),
        bus=given.text("EVENT_BUS", "the event bus that is told what became of files"),
        source=given.text("EVENT_SOURCE", "in whose name events are put", "forceglue.ingest"),
        mappings=given.text("MAPPINGS", "the folder or s3:// prefix of the mappings"),
        mappings_env=given.text("MAPPINGS_ENV", "an environment of project.yaml", "") or None,
        mappings_params=_pairs(params),
        mappings_seconds=given.number("MAPPINGS_SECONDS", 60, least=0, most=3600),
        flows=given.text("FLOW_PREFIX", "what the names of flows begin with", ""),
        flow_queue=given.text("FLOW_QUEUE_URL", "the queue of flow runs to be reconciled", ""),
        wait=60 * given.number("FLOW_WAIT_MINUTES", 30, least=0, most=720),
        overdue=60 * given.number("OVERDUE_MINUTES", 15, least=1, most=1440),
        stranded=3600 * given.number("STRANDED_HOURS", 24, least=1, most=720),
        look_back=3600 * given.number("LOOK_BACK_HOURS", 24, least=0, most=720),
    )
    given.done()
    return made


def _pairs(text: str) -> dict[str, str]:
    found = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        name, equals, value = part.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"MAPPINGS_PARAMS: {part!r} is no NAME=value; write NAME=value,NAME=value.")
        found[name.strip()] = value.strip()
    return found
