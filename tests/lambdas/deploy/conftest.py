"""A project of two small stacks and a Glue job, what it sends, and an account to deploy it to."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest

from deploy import deploying, templates
from deploy.source import Source
from lambdas.formation import BUCKET, Formation, Session
from lambdas.kit import Aws

STORAGE = """
Parameters:
  EnvPrefix: {Type: String, AllowedPattern: "[a-z]+", Description: The environment.}
  Days: {Type: Number, Default: 3, MinValue: 1, Description: How long.}
Resources: {Source: {Type: AWS::S3::Bucket}}
Outputs: {SourceBucket: {Value: !Ref Source}, KeyArn: {Value: !GetAtt Key.Arn}}
"""
GLUE = """
Parameters:
  EnvPrefix: {Type: String, Description: The environment.}
  SourceBucket: {Type: String, Description: The bucket.}
  SourcePrefix: {Type: String, Default: glue/, Description: Where in it.}
  ForceglueVersion: {Type: String, Default: 0.1.0, Description: The wheel.}
  KmsKeyArn: {Type: String, Description: The key.}
Resources: {Job: {Type: AWS::Glue::Job}}
Outputs: {JobName: {Value: !Ref Job}}
"""
ASK = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  EnvPrefix: {Type: String, Description: The environment.}
  JobName: {Type: String, Description: The job.}
  SecretArn: {Type: String, AllowedPattern: "arn:.*", Description: The secret.}
  Runtime: {Type: String, Default: python3.13, AllowedValues: [python3.12, python3.13], Description: Python.}
Globals: {Function: {CodeUri: ../../out/lambdas/}}
Resources: {Ask: {Type: AWS::Serverless::Function, Properties: {Handler: ask.handler.handler}}}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a project; its templates are those that are deployed."""
    for name, text in {
        "lambdas/templates/storage.yaml": STORAGE,
        "lambdas/templates/ask_it.yaml": ASK,
        "glue/template.yaml": GLUE,
        "glue/job.py": "job",
        "out/lambdas/ask/handler.py": "handler",
        "out/wheel/forceglue-0.1.0-py3-none-any.whl": "wheel",
        "mappings/project.yaml": "project",
        "mappings/objects/account.yaml": "account",
        "mappings/.hidden": "no",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    monkeypatch.setattr(
        deploying, "templates",
        lambda: templates.templates(tmp_path / "lambdas" / "templates", tmp_path / "glue" / "template.yaml"),
    )  # fmt: skip
    return tmp_path


@pytest.fixture
def source(project: Path) -> Source:
    return Source(project / "mappings", project / "glue" / "job.py", project / "out" / "wheel")


@pytest.fixture
def formation(aws: Aws) -> Formation:
    """An account with a bucket (which the stack of storage would make) and a secret."""
    boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return Formation({
        "dev-storage": {"SourceBucket": BUCKET, "KeyArn": "arn:aws:kms:eu-west-1:1:key/k"},
        "dev-glue": {"JobName": "dev-forceglue"},
    })  # fmt: skip


@pytest.fixture
def session(formation: Formation) -> Session:
    return Session(formation)
