"""The words that every form of the report shares."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from forceglue.reconcile.explain import Reason
from forceglue.reconcile.ids import Class, Kind
from forceglue.reconcile.report import Compared, ReconcileReport, Status, plain_number
from forceglue.run.wording import plural

REASONS: Mapping[Reason, str] = {
    "in_flight": "in flight",
    "waiting": "waiting in landing",
    "quarantined": "in quarantine",
    "purged": "purged in Salesforce",
    "left_out": "left out by the mapping",
}
CLASSES: Mapping[Class, str] = {
    "in_flight": "in flight",
    "waiting": "waiting in landing",
    "quarantined": "in quarantine",
    "gone": "listed by Salesforce as deleted",
    "kept": "kept by the mapping",
    "left_out": "left out by the mapping",
    "unexplained": "unexplained",
}
KINDS: Mapping[Kind, str] = {
    "missing": "not in the table",
    "deleted": "deleted in Salesforce, live in the table",
    "vanished": "live in the table, gone from the org",
}
STATUSES: Mapping[Status, str] = {
    "equal": "equal",
    "explained": "explained",
    "unexplained": "unexplained",
    "skipped": "not compared",
    "stopped": "stopped",
    "failed": "failed",
}


def amount(value: Decimal, *, signed: bool = False) -> str:
    """`1,234.5`, with `signed` `+1,234.5`; nothing has no sign."""
    text = plain_number(abs(value))
    whole, point, rest = text.partition(".")
    sign = "-" if value < 0 else "+" if signed and value else ""
    return f"{sign}{int(whole):,}{point}{rest}"


def because(explained: Mapping[Reason, Decimal]) -> str:
    """`+12 in flight, -3 purged in Salesforce`."""
    return ", ".join(f"{amount(value, signed=True)} {REASONS[reason]}" for reason, value in explained.items() if value)


def classes(found: Mapping[Class, int]) -> str:
    """`12 in flight, 3 unexplained`."""
    return ", ".join(f"{n:,} {CLASSES[name]}" for name, n in found.items())


def headline(report: ReconcileReport) -> str:
    """One sentence on all objects."""
    told = [
        (report.count("equal"), "equal"),
        (report.count("explained"), "with differences that are explained"),
        (report.count("unexplained"), "with differences that nothing explains"),
        (report.count("failed", "stopped"), "that could not be compared"),
        (report.count("skipped"), "left out, as the mapping says"),
    ]
    parts = [f"{n:,} {words}" for n, words in told if n]
    return f"{plural(len(report.objects), 'table')}: {', '.join(parts) or 'nothing to compare'}."


def things(one: Compared) -> list[str]:
    """What a person should know of an object, beside its numbers; no Id and no value of a record."""
    found = [one.error] if one.error else []
    if one.ids is not None:
        found += [one.ids.refused] if one.ids.refused else []
        found += [f"what has vanished landed for the next run: {one.ids.landed}"] if one.ids.landed else []
    return [text for text in (*found, *one.notes) if text]
