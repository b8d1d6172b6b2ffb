import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROWS = [
    {"Name": "Bluegum", "Industry": "Media", "AnnualRevenue": "100.5", "NumberOfEmployees": 5, "Tags__c": "a;b",
     "Founded__c": "2026-11-15", "Active__c": True, "CreatedDate": "2026-11-15T09:00:00.000Z"},
    {"Name": "saltbush", "Industry": "Foods", "AnnualRevenue": "2500000.25", "NumberOfEmployees": 50, "Tags__c": "b",
     "Founded__c": "2026-11-14", "Active__c": False, "CreatedDate": "2026-11-14T23:59:59.999Z"},
    {"Name": "Mistral 100%", "Industry": None, "AnnualRevenue": "12500000", "NumberOfEmployees": None, "Tags__c": None,
     "Founded__c": "2026-10-31", "Active__c": True, "CreatedDate": "2026-10-31T12:00:00.000Z"},
    {"Name": "O'Merrow_x", "Industry": "Media", "AnnualRevenue": None, "NumberOfEmployees": 500, "Tags__c": "c;a",
     "Founded__c": None, "Active__c": False, "CreatedDate": "2025-12-31T12:00:00.000Z"},
]  # fmt: skip


@pytest.fixture
def accounts(org):
    for at, row in enumerate(ROWS):
        org.load("Account", [{"Id": f"001Fg0000000{at:03d}", **row, "SystemModstamp": row["CreatedDate"]}])


def names(client, where):
    return "".join(record["Name"][0] for record in client.records(f"SELECT Name FROM Account WHERE {where}"))


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("Name = 'BLUEGUM'", "B"),
        ("Name != 'bluegum'", "sMO"),
        ("Industry != 'Media'", "sM"),
        ("Industry = null", "M"),
        ("Industry = ''", "M"),
        ("Industry <> null", "BsO"),
        ("NOT Industry = 'Media'", "sM"),
        ("NOT (AnnualRevenue > 200)", "BO"),
        ("AnnualRevenue >= 2500000.25", "sM"),
        ("AnnualRevenue < 1e6", "B"),
        ("NumberOfEmployees IN (5, 500)", "BO"),
        ("NumberOfEmployees NOT IN (5, 500)", "sM"),
        ("Industry IN ('media', null)", "BMO"),
        ("Name LIKE '%s%'", "sM"),
        ("Name LIKE '%100\\%'", "M"),
        ("Name LIKE '%\\_x'", "O"),
        ("Name LIKE 'o\\'m%'", "O"),
        ("(NOT Name LIKE 's%') AND Active__c = true", "BM"),
        ("Tags__c INCLUDES ('a')", "BO"),
        ("Tags__c INCLUDES ('a;b', 'c')", "BO"),
        ("Tags__c EXCLUDES ('b')", "MO"),
        ("Tags__c = 'b;a'", "B"),
        ("Active__c = false AND (Industry = 'Media' OR Industry = 'Foods')", "sO"),
        ("CreatedDate = TODAY", "B"),
        ("CreatedDate = YESTERDAY", "s"),
        ("CreatedDate < TODAY", "sMO"),
        ("CreatedDate > YESTERDAY", "B"),
        ("CreatedDate <= YESTERDAY", "sMO"),
        ("Founded__c = LAST_N_DAYS:1", "Bs"),
        ("Founded__c = LAST_MONTH", "M"),
        ("CreatedDate = LAST_YEAR", "O"),
        ("CreatedDate != THIS_YEAR", "O"),
        ("Founded__c = 2026-11-14", "s"),
        ("Founded__c IN (2026-11-14, TODAY)", "Bs"),
        ("CreatedDate >= 2026-11-14T23:59:59.999Z", "Bs"),
        ("CreatedDate > 2026-11-15T10:59:59.999+11:00", "B"),
        ("DAY_ONLY(CreatedDate) = 2026-11-14", "s"),
        ("CALENDAR_YEAR(CreatedDate) = 2025", "O"),
        ("Account.Name = 'saltbush'", "s"),
        ("Id = '001Fg0000000001'", "s"),
        ("Id IN ('001Fg0000000001', '001Fg0000000003')", "sO"),
    ],
)
def test_conditions(accounts, client, where, found):
    assert names(client, where) == found


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ("AnnualRevenue", "OBsM"),
        ("AnnualRevenue NULLS LAST", "BsMO"),
        ("AnnualRevenue DESC", "OMsB"),
        ("AnnualRevenue DESC NULLS LAST", "MsBO"),
        ("Name", "BMOs"),
        ("Active__c, Name DESC", "sOMB"),
        ("Name LIMIT 2", "BM"),
        ("Name LIMIT 2 OFFSET 1", "MO"),
        ("NumberOfEmployees DESC NULLS LAST", "OsBM"),
    ],
)
def test_order_and_limits(accounts, client, order, found):
    records = client.records(f"SELECT Name FROM Account ORDER BY {order}")
    assert "".join(record["Name"][0] for record in records) == found


