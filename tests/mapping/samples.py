"""A small sound project, and the describes behind it."""

from __future__ import annotations

from typing import Any


def describe(name: str, *fields: str | dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "label": name, "fields": [f if isinstance(f, dict) else {"name": f} for f in fields]}


ACCOUNT = describe(
    "Account", "Id", "Name", "Industry", "ParentId", "IsDeleted", "SystemModstamp", "CreatedById", "Secret__c",
    {"name": "BillingAddress", "type": "address"}, {"name": "BillingCity", "type": "string"},
)  # fmt: skip
OPPORTUNITY = describe(
    "Opportunity", "Id", "AccountId", "Name", "StageName", "Amount", "CloseDate", "IsDeleted", "SystemModstamp",
    {"name": "ExpectedRevenue", "type": "currency", "calculated": True},
)  # fmt: skip
USER = describe("User", "Id", "Name", "SystemModstamp")

CATALOG = {
    "catalog/Account.json": ACCOUNT,
    "catalog/Opportunity.json": OPPORTUNITY,
    "catalog/User.json": USER,
}

SOUND = {
    **CATALOG,
    "project.yaml": """
        objects: {never_read: [secret__c]}
        connections:
          warehouse: {url: "postgresql://db:5432/dw", secret: dw}
    """,
    "objects/account.yaml": """
        mapping: account
        source: Account
        rest: keep
        columns: {account_name: Name}
    """,
    "objects/opportunity.yaml": """
        mapping: opportunity
        source: Opportunity
        columns:
          opportunity_id:   Id
          account_id:       AccountId
          stage:            StageName
          amount:           {from: Amount, type: "decimal(18,2)"}
          fiscal_year:      {sql: "year(CloseDate)", type: int}
          account_name:     account.Name
        lookups:
          account: {object: Account, by: AccountId}
        quality:
          fail:       {stage_is_set: stage is not null}
          quarantine: {account_is_known: account_name is not null}
          drop:       {not_a_test_deal: opportunity_id not like 'TEST %'}
          warn:       {amount_is_positive: {sql: amount >= 0, nulls: pass}}
        expectations:
          - expect_table_row_count_to_be_between: {min_value: 1}
            on_failure: warn
        target:
          write: scd2
          track: [stage, amount]
        examples:
          - name: unknown account is set aside
            given: {Opportunity: [{Id: 006A, AccountId: 001X, StageName: New, Amount: "10"}], Account: []}
            quarantined: [{opportunity_id: 006A, rules: [account_is_known]}]
    """,
    "datasets/deals.yaml": """
        mapping: Deals
        from: opportunity
        joins:
          - {table: account, as: acc, type: inner, by: {account_id: id}}
        where: not is_deleted and acc.industry is not null
        columns:
          - Deal_ID: opportunity_id
            Deal_Year: {sql: "fiscal_year + 1"}
            Created_By: acc.createdbyid
            Source: {value: salesforce}
          - {all: acc, named: "(acc) {name}", only: [id, account_name]}
          - empty: [Default]
        key: Deal_ID
        deliver:
          - csv: {file: "Deals_{now:%Y-%m-%d %H%M%S}.csv"}
          - jdbc: {connection: warehouse, table: dw.deals}
          - delta
    """,
}
