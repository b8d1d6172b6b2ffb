"""CloudFormation: the types of the templates that the emulator does not know by itself."""

from __future__ import annotations

import json
from typing import Any

import requests

from local_stack_kit import Emulated, until

ROLE = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}]}}}  # fmt: skip


def stack(aws: Emulated, name: str, resources: dict[str, Any], outputs: dict[str, Any]) -> dict[str, str]:
    formation = aws.client("cloudformation")
    body = {"Resources": resources, "Outputs": {key: {"Value": value} for key, value in outputs.items()}}
    formation.create_stack(StackName=name, TemplateBody=json.dumps(body), Capabilities=["CAPABILITY_IAM"])

    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = formation.describe_stacks(StackName=name)["Stacks"][0]
        return None if found["StackStatus"].endswith("IN_PROGRESS") else found

    found = until(look)
    assert found is not None and found["StackStatus"] == "CREATE_COMPLETE", found
    return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}


def test_a_policy_of_a_role_is_one(aws: Emulated, names: str) -> None:
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
    given = {"RoleName": {"Ref": "Role"}, "PolicyName": "read", "PolicyDocument": policy}
    told = stack(
        aws,
        names,
        {"Role": ROLE, "Policy": {"Type": "AWS::IAM::RolePolicy", "Properties": given}},
        {"Role": {"Ref": "Role"}},
    )
    assert aws.client("iam").list_role_policies(RoleName=told["Role"])["PolicyNames"] == ["read"]
    aws.client("cloudformation").delete_stack(StackName=names)


def test_a_job_keeps_how_many_runs_it_takes_and_its_security(aws: Emulated, names: str) -> None:
    encryption = {"S3Encryptions": [{"S3EncryptionMode": "SSE-S3"}]}
    resources = {
        "Security": {
            "Type": "AWS::Glue::SecurityConfiguration",
            "Properties": {"Name": names, "EncryptionConfiguration": encryption},
        },
        "Job": {
            "Type": "AWS::Glue::Job",
            "Properties": {
                "Name": names, "Role": "r", "Command": {"Name": "glueetl", "ScriptLocation": "s3://a/b.py"},
                "ExecutionProperty": {"MaxConcurrentRuns": 3}, "SecurityConfiguration": {"Ref": "Security"},
            },
        },
    }  # fmt: skip
    stack(aws, names, resources, {})
    found = aws.client("glue").get_job(JobName=names)["Job"]
    assert found["ExecutionProperty"] == {"MaxConcurrentRuns": 3}
    assert found["SecurityConfiguration"] == names
    assert aws.client("glue").get_security_configuration(Name=names)["SecurityConfiguration"]["Name"] == names


def test_what_no_service_here_reads_is_recorded_under_its_name(aws: Emulated, names: str) -> None:
    kinds = ("AWS::ApiGatewayV2::RouteResponse", "AWS::AppFlow::Flow", "AWS::CloudFormation::Macro")
    resources = {
        kind.replace(":", ""): {"Type": kind, "Properties": {"Name": f"{names}{n}"}} for n, kind in enumerate(kinds)
    }
    told = stack(aws, names, resources, {f"O{n}": {"Ref": name} for n, name in enumerate(resources)})
    assert told == {f"O{n}": f"{names}{n}" for n in range(len(kinds))}


def test_an_api_answers_methods_that_its_description_has_by_one_word(aws: Emulated, names: str) -> None:
    arn = aws.function(names, "def handler(event, context): return {'statusCode': 200, 'body': event['httpMethod']}")
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"
    asked = {"x-amazon-apigateway-integration": {"type": "aws_proxy", "httpMethod": "POST", "uri": uri}}
    paths = {"/{proxy+}": {"x-amazon-apigateway-any-method": asked}}
    body = {"openapi": "3.0.1", "info": {"title": names, "version": "1"}, "paths": paths}
    deployment = {"RestApiId": {"Ref": "Api"}, "StageName": "v1"}
    resources = {
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Body": body}},
        "Deployment": {"Type": "AWS::ApiGateway::Deployment", "Properties": deployment},
    }
    api = stack(aws, names, resources, {"Api": {"Ref": "Api"}})["Api"]
    for method in ("GET", "PATCH"):
        answer = requests.request(method, f"{aws.url}/_aws/execute-api/{api}/v1/a/b", timeout=30)
        assert (answer.status_code, answer.text) == (200, method)