def test_a_record_as_rest_shows_it(org, accounts, client):
    record_id = client.records("SELECT Id FROM Account WHERE Name = 'saltbush'")[0]["Id"]
    org.update("Account", record_id, {"BillingCity": "Perth", "BillingLatitude": "-31.95"})
    answer = client.query(
        "SELECT Id, AnnualRevenue, NumberOfEmployees, Active__c, Founded__c, CreatedDate, BillingAddress, "
        "CreatedBy.Name FROM Account WHERE Name = 'saltbush'"
    )
    user = org.access.administrator.id
    assert answer.json() == {
        "totalSize": 1,
        "done": True,
        "records": [
            {
                "attributes": {"type": "Account", "url": f"/services/data/v60.0/sobjects/Account/{record_id}"},
                "Id": record_id,
                "AnnualRevenue": 2500000.25,
                "NumberOfEmployees": 50,
                "Active__c": False,
                "Founded__c": "2026-11-14",
                "CreatedDate": "2026-11-14T23:59:59.999+0000",
                "BillingAddress": {
                    "city": "Perth", "country": None, "geocodeAccuracy": None, "latitude": -31.95, "longitude": None,
                    "postalCode": None, "state": None, "street": None,
                },
                "CreatedBy": {
                    "attributes": {"type": "User", "url": f"/services/data/v60.0/sobjects/User/{user}"},
                    "Name": "Ivy",
                },
            }
        ],
    }  # fmt: skip
    assert '"AnnualRevenue":2500000.25' in answer.text
    assert '"AnnualRevenue":1.25E7' in client.query("SELECT AnnualRevenue FROM Account").text


def test_paths_of_references(org, accounts, client):
    account = client.records("SELECT Id FROM Account WHERE Name = 'Bluegum'")[0]["Id"]
    org.load("Contact", [
        {"LastName": "a", "AccountId": account, "OwnerId": org.access.administrator.id},
        {"LastName": "b", "AccountId": None, "OwnerId": None},
    ])  # fmt: skip
    assert client.records("SELECT LastName, Account.CreatedBy.Name, Owner.Name, Owner.Type FROM Contact c") == [
        {"LastName": "a", "Account": {"CreatedBy": {"Name": "Ivy"}}, "Owner": {"Name": "Ivy", "Type": "User"}},
        {"LastName": "b", "Account": None, "Owner": None},
    ]
    for where in ("Account.Name LIKE 'blue%'", "Account.CreatedBy.Username = 'INTEGRATION@example.com'"):
        assert client.records(f"SELECT LastName FROM Contact WHERE {where}") == [{"LastName": "a"}]
    assert names(client, "Id IN (SELECT AccountId FROM Contact WHERE LastName = 'a')") == "B"
    assert names(client, "Id NOT IN (SELECT AccountId FROM Contact)") == "sMO"


