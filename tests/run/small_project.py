"""A small project with a mapping of every write mode, and random landings for it."""

from __future__ import annotations

import csv
from pathlib import Path
from random import Random

from forceglue.run.request import RunRequest

FILES = {
    "project.yaml": "name: small\nunmapped: load\n",
    "account.yaml": """
mapping: account
source: Account
columns: {id: Id, name: Name}
quality: {drop: {not_a_test: "name not like 'TEST%'"}}
target: {deletes: delete}
""",
    "deal.yaml": """
mapping: deal
source: Opportunity
columns:
  id: Id
  stage: StageName
  amount: {from: Amount, type: "decimal(18,2)"}
  account_id: AccountId
  account_name: account.Name
lookups: {account: {object: Account, by: AccountId}}
where: StageName <> 'Hidden'
quality:
  quarantine: {account_is_known: account_name is not null}
  warn: {amount_is_positive: amount >= 0}
""",
    "history.yaml": """
mapping: history
source: Lead
columns: {id: Id, status: Status, note: Note}
target: {write: scd2, track: [status]}
""",
    "log.yaml": """
mapping: log
source: Task
columns: {id: Id, text: Subject}
quality: {reject_file: {no_bad_text: "coalesce(text, '') <> 'BAD'"}}
target: {write: append}
""",
    "sales.yaml": """
mapping: sales
from: deal
joins: [{table: account, by: {account_id: id}}]
columns: {deal: id, amount: amount, name: account.name}
key: deal
quality: {drop: {has_amount: amount is not null}}
deliver: [{csv: {file: "sales.csv"}}]
""",
    "totals.yaml": """
mapping: totals
from: sales
columns: {deal: deal, double: {sql: amount * 2}}
expectations: [{expect_column_values_to_not_be_null: {column: deal}}]
deliver: [{csv: {file: "totals.csv"}}]
""",
}


def write_project(folder: Path, **more: str) -> Path:
    """The mappings in `folder`; `more` adds files or replaces them (`deal="..."` is deal.yaml)."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {**FILES, **{f"{n}.yaml": text for n, text in more.items()}}.items():
        (folder / name).write_text(text)
    return folder


def request(base: Path, **more: object) -> RunRequest:
    roots = (str(base / name) for name in ("landing", "warehouse", "delivery"))
    return RunRequest(base / "mappings", *roots, quick=True, **more)  # type: ignore[arg-type]


def land(base: Path, token: str, execution: str, rows: list[dict[str, str]], file: str = "part.csv") -> Path:
    path = base / "landing" / "in" / f"dev-Salesforce-{token}" / execution / file
    path.parent.mkdir(parents=True, exist_ok=True)
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, names, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def land_at_random(base: Path, seed: int, load: int) -> None:
    """One load of every object: versions, deletions, repeats, late rows, null keys, values that do not cast."""
    rng = Random(f"{seed}/{load}")
    execution = f"00000000-0000-0000-0000-{seed:04d}{load:08d}"

    def rows(prefix: str, **fields: tuple[str, ...]) -> list[dict[str, str]]:
        made = []
        for _ in range(rng.randint(8, 25)):
            row = {name: rng.choice(values) for name, values in fields.items()}
            row["Id"] = f"{prefix}{rng.randint(1, 9):012d}" if rng.random() > 0.08 else ""
            row["SystemModstamp"] = f"2024-05-0{rng.randint(1, 5)}T10:00:00.000Z" if rng.random() > 0.05 else "never"
            row["IsDeleted"] = rng.choice(("false", "false", "false", "true"))
            made.append(row)
        return made

    land(base, "Account", execution, rows("001", Name=("Acme", "TEST 1", "Bolt", "")))
    accounts = tuple(f"001{n:012d}" for n in range(1, 12))
    amounts = ("10", "-3.5", "10.000", "1e", "99999999999999999999", "")
    land(
        base,
        "Opportunity",
        execution,
        rows("006", StageName=("New", "Won", "Hidden"), Amount=amounts, AccountId=accounts),
    )
    land(base, "Lead", execution, rows("00Q", Status=("Open", "Closed"), Note=("a", "b")))
    for part in range(3):
        texts = ("x", "y") if part else ("x", "BAD")
        land(base, "Task", execution, rows("00T", Subject=texts), f"part{part}.csv")
    if load:
        land(base, "Campaign", execution, [{"Id": "701", "Name": "c", "SystemModstamp": "1", "IsDeleted": "false"}])


def everything(base: Path) -> dict[str, tuple[int, int]]:
    """Every file and folder below `base` with its size and time."""
    return {str(p.relative_to(base)): (p.stat().st_size, p.stat().st_mtime_ns) for p in base.rglob("*")}
