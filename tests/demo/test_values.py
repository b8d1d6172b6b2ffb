from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.landed_org import id18
from forceglue.demo.values import checksum, core, kind_of, pool, record_id, stamp

PREFIX = st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", min_size=3, max_size=3)
SERIAL = st.integers(0, 10_000_000)


@given(PREFIX, SERIAL)
def test_ids_have_18_characters_and_their_own_checksum(prefix: str, serial: int) -> None:
    made = record_id(prefix, serial)
    assert len(made) == 18
    assert made.startswith(prefix)
    assert made.isalnum()
    assert id18(made[:15]) == made


@given(SERIAL, SERIAL)
def test_ids_are_unique_and_so_are_they_without_case(one: int, other: int) -> None:
    assert (record_id("001", one).lower() == record_id("001", other).lower()) == (one == other)


def test_ids_that_differ_by_case_only_exist() -> None:
    ids = {record_id("001", n)[:15] for n in range(100)}
    assert len({i.lower() for i in ids}) < len(ids)


@pytest.mark.parametrize(
    "known", ["001Ec00000GGw3iIAD", "005Ec000004oBPNIA2", "00QEc00000BBafDMAT", "a00Ec000009WFupIAG"]
)
def test_the_checksum_is_that_of_a_real_org(known: str) -> None:
    assert checksum(known[:15]) == known[15:]


KINDS = {
    "Id": "id",
    "IsDeleted": "boolean",
    "UserPermissionsMarketingUser": "boolean",
    "vlocity_cmt__ispriced__c": "boolean",
    "SystemModstamp": "datetime",
    "CreatedDate": "datetime",
    "CloseDate": "date",
    "Amount": "money",
    "UnitPrice": "money",
    "Discount": "percent",
    "Probability": "percent",
    "Quantity": "integer",
    "NumberOfEmployees": "integer",
    "NumberOfQuantityInstallments": "integer",
    "swm_available_units__c": "integer",
    "Email": "email",
    "Phone": "phone",
    "Description": "long_text",
    "BillingAddress": "address",
    "BillingLatitude": "coordinate",
    "BillingCountry": "place",
    "vlocity_cmt__ssn__c": "blank",
    "xfiles__amazon_iam_secret__c": "secret",
    "vlocity_cmt__taxid__c": "code",
    "Industry": "pick",
}


@pytest.mark.parametrize(("field", "kind"), KINDS.items())
def test_the_name_of_a_field_says_what_it_holds(field: str, kind: str) -> None:
    assert kind_of(field) == kind_of(field.upper()) == kind


def test_core_takes_off_namespace_and_suffix() -> None:
    assert core("vlocity_cmt__SWM_Status__c") == "status"
    assert core("FileIds__c") == "fileids"


@given(st.integers())
def test_numbers_dates_and_booleans_cast(seed: int) -> None:
    for text in filter(
        None, pool("money", Random(seed)) + pool("percent", Random(seed)) + pool("integer", Random(seed))
    ):
        Decimal(text)
    for text in filter(None, pool("date", Random(seed))):
        date.fromisoformat(text)
    for text in filter(None, pool("datetime", Random(seed))):
        assert stamp(datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")) == text
    assert set(pool("boolean", Random(seed))) == {"true", "false"}
