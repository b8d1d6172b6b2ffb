"""The second computation itself: versions, deleted records, two forms of an Id, joins, names of products."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mappings import reference

ORDER = "801000000000aBC"
ACCOUNT = "001000000000XyZ"


def land(landing: Path, folder: str, *records: dict[str, Any], file: str = "part.json") -> None:
    path = landing / folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


def rows(landing: Path, dataset: str, *columns: str) -> list[tuple[str, ...]]:
    found = reference.expected(landing, [dataset])[dataset]
    return sorted(tuple(row[found.header.index(column)] for column in columns) for row in found.rows)


def test_the_long_form_of_an_id() -> None:
    assert reference.long_id("0012900000jLgSo") == "0012900000jLgSoAAK"
    assert reference.long_id("001000000000XyZ") == "001000000000XyZAAU"
    assert reference.long_id("aaaaaAAAAA0b0B0") == "aaaaaAAAAA0b0B0A5I"


def test_the_latest_version_in_whichever_form_stays_and_a_deleted_one_goes(tmp_path: Path) -> None:
    land(
        tmp_path,
        "in/dev-Salesforce-Order/e1",
        {"Id": ORDER, "SystemModstamp": "2024-05-02T00:00:00.000Z", "Type": "new"},
        {"Id": "801000000000002", "SystemModstamp": "2024-05-01T00:00:00.000Z", "Type": "gone"},
    )
    land(
        tmp_path,
        "processed/Order/2024/05/02/10/e2",
        {"Id": reference.long_id(ORDER), "SystemModstamp": 1714521600000, "Type": "old"},
        {"Id": "801000000000002", "SystemModstamp": "2024-05-01T00:00:01.000+0000", "IsDeleted": True},
    )
    assert rows(tmp_path, "Sales_Order_Type", "Sales_Order_Type") == [("new",)]


@pytest.mark.parametrize("folder", ["in/dev-Salesforce-Order-Product/e", "in/sit-Salesforce-OrderItem/e", "OrderItem"])
def test_folder_names(tmp_path: Path, folder: str) -> None:
    land(tmp_path, folder, {"Id": "802A"})
    assert [record["id"] for record in reference.live_records(tmp_path)["order_product"]] == ["802A"]


def test_formats(tmp_path: Path) -> None:
    (tmp_path / "Account.csv").write_bytes('\ufeffId,Name\r\n001A,"a ""b""\n c "\r\n001B,\r\n'.encode())
    (tmp_path / "Opportunity").mkdir()
    pq.write_table(pa.table({"ID": ["006A"], "IsDeleted": [False]}), tmp_path / "Opportunity" / "x")
    live = reference.live_records(tmp_path)
    assert live["account"] == [{"id": "001A", "name": 'a "b"\n c '}, {"id": "001B", "name": None}]
    assert live["opportunity"] == [{"id": "006A", "isdeleted": "false"}]


def test_joins_meet_across_the_forms_of_an_id_and_never_on_null(tmp_path: Path) -> None:
    land(tmp_path, "Order", {"Id": ORDER, "AccountId": reference.long_id(ACCOUNT)}, {"Id": "801B"})
    land(
        tmp_path, "Contact", {"Id": "003A", "AccountId": ACCOUNT}, {"Id": "003B", "AccountId": ACCOUNT}, {"Id": "003C"}
    )
    land(tmp_path, "Account", {"Id": ACCOUNT, "Name": "acme"})
    assert rows(tmp_path, "Sales_Order_Contacts_Map", "Sales_Order_ID", "Contact_ID") == [
        (ORDER, "003A"),
        (ORDER, "003B"),
    ]
    assert rows(tmp_path, "Sales_Order", "id", "(acc) name", "(cntr) name") == [(ORDER, "acme", ""), ("801B", "", "")]
    assert len(rows(tmp_path, "Sales_Order_Accounts_Map", "Sales_Order_ID")) == 1


def test_products(tmp_path: Path) -> None:
    spec, size = "vlocity_cmt__AdSpaceSpecificationId__c", "vlocity_cmt__AdCreativeSizeTypeId__c"
    land(tmp_path, "Product2", {"Id": "P1", "Name": "Spot"}, {"Id": "P2", "Name": "Plain"}, {"Id": "P3"})
    land(
        tmp_path,
        "AdSpaceSpecification",
        {"Id": "S1", "Name": "A_CTV_B", "vlocity_cmt__Product2Id__c": "P1"},
        {"Id": "S2", "Name": "B", "vlocity_cmt__Product2Id__c": "P1"},
    )
    land(tmp_path, "in/x-Salesforce-Ad-Space-Creative-SizeType/e", {"Id": "T1", spec: "S1", size: "C1"}, {"Id": "T2"})
    video = {"vlocity_cmt__MediaType__c": "Digital Video", "vlocity_cmt__RunTime__c": "29.999"}
    land(
        tmp_path,
        "AdCreativeSizeType",
        {"Id": "C1", **video, "vlocity_cmt__Width__c": "640.0", "vlocity_cmt__Height__c": "480"},
    )
    assert rows(tmp_path, "Products", "Product_ID", "Product_Name") == [
        ("P1-C1-S1-T1", "Spot 30 | CTV | 640x480v"),
        ("P1-None-S2-None", "Spot"),
        ("P2-None-None-None", "Plain"),
        ("P3-None-None-None", ""),
    ]


def test_differences_show_what_is_missing_and_what_is_too_much(tmp_path: Path) -> None:
    land(tmp_path / "l", "Order", {"Id": ORDER, "Type": 'a "b"\n'})
    want = reference.expected(tmp_path / "l", ["Sales_Order_Type"])["Sales_Order_Type"]
    file = tmp_path / "out.csv"
    header = ",".join(want.header)
    rest = "," * (len(want.header) - 2)
    file.write_text(f'{header}\n{reference.long_id(ORDER)},"a ""b""\n"{rest}\n', encoding="utf-8")
    assert reference.differences(want, file) == []
    file.write_text(f"{header}\n{ORDER},other{rest}\n", encoding="utf-8")
    assert len(reference.differences(want, file)) == 2
    file.write_text(f"{header.lower()}\n", encoding="utf-8")
    assert "header" in reference.differences(want, file)[0]
