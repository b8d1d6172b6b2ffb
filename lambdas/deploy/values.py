"""Where the value of a stack's parameter comes from.

In this order: the environment's file or the command line, an output of an earlier stack that has the parameter's name,
the template's own default. A given value may hold `${env}`, `${account}`, `${region}`, `${stack.Output}`, and
`${secret:NAME}`, which is the ARN of a secret, never what is in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from deploy.settings import Settings
from deploy.templates import Template

SOURCE_BUCKET = "SourceBucket"
_REFERENCE = re.compile(r"\$\{([^}]*)\}")


class Waits(Exception):
    """The value is an output of a stack that is not deployed yet.

    Attributes:
        stack: that stack.
    """

    def __init__(self, stack: str) -> None:
        self.stack = stack
        super().__init__(stack)


class Unfit(ValueError):
    """The value can never be had; the message says why."""


@dataclass
class Values:
    """The values of all parameters.

    Attributes:
        environment: its name.
        settings: what a person gave.
        facts: `env`, `account`, `region`.
        secret: a secret's name to its ARN; None where there is no such secret.
        templates: every template, in the order of deployment.
        known: what deployed stacks gave, by stack and output.
    """

    environment: str
    settings: Settings
    facts: Mapping[str, str]
    secret: Callable[[str], str | None]
    templates: Mapping[str, Template]
    known: dict[str, dict[str, str]] = field(default_factory=dict)

    def given(self, template: Template) -> dict[str, str]:
        """What a person gave for this stack, as it was written."""
        own = self.settings.stacks.get(template.name, {})
        shared = {name: value for name, value in self.settings.parameters.items() if name in template.parameters}
        return {"EnvPrefix": self.environment, **shared, **own}

    def of(self, template: Template) -> dict[str, str]:
        """The values that CloudFormation is to be told; defaults are left to the template.

        Raises:
            Waits: one is an output that is not there yet.
            Unfit: one cannot be had.
        """
        found = {name: self.one(template, name) for name in template.parameters}
        return {name: value for name, value in found.items() if value is not None}

    def one(self, template: Template, name: str) -> str | None:
        """The value of one parameter; None leaves it to the template's default.

        Raises:
            Waits, Unfit: as above.
        """
        given = self.given(template)
        if name in given:
            return self.filled(template, given[name])
        giver = self.giver(template, name)
        return None if giver is None else self.output(giver, name)

    def giver(self, template: Template, name: str) -> str | None:
        """The earlier stack that gives an output of this name.

        Raises:
            Unfit: several do.
        """
        givers = [one.name for one in self.before(template) if name in one.outputs]
        if len(givers) > 1:
            choices = " or ".join(f"${{{one}.{name}}}" for one in givers)
            raise Unfit(f"several stacks give {name}: say which, {choices}")
        return givers[0] if givers else None

    def before(self, template: Template) -> Iterator[Template]:
        """The stacks whose outputs this one may read."""
        for name, one in self.templates.items():
            if name == template.name:
                return
            yield one

    def output(self, stack: str, name: str) -> str:
        """An output of a deployed stack."""
        outputs = self.known.get(stack, {})
        if name not in outputs:
            # not deployed, or in an older version
            raise Waits(stack)
        return outputs[name]

    def bucket(self, template: Template) -> str:
        """Where code goes: a bucket that was given, or that of the storage stack."""
        given = {**self.settings.parameters, **self.settings.stacks.get(template.name, {})}.get(SOURCE_BUCKET)
        return self.filled(template, given) if given else self.output("storage", SOURCE_BUCKET)

    def filled(self, template: Template, text: str) -> str:
        """A given value with its references replaced; `${env}` may stand within another."""
        text = self.with_facts(text)
        return _REFERENCE.sub(lambda found: self._referred(template, found[1]), text)

    def with_facts(self, text: str) -> str:
        """A text with `${env}`, `${account}` and `${region}` replaced."""
        for name, fact in self.facts.items():
            text = text.replace(f"${{{name}}}", fact)
        return text

    def _referred(self, template: Template, name: str) -> str:
        kind, _, secret = name.partition(":")
        if kind == "secret" and secret:
            arn = self.secret(secret)
            if arn is None:
                raise Unfit(
                    f"there is no secret {secret} in {self.facts['region']} of {self.facts['account']}: make it"
                )
            return arn
        stack, _, output = name.partition(".")
        earlier = {one.name: one for one in self.before(template)}
        if stack in earlier and output in earlier[stack].outputs:
            return self.output(stack, output)
        raise Unfit(
            f"${{{name}}} is nothing that is known; ${{env}}, ${{account}}, ${{region}}, ${{secret:NAME}} and an "
            f"output of an earlier stack (${{storage.KeyArn}}) are"
        )


def refused(declared: Mapping[str, Any], value: str) -> str | None:
    """Why CloudFormation would refuse a value of a parameter; None if it takes it."""
    if allowed := declared.get("AllowedValues"):
        texts = [str(one) for one in allowed]
        return None if value in texts else f"{value!r} is none of {', '.join(texts)}"
    if declared["Type"] == "Number":
        try:
            number = float(value)
        except ValueError:
            return f"{value!r} is no number"
        least, most = float(declared.get("MinValue", "-inf")), float(declared.get("MaxValue", "inf"))
        return None if least <= number <= most else f"{value} is not from {least:g} to {most:g}"
    pattern = declared.get("AllowedPattern")
    if pattern and not re.fullmatch(pattern, value):
        return f"{value!r} does not look like {pattern}"
    return None
