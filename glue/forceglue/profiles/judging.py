"""From a record to the row that goes on, or to every reason why it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forceglue.mapping.names import NameIndex, match
from forceglue.profiles.cast import Cast, CastError, Value, as_json, caster
from forceglue.profiles.predicate import kind_of_type, predicate
from forceglue.profiles.reading import Record
from forceglue.profiles.reasons import FileReason, FileRefused, RowReason

if TYPE_CHECKING:
    from forceglue.mapping.model.profile import FileProfile
    from forceglue.mapping.model.quality import Severity

Row = dict[str, str | bool | int | float | None]


@dataclass(frozen=True)
class Reason:
    """Why a row is set aside: a code, and the column or rule; no value.

    Attributes:
        name: of the column (`cast`, `key_missing`, `column_missing`) or rule; None where the whole record is meant.
    """

    code: RowReason
    name: str | None = None

    def told(self) -> dict[str, str]:
        where = "rule" if self.code is RowReason.RULE else "column"
        return {"code": self.code.value} | ({where: self.name} if self.name else {})


@dataclass(frozen=True)
class Verdict:
    """What becomes of one record.

    Attributes:
        row: the columns of `mappings` as JSON values; None where it goes nowhere.
        reasons: why it is set aside, all of them; empty where it goes on or was dropped.
        dropped: the `drop` rules that it breaks.
        warned: the `warn` rules that it breaks.
    """

    row: Row | None = None
    reasons: tuple[Reason, ...] = ()
    dropped: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Rule:
    name: str
    severity: Severity
    judge: Callable[[dict[str, Value]], bool | None]
    nulls: bool

    def broken(self, row: dict[str, Value]) -> bool:
        said = self.judge(row)
        return not (self.nulls if said is None else said)


@dataclass
class _Column:
    name: str
    source: str | None
    cast: Cast
    constant: Value


class Judge:
    """Judges the records of one source; made once for a file.

    Args:
        profile: a sound one.
    """

    def __init__(self, profile: FileProfile) -> None:
        self._columns = []
        for name, column in profile.mappings.items():
            cast = caster(column.type, column.format)
            said = str(column.value).lower() if isinstance(column.value, bool) else str(column.value)
            constant = None if column.value is None else cast(said) if column.type else column.value
            self._columns.append(_Column(name, column.source, cast, constant))
        kinds = {name: kind_of_type(column.type) for name, column in profile.mappings.items()}
        self._rules = [
            _Rule(name, severity, predicate(rule.sql, kinds), rule.nulls == "pass")
            for name, severity, rule in profile.quality.rules()
        ]
        self._key = tuple(found for name in profile.key if (found := match(name, profile.mappings)) is not None)
        self._on_cast_error = profile.on_cast_error
        self._required = profile.required if profile.parser == "jsonl" else ()
        self._names: tuple[str, ...] = ()
        self._place: dict[str, str | None] = {}

    def judge(self, record: Record) -> Verdict:
        """What becomes of the record.

        The order is that of a mapping: casts, `drop`, `fail` and `reject_file`, `quarantine`, `warn`.

        Raises:
            FileRefused: a rule of `fail` or `reject_file` is broken: in a profile both set the file aside.
        """
        if record.wrong is not None:
            return Verdict(reasons=(Reason(record.wrong),))
        self._look_up(tuple(record.cells))
        missing = [name for name in self._required if self._place.get(name) is None]
        if missing:
            return Verdict(reasons=tuple(Reason(RowReason.COLUMN_MISSING, name) for name in missing))
        row, misfits = self._row(record)
        broken = self._broken(row, misfits)
        if "drop" in broken:
            return Verdict(dropped=_names(broken["drop"]))
        if stops := [*broken.get("fail", ()), *broken.get("reject_file", ())]:
            raise FileRefused(
                FileReason.RULE_BROKEN,
                f"line {record.line} breaks {', '.join(_names(stops))}, which sets the whole file aside: mend it",
            )
        warned = _names(broken.get("warn", ()))
        if "quarantine" in broken:
            return Verdict(reasons=tuple(broken["quarantine"]), warned=warned)
        return Verdict(row={name: as_json(value) for name, value in row.items()}, warned=warned)

    def _broken(self, row: dict[str, Value], misfits: list[str]) -> dict[Severity, list[Reason]]:
        broken: dict[Severity, list[Reason]] = {}
        for name in misfits:
            broken.setdefault(self._on_cast_error, []).append(Reason(RowReason.CAST, name))
        for name in self._key:
            if row[name] is None and name not in misfits:
                broken.setdefault("quarantine", []).append(Reason(RowReason.KEY_MISSING, name))
        for rule in self._rules:
            if rule.broken(row):
                broken.setdefault(rule.severity, []).append(Reason(RowReason.RULE, rule.name))
        return broken

    def _look_up(self, names: tuple[str, ...]) -> None:
        """Where each column's value stands in records of these names; they are the same for most records."""
        if names != self._names or not self._place:
            index = NameIndex(names)
            wanted = {*self._required, *(column.source for column in self._columns if column.source is not None)}
            self._names, self._place = names, {name: index.match(name) for name in wanted}

    def _row(self, record: Record) -> tuple[dict[str, Value], list[str]]:
        row: dict[str, Value] = {}
        misfits: list[str] = []
        for column in self._columns:
            if column.source is None:
                row[column.name] = column.constant
                continue
            place = self._place[column.source]
            text = record.cells[place] if place is not None else None
            row[column.name] = None
            if text is None:
                continue
            try:
                row[column.name] = column.cast(text)
            except CastError:
                # blanks alone are no value; only what was there can fail to fit
                misfits += [column.name] if text.strip(" ") else []
        return row, misfits


def _names(reasons: Iterable[Reason]) -> tuple[str, ...]:
    return tuple(reason.name or reason.code.value for reason in reasons)
