"""Files that are not what they should be: set aside with a reason, nothing else harmed, mended by landing them again."""

from __future__ import annotations

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq

from e2e.org import ACCOUNT, Org, only, record
from forceglue.landing.retry import retry
from forceglue.landing.store import Store

CATALOG = {
    "Account": ["Id", "Name", "Industry", "SystemModstamp", "IsDeleted"],
    "Contact": ["Id", "LastName", "Email", "AccountId", "SystemModstamp", "IsDeleted"],
}


def with_catalog(org: Org) -> None:
    folder = org.root / "mappings" / "catalog"
    folder.mkdir()
    for name, fields in CATALOG.items():
        (folder / f"{name}.json").write_text(
            json.dumps({"name": name, "label": name, "fields": [{"name": f} for f in fields]})
        )


def parquet(rows: list[dict[str, str]]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out)
    return out.getvalue()


def test_every_kind_of_bad_file_in_one_landing(org: Org) -> None:
    with_catalog(org)
    org.say("account", ACCOUNT)
    whole = parquet([record(f"T{i}", 1, Name="t" * 50) for i in range(50)])
    contact = record("003A", 1, LastName="x", Email="y@z.org", AccountId="A")
    org.land("good", [record("A", 1, Name="a"), record("B", 1, Name="b")])
    org.land("cut", whole[: len(whole) // 2], file="cut.parquet")
    org.land("headless", whole[:200] + whole[260:], file="hole.parquet")
    org.land("text", "Id,Name\nT,text\n", file="text.parquet")
    org.land("empty", b"", file="empty.parquet")
    org.land("blank", b" \n", file="blank.csv")
    org.land("other", [contact], file="other.csv")
    org.land("keyless", "Name,SystemModstamp\nx,2024-05-06T01:00:00Z\n", file="keyless.csv")
    org.land("twice", "Id,Name,NAME,SystemModstamp,IsDeleted\nA,x,y,2024-05-06T01:00:00Z,false\n", file="twice.csv")
    org.land("strange", [record("A")], token="not an object!")
    org.land(
        "zero",
        pa.schema([("Id", pa.string()), ("Name", pa.string()), ("SystemModstamp", pa.string())]).empty_table(),
        file="zero.parquet",
    )
    org.land("zero2", "Id,Name,SystemModstamp,IsDeleted\n", file="zero.csv")
    told = org.command("run", "--quick", "--json")
    assert told.code == 0, told.err
    report = json.loads(told.out)
    found = {r["file"].rsplit("/", 1)[1]: (r["code"], r["moved_to"]) for r in report["ingest"]["rejected"]}
    wanted = {
        "cut.parquet": "unreadable", "hole.parquet": "unreadable", "text.parquet": "wrong_format", "empty.parquet": "empty",
        "blank.csv": "empty", "other.csv": "other_object", "keyless.csv": "key_missing", "twice.csv": "duplicate_column",
        "part.csv": "unknown_object",
    }  # fmt: skip
    assert {name: code for name, (code, _) in found.items()} == wanted
    # each lies under error/ with its reason beside it, in the form that the facts name
    for _, moved in found.values():
        parts = moved.split("/")
        assert (parts[0], len(parts)) == ("error", 8)
        reason = json.loads((org.root / "landing" / f"{moved}.reason.json").read_text())
        assert reason["message"]
    assert org.landed("in") == []
    assert org.landed("error") == sorted(wanted)
    assert org.landed("processed") == ["part.csv", "zero.csv", "zero.parquet"]
    (mapping,) = report["mappings"]
    assert (mapping["status"], mapping["landed"], mapping["written"], mapping["balance"]) == ("written", 2, 2, True)
    assert org.table("account", "id", "name") == [("A", "a"), ("B", "b")]
    # the report for people tells each file and each reason
    page = (org.root / "warehouse" / "_runs" / report["run_id"] / "report.html").read_text()
    for name in wanted:
        assert name in page
    # nothing comes again by itself
    assert only(org.run()).status == "unchanged"


def test_files_of_no_rows_alone_make_a_table_without_rows(org: Org) -> None:
    org.say("account", ACCOUNT)
    org.land("zero", "Id,Name,SystemModstamp,IsDeleted\n")
    done = only(org.run())
    assert (done.status, done.landed, done.written) == ("written", 0, 0)
    assert org.table() == []
    assert only(org.run()).status == "unchanged"
    # and for a table with rows nothing changes
    org.land("e1", [record("A", 1, Name="a")])
    org.run()
    org.land("zero2", "Id,Name,SystemModstamp,IsDeleted\n")
    done = only(org.run())
    assert (done.status, done.landed, done.written) == ("written", 0, 0)
    assert org.table("account", "id") == [("A",)]


def test_parquet_whose_pages_are_damaged_stops_its_own_mapping_only(org: Org) -> None:
    """The footer is whole, so that only reading the rows shows it: nothing is committed and the file is named."""
    org.say("account", ACCOUNT)
    org.say("contact", ACCOUNT.replace("account", "contact").replace("Account", "Contact"))
    whole = bytearray(parquet([record(f"T{i}", 1, Name=f"{i:040d}") for i in range(50)]))
    whole[4:400] = b"\xff" * 396
    org.land("bad", bytes(whole), file="damaged.parquet")
    org.land("good", [record("C", 1, Name="c")], token="Contact")
    told = org.command("run", "--quick", "--json")
    assert told.code == 1
    bad, good = sorted(json.loads(told.out)["mappings"], key=lambda m: m["name"])
    assert (bad["status"], good["status"], bad["balance"]) == ("failed", "written", True)
    assert not org.there("account")
    assert "damaged.parquet" in bad["error"]
    assert org.table("contact", "id") == [("C",)]
    # the file mended, the same landing is loaded
    (where,) = (org.root / "landing" / "processed").rglob("damaged.parquet")
    where.write_bytes(parquet([record(f"T{i}", 1, Name="ok") for i in range(50)]))
    assert only(org.run("account")).written == 50


def test_a_retried_file_is_judged_anew(org: Org) -> None:
    org.say("account", ACCOUNT)
    org.land("keyless", "Key,Name,SystemModstamp\nA,x,2024-05-06T01:00:00Z\n", file="keyless.csv")
    assert only(org.run()).status == "unchanged"
    org.say("account", ACCOUNT.replace("id: Id", "id: Key") + "key: Key\n")
    assert len(retry(Store(org.roots["landing"]))) == 1
    assert only(org.run()).written == 1
    assert org.table("account", "id", "name") == [("A", "x")]
    assert org.landed("error") == []
