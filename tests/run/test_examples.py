from __future__ import annotations

from pathlib import Path

import pytest

from forceglue.errors import UsageError
from forceglue.mapping.load import load_project
from forceglue.run.examples import ExampleResult, run_examples
from forceglue.run.matching import Difference
from run.small_project import FILES, write_project

OWN = Path(__file__).parents[2] / "mappings"

DEAL = (
    FILES["deal.yaml"]
    + """
examples:
  - name: typed values, a lookup, defaults
    given:
      Opportunity:
        - {StageName: New, Amount: "10", AccountId: 001000000000001}
        - {StageName: Hidden, AccountId: 001000000000001}
      Account: [{Id: 001000000000001AAA, Name: Acme}]
    expect: [{amount: "10", account_name: Acme, stage: New}]
    quarantined: []
    dropped: 0
  - name: set aside
    given:
      deal: [{id: 006A, amount: "1e", StageName: New, AccountId: 001X}, {Id: 006B, StageName: New, AccountId: 001X, Amount: "-1"}]
      account: []
    expect: []
    quarantined:
      - {id: 006A, rules: [account_is_known, cast_amount]}
      - {id: 006B, rules: [account_is_known, amount_is_positive]}
  - name: the latest version
    given:
      Opportunity:
        - {Id: 006A, StageName: Old, SystemModstamp: "2024-05-01T00:00:00.000+0000"}
        - {Id: 006A, StageName: New, SystemModstamp: "2024-05-02T00:00:00Z"}
    quarantined: [{id: 006A, stage: New, account_name: null}]
  - name: wrong on purpose
    given:
      Opportunity: [{Id: 006A, StageName: New, Amount: "10", AccountId: 001A}]
      Account: [{Id: 001A, Name: Acme}]
    expect: [{id: 006A, amount: "12.00", account_name: Acme}]
    dropped: 1
"""
)
SALES = (
    FILES["sales.yaml"]
    + """
examples:
  - name: by table and by alias
    given:
      deal: [{id: 006A, amount: "5.5", account_id: 001A}, {id: 006B, account_id: 001A}, {id: 006C, amount: "1", is_deleted: "true"}]
      account: [{id: 001A, name: Acme}]
    expect: [{deal: 006A, amount: 5.50, name: Acme}]
    dropped: 1
"""
)
LOG = (
    FILES["log.yaml"]
    + """
examples:
  - name: one bad row sets the file aside
    given: {Task: [{Id: 00T1, Subject: BAD}, {Id: 00T2, Subject: fine}]}
    expect: []
    quarantined: [{id: 00T1, rules: [file_is_accepted, no_bad_text]}, {id: 00T2, rules: file_is_accepted}]
"""
)
ACCOUNT = (
    FILES["account.yaml"].replace(
        "drop: {not_a_test: \"name not like 'TEST%'\"}",
        "fail: {named: name is not null}, drop: {not_a_test: \"coalesce(name, '') not like 'TEST%'\"}",
    )
    + """
examples:
  - name: a nameless account stops the load
    given: {Account: [{Id: 001A}, {Id: 001B, Name: b}]}
    expect: []
    quarantined: [{id: 001A, rules: [named]}]
  - name: tests and deleted ones are left out
    given: {Account: [{Name: TEST 1}, {Name: gone, IsDeleted: true}, {Name: stays}]}
    expect: [{name: stays}]
    dropped: 1
"""
)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, spark: object) -> dict[str, ExampleResult]:
    folder = write_project(tmp_path_factory.mktemp("mappings"), deal=DEAL, sales=SALES, log=LOG, account=ACCOUNT)
    return {r.example: r for r in run_examples(load_project(folder))}


def test_examples_that_hold(results: dict[str, ExampleResult]) -> None:
    wrong = {name: r for name, r in results.items() if not r.passed}
    assert list(wrong) == ["wrong on purpose"]
    assert len(results) == 8
    assert results["a nameless account stops the load"].stopped == ("named",)


def test_an_example_that_fails_says_where(results: dict[str, ExampleResult]) -> None:
    assert results["wrong on purpose"].differences == (
        Difference(
            "expect",
            {"id": "006A", "amount": "12.00", "account_name": "Acme"},
            {"id": "006A", "amount": "10.00", "account_name": "Acme"},
            ("amount",),
        ),
        Difference("dropped", {"rows": "1"}, {"rows": "0"}, ("rows",)),
    )


def test_a_text_that_is_none_of_the_type_equals_nothing(tmp_path: Path, spark: object) -> None:
    more = "examples: [{name: x, given: {Lead: [{Id: 00QA}]}, expect: [{id: 00QA, valid_from: soon, is_current: 1}]}]\n"
    folder = write_project(tmp_path, history=FILES["history.yaml"] + more)
    (result,) = run_examples(load_project(folder), ["history"])
    (found,) = result.differences
    assert found.columns == ("valid_from",)
    assert found.expected is not None and found.expected["valid_from"] == "soon (is no timestamp)"


def test_an_unknown_input_is_told(tmp_path: Path, spark: object) -> None:
    more = "examples: [{name: x, given: {Acount: []}, expect: []}]\n"
    folder = write_project(tmp_path, account=FILES["account.yaml"] + more)
    (result,) = run_examples(load_project(folder, checked=False), ["account"])
    assert 'Acount is no input of this mapping; did you mean "Account"?' in (result.error or "")
    with pytest.raises(UsageError):
        run_examples(load_project(folder, checked=False), ["nothing"])


def test_no_examples_start_no_jvm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forceglue.runtime.session.start", lambda **_: pytest.fail("a JVM"))
    assert run_examples(load_project(write_project(tmp_path))) == ()


def test_the_project_s_own_examples_hold(spark: object) -> None:
    results = run_examples(load_project(OWN))
    assert len(results) >= 6
    assert [r for r in results if not r.passed] == []