def test_aggregates(accounts, client):
    assert client.query("SELECT COUNT() FROM Account WHERE Active__c = true").json() == {
        "totalSize": 2, "done": True, "records": [],
    }  # fmt: skip
    assert client.records(
        "SELECT Active__c, COUNT(Id), SUM(AnnualRevenue) total, MIN(Name), MAX(CreatedDate) last, "
        "AVG(NumberOfEmployees) FROM Account GROUP BY Active__c ORDER BY Active__c"
    ) == [
        {"Active__c": False, "expr0": 2, "total": 2500000.25, "expr1": "O'Merrow_x",
         "last": "2026-11-14T23:59:59.999+0000", "expr2": 275.0},
        {"Active__c": True, "expr0": 2, "total": 12500100.5, "expr1": "Bluegum",
         "last": "2026-11-15T09:00:00.000+0000", "expr2": 5.0},
    ]  # fmt: skip
    days = client.records("SELECT DAY_ONLY(CreatedDate) day, COUNT(Id) n FROM Account GROUP BY DAY_ONLY(CreatedDate)")
    assert {day["day"]: day["n"] for day in days}["2026-11-14"] == 1
    assert client.records("SELECT Industry FROM Account GROUP BY Industry HAVING COUNT(Id) > 1") == [
        {"Industry": "Media"}
    ]


def test_sums_are_exact(org, client):
    org.load("Account", [{"Name": "n", "AnnualRevenue": "9007199254740993.01"}, {"Name": "n", "AnnualRevenue": "0.01"}])
    assert '"expr0":9.00719925474099302E15' in client.query("SELECT SUM(AnnualRevenue) FROM Account").text


def test_the_recycle_bin(org, accounts, client):
    record_id = client.records("SELECT Id FROM Account LIMIT 1")[0]["Id"]
    org.delete("Account", record_id)
    assert len(client.records("SELECT Id FROM Account")) == 3
    everything = client.records("SELECT Id, IsDeleted FROM Account", deleted=True)
    assert [record["IsDeleted"] for record in everything] == [True, False, False, False]
    org.purge("Account", record_id)
    assert len(client.records("SELECT Id FROM Account", deleted=True)) == 3


def test_pages(org, client):
    org.load("Account", [{"Name": f"n{at}"} for at in range(4500)])
    first = client.query("SELECT Name FROM Account").json()
    assert (first["totalSize"], len(first["records"]), first["done"]) == (4500, 2000, False)
    assert first["nextRecordsUrl"].startswith("/services/data/v60.0/query/01g")
    org.load("Account", [{"Name": "later"}])
    assert len(client.records("SELECT Name FROM Account")) == 4501
    second = client.get(first["nextRecordsUrl"]).json()
    third = client.get(second["nextRecordsUrl"]).json()
    assert (len(second["records"]), len(third["records"]), third["done"]) == (2000, 500, True)
    assert "nextRecordsUrl" not in third
    assert [record["Name"] for record in third["records"]] == [f"n{at}" for at in range(4000, 4500)]
    assert client.get(first["nextRecordsUrl"]).json() == second


@pytest.mark.parametrize(("asked", "given"), [(1, 200), (300, 300), (9999, 2000)])
def test_the_size_of_a_page_can_be_asked_for(org, client, asked, given):
    org.load("Account", [{"Name": f"n{at}"} for at in range(2001)])
    answer = client.query("SELECT Id FROM Account", headers={"Sforce-Query-Options": f"batchSize={asked}"})
    assert len(answer.json()["records"]) == given


def test_a_field_that_goes_away_between_two_pages_is_missed(org, client):
    org.load("Account", [{"Name": f"n{at}", "Founded__c": "2026-01-01"} for at in range(2001)])
    first = client.query("SELECT Name, Founded__c FROM Account").json()
    org.remove_field("Account", "Founded__c")
    answer = client.get(first["nextRecordsUrl"])
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_FIELD")


def test_a_locator_that_nobody_gave(client):
    assert client.get("/query/01gSm0000000009AAA-2000").json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_fields_all(org, accounts, client):
    (record,) = client.query("SELECT FIELDS(ALL) FROM Account LIMIT 1").json()["records"]
    described = {field["name"] for field in client.get("/sobjects/Account/describe").json()["fields"]}
    assert record.keys() - {"attributes"} == described
    (custom,) = client.records("SELECT FIELDS(CUSTOM) FROM Account LIMIT 1")
    assert custom.keys() == {name for name in described if name.endswith("__c")}
    assert "LIMIT of at most 200" in client.error("SELECT FIELDS(ALL) FROM Account LIMIT 201")["message"]


