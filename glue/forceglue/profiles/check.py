"""What is wrong between the words of a profile: names, types, rules, the ARN, its size."""

from __future__ import annotations

import re

from forceglue.mapping.checks.expressions import check_sql, check_type
from forceglue.mapping.checks.report import Report
from forceglue.mapping.model.profile import FileProfile
from forceglue.mapping.names import NameIndex, match
from forceglue.mapping.problems import DocPath, Problem
from forceglue.mapping.project import SourceFile
from forceglue.mapping.types import plain_type
from forceglue.profiles.cast import CastError, caster
from forceglue.profiles.formats import FormatError
from forceglue.profiles.predicate import PredicateError, kind_of_type, predicate

STANDARD_TIER, ADVANCED_TIER = 4096, 8192
"""Characters that a parameter of SSM holds."""
SOURCE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,47}")
_ARN = re.compile(r"arn:aws[a-z-]*:states:[a-z0-9-]+:\d{12}:stateMachine:(?P<name>[A-Za-z0-9_-]{1,80})")
_ARN_FORM = "arn:aws:states:<region>:<account of 12 digits>:stateMachine:<name>"
_ROW_MACHINE = re.compile(r"[a-z][a-z0-9]{1,15}-file-row.*")
_TYPES = "string, boolean, int, bigint, smallint, tinyint, double, float, decimal(p,s), date, timestamp"


def check_profile(text: str | bytes, source: str, profile: FileProfile | None, place: SourceFile) -> list[Problem]:
    """Every problem that the model alone does not see.

    Args:
        profile: what could be read; None: only size and name are looked at.
    """
    report = Report(place)
    _size(text, report)
    if not SOURCE_NAME.fullmatch(source):
        report.add(
            "FG-PRO-006", (), "the file's name cannot be that of a source", found=source,
            allowed="small letters, digits, `-`, `_`; at most 48",
        )  # fmt: skip
    if profile is not None:
        _together(profile, report)
        _columns(profile, report)
        _names(profile, report)
        _rules(profile, report)
        _machine(profile, report)
    return report.problems


def _size(text: str | bytes, report: Report) -> None:
    size = len(text if isinstance(text, str) else text.decode("utf-8", "replace"))
    if size > ADVANCED_TIER:
        report.add("FG-PRO-002", (), f"it has {size} characters", found=size, allowed=f"{ADVANCED_TIER} at most")
    elif size > STANDARD_TIER:
        report.add("FG-PRO-003", (), f"it has {size} characters", found=size, allowed=f"{STANDARD_TIER} without a fee")


def _together(profile: FileProfile, report: Report) -> None:
    """Words that contradict each other, or lack each other."""
    if not report.pruned("rowStateMachineArn") and not report.pruned("landing"):
        if profile.row_machine is not None and profile.landing is not None:
            message = "`rowStateMachineArn` and `landing` are both given; keep one: rows go to one place"
            report.add("FG-MAP-006", ("landing",), message)
        elif profile.row_machine is None and profile.landing is None:
            report.add("FG-MAP-002", (), "rows go nowhere", allowed="rowStateMachineArn, or landing")
    if not report.pruned("parserId"):
        _parser_words(profile, report)


def _parser_words(profile: FileProfile, report: Report) -> None:
    code = "FG-MAP-006"
    if profile.parser == "jsonl":
        for word, given in (
            ("delimiter", profile.delimiter),
            ("fields", profile.fields),
            ("header", not profile.header),
        ):
            if given:
                report.add(code, (word,), f"`{word}` is a word of the csv parsers; jsonl has the names in each line")
    elif profile.header and profile.fields:
        message = '`fields` names the columns of files without a header: take it out, or say `"header": false`'
        report.add(code, ("fields",), message)
    elif not profile.header and not profile.fields and not report.pruned("fields"):
        report.add(code, ("header",), "without a header the columns have no names: give them as `fields`, in order")
    if profile.quote is not None and profile.quote == profile.separator:
        report.add(code, ("quote",), "`quote` and `delimiter` are the same character", found=profile.quote)


