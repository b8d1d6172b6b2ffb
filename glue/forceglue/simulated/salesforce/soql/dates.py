"""Date literals: `TODAY`, `LAST_N_DAYS:30`, `THIS_QUARTER`, ... as the first day and the day after the last one.

Days are those of UTC, the zone of the user; weeks begin on Sunday; the fiscal year is the calendar's.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

Span = tuple[date, date]
_DAY = timedelta(days=1)


def _month(day: date, months: int = 0) -> date:
    total = day.year * 12 + day.month - 1 + months
    return date(total // 12, total % 12 + 1, 1)


def _quarter(day: date, quarters: int = 0) -> date:
    return _month(date(day.year, (day.month - 1) // 3 * 3 + 1, 1), 3 * quarters)


def _week(day: date, weeks: int = 0) -> date:
    return day - timedelta(days=day.isoweekday() % 7) + timedelta(weeks=weeks)


def _year(day: date, years: int = 0) -> date:
    return date(day.year + years, 1, 1)


def _days(day: date, days: int = 0) -> date:
    return day + timedelta(days=days)


_STARTS: dict[str, Callable[[date, int], date]] = {
    "DAY": _days, "WEEK": _week, "MONTH": _month, "QUARTER": _quarter, "YEAR": _year,
    "FISCAL_QUARTER": _quarter, "FISCAL_YEAR": _year,
}  # fmt: skip
_FIXED = {"YESTERDAY": ("DAY", -1, 0), "TODAY": ("DAY", 0, 1), "TOMORROW": ("DAY", 1, 2)}


def span(word: str, today: date) -> Span | None:
    """The days that a literal means, the last one excluded; None for a word that is no date literal.

    A span of N days ends with today (`LAST_N_DAYS`); one of N weeks, months, quarters or years ends with the last
    whole one. `N_DAYS_AGO:n` is one unit alone.
    """
    word, colon, given = word.partition(":")
    if not colon:
        return _without_number(word, today)
    if not given.isdigit():
        return None
    n = int(given)
    for unit, start in _STARTS.items():
        if word == f"LAST_N_{unit}S":
            return start(today, -n), start(today, 1 if unit == "DAY" else 0)
        if word == f"NEXT_N_{unit}S":
            return start(today, 1), start(today, n + 1)
        if word == f"N_{unit}S_AGO":
            return start(today, -n), start(today, 1 - n)
    return None


def _without_number(word: str, today: date) -> Span | None:
    if word in _FIXED:
        _, first, after = _FIXED[word]
        return today + first * _DAY, today + after * _DAY
    if word == "LAST_90_DAYS":
        return today - 90 * _DAY, today + _DAY
    if word == "NEXT_90_DAYS":
        return today + _DAY, today + 91 * _DAY
    for unit, start in _STARTS.items():
        for name, shift in (("LAST", -1), ("THIS", 0), ("NEXT", 1)):
            if word == f"{name}_{unit}" and unit != "DAY":
                return start(today, shift), start(today, shift + 1)
    return None
