"""A deployment as a whole: what comes first, what is sent, what a second one does, and what stays of one that fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from deploy import Settings, deploy, deploying
from deploy.change import DeploymentFailed
from deploy.source import Source
from forceglue.errors import UsageError
from lambdas.formation import BUCKET, Formation, Session

GIVEN = Settings.model_validate({
    "tags": {"owner": "us"},
    "stacks": {"glue": {"KmsKeyArn": "${storage.KeyArn}"}, "ask_it": {"SecretArn": "${secret:${env}/app}"}},
})  # fmt: skip


@pytest.fixture(autouse=True)
def _account(formation: Formation) -> Iterator[None]:
    """The secret that a stack needs; the bucket goes with the test."""
    secrets = boto3.client("secretsmanager")
    secrets.create_secret(Name="dev/app", SecretString="not to be seen")
    yield
    secrets.delete_secret(SecretId="dev/app", ForceDeleteWithoutRecovery=True)
    for key in keys():
        boto3.client("s3").delete_object(Bucket=BUCKET, Key=key)
    boto3.client("s3").delete_bucket(Bucket=BUCKET)


def keys() -> set[str]:
    return {one["Key"] for one in boto3.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", [])}


def deployed(
    session: Session, source: Source, *stacks: str, **more: Any
) -> tuple[dict[str, dict[str, str]], list[str]]:
    said: list[str] = []
    more = {"settings": GIVEN, **more}
    outputs = deploy("dev", stacks, session=session, source=source, tell=said.append, every=0.001, **more)
    return outputs, said


def parameters(formation: Formation, stack: str) -> dict[str, str]:
    return {one["ParameterKey"]: one["ParameterValue"] for one in formation.sent[stack]["Parameters"]}


def test_storage_comes_first_then_code_then_the_others_with_what_it_gave(
    formation: Formation, session: Session, source: Source
) -> None:
    outputs, said = deployed(session, source)
    assert formation.executed == ["dev-storage", "dev-glue", "dev-ask-it"]
    assert outputs["glue"] == {"JobName": "dev-forceglue"}
    told = parameters(formation, "dev-glue")
    assert told == {"EnvPrefix": "dev", "SourceBucket": BUCKET, "KmsKeyArn": "arn:aws:kms:eu-west-1:1:key/k"}
    told = parameters(formation, "dev-ask-it")
    assert told["JobName"] == "dev-forceglue" and told["SecretArn"].startswith("arn:aws:secretsmanager:")
    assert "not to be seen" not in json.dumps(formation.sent) + "".join(said)
    (package,) = {key for key in keys() if key.startswith("lambdas/")}
    body = json.loads(formation.sent["dev-ask-it"]["TemplateBody"])
    assert body["Globals"]["Function"]["CodeUri"] == f"s3://{BUCKET}/{package}"
    assert {"Key": "owner", "Value": "us"} in formation.sent["dev-storage"]["Tags"]


def test_a_second_deployment_has_no_changes_and_sends_nothing(
    formation: Formation, session: Session, source: Source
) -> None:
    deployed(session, source)
    formation.executed.clear()
    outputs, said = deployed(session, source)
    assert formation.executed == []
    assert outputs["storage"]["SourceBucket"] == BUCKET
    assert [line for line in said if line.endswith("no changes")] == [
        "dev-storage: no changes", "dev-glue: no changes", "dev-ask-it: no changes",
    ]  # fmt: skip
    assert [line for line in said if line.startswith("s3:")] == [
        f"s3://{BUCKET}/glue/: 0 of 4 files sent, 0 removed", f"s3://{BUCKET}/lambdas/: 0 of 1 packages sent",
    ]  # fmt: skip


def test_the_mappings_there_are_exactly_those_here(session: Session, source: Source) -> None:
    deployed(session, source)
    boto3.client("s3").put_object(Bucket=BUCKET, Key="glue/mappings/objects/by_hand.yaml", Body=b"x")
    boto3.client("s3").put_object(Bucket=BUCKET, Key="glue/forceglue-0.0.9-py3-none-any.whl", Body=b"old")
    (source.mappings / "objects" / "account.yaml").rename(source.mappings / "objects" / "contact.yaml")
    (source.mappings / "project.yaml").write_text("changed")
    _, said = deployed(session, source, "glue")
    assert f"s3://{BUCKET}/glue/: 2 of 4 files sent, 2 removed" in said
    assert {key for key in keys() if key.startswith("glue/")} == {
        "glue/job.py", "glue/forceglue-0.1.0-py3-none-any.whl", "glue/forceglue-0.0.9-py3-none-any.whl",
        "glue/mappings/project.yaml", "glue/mappings/objects/contact.yaml",
    }  # fmt: skip


def test_changed_code_is_another_package_and_a_change(
    formation: Formation, session: Session, source: Source, project: Path
) -> None:
    deployed(session, source)
    formation.executed.clear()
    (project / "out" / "lambdas" / "ask" / "handler.py").write_text("another")
    deployed(session, source)
    assert formation.executed == ["dev-ask-it"]
    assert len([key for key in keys() if key.startswith("lambdas/")]) == 2


def test_some_stacks_alone_take_what_the_others_gave_before(
    formation: Formation, session: Session, source: Source
) -> None:
    deployed(session, source, "storage", "glue")
    formation.executed.clear()
    outputs, _ = deployed(session, source, "ask_it")
    assert formation.executed == ["dev-ask-it"] and outputs.keys() == {"ask_it"}
    assert parameters(formation, "dev-ask-it")["JobName"] == "dev-forceglue"


def test_a_dry_run_shows_and_leaves_nothing(formation: Formation, session: Session, source: Source) -> None:
    _, said = deployed(session, source, dry_run=True)
    assert said == [
        "dev-storage: 1 would change\n  add     Queue (AWS::SQS::Queue, replaced)",
        "dev-glue: cannot be shown before storage is deployed",
        "dev-ask-it: cannot be shown before glue is deployed",
    ]
    assert (formation.stacks, formation.sets, formation.executed, keys()) == ({}, {}, [], set())


def test_a_dry_run_of_what_is_deployed_sends_nothing(
    formation: Formation, session: Session, source: Source, project: Path
) -> None:
    deployed(session, source)
    there, executed = keys(), list(formation.executed)
    (project / "out" / "lambdas" / "ask" / "handler.py").write_text("another")
    (source.mappings / "objects" / "account.yaml").unlink()
    _, said = deployed(session, source, dry_run=True)
    assert said[:2] == ["dev-storage: no changes", "dev-glue: no changes"]
    assert said[2].startswith("dev-ask-it: 1 would change")
    assert (keys(), formation.executed, formation.sets) == (there, executed, {})
    assert formation.stacks["dev-ask-it"].status == "CREATE_COMPLETE"


def test_a_template_too_large_for_a_call_goes_through_the_bucket(
    formation: Formation, session: Session, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed(session, source, "storage")
    monkeypatch.setattr(deploying, "_MOST_BYTES", 100)
    deployed(session, source, "glue")
    told = formation.sent["dev-glue"]
    assert "TemplateBody" not in told
    assert told["TemplateURL"].endswith(f"/{BUCKET}/templates/dev/glue.json")
    stored = boto3.client("s3").get_object(Bucket=BUCKET, Key="templates/dev/glue.json")["Body"].read()
    assert "Job" in json.loads(stored)["Resources"]


def test_protection_is_turned_on_and_off_again(formation: Formation, session: Session, source: Source) -> None:
    deployed(session, source, settings=GIVEN.model_copy(update={"protected": True}))
    assert {stack.protected for stack in formation.stacks.values()} == {True}
    deployed(session, source)
    assert {stack.protected for stack in formation.stacks.values()} == {False}


def test_a_failure_tells_what_failed_and_the_next_time_goes_on(
    formation: Formation, session: Session, source: Source
) -> None:
    formation.fails["dev-glue"] = [("Role", "may not be made"), ("Job", "Resource creation cancelled")]
    with pytest.raises(DeploymentFailed) as failed:
        deployed(session, source)
    assert failed.value.reasons == ("Role (AWS::SQS::Queue): may not be made",)
    assert formation.executed == ["dev-storage", "dev-glue"]
    assert formation.stacks["dev-glue"].status == "ROLLBACK_COMPLETE"
    _, said = deployed(session, source, "glue", dry_run=True)
    assert said == ["dev-glue: its first deployment failed; it would be made anew"]
    assert formation.stacks["dev-glue"].status == "ROLLBACK_COMPLETE"
    formation.fails.clear()
    formation.executed.clear()
    deployed(session, source)
    assert formation.executed == ["dev-glue", "dev-ask-it"]
    assert formation.stacks["dev-glue"].status == "CREATE_COMPLETE"


def test_an_update_that_failed_is_tried_again(formation: Formation, session: Session, source: Source) -> None:
    deployed(session, source)
    formation.fails["dev-storage"] = [("Source", "no")]
    with pytest.raises(DeploymentFailed, match=r"dev-storage is UPDATE_ROLLBACK_COMPLETE:\n  Source \(.*\): no"):
        deployed(session, source, parameters={"Days": "5"})
    formation.fails.clear()
    deployed(session, source, parameters={"Days": "5"})
    assert parameters(formation, "dev-storage")["Days"] == "5"


def test_every_problem_is_told_at_once_and_nothing_is_changed(
    formation: Formation, session: Session, source: Source, project: Path
) -> None:
    (project / "out" / "wheel" / "forceglue-0.1.0-py3-none-any.whl").unlink()
    compiled = project / "out" / "lambdas" / "_cffi.cpython-312-x86_64-linux-gnu.so"
    compiled.write_bytes(b"")
    settings = Settings.model_validate({
        "account": "999999999999",
        "parameters": {"Dayz": 5},
        "stacks": {
            "storage": {"Days": "0"}, "gleu": {}, "glue": {"KmsKeyArn": "${storage.KeyArm}"},
            "ask_it": {"SecretArn": "${secret:dev/other}"},
        },
    })  # fmt: skip
    with pytest.raises(UsageError) as refused:
        deployed(session, source, settings=settings)
    said = str(refused.value)
    for words in (
        "the credentials are those of account 123456789012, and dev is 999999999999",
        "no stack has a parameter Dayz; Days is meant?",
        "parameters are given for gleu, and there is no such stack; glue is meant?",
        "storage: Days: 0 is not from 1 to inf",
        "glue: KmsKeyArn: ${storage.KeyArm} is nothing that is known",
        "forceglue-0.1.0-py3-none-any.whl is not there; `make package` makes it",
        "ask_it: SecretArn: there is no secret dev/other in eu-west-1 of 123456789012",
        "ask_it: Runtime is python3.13, but",
    ):
        assert words in said, words
    assert said.count("\n") == 8
    assert (formation.stacks, formation.sent, keys()) == ({}, {}, set())


def test_what_no_stack_gives_has_to_be_given(session: Session, source: Source) -> None:
    with pytest.raises(UsageError) as refused:
        deployed(session, source, "glue", "ask_it", settings=Settings())
    said = str(refused.value)
    assert "glue: SourceBucket is an output of storage, which is not deployed here" in said
    assert "glue: KmsKeyArn is given nowhere. The key." in said
    assert "ask_it: no bucket for its code" in said
    assert "JobName" not in said


def test_a_stack_that_another_deployment_works_on_is_left_alone(
    formation: Formation, session: Session, source: Source
) -> None:
    deployed(session, source)
    formation.stacks["dev-glue"].status = "UPDATE_IN_PROGRESS"
    formation.stacks["dev-ask-it"].status = "UPDATE_ROLLBACK_FAILED"
    with pytest.raises(UsageError) as refused:
        deployed(session, source)
    assert "dev-glue is UPDATE_IN_PROGRESS: another deployment is at work" in str(refused.value)
    assert "dev-ask-it is UPDATE_ROLLBACK_FAILED: somebody has to look" in str(refused.value)


def test_an_unknown_stack_is_told_with_those_that_there_are(session: Session, source: Source) -> None:
    with pytest.raises(UsageError, match=r"No stack sotrage; there are storage, glue, ask_it\."):
        deployed(session, source, "sotrage")


def test_a_source_bucket_of_ones_own_needs_no_stack_of_storage(
    formation: Formation, session: Session, source: Source
) -> None:
    given = {"SourceBucket": BUCKET, "glue.KmsKeyArn": "arn:aws:kms:eu-west-1:1:key/own"}
    deployed(session, source, "glue", "ask_it", parameters=given)
    assert formation.executed == ["dev-glue", "dev-ask-it"]
    assert parameters(formation, "dev-glue")["SourceBucket"] == BUCKET


def test_cloudformation_works_with_the_role_that_was_named(
    formation: Formation, session: Session, source: Source
) -> None:
    deployed(session, source, "storage", settings=Settings(role="arn:aws:iam::${account}:role/${env}-formation"))
    assert formation.sent["dev-storage"]["RoleARN"] == "arn:aws:iam::123456789012:role/dev-formation"
    deployed(session, source, "storage", settings=Settings())
    assert "RoleARN" not in formation.sent["dev-storage"]
