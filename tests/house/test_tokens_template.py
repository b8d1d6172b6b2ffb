"""The stack of tokens: nobody is lost, and nobody asks for a token without authorisation."""

from __future__ import annotations

from typing import Any

import pytest

from tests.house.templates import LAMBDAS, of_type, told


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return told(LAMBDAS / "templates" / "tokens.yaml")


def test_no_user_and_no_run_is_lost(template: dict[str, Any]) -> None:
    functions, queues = of_type(template, "AWS::Serverless::Function"), of_type(template, "AWS::SQS::Queue")
    retry = functions["RefresherRetry"]
    assert retry["Events"]["Queue"]["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert queues["RetryQueue"]["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": ["DeadUsers", "Arn"]}
    assert queues["RetryQueue"]["VisibilityTimeout"] >= 6 * retry["Timeout"]
    assert functions["Refresher"]["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Type"] == "SQS"


@pytest.mark.parametrize("authorization", ["IAM", "COGNITO"])
def test_nobody_asks_for_a_token_without_authorisation(template: dict[str, Any], authorization: str) -> None:
    body = of_type(template, "AWS::Serverless::Api")["BrokerApi"]["DefinitionBody"]
    by_cognito, by_iam = body["paths"]["/sf/token"]["get"]["security"]["Fn::If"][1:]
    assert (by_cognito, by_iam) == ([{"cognito": [{"Ref": "CognitoScope"}]}], [{"iam": []}])
    schemes = body["components"]["securitySchemes"]["Fn::If"][1 if authorization == "COGNITO" else 2]
    (scheme,) = schemes.values()
    assert scheme["x-amazon-apigateway-authtype"] == (
        "cognito_user_pools" if authorization == "COGNITO" else "awsSigv4"
    )
    assert set(body["paths"]) == {"/sf/token"} and set(body["paths"]["/sf/token"]) == {"get"}
