"""AWS Glue: the job's arguments, its commit, and the tables in the Data Catalog. The only module that names `awsglue`.

Everything that needs Glue's own runtime is imported where it is used, so that the rest runs, and is tested, anywhere.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from forceglue.errors import ForceglueError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pyspark.sql import SparkSession

    from forceglue.landing.store import Store
    from forceglue.run.report import RunReport

REQUIRED = ("JOB_NAME", "LANDING", "WAREHOUSE", "DELIVERY", "MAPPINGS")
OPTIONAL = (
    "ENV",
    "PARAMS",
    "NAMES",
    "FULL_REFRESH",
    "DATABASE",
    "MAINTAIN",
    "EVENT_BUS",
    "EVENT_SOURCE",
    "CORRELATION_ID",
)
EVENT_SOURCE = "forceglue.job"
TRUE = frozenset({"true", "yes", "1"})
FALSE = frozenset({"false", "no", "0", ""})


class JobFailed(ForceglueError, RuntimeError):
    """A run in which a mapping failed, was stopped or skipped; Glue marks the job FAILED."""


@dataclass(frozen=True)
class JobArguments:
    """The arguments of the Glue job, with their types.

    Attributes:
        job_name: given by Glue.
        landing, warehouse, delivery: `s3://` URIs or folders.
        mappings: `s3://` prefix or folder of the mapping files.
        names: mappings to run; none means all.
        env: an environment of project.yaml.
        params: values of `${PARAM}`.
        full_refresh: load every file again and replace the tables.
        database: the Data Catalog's database; None registers nothing.
        maintain: look after the tables (`forceglue maintain`) and load nothing.
        run_id: of this run of the job, given by Glue; empty elsewhere.
        event_bus: the bus that is told how the run goes: name or ARN; None tells nobody.
        event_source: the events' source.
        correlation_id: under which the files are known that the run is started for.
        raw: what `getResolvedOptions` gave, for `Job.init`.
    """

    job_name: str
    landing: str
    warehouse: str
    delivery: str
    mappings: str
    names: tuple[str, ...] = ()
    env: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    full_refresh: bool = False
    database: str | None = None
    maintain: bool = False
    run_id: str = ""
    event_bus: str | None = None
    event_source: str = EVENT_SOURCE
    correlation_id: str | None = None
    raw: Mapping[str, str] = field(default_factory=dict)


def arguments(argv: Sequence[str] | None = None) -> JobArguments:
    """Reads `--LANDING …` and the others; `PARAMS` is `a=1,b=2`, `NAMES` is `account,order`.

    Raises:
        UsageError: a required argument is missing, or one cannot be read.
    """
    from awsglue.utils import GlueArgumentError, getResolvedOptions

    argv = list(sys.argv if argv is None else argv)
    # getResolvedOptions knows required names only: ask for those optional ones that were given.
    given = {part.removeprefix("--").partition("=")[0] for part in argv if part.startswith("--")}
    wanted = [*REQUIRED, *(name for name in OPTIONAL if name in given)]
    try:
        raw: dict[str, str] = getResolvedOptions(argv, wanted)
    except GlueArgumentError as error:
        raise UsageError(
            f"The Glue job lacks an argument ({error}). Required: {', '.join(f'--{name}' for name in REQUIRED)}; "
            f"allowed besides: {', '.join(f'--{name}' for name in OPTIONAL)}. Set them in the job's parameters."
        ) from error
    return JobArguments(
        job_name=raw["JOB_NAME"],
        landing=raw["LANDING"],
        warehouse=raw["WAREHOUSE"],
        delivery=raw["DELIVERY"],
        mappings=raw["MAPPINGS"],
        names=_listed(raw.get("NAMES", "")),
        env=raw.get("ENV") or None,
        params=_pairs(raw.get("PARAMS", "")),
        full_refresh=_truth("FULL_REFRESH", raw.get("FULL_REFRESH", "")),
        database=raw.get("DATABASE") or None,
        maintain=_truth("MAINTAIN", raw.get("MAINTAIN", "")),
        run_id=raw.get("JOB_RUN_ID") or "",
        event_bus=raw.get("EVENT_BUS") or None,
        event_source=raw.get("EVENT_SOURCE") or EVENT_SOURCE,
        correlation_id=raw.get("CORRELATION_ID") or None,
        raw=raw,
    )


def _listed(told: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in told.split(",") if part.strip())


def _pairs(told: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for part in _listed(told):
        key, sign, value = part.partition("=")
        if not sign or not key.strip():
            raise UsageError(f"--PARAMS: {part!r} is not `name=value`. Write `--PARAMS a=1,b=2`.")
        pairs[key.strip()] = value.strip()
    return pairs


def _truth(name: str, told: str) -> bool:
    word = told.strip().lower()
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    raise UsageError(f"--{name}: {told!r} is not allowed. Write `true` or `false`.")


@contextmanager
def job(spark: SparkSession, told: JobArguments) -> Iterator[None]:
    """Tells Glue that the job began and, when the block ends without an error, that it is done."""
    from awsglue.job import Job

    running = Job(spark)
    running.init(told.job_name, dict(told.raw))
    yield
    running.commit()


def register(spark: SparkSession, database: str, tables: Mapping[str, str]) -> tuple[str, ...]:
    """Makes tables known in the catalog's `database` (`--enable-glue-datacatalog`).

    A table that is known already is left as it is: Delta keeps its columns itself.

    Args:
        spark: the session.
        database: an existing database.
        tables: name to location (`s3://` URI or folder).

    Returns:
        The names, as they were registered.
    """
    for name, location in tables.items():
        spark.sql(
            f"CREATE TABLE IF NOT EXISTS {_identifier(database)}.{_identifier(name)} "
            f"USING delta LOCATION {_literal(location)}"
        )
    return tuple(tables)


def _identifier(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def local_mappings(place: str, folder: Path) -> Path:
    """The folder of the mapping files; those under an `s3://` prefix are copied to `folder` first.

    Raises:
        UsageError: nothing is there.
    """
    if not urlsplit(place).scheme.startswith("s3"):
        return Path(place)
    from forceglue.landing.store import Store

    copied = _copy(Store(place), folder)
    if copied == 0:
        raise UsageError(f"--MAPPINGS: there is no file under {place}. Copy the mappings folder there.")
    return folder


def _copy(store: Store, folder: Path) -> int:
    count = 0
    for entry in store.list("", recursive=True):
        target = folder / entry.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(store.read_bytes(entry.path))
        count += 1
    return count


def locations(warehouse: str, names: Sequence[str]) -> dict[str, str]:
    """Where the tables of `names` are: those of them that a run wrote as Delta below the warehouse root."""
    from forceglue.landing.store import Store

    store = Store(warehouse)
    return {name: store.uri(name) for name in names if store.list(f"{name}/_delta_log", recursive=False)}


def raise_if_failed(report: RunReport) -> None:
    """Ends a job whose run failed, so that Glue shows it as FAILED and its alarm rings.

    Raises:
        JobFailed: with each mapping that was not written, and why.
    """
    if report.status == "succeeded":
        return
    causes = "; ".join(
        f"{mapping.name} {mapping.status}: {mapping.error or 'see the report'}"
        for mapping in report.mappings
        if mapping.status not in {"written", "unchanged"}
    )
    raise JobFailed(
        f"run {report.run_id} failed ({causes}). The other mappings are written; "
        f"read {report.paths.report or 'the run report'} and run the job again."
    )
