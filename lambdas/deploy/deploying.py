"""A deployment from its first look to the last stack's outputs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy import plan
from deploy.artefacts import Artefact, artefacts, located, packed
from deploy.change import BROKEN, DeploymentFailed, Stacks
from deploy.settings import Settings, read
from deploy.source import Source, put, remove_others
from deploy.templates import Template, templates
from deploy.values import SOURCE_BUCKET, Values, Waits
from forceglue.errors import UsageError

# CloudFormation takes a larger template from a bucket only
_MOST_BYTES = 51_200


def deploy(
    environment: str,
    stacks: Sequence[str] = (),
    parameters: Mapping[str, str] | None = None,
    session: Any = None,
    *,
    settings: Settings | None = None,
    source: Source | None = None,
    dry_run: bool = False,
    tell: Callable[[str], None] = print,
    every: float = 5.0,
) -> dict[str, dict[str, str]]:
    """Deploys stacks, and before them what they stand on: the functions' package, the job, the wheel, the mappings.

    Args:
        environment: its name, `EnvPrefix` of every stack.
        stacks: names of templates (`storage`, `glue`, …); none means all.
        parameters: `Name` for every stack that has it, or `stack.Name`; they win over the settings.
        session: a boto3 session; none makes one of the AWS configuration.
        settings: of the environment; none reads `lambdas/parameters/<environment>.yaml`.
        source: what the Glue job reads; none takes this checkout's.
        dry_run: shows what would change; nothing stays of it.
        tell: takes each line of the account.
        every: seconds between two looks at CloudFormation.

    Returns:
        The outputs of the stacks, by the names of their templates.

    Raises:
        UsageError: with every problem that can be known; nothing was changed.
        DeploymentFailed: a stack failed. Those before it are deployed; doing it again goes on.
    """
    import boto3

    settings = (read(environment) if settings is None else settings).with_parameters(parameters or {})
    session = session or boto3.Session(region_name=settings.region)
    if session.region_name is None:
        raise UsageError("No region: set AWS_REGION, or `region` in the environment's file.")
    packed.cache_clear()
    facts = {
        "env": environment,
        "region": session.region_name,
        "account": session.client("sts").get_caller_identity()["Account"],
    }
    values = Values(environment, settings, facts, _secrets(session.client("secretsmanager")), templates())
    formation, source = Stacks(session.client("cloudformation"), every), source or Source()
    wanted = plan.chosen(stacks, values)
    for template in values.templates.values():
        outputs = formation.outputs(template.stack(environment))
        if outputs is not None:
            values.known[template.name] = outputs
    plan.check(formation, wanted, values, source)
    running = _Deployment(values, formation, session.client("s3"), source, dry_run, tell)
    for template in wanted:
        running.one(template)
    return {template.name: values.known.get(template.name, {}) for template in wanted}


@dataclass(frozen=True)
class _Deployment:
    """A deployment under way."""

    values: Values
    stacks: Stacks
    s3: Any
    source: Source
    dry_run: bool
    tell: Callable[[str], None]

    def one(self, template: Template) -> None:
        """One stack, and before it what it stands on."""
        stack = template.stack(self.values.environment)
        begun = time.monotonic()
        if self.dry_run and self.stacks.status(stack) == BROKEN:
            self.tell(f"{stack}: its first deployment failed; it would be made anew")
            return
        try:
            parameters = self.values.of(template)
            body = located(template, self.values.bucket(template)) if _paths(template) else template.body
            if not self.dry_run:
                self._send(template, parameters)
            address = self.stacks.propose(stack, self._told(template, body, parameters))
        except Waits as waits:
            if not self.dry_run:
                raise DeploymentFailed(
                    stack, "not deployed", (f"{waits.stack} gave no value that it needs",)
                ) from waits
            self.tell(f"{stack}: cannot be shown before {waits.stack} is deployed")
            return
        if address is None:
            self.tell(f"{stack}: no changes")
        elif self.dry_run:
            self._show(stack, address)
        else:
            self.stacks.execute(stack, address)
            self.tell(f"{stack}: deployed in {time.monotonic() - begun:.0f} s")
        if not self.dry_run:
            self.values.known[template.name] = self.stacks.outputs(stack) or {}
            self.stacks.protect(stack, self.values.settings.protected)

    def _show(self, stack: str, address: str) -> None:
        changes = list(self.stacks.changes(stack, address))
        self.stacks.drop(stack, address)
        self.tell("\n  ".join([f"{stack}: {len(changes)} would change", *map(str, changes)]))

    def _told(self, template: Template, body: Mapping[str, Any], parameters: Mapping[str, str]) -> dict[str, Any]:
        """What CloudFormation is told of a stack."""
        role = self.values.settings.role
        tags = {"project": "forceglue", "environment": self.values.environment, **self.values.settings.tags}
        return {
            **self._placed(template, json.dumps(body, indent=1)),
            **({"RoleARN": self.values.with_facts(role)} if role else {}),
            "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
            "Tags": [{"Key": name, "Value": value} for name, value in sorted(tags.items())],
        }

    def _placed(self, template: Template, text: str) -> dict[str, str]:
        if len(text.encode()) <= _MOST_BYTES:
            return {"TemplateBody": text}
        file = Artefact(f"templates/{self.values.environment}/{template.name}.json", text.encode())
        bucket = self.values.bucket(template)
        put(self.s3, bucket, [file])
        return {"TemplateURL": f"{self.s3.meta.endpoint_url}/{bucket}/{file.key}"}

    def _send(self, template: Template, parameters: Mapping[str, str]) -> None:
        """Code that the template names; of the Glue job what it reads."""
        if files := [packed(path) for path in _paths(template)]:
            bucket = self.values.bucket(template)
            sent = put(self.s3, bucket, files)
            self.tell(f"s3://{bucket}/lambdas/: {sent} of {len(files)} packages sent")
        if template.name == "glue":
            bucket = parameters[SOURCE_BUCKET]
            prefix = parameters.get("SourcePrefix", template.parameters["SourcePrefix"]["Default"])
            files = self.source.artefacts(prefix)
            sent = put(self.s3, bucket, files)
            gone = remove_others(self.s3, bucket, f"{prefix}mappings/", {file.key for file in files})
            self.tell(f"s3://{bucket}/{prefix}: {sent} of {len(files)} files sent, {gone} removed")


def _paths(template: Template) -> list[Path]:
    return sorted({path for _, path in artefacts(template)})


def _secrets(client: Any) -> Callable[[str], str | None]:
    def arn(name: str) -> str | None:
        try:
            found: str = client.describe_secret(SecretId=name)["ARN"]
        except client.exceptions.ResourceNotFoundException:
            return None
        return found

    return arn
