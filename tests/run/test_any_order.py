"""The main promise: however landed files are cut into runs, and whatever lands twice, the table is the same."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from run.lab import Lab, balanced, stamp

MAPPING = """
mapping: account
source: Account
columns: {id: Id, v: V, n: {from: N, type: "decimal(9,2)"}, at: {from: SystemModstamp, type: timestamp}}
"""
COLUMNS = ("id", "v", "n", "at", "is_deleted")
Rows = list[dict[str, Any]]


def files(seed: int, count: int) -> list[tuple[Rows, str]]:
    """Files of a few records each in many versions; two versions of a record with one stamp are the same version."""
    dice = random.Random(seed)
    made = []
    for _ in range(count):
        rows = []
        for _ in range(25):
            key, at = dice.randrange(40), dice.randrange(9)
            rows.append(
                {
                    "Id": f"{key}",
                    "V": f"{key}@{at}",
                    "N": f"{at}.{key:02d}" if at % 4 else None,
                    "SystemModstamp": stamp(at) if at else None,
                    "IsDeleted": str((key * at) % 5 == 4).lower(),
                }
            )
        made.append((rows, dice.choice(("csv", "json", "parquet"))))
    return made


def table(home: Path, landings: list[list[tuple[Rows, str]]]) -> list[tuple[Any, ...]]:
    lab = Lab(home)
    lab.mapping(MAPPING)
    for landing in landings:
        for rows, ending in landing:
            lab.land("Account", rows, ending)
        assert all(balanced(m) for m in lab.run().mappings)
    return lab.rows("account", *COLUMNS)


@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize("seed", [1, 2])
def test_any_cut_into_runs_gives_the_same_table(tmp_path: Path, seed: int) -> None:
    landed = files(seed, 5)
    dice = random.Random(seed)
    cuts = sorted(dice.sample(range(1, 5), 2))
    parts = [landed[: cuts[0]], landed[cuts[0] : cuts[1]], [*landed[cuts[1] :], *dice.sample(landed, 2)]]
    once = table(tmp_path / "once", [landed])
    assert len({row[0] for row in once}) == len(once) > 30
    assert table(tmp_path / "cut", parts) == once
