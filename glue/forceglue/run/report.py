"""The report of a run as a value: where every row went, and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal

from pydantic import TypeAdapter

from forceglue.mapping.model import Severity

Kind = Literal["object", "dataset"]
MappingStatus = Literal["written", "unchanged", "stopped", "failed", "skipped"]
RunStatus = Literal["succeeded", "failed"]
FAILED_STATUSES: frozenset[MappingStatus] = frozenset({"stopped", "failed", "skipped"})
OUTCOMES = ("written", "superseded", "filtered", "dropped", "quarantined")
"""The five ways a landed row can go; together they are `landed`."""


@dataclass(frozen=True)
class RuleCount:
    """One row rule of one mapping: how many rows passed and failed."""

    name: str
    severity: Severity
    passed: int
    failed: int
    description: str | None = None
    sql: str | None = None


@dataclass(frozen=True)
class DriftNote:
    """One difference between what landed and the table, and what the policy made of it."""

    column: str
    change: str
    policy: str
    effect: str


@dataclass(frozen=True)
class RejectedFile:
    """A file that was not loaded: where it lay, why, and where it lies now (None: where it was)."""

    file: str
    reason: str
    code: str | None = None
    moved_to: str | None = None


@dataclass(frozen=True)
class ExpectationResult:
    """One batch-level expectation and what Great Expectations observed (a plain JSON value)."""

    name: str
    success: bool
    on_failure: Literal["fail", "warn"] = "fail"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    observed: Any = None
    unexpected_count: int | None = None
    error: str | None = None


@dataclass(frozen=True)
class MappingReport:
    """One mapping in one run; counts are rows.

    `landed = written + superseded + filtered + dropped + quarantined`; inserted, updated and deleted say what the
    written rows did to the table. A batch that was stopped or failed loaded nothing: its rows count for 0, and `held`
    is what was read and waits for the next run.

    Attributes:
        patched: of the written rows, those that patches changed: `{kind of patch: rows}`.
    """

    name: str
    kind: Kind
    status: MappingStatus
    landed: int = 0
    written: int = 0
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    superseded: int = 0
    filtered: int = 0
    dropped: int = 0
    quarantined: int = 0
    seconds: float = 0.0
    rules: tuple[RuleCount, ...] = ()
    drift: tuple[DriftNote, ...] = ()
    files: tuple[str, ...] = ()
    rejected_files: tuple[RejectedFile, ...] = ()
    deliveries: tuple[str, ...] = ()
    error: str | None = None
    stages: Mapping[str, float] = field(default_factory=dict)
    expectations: tuple[ExpectationResult, ...] = ()
    held: int = 0
    warnings: tuple[str, ...] = ()
    patched: Mapping[str, int] = field(default_factory=dict)

    @property
    def balance(self) -> bool:
        """Whether every landed row is accounted for."""
        return self.landed == self.written + self.superseded + self.dropped + self.quarantined + self.filtered


@dataclass(frozen=True)
class IngestCounts:
    """What the file checks let through and what they turned away."""

    passed: int = 0
    rejected: tuple[RejectedFile, ...] = ()


@dataclass(frozen=True)
class Paths:
    """Where to look; folders or URIs, as the user gave them."""

    landing: str | None = None
    warehouse: str | None = None
    delivery: str | None = None
    report: str | None = None
    data_docs: str | None = None


@dataclass(frozen=True)
class RunReport:
    """A whole run. `started` and `finished` know their zone; a naive time is a ValueError.

    Attributes:
        correlation_id: as the request's.
    """

    run_id: str
    status: RunStatus
    started: datetime
    finished: datetime
    mappings: tuple[MappingReport, ...] = ()
    ingest: IngestCounts = IngestCounts()
    paths: Paths = Paths()
    project: str = ""
    environment: str | None = None
    stages: Mapping[str, float] = field(default_factory=dict)
    correlation_id: str | None = None

    def __post_init__(self) -> None:
        for name in ("started", "finished"):
            if getattr(self, name).tzinfo is None:
                raise ValueError(f"{name} has no time zone; give a time in UTC, for example datetime.now(UTC)")

    @property
    def seconds(self) -> float:
        """How long the run took."""
        return (self.finished - self.started).total_seconds()

    @property
    def balance(self) -> bool:
        """Whether every landed row of every mapping is accounted for."""
        return all(m.balance for m in self.mappings)

    @property
    def rejected_files(self) -> tuple[RejectedFile, ...]:
        """Every rejected file once: those of ingest, then those that a mapping's own rules turned away."""
        return tuple(dict.fromkeys((*self.ingest.rejected, *(r for m in self.mappings for r in m.rejected_files))))

    def total(self, count: str, kind: Kind | None = None) -> int:
        """The sum of one count (`landed`, `written`, ...) over all mappings, or over those of one kind."""
        return sum(getattr(m, count) for m in self.mappings if kind in (None, m.kind))

    def to_json(self, *, indent: int | None = 2) -> str:
        """JSON with times as ISO 8601 in UTC with Z; each mapping also has `balance`."""
        return json.dumps(_plain(self), ensure_ascii=False, allow_nan=False, indent=indent)

    @staticmethod
    def from_json(text: str | bytes) -> RunReport:
        """The report that `to_json` wrote; keys that a later version added are passed over. Raises ValueError."""
        return _adapter().validate_json(text)


