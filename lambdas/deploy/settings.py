"""What a person says of an environment: `lambdas/parameters/<environment>.yaml`.

Names and addresses; the value of a secret stands nowhere in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from forceglue.errors import UsageError

FOLDER = Path(__file__).parents[1] / "parameters"


def _text(value: Any) -> Any:
    """A value as CloudFormation takes it: `true`, `30`, `a,b`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list):
        return ",".join(str(_text(one)) for one in value)
    return value


Text = Annotated[str, BeforeValidator(_text)]


class Settings(BaseModel):
    """An environment.

    Attributes:
        account: the only account that it may be deployed to, twelve digits; none allows every.
        region: the region; none takes that of the AWS configuration.
        role: the ARN of the role that CloudFormation works with; none lets it work with the rights of whoever deploys.
        protected: stacks cannot be deleted before somebody says otherwise (CloudFormation's termination protection).
        tags: of every stack, and so of everything in it.
        parameters: values for every stack that has a parameter of the name.
        stacks: values for one stack; they win.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    account: Annotated[str, Field(pattern=r"^\d{12}$")] | None = None
    region: str | None = None
    role: str | None = None
    protected: bool = False
    tags: Mapping[str, Text] = {}
    parameters: Mapping[str, Text] = {}
    stacks: Mapping[str, Mapping[str, Text]] = {}

    def with_parameters(self, given: Mapping[str, str]) -> Settings:
        """These, and over them `Name` for all stacks or `stack.Name` for one."""
        shared, stacks = dict(self.parameters), {name: dict(own) for name, own in self.stacks.items()}
        for name, value in given.items():
            stack, dot, parameter = name.rpartition(".")
            if dot:
                stacks.setdefault(stack, {})[parameter] = value
            else:
                shared[name] = value
                for own in stacks.values():
                    own.pop(name, None)
        return self.model_copy(update={"parameters": shared, "stacks": stacks})


def read(environment: str, folder: Path = FOLDER) -> Settings:
    """The file of an environment.

    Raises:
        UsageError: there is none, or it says something that nobody reads.
    """
    path = folder / f"{environment}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(one.stem for one in folder.glob("*.yaml"))) or "none"
        raise UsageError(f"No environment {environment!r}: {path} is not there (there are: {known}). Write that file.")
    try:
        return Settings.model_validate(yaml.safe_load(path.read_text("utf-8")) or {})
    except yaml.YAMLError as error:
        raise UsageError(f"{path} is no YAML: {error}") from error
    except ValidationError as error:
        said = "\n  ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise UsageError(f"{path}:\n  {said}") from error
