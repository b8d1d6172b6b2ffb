"""Everything that can be known before anything is changed: every problem of a deployment at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches

from deploy import artefacts
from deploy.change import NEW, READY, Stacks
from deploy.source import Source
from deploy.templates import Template
from deploy.values import Unfit, Values, Waits, refused
from forceglue.errors import UsageError


def chosen(names: Sequence[str], values: Values) -> list[Template]:
    """The stacks that are to be deployed, in order; none named means all but those that have to be named.

    Raises:
        UsageError: there is no such stack.
    """
    known = values.templates
    if unknown := [name for name in names if name not in known]:
        raise UsageError(f"No stack {', '.join(unknown)}; there are {', '.join(known)}.")
    return [template for name, template in known.items() if name in names or not (names or template.if_named)]


def check(stacks: Stacks, wanted: Sequence[Template], values: Values, source: Source) -> None:
    """Looks at the parameters, at what is to be sent and at the stacks as they are.

    Raises:
        UsageError: with every problem.
    """
    found = [
        *_of_account(values),
        *_of_settings(values),
        *(problem for template in wanted for problem in _of_template(template, wanted, values, source)),
        *(problem for template in wanted for problem in _of_stack(stacks, template, values.environment)),
    ]
    if found:
        told = "\n  ".join(dict.fromkeys(found))
        raise UsageError(f"{values.environment} cannot be deployed, nothing was changed:\n  {told}")


def _of_account(values: Values) -> Iterator[str]:
    wanted = values.settings.account
    if wanted and wanted != values.facts["account"]:
        yield f"the credentials are those of account {values.facts['account']}, and {values.environment} is {wanted}"


def _of_settings(values: Values) -> Iterator[str]:
    """Names that nobody reads: slips of the pen."""
    every = {name for template in values.templates.values() for name in template.parameters}
    for name in values.settings.parameters:
        if name not in every:
            yield f"no stack has a parameter {name}{_meant(name, every)}"
    for stack, own in values.settings.stacks.items():
        template = values.templates.get(stack)
        if template is None:
            yield f"parameters are given for {stack}, and there is no such stack{_meant(stack, values.templates)}"
            continue
        for name in own:
            if name not in template.parameters:
                yield f"{stack} has no parameter {name}{_meant(name, template.parameters)}"


def _meant(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), 1)
    return f"; {close[0]} is meant?" if close else ""


def _of_template(template: Template, wanted: Sequence[Template], values: Values, source: Source) -> Iterator[str]:
    coming = {one.name for one in wanted}
    told = {name: str(one["Default"]) for name, one in template.parameters.items() if "Default" in one}
    for name in template.parameters:
        yield from _of_parameter(template, name, coming, values, told)
    if any(True for _ in artefacts.artefacts(template)):
        try:
            values.bucket(template)
        except Waits as waits:
            if waits.stack not in coming:
                yield f"{template.name}: no bucket for its code: deploy storage first, name it too, or set SourceBucket"
        except Unfit as error:
            yield f"{template.name}: SourceBucket: {error}"
    yield from artefacts.problems(template, told)
    if template.name == "glue":
        yield from source.problems(told["ForceglueVersion"])


def _of_parameter(
    template: Template, name: str, coming: set[str], values: Values, told: dict[str, str]
) -> Iterator[str]:
    """What is wrong with one; its value is added to `told`."""
    declared = template.parameters[name]
    try:
        value = values.one(template, name)
    except Unfit as error:
        yield f"{template.name}: {name}: {error}"
        return
    except Waits as waits:
        if waits.stack not in coming:
            yield (
                f"{template.name}: {name} is an output of {waits.stack}, which is not deployed here, or is older: "
                f"deploy it first, or name it too"
            )
        return
    if value is not None:
        told[name] = value
        if reason := refused(declared, value):
            yield f"{template.name}: {name}: {reason}"
    elif "Default" not in declared:
        yield f"{template.name}: {name} is given nowhere. {declared.get('Description', '').strip()}"


def _of_stack(stacks: Stacks, template: Template, environment: str) -> Iterator[str]:
    name = template.stack(environment)
    status = stacks.status(name)
    if status in NEW or status in READY:
        return
    if str(status).endswith("_IN_PROGRESS"):
        yield f"{name} is {status}: another deployment is at work; wait for its end"
    else:
        yield f"{name} is {status}: somebody has to look at it in the CloudFormation console (continue or delete it)"
