"""The stack of the REST API: nobody calls without authorisation, and no entry of the audit is lost."""

from __future__ import annotations

from typing import Any

import pytest

from tests.house.templates import LAMBDAS, listed, of_type, statements, told


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return told(LAMBDAS / "templates" / "rest_api.yaml")


def test_nobody_calls_without_authorisation(template: dict[str, Any]) -> None:
    paths = of_type(template, "AWS::Serverless::Api")["Gateway"]["DefinitionBody"]["paths"]
    assert set(paths) == {"/{proxy+}", "/docs", "/openapi.json"}
    by_cognito, by_iam = paths["/{proxy+}"]["x-amazon-apigateway-any-method"]["security"]["Fn::If"][1:]
    assert (by_cognito, by_iam) == ([{"cognito": {"Ref": "CognitoScopes"}}], [{"iam": []}])
    for path in ("/docs", "/openapi.json"):  # the description alone is open, where that is wanted
        condition, openly, closed = paths[path]["get"]["security"]["Fn::If"]
        assert (condition, openly) == ("DocsArePublic", []) and closed["Fn::If"][1:] == [by_cognito, by_iam]


def test_no_entry_of_the_audit_is_lost(template: dict[str, Any]) -> None:
    queues, writer = of_type(template, "AWS::SQS::Queue"), of_type(template, "AWS::Serverless::Function")["Writer"]
    assert all(queue["MessageRetentionPeriod"] == 14 * 86_400 for queue in queues.values())
    assert queues["AuditQueue"]["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": ["AuditDead", "Arn"]}
    assert queues["AuditQueue"]["VisibilityTimeout"] >= 6 * writer["Timeout"]
    assert writer["Events"]["Queue"]["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    for name in ("Audit", "AuditQueue", "AuditDead"):
        assert template["Resources"][name]["DeletionPolicy"]["Fn::If"][:2] == ["IsProduction", "Retain"]
    assert of_type(template, "AWS::DynamoDB::Table")["Audit"]["PointInTimeRecoverySpecification"]


def test_nobody_may_change_what_was_written(template: dict[str, Any]) -> None:
    table = {"Fn::GetAtt": ["Audit", "Arn"]}
    rights = {
        action
        for role in of_type(template, "AWS::IAM::Role").values()
        for statement in statements(role)
        if table in listed(statement["Resource"])
        for action in listed(statement["Action"])
    }
    assert rights == {"dynamodb:BatchWriteItem", "dynamodb:PutItem"}


def test_cursors_are_the_only_texts_that_the_api_opens(template: dict[str, Any]) -> None:
    role = of_type(template, "AWS::IAM::Role")["ApiRole"]
    conditions = {s["Sid"]: s["Condition"]["StringEquals"] for s in statements(role) if "Condition" in s}
    assert conditions["SealCursors"] == {"kms:EncryptionContext:what": "cursor"}
