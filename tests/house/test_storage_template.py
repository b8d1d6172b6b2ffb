"""The stack of storage: nothing is public, nothing goes or lies unencrypted, and nothing of production is deleted with it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.house.templates import LAMBDAS, listed, of_type, told

BUCKETS = ("Landing", "Warehouse", "Delivery", "Source")


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return told(LAMBDAS / "templates" / "storage.yaml")


def policy(template: dict[str, Any], bucket: str) -> list[dict[str, Any]]:
    document = template["Resources"][f"{bucket}Policy"]["Properties"]
    assert document["Bucket"] == {"Ref": bucket}
    statements: list[dict[str, Any]] = document["PolicyDocument"]["Statement"]
    return statements


@pytest.mark.parametrize("bucket", BUCKETS)
def test_a_bucket_is_closed_and_encrypted_with_the_key(template: dict[str, Any], bucket: str) -> None:
    own = template["Resources"][bucket]["Properties"]
    assert set(own["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(own["PublicAccessBlockConfiguration"]) == 4
    (rule,) = own["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["BucketKeyEnabled"] is True
    assert rule["ServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Fn::GetAtt": ["Key", "Arn"]},
    }  # fmt: skip


@pytest.mark.parametrize("bucket", BUCKETS)
def test_a_bucket_is_spoken_to_over_tls_only(template: dict[str, Any], bucket: str) -> None:
    denied = {one["Sid"]: one for one in policy(template, bucket) if one["Effect"] == "Deny"}
    assert denied["EncryptedOnTheWay"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert denied["NoOldTls"]["Condition"] == {"NumericLessThan": {"s3:TlsVersion": "1.2"}}
    for statement in denied.values():
        assert statement["Principal"] == "*" and statement["Action"] == "s3:*"
        # the bucket itself and what is in it
        assert statement["Resource"] == [{"Fn::Sub": f"${{{bucket}.Arn}}"}, {"Fn::Sub": f"${{{bucket}.Arn}}/*"}]


@pytest.mark.parametrize("bucket", BUCKETS)
def test_what_is_overwritten_stays_for_a_while_and_what_was_given_up_does_not(
    template: dict[str, Any], bucket: str
) -> None:
    own = template["Resources"][bucket]["Properties"]
    assert own["VersioningConfiguration"] == {"Status": "Enabled"}
    rules = {one["Id"]: one for one in own["LifecycleConfiguration"]["Rules"] if "Id" in one}
    assert "NoncurrentVersionExpiration" in rules["what-was-overwritten-or-deleted"]
    assert "AbortIncompleteMultipartUpload" in rules["uploads-that-were-given-up"]


def test_only_what_landed_is_told_as_events(template: dict[str, Any]) -> None:
    for name in BUCKETS:
        told_as_events = "NotificationConfiguration" in template["Resources"][name]["Properties"]
        assert told_as_events is (name == "Landing")


def test_appflow_puts_files_below_in_and_nowhere_else(template: dict[str, Any]) -> None:
    assert not [one for name in BUCKETS[1:] for one in policy(template, name) if one["Effect"] == "Allow"]
    allowed = [one for one in policy(template, "Landing") if one["Effect"] == "Allow"]
    for statement in allowed:
        assert statement["Principal"] == {"Service": "appflow.amazonaws.com"}
        assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
        assert not [action for action in listed(statement["Action"]) if "Get" in action and action != "s3:GetBucketAcl"]
        if "s3:PutObject" in listed(statement["Action"]):
            assert statement["Resource"] == {"Fn::Sub": "${Landing.Arn}/in/*"}


def test_data_of_production_outlives_its_stack(template: dict[str, Any]) -> None:
    for name in (*BUCKETS, "Key"):
        resource = template["Resources"][name]
        # but what a failed first deployment made is in nobody's way
        assert resource["DeletionPolicy"] == {"Fn::If": ["IsProduction", "RetainExceptOnCreate", "Delete"]}
        assert resource["UpdateReplacePolicy"] == "Retain"


def test_services_use_the_key_for_this_account_and_this_environment_only(template: dict[str, Any]) -> None:
    (key,) = of_type(template, "AWS::KMS::Key").values()
    assert key["EnableKeyRotation"] is True
    by_sid = {one["Sid"]: one for one in key["KeyPolicy"]["Statement"]}
    for name in by_sid.keys() - {"GovernedByIam"}:
        assert by_sid[name]["Condition"], name
        assert "kms:*" not in listed(by_sid[name]["Action"]), name
    groups = by_sid["EncryptLogs"]["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]
    assert all("${EnvPrefix}-" in one["Fn::Sub"] or one["Fn::Sub"].endswith(":/aws-glue/*") for one in groups)
