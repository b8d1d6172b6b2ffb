import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forceglue.errors import UsageError
from forceglue.simulated.salesforce import Org, SetClock
from forceglue.simulated.salesforce.errors import ApiError
from forceglue.simulated.salesforce.ids import full_id
from forceglue.simulated.salesforce.rows import batches
from forceglue.simulated.salesforce.schema import schema_of
from forceglue.simulated.salesforce.wire import number


def stored(org, *fields):
    return [tuple(row.values()) for row in org.rows("Account", fields)]


def test_dictionaries_are_loaded_as_they_are(org):
    org.load("Account", [
        {"Id": "001Fg00000000ab", "Name": "a", "AnnualRevenue": 1.5, "Active__c": True, "Founded__c": date(2026, 1, 2),
         "SystemModstamp": datetime(2026, 1, 2, 3, 4, 5, 678000, UTC), "Tags__c": ["a", "b"]},
        {"Id": "001Fg00000000aB", "Name": "b", "AnnualRevenue": Decimal("123456789012345.67"), "Active__c": "0",
         "SystemModstamp": "2026-01-02T03:04:05.678+0100", "CreatedDate": "2020-01-01T00:00:00Z",
         "BillingAddress": '{"city": "Perth", "latitude": -31.5}'},
    ])  # fmt: skip
    names = ["Id", "AnnualRevenue", "Active__c", "Founded__c", "SystemModstamp", "CreatedDate", "Tags__c", "IsDeleted",
             "BillingCity", "BillingLatitude"]  # fmt: skip
    assert stored(org, *names) == [
        (full_id("001Fg00000000ab"), "1.5", "true", "2026-01-02", "2026-01-02T03:04:05.678Z",
         "2026-01-02T03:04:05.678Z", "a;b", "false", None, None),
        (full_id("001Fg00000000aB"), "1.2345678901234567E14", "false", None, "2026-01-02T02:04:05.678Z",
         "2020-01-01T00:00:00.000Z", None, "false", "Perth", "-31.5"),
    ]  # fmt: skip


def test_arrow_is_loaded_as_dictionaries_are(org):
    moments = [datetime(2026, 1, 2, 3, 4, 5, 678000, UTC), None]
    columns = {
        "Name": ["a", None],
        "AnnualRevenue": pa.array([Decimal("1.50"), None], pa.decimal128(18, 2)),
        "NumberOfEmployees": [5, None],
        "Active__c": [True, False],
        "Founded__c": pa.array([date(2026, 1, 2), None]),
        "SystemModstamp": pa.array(moments, pa.timestamp("us", "UTC")),
    }
    table = pa.table(columns)
    org.load("Account", table)
    first = stored(org, *columns)
    org.load("Account", table.to_pylist())
    assert first == [
        ("a", "1.5", "5", "true", "2026-01-02", "2026-01-02T03:04:05.678Z"),
        (None, None, None, "false", None, "2026-11-15T10:30:00.000Z"),
    ]
    assert stored(org, *columns)[2:] == first


def test_what_is_there_is_changed(org):
    org.load("Account", [{"Id": "001Fg0000000001AAA", "Name": "a", "Code__c": "k"}])
    org.load("Account", [{"Id": "001Fg0000000001AAA", "Name": "b"}])
    assert stored(org, "Name", "Code__c") == [("b", "k")]


def test_what_does_not_fit_is_told_and_nothing_is_loaded(org):
    rows = [{"Name": "a", "AnnualRevenue": 1}] * 3 + [{"Name": "a", "AnnualRevenue": "n/a"}]
    with pytest.raises(UsageError, match=r"Account\.AnnualRevenue, record 3: the value is not a double"):
        org.load("Account", rows)
    with pytest.raises(UsageError, match="Account has no field Nope"):
        org.load("Account", [{"Nope": 1}])
    assert org.count("Account") == 0


def test_ids_go_on_where_they_were(tmp_path):
    said = {"name": "Thing__c", "fields": [{"name": "Name"}]}
    made = []
    for _ in range(2):
        with Org(tmp_path) as org:
            org.define(said)
            made += [org.insert("Thing__c", {"Name": "n"}) for _ in range(3)]
            assert org.count("Thing__c") == len(made)
    assert len(set(made)) == 6
    assert all(full_id(one[:15]) == one for one in made)


