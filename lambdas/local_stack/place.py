"""Where a local stack lives and what it was told: its folder, its environment, servers that replace parts of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from forceglue.errors import SetupError
from local_stack import env_file
from local_stack.parts import AWS, ORG, REGION, Part, ready
from local_stack.processes import Kept, Processes

ROOT = Path(__file__).parents[2]
VARIABLES = {AWS.name: "AWS_ENDPOINT_URL", ORG.name: "SALESFORCE_URL"}
"""The variable that names another server in place of a part."""


@dataclass(frozen=True)
class Place:
    """A local stack.

    Attributes:
        folder: of its processes, logs and `stack.env`.
        environment: `EnvPrefix` of the stacks.
        mappings: the folder of the mappings that the job runs.
        environ: the variables of whoever calls.
    """

    folder: Path = ROOT / ".local"
    environment: str = "local"
    mappings: Path = ROOT / "mappings"
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)

    @property
    def processes(self) -> Processes:
        return Processes(self.folder)

    @property
    def region(self) -> str:
        told = self.environ.get("AWS_REGION") or self.environ.get("AWS_DEFAULT_REGION")
        return told or REGION

    @property
    def python_of_aws(self) -> Path:
        """The Python that has the emulator."""
        return Path(self.environ.get("LOCAL_AWS_PYTHON", str(ROOT / ".venv-aws" / "bin" / "python")))

    def other(self, part: Part) -> str | None:
        """The address of a server that replaces a part; None where the part is ours.

        A shell that has read `stack.env` names our own part, which replaces nothing.

        Raises:
            SetupError: it does not answer.
        """
        variable = VARIABLES[part.name]
        url = self.environ.get(variable, "").rstrip("/")
        if not url:
            return None
        kept: Kept | None = self.processes.running(part.name)
        if kept is not None and kept.url == url:
            return None
        if not ready(part, url):
            last = env_file.read(self.folder).get(variable)
            why = "it was that of a stack that is down" if url == last else "a server that replaces a part must be up"
            raise SetupError(
                f"{variable} is {url}, and nobody answers there ({why}). Unset {variable} to have one started."
            )
        return url
