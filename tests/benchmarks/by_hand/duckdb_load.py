"""The full load by DuckDB on the same files: read, cast, latest versions as Parquet, the datasets as CSV.

python -m benchmarks.by_hand.duckdb_load LANDING WAREHOUSE DELIVERY
"""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from benchmarks.by_hand.datasets import PRODUCT_ID, PRODUCT_NAME, PUBLISHER
from benchmarks.by_hand.records import TRACE, aliases, landed_files
from mappings.reference import PUBLISHER_MAP, DatasetFacts, dataset_facts

STAMP = "coalesce(make_timestamp(try_cast(systemmodstamp as bigint) * 1000), try_cast(systemmodstamp as timestamptz)::timestamp)"


class Load:
    """One full load."""

    def __init__(self, landing: Path, warehouse: Path, delivery: Path) -> None:
        import duckdb

        self._files, self._warehouse, self._delivery = landed_files(landing), warehouse, delivery
        self._db = duckdb.connect(config={"threads": len(os.sched_getaffinity(0)), "memory_limit": "4GB"})
        self._columns: dict[str, list[str]] = {}

    def run(self) -> None:
        """Objects, then datasets."""
        for folder in (self._warehouse, self._delivery):
            folder.mkdir(parents=True, exist_ok=True)
        for table, files in self._files.items():
            self._object(table, files)
        for facts in dataset_facts():
            self._dataset(facts)

    def _object(self, table: str, files: list[Path]) -> None:
        parts = " union all by name ".join(self._texts(paths, suffix) for suffix, paths in _grouped(files).items())
        columns = [name for name, *_ in self._sql(f"describe {parts}").fetchall()]
        rows = f"({parts})"
        if {"id", "systemmodstamp"} <= set(columns):
            rows = (
                f"(select * exclude (__stamp) from (select *, {STAMP} as __stamp from {rows}) "
                "where id is not null and (__stamp is not null or systemmodstamp is null) "
                "qualify row_number() over (partition by substr(id, 1, 15) order by __stamp desc nulls last) = 1)"
            )
        place = self._warehouse / f"{table}.parquet"
        self._sql(f"copy (select * from {rows}) to '{place}' (format parquet)")
        live = " where lower(coalesce(isdeleted, 'false')) not in ('true', '1')" if "isdeleted" in columns else ""
        self._sql(f"""create view "{table}" as select * from read_parquet('{place}'){live}""")
        self._columns[table] = columns

    def _texts(self, paths: list[Path], suffix: str) -> str:
        listed = ", ".join(f"'{path}'" for path in paths)
        if suffix == ".csv":
            read = f"read_csv([{listed}], header = true, all_varchar = true, filename = true, union_by_name = true)"
        elif suffix in (".json", ".jsonl"):
            read = f"read_json([{listed}], format = 'newline_delimited', filename = true, union_by_name = true)"
        else:
            read = f"read_parquet([{listed}], filename = true, union_by_name = true)"
        names = [name for name, *_ in self._sql(f"describe select * from {read}").fetchall()]
        texts = [f'"{name}"::varchar as "{name.lower()}"' for name in names if name != "filename"]
        trace = ["filename", *(f"'x' as {name}" for name in TRACE[1:-1]), f"now()::varchar as {TRACE[-1]}"]
        return f"select {', '.join([*texts, *trace])} from {read}"

    def _dataset(self, facts: DatasetFacts) -> None:
        if facts.name == PUBLISHER_MAP:
            named = zip(PUBLISHER, facts.delivered, strict=True)
            columns = [f'{field} as "{name}"' for field, (name, _, _) in named]
            source = f"order_ad_placement where trim({PUBLISHER[0]}) <> ''"
        else:
            columns = [f'{self._value(expression)} as "{name}"' for name, _, expression in facts.delivered]
            source = PRODUCTS if facts.from_product else _joined(facts)
        place = self._delivery / facts.name / "part.csv"
        place.parent.mkdir(exist_ok=True)
        self._sql(f"copy (select {', '.join(columns)} from {source}) to '{place}' (header true)")

    def _value(self, expression: str) -> str:
        if "." not in expression or expression.startswith("'"):
            return {"product_id()": _duck(PRODUCT_ID), "product_name()": _duck(PRODUCT_NAME)}.get(
                expression, expression
            )
        alias, _, field = expression.partition(".")
        return f'{alias}."{field.lower()}"' if field.lower() in self._columns[aliases()[alias]] else "null"

    def _sql(self, text: str) -> Any:
        return self._db.execute(text)


def _grouped(files: list[Path]) -> dict[str, list[Path]]:
    groups = defaultdict(list)
    for path in files:
        groups[path.suffix].append(path)
    return groups


def _duck(text: str) -> str:
    """Spark's SQL in DuckDB's words."""
    return text.replace(" as string)", " as varchar)")


def _same(left: str, right: str) -> str:
    return f"substr({left}, 1, 15) = substr({right}, 1, 15)"


def _joined(facts: DatasetFacts) -> str:
    source, there = f'"{aliases()[facts.base]}" as {facts.base}', {facts.base}
    for kind, left, right in facts.joins:
        alias = next(side.partition(".")[0] for side in (left, right) if side.partition(".")[0] not in there)
        there.add(alias)
        source += f' {kind} join "{aliases()[alias]}" as {alias} on {_same(left, right)}'
    return source


PRODUCTS = (
    "product left join ad_space_specification on "
    + _same("ad_space_specification.vlocity_cmt__product2id__c", "product.id")
    + " left join ad_space_creative_size_type on "
    + _same("ad_space_creative_size_type.vlocity_cmt__adspacespecificationid__c", "ad_space_specification.id")
    + " left join ad_creative_size_type on "
    + _same("ad_space_creative_size_type.vlocity_cmt__adcreativesizetypeid__c", "ad_creative_size_type.id")
)

if __name__ == "__main__":
    Load(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])).run()
