from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forceglue.landing.layout import (
    KeptKey,
    LandedKey,
    export,
    facts_key,
    folder_parts,
    kept,
    kept_key,
    landed,
    landed_key,
    name_complaint,
    numbered,
)

part = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=30)
token = part.filter(lambda text: not text.lower().endswith(".full"))  # that ending is the full flow's
env = part.filter(lambda text: "-" not in text)
file = part.filter(lambda text: ":" not in text)
moment = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


@given(env, token, st.none() | part, part)
def test_a_flow_s_key_reads_back(env: str, token: str, execution: str | None, file: str) -> None:
    assert landed(landed_key(token, execution, file, env=env)) == LandedKey(env, token, execution, file)


@given(st.sampled_from(["processed", "error"]), part, moment, st.none() | part, file)
def test_a_kept_key_reads_back(stage: str, token: str, at: datetime, execution: str | None, file: str) -> None:
    key = kept_key(stage, token, at, execution, file)  # type: ignore[arg-type]  # sampled_from of a Literal's values
    hour = at.replace(minute=0, second=0, microsecond=0)
    assert kept(key) == KeptKey(stage, token, hour, execution, file)  # type: ignore[arg-type]  # the same


@given(part, st.integers(2, 10**6))
def test_a_number_makes_another_name_and_keeps_the_ending(name: str, number: int) -> None:
    assert numbered(f"{name}.csv.gz", number) == f"{name}~{number}.csv.gz"
    assert numbered(name, number) != name


@pytest.mark.parametrize(
    ("folder", "parts"),
    [
        ("dev-Salesforce-Account", ("dev", "Account")),
        ("dev--Salesforce-Account", ("dev", "Account")),
        ("dev-Salesforce-Account.full", ("dev", "Account")),
        ("dev-salesforce-Order-Product.FULL", ("dev", "Order-Product")),
        ("Account.full", (None, "Account.full")),
        ("etldev-Salesforce-Order-Product", ("etldev", "Order-Product")),
        ("dev-salesforce-account", ("dev", "account")),
        ("Salesforce-Account", (None, "Account")),
        ("Salesforce-Order-Product", (None, "Order-Product")),
        ("Account", (None, "Account")),
        ("Order-Product", (None, "Order-Product")),
    ],
)
def test_the_token_of_a_folder(folder: str, parts: tuple[str | None, str]) -> None:
    assert folder_parts(folder) == parts


def test_the_hour_is_utc_whatever_the_zone() -> None:
    sydney = timezone(timedelta(hours=10))
    at = datetime(2024, 1, 1, 5, 59, tzinfo=sydney)
    assert kept_key("processed", "Account", at, "e1", "f") == "processed/Account/2023/12/31/19/e1/f"


def test_a_colon_that_hadoop_cannot_open_is_not_kept() -> None:
    at = datetime(2024, 1, 1, tzinfo=UTC)
    assert kept_key("processed", "Account", at, "e", "-12-2023-09-11T00:04:54").endswith("/-12-2023-09-11T00-04-54")


@pytest.mark.parametrize(
    "key", ["in", "in/x", "in/a/b/", "in//b/c", "in/a/b/c/d", "processed/a/b/c", "IN/a/b/c", "in/dev-Salesforce-A/e1/"]
)
def test_no_landing_key(key: str) -> None:
    assert landed(key) is None


@pytest.mark.parametrize(
    "key",
    [
        "processed/Account/2024/13/01/00/e/f",
        "processed/Account/2024/1/01/00/e/f",
        "processed/Account/2024/01/01/24/f",
        "processed/2024/01/01/00/f",
        "curated/Account/2024/01/01/00/e/f",
        "processed/Account/2024/01/01/00/e/x/f",
    ],
)
def test_no_kept_key(key: str) -> None:
    assert kept(key) is None


@pytest.mark.parametrize(
    ("key", "token"),
    [
        ("Account.csv", "Account"),
        ("Branch__c.PARQUET", "Branch__c"),
        ("Account.jsonl", "Account"),
        ("Account.json.gz", "Account"),
        ("dev-Salesforce-Account.csv", "Account"),
        ("Account/part-1.csv", "Account"),
        ("dev-Salesforce-Order-Product/0001", "Order-Product"),
    ],
)
def test_an_export_s_object(key: str, token: str) -> None:
    found = export(key)
    assert found is not None
    assert found.token == token


@pytest.mark.parametrize(
    "key",
    [
        "a/b/c.csv",
        "_delta_log/0.json",
        ".git/x.csv",
        "processed/a.csv",
        "README.md",
        "LICENSE.txt",
        "LICENSE",
        ".csv",
        ".hidden.csv",
        "_x.csv",
        "Account/_SUCCESS",
        "Account/a.md",
    ],
)
def test_no_export(key: str) -> None:
    assert export(key) is None


def test_facts_are_hidden_from_who_reads_the_folder() -> None:
    assert facts_key("processed/A/2024/01/01/00/e/f.csv") == "processed/A/2024/01/01/00/e/_f.csv.facts.json"


@pytest.mark.parametrize("name", ["a{b}", "a[1].csv", "a*", "a?", "a\\b", "a\nb", "x" * 201])
def test_names_that_spark_would_not_read(name: str) -> None:
    assert name_complaint(f"in/A/e/{name}")


@pytest.mark.parametrize("name", ["a b.csv", 'it\'s "x".csv', "50%.csv", "-1-2023-09-11T00:04:54", "Zoë.csv"])
def test_odd_names_that_are_fine(name: str) -> None:
    assert name_complaint(f"in/A/e/{name}") is None
