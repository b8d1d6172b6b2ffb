"""What comes to the driver is bounded, whatever the data: each place is listed here with what bounds it.

A new place fails this test. Before it is added, say what bounds it: rows of a table never do.
"""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import forceglue

HOME = Path(forceglue.__file__).parent
CALLS = {
    # Spark to the driver, and the driver to Spark; take(n) and show(n) say their own bound
    "collect", "toPandas", "toArrow", "toLocalIterator", "tail", "first", "head", "createDataFrame", "parallelize",
    "foreach", "foreachPartition",
    # data files read by this process
    "ParquetFile", "read_pandas", "ParquetDataset", "iter_batches", "to_pyarrow_table", "to_pyarrow_dataset",
    "to_pandas", "open_csv", "concat_tables",
    # folders of this machine
    "mkdtemp", "TemporaryDirectory", "NamedTemporaryFile", "gettempdir",
}  # fmt: skip
ALLOWED = {
    "extract/ids.py": {
        "ParquetFile": (1, "65,536 Ids at a time"),
        "iter_batches": (1, "65,536 Ids at a time"),
    },
    "extract/parquet.py": {"concat_tables": (1, "pieces of one row group, 32 MB")},
    "landing/checks.py": {"ParquetFile": (1, "a footer alone")},
    "landing/s3.py": {"TemporaryDirectory": (1, "one file on its way up: a result page of an extract")},
    "quality/expectations/one_pass.py": {
        "first": (1, "a row of counts"),
        "createDataFrame": (1, "no row"),
    },
    "quality/expectations/rule.py": {"first": (1, "a row of counts")},
    "reconcile/by_ids.py": {"TemporaryDirectory": (1, "the Ids of one object and its table, 62 files each")},
    "reconcile/landed.py": {
        "ParquetFile": (1, "a batch of rows at a time, of files that wait"),
        "iter_batches": (1, "200,000 rows together; where more wait, none is read"),
    },
    "run/context.py": {"mkdtemp": (1, "Data Docs, a page a mapping")},
    "run/dataset_run.py": {
        "createDataFrame": (1, "no row"),
        "first": (1, "a row of counts"),
        "ParquetFile": (1, "key columns of 100,000 rows at most"),
        "concat_tables": (1, "key columns of 100,000 rows at most"),
    },
    "run/examples.py": {
        "collect": (2, "the rows of an example in a mapping"),
    },
    "run/given.py": {"createDataFrame": (1, "no row")},
    "run/joins.py": {"first": (1, "a row of counts")},
    "run/judging.py": {
        "collect": (1, "a row a landed file"),
        "ParquetFile": (1, "200 rows of one file"),
        "iter_batches": (1, "200 rows of one file"),
    },
    "run/lines.py": {"createDataFrame": (1, "no row")},
    "run/lookups.py": {"createDataFrame": (1, "no row")},
    "run/preview.py": {"collect": (1, "as many rows as a person asked to see")},
    "run/quarantined.py": {
        "ParquetFile": (1, "a batch of rows at a time"),
        "iter_batches": (2, "a batch of rows at a time, names of rules or as many rows as a person asked to see"),
    },
    "run/staging.py": {
        "collect": (1, "a row a verdict"),
        "createDataFrame": (1, "no row"),
        "ParquetFile": (2, "masks of 100,000 rows at most; a thousand lines of a CSV file at a time"),
        "iter_batches": (1, "a thousand lines of a CSV file at a time"),
    },
    "run/tally.py": {"collect": (1, "a row a verdict, action and landed file")},
    "runtime/home.py": {"TemporaryDirectory": (1, "beside the user's own cache")},
    "runtime/session.py": {"gettempdir": (1, "a name that nothing is written to")},
    "runtime/warm_work.py": {"collect": (2, "made-up rows")},
    "simulated/salesforce/store.py": {"mkdtemp": (1, "the records of a made-up org; no run touches it")},
    "transform/again.py": {"collect": (1, "a row a landed file")},
    "transform/read.py": {"createDataFrame": (1, "a row a landed file")},
    "write/delta_compact.py": {"first": (1, "a row of counts")},
    "write/postgres_copy.py": {"collect": (1, "a row a task")},
}


def places(text: str) -> Counter[str]:
    """How often each of the calls stands in a module."""
    names = (
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
    )
    return Counter(name for name in names if name in CALLS)


def test_every_place_is_known() -> None:
    found = {
        path.relative_to(HOME).as_posix(): dict(places(path.read_text("utf-8")))
        for path in sorted(HOME.rglob("*.py"))
        if path.relative_to(HOME).parts[0] not in ("demo", "notebooks")  # the demo makes its data here
    }
    wanted = {module: {name: count for name, (count, _) in calls.items()} for module, calls in ALLOWED.items()}
    assert {module: calls for module, calls in found.items() if calls} == wanted


def test_a_place_is_seen() -> None:
    assert places("frame.where(x).collect()\nrows = pq.ParquetFile(stream)\n") == {"collect": 1, "ParquetFile": 1}
