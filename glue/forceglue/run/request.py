"""What a run is asked for, and what it tells while it works."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Progress = Callable[[str, str, dict[str, object]], None]
"""Called with (mapping or step, state, facts) while a run works; states: started, ended. The first has `run_id`."""


@dataclass(frozen=True)
class RunRequest:
    """One call of the main job.

    Attributes:
        mappings: the folder of the mapping files.
        landing, warehouse, delivery: folders or `s3://` URIs.
        names: mappings to run; none means all.
        env: an environment of project.yaml.
        params: values of `${PARAM}`.
        full_refresh: load every file again and replace the tables.
        quick: JVM settings for small data (tests, demo): a fast start instead of the best code.
        progress: called as the run goes.
        correlation_id: under which others know what the run was started for; it stands in the report.
    """

    mappings: Path
    landing: str
    warehouse: str
    delivery: str
    names: tuple[str, ...] = ()
    env: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    full_refresh: bool = False
    quick: bool = False
    progress: Progress | None = None
    correlation_id: str | None = None