@pytest.mark.parametrize(
    ("soql", "code", "part"),
    [
        ("SELECT Nope FROM Account", "INVALID_FIELD", "No such column 'Nope' on entity 'Account'"),
        ("SELECT Id FROM Nope", "INVALID_TYPE", "sObject type 'Nope' is not supported"),
        ("SELECT Nope.Id FROM Account", "INVALID_FIELD", "Didn't understand relationship 'Nope' in field path"),
        ("SELECT Id FROM Account WHERE Nope = 1", "INVALID_FIELD", "No such column 'Nope'"),
        ("SELECT Id FROM Account WHERE AnnualRevenue = '1'", "INVALID_FIELD", "should not be enclosed in quotes"),
        ("SELECT Id FROM Account WHERE Name = 1", "INVALID_FIELD", "type string and should be enclosed in quotes"),
        ("SELECT Id FROM Account WHERE CreatedDate > 2026-01-01", "INVALID_FIELD", "must be of type dateTime"),
        ("SELECT Id FROM Account WHERE CreatedDate = SOON", "INVALID_FIELD", "must be of type dateTime"),
        ("SELECT Id FROM Account WHERE Active__c = 1", "INVALID_FIELD", "must be of type boolean"),
        ("SELECT Id FROM Account WHERE Id = 'x'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: Id"),
        ("SELECT Id FROM Account WHERE Description = 'x'", "INVALID_FIELD", "can not be filtered"),
        ("SELECT Id FROM Account ORDER BY Description", "MALFORMED_QUERY", "can not be sorted"),
        ("SELECT COUNT(Id) FROM Account GROUP BY AnnualRevenue", "MALFORMED_QUERY", "can not be grouped"),
        ("SELECT Name, COUNT(Id) FROM Account", "MALFORMED_QUERY", "Field must be grouped or aggregated: Name"),
        ("SELECT Id, id FROM Account", "INVALID_FIELD", "duplicate field selected: id"),
        ("SELECT Id FORM Account", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Id FROM Account WHERE Name = 'a' AND Name = 'b' OR Name = 'c'", "MALFORMED_QUERY", "'OR'"),
        ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY", "<EOF>"),
        ("SELECT Id FROM Account OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "2000"),
        ("SELECT Id, (SELECT Id FROM Friends) FROM Account", "INVALID_FIELD", "relationship 'Friends'"),
        ("SELECT Id, (SELECT COUNT(Id) FROM Contacts) FROM Account", "MALFORMED_QUERY", "aggregated"),
        ("SELECT Id, (SELECT Id, (SELECT Id FROM Contacts) FROM ChildAccounts) FROM Account", "INVALID_FIELD", ""),
        ("SELECT TYPEOF Owner WHEN User THEN Id END FROM Contact", "MALFORMED_QUERY", "typeof is not supported"),
        ("SELECT Id FROM Account WHERE Name IN (SELECT AccountId FROM Contact)", "MALFORMED_QUERY", "semi-join"),
        ("SELECT HEX(Id) FROM Account", "MALFORMED_QUERY", "HEX"),
        ("DELETE FROM Account", "MALFORMED_QUERY", "unexpected token: 'DELETE'"),
    ],
)
def test_what_is_wrong_is_told_in_salesforces_words(client, soql, code, part):
    error = client.error(soql)
    assert error["errorCode"] == code
    assert part in error["message"]


def test_the_place_of_a_mistake_is_shown(client):
    assert client.error("SELECT Id,\n  Nope FROM Account")["message"].startswith(
        "\n  Nope FROM Account\n  ^\nERROR at Row:2:Column:3\nNo such column 'Nope' on entity 'Account'. "
    )


TEXTS = st.text(st.characters(blacklist_categories=["Cs"]), max_size=40)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=TEXTS)
def test_any_text_comes_back_and_finds_itself(org, client, value):
    record_id = org.insert("Account", {"Name": "n", "Code__c": value})
    (record,) = client.records(f"SELECT Code__c FROM Account WHERE Id = '{record_id}'")
    assert record["Code__c"] == (value or None)
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    found = (
        client.records(f"SELECT Id FROM Account WHERE Code__c = '{quoted}'")
        if "\0" not in value
        else [{"Id": record_id}]
    )
    assert {"Id": record_id} in found