def followed(first: MappingReport, then: MappingReport) -> MappingReport:
    """Two batches of one mapping as one report: counts and times added up, and the worse of the two told."""
    worse = {"failed": 3, "stopped": 2, "skipped": 2, "written": 1, "unchanged": 0}
    status = max(first, then, key=lambda m: worse[m.status]).status
    counts = ("landed", *OUTCOMES, "inserted", "updated", "deleted", "held")
    return replace(
        first,
        status=status,
        **{name: getattr(first, name) + getattr(then, name) for name in counts},
        seconds=first.seconds + then.seconds,
        rules=_added(first.rules, then.rules),
        files=(*first.files, *then.files),
        error=" ".join(m.error for m in (first, then) if m.error) or None,
        stages={**first.stages, **{k: round(first.stages.get(k, 0.0) + s, 3) for k, s in then.stages.items()}},
        warnings=(*first.warnings, *then.warnings),
        patched={**first.patched, **then.patched},
    )


def _added(first: tuple[RuleCount, ...], then: tuple[RuleCount, ...]) -> tuple[RuleCount, ...]:
    rules = {(rule.name, rule.severity): rule for rule in first}
    for rule in then:
        had = rules.get((rule.name, rule.severity))
        more = replace(had, passed=had.passed + rule.passed, failed=had.failed + rule.failed) if had else rule
        rules[rule.name, rule.severity] = more
    return tuple(rules.values())


def run_status(mappings: tuple[MappingReport, ...]) -> RunStatus:
    """`failed` when any mapping failed, was stopped by a gate, or was skipped because an input of it failed."""
    return "failed" if any(m.status in FAILED_STATUSES for m in mappings) else "succeeded"


@cache
def _adapter() -> TypeAdapter[RunReport]:
    return TypeAdapter(RunReport)


def _plain(value: Any) -> Any:
    """`value` in JSON's own types; what JSON has no word for (a Decimal, a date, an observed NaN) becomes text."""
    if is_dataclass(value) and not isinstance(value, type):
        own = {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
        plain: Any = {**own, "balance": value.balance} if isinstance(value, (MappingReport, RunReport)) else own
    elif isinstance(value, datetime):
        plain = value.astimezone(UTC).isoformat().replace("+00:00", "Z") if value.tzinfo else value.isoformat()
    elif isinstance(value, Mapping):
        plain = {str(k): _plain(v) for k, v in value.items()}
    elif isinstance(value, (list, tuple)):
        plain = [_plain(v) for v in value]
    else:
        said = (
            value is None or isinstance(value, (bool, int, str)) or (isinstance(value, float) and math.isfinite(value))
        )
        plain = value if said else str(value)
    return plain