def _columns(profile: FileProfile, report: Report) -> None:
    """Types, formats and constants; names that differ in case only."""
    if not profile.mappings and not report.pruned("mappings"):
        report.add("FG-MAP-005", ("mappings",), "`mappings` has no column", allowed='for example {"name": "NAME"}')
    seen: dict[str, str] = {}
    for name, column in profile.mappings.items():
        path: DocPath = ("mappings", name)
        first = seen.setdefault(name.lower(), name)
        if first != name or not name.strip():
            said = f"`{name}` and `{first}` are the same without regard to case" if name.strip() else "it has no name"
            report.add("FG-PRO-012", path, said, found=name)
        told = len(report.problems)
        check_type(column.type, (*path, "type"), report)
        if len(report.problems) > told:
            continue
        if column.type and plain_type(column.type) == "binary":
            report.add("FG-TYP-001", (*path, "type"), "JSON has no binary values", found=column.type, allowed=_TYPES)
            continue
        try:
            cast = caster(column.type, column.format)
        except FormatError as error:
            report.add(
                "FG-PRO-010", (*path, "format"), str(error), found=column.format, allowed="for example MM/dd/yyyy"
            )
            continue
        if column.value is not None:
            try:
                cast(_said(column.value))
            except CastError:
                report.add("FG-PRO-011", (*path, "value"), f"it is no {column.type}", found=column.value)


def _said(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _names(profile: FileProfile, report: Report) -> None:
    """`key` names columns of the row; where the file's columns are known, the other words name those."""
    known_columns = _known_columns(report)
    for at, name in enumerate(profile.key):
        if known_columns and match(name, known_columns) is None:
            report.add(
                "FG-PRO-008", ("key", at), f"`{name}` is no column of `mappings`", found=name, names=known_columns
            )
    seen: dict[str, str] = {}
    for at, name in enumerate(profile.fields):
        first = seen.get(name.lower())
        seen.setdefault(name.lower(), name)
        if first is not None or not name.strip():
            said = f"`{name}` is there already, as `{first}`" if name.strip() else "it has no name"
            report.add("FG-PRO-012", ("fields", at), said, found=name)
    if not profile.fields or profile.header:
        return
    known = NameIndex(profile.fields)
    used: list[tuple[DocPath, str]] = [
        (("mappings", name, "from"), column.source) for name, column in profile.mappings.items() if column.source
    ]
    used += [(("requiredColumns", at), name) for at, name in enumerate(profile.required_columns or ())]
    for path, name in used:
        if known.match(name) is None:
            report.add("FG-PRO-008", path, f"`{name}` is none of `fields`", found=name, names=known.names)


def _rules(profile: FileProfile, report: Report) -> None:
    """Each rule: parses, sees only the row's columns, needs no Spark, has a name of its own."""
    kinds = {name: kind_of_type(column.type) for name, column in profile.mappings.items()}
    columns, usable = {name.lower() for name in _known_columns(report)}, {name.lower() for name in kinds}
    first: dict[str, DocPath] = {}
    for name, severity, rule in profile.quality.rules():
        path: DocPath = ("quality", severity, name)
        before = first.setdefault(name.lower(), path)
        if before != path:
            line = report.source.document.line(before)
            report.add("FG-RUL-001", path, f"the rule name `{name}` is used twice; first in line {line}", found=name)
        told, sound = len(report.problems), True
        for read in check_sql(rule.sql, path, report, predicate=True):
            if columns and read.lower() not in columns:
                report.add(
                    "FG-RUL-002", path, f"the rule reads `{read}`, which is no column of `mappings`", found=read,
                    allowed="the names that `mappings` gives, not those of the file", near=_meant(read, profile),
                )  # fmt: skip
            sound &= read.lower() in usable
        if len(report.problems) > told or not sound:
            continue
        try:
            predicate(rule.sql, kinds)
        except PredicateError as error:
            report.add("FG-PRO-009", path, f"the rule {error}", found=rule.sql, allowed=error.allowed)


def _known_columns(report: Report) -> tuple[str, ...]:
    """The names that `mappings` gives, those of columns among them that are wrong themselves; empty: nobody knows."""
    written = report.source.document.value.get("mappings")
    return tuple(written) if isinstance(written, dict) else ()


def _meant(read: str, profile: FileProfile) -> str | None:
    """The column meant: also where the rule says the file's name, as people do."""
    for name, column in profile.mappings.items():
        if column.source is not None and column.source.lower() == read.lower():
            return name
    return NameIndex(profile.mappings).nearest(read)


def _machine(profile: FileProfile, report: Report) -> None:
    arn = profile.row_machine
    if arn is None:
        return
    path = ("rowStateMachineArn",)
    found = _ARN.fullmatch(arn)
    if found is None:
        report.add("FG-PRO-004", path, "it is no ARN of a state machine", found=arn, allowed=_ARN_FORM)
    elif not _ROW_MACHINE.fullmatch(found["name"]):
        report.add(
            "FG-PRO-005", path, "its name does not begin as those that the file stack may start", found=found["name"],
            allowed="<env>-file-row…",
        )  # fmt: skip