def test_changes_move_the_stamps_and_formulas_do_not(org, clock):
    one = org.insert("Account", {"Name": "a"})
    made = org.now()
    clock.advance(timedelta(minutes=1))
    org.recalculate("Account", one, {"Score__c": 2})
    assert (org.get("Account", one)["Score__c"], org.get("Account", one)["SystemModstamp"]) == ("2.0", made)
    with pytest.raises(UsageError, match="no formula field"):
        org.recalculate("Account", one, {"Name": "x"})
    org.update("Account", one, {"Name": "b"})
    told = org.get("Account", one)
    assert (told["SystemModstamp"], told["LastModifiedDate"], told["CreatedDate"]) == (org.now(), org.now(), made)
    clock.advance(timedelta(minutes=1))
    org.delete("Account", one)
    assert org.get("Account", one)["SystemModstamp"] == org.now()
    with pytest.raises(ApiError, match="entity is deleted"):
        org.update("Account", one, {"Name": "c"})


def test_a_late_commit_has_an_older_stamp(org, clock):
    late = org.begin()
    one = late.insert("Account", {"Name": "late"})
    clock.advance(timedelta(minutes=3))
    two = org.insert("Account", {"Name": "early"})
    assert stored(org, "Name") == [("early",)]
    late.commit()
    assert org.get("Account", one)["SystemModstamp"] < org.get("Account", two)["SystemModstamp"]


def test_a_transaction_that_fails_does_nothing(org):
    with pytest.raises(ApiError, match="invalid cross reference id"), org.transaction() as now:
        now.insert("Account", {"Name": "a"})
        now.delete("Account", "001Fg0000000009AAA")
    assert org.count("Account") == 0


def test_a_merge(org, clock):
    master, loser = (org.insert("Account", {"Name": name}) for name in "ab")
    child = org.insert("Contact", {"LastName": "c", "AccountId": loser})
    clock.advance(timedelta(minutes=1))
    org.merge("Account", master, [loser])
    gone = org.get("Account", loser)
    assert (gone["IsDeleted"], gone["MasterRecordId"], gone["SystemModstamp"]) == ("true", master, org.now())
    assert org.get("Contact", child)["AccountId"] == master
    assert org.get("Contact", child)["SystemModstamp"] == org.now()
    org.undelete("Account", loser)
    assert org.get("Account", loser)["MasterRecordId"] is None
    with pytest.raises(UsageError, match="cannot be merged"):
        org.merge("Contact", child, [])


def test_many_threads_write_and_read(org):
    wrong = []

    def work(number):
        try:
            for at in range(25):
                one = org.insert("Account", {"Name": f"{number}-{at}"})
                org.update("Account", one, {"Industry": "Media"})
                assert org.get("Account", one)["Industry"] == "Media"
                org.count("Account")
        except BaseException as error:
            wrong.append(error)
            raise

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert org.count("Account") == 200
    assert len({row["Id"] for row in org.rows("Account", ["Id"])}) == 200


def test_the_clock_of_the_org_is_its_own():
    at = datetime(2020, 2, 29, 12, tzinfo=UTC)
    with Org(clock=SetClock(at)) as org:
        assert org.now() == "2020-02-29T12:00:00.000Z"


def test_key_prefixes_differ():
    with Org() as org:
        org.define(*({"name": f"T{at}__c", "fields": []} for at in range(5)), {"name": "Account", "fields": []})
        assert [schema.prefix for schema in org.objects] == ["a00", "a01", "a02", "a03", "a04", "001"]
        one = org.insert("T3__c", {})
        assert one.startswith("a03")
        assert org.owner_of(one).name == "T3__c"


@given(
    st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=30),
    st.lists(st.none() | st.decimals(-(10**9), 10**9, places=3), min_size=1, max_size=30),
)
@settings(deadline=None)
def test_numbers_of_arrow_are_written_as_all_others(floats, decimals):
    with_type = [pa.array(floats, pa.float64()), pa.array(decimals, pa.decimal128(18, 3))]
    schema = schema_of({"name": "T", "fields": [{"name": "N", "type": "double"}]}, prefix="a00")
    for values in with_type:
        (batch,) = batches(schema, pa.table({"N": values}))
        assert list(batch.columns["N"]) == [None if one is None else number(one) for one in values.to_pylist()]
