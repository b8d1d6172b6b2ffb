"""A whole read without a row: right, or the sign of a permission that was taken away?"""

from __future__ import annotations

from forceglue.errors import ExtractError, SalesforceError
from forceglue.extract.bookmark import bookmark_of
from forceglue.extract.plan import Plan
from forceglue.extract.reading import Work
from forceglue.extract.window import soql


def may_be_empty(work: Work, plan: Plan) -> None:
    """Asks the last whole read, then Salesforce's own count, which does not depend on what the user may see.

    Raises:
        ExtractError: there were rows.
    """
    bookmark = bookmark_of(work.store, plan.object)
    had, where = (bookmark.whole_rows, "the last whole read gave") if bookmark else (0, "")
    if not had:
        had, where = _counted(work, plan), "Salesforce counts about"
    if had:
        raise ExtractError(
            f"{plan.object}: no row came, and {where} {had:,}. Nothing has landed: see whether the user may still see "
            "all records (View All), or say --allow-empty if the object is empty now."
        )


def _counted(work: Work, plan: Plan) -> int:
    """How many rows there must have been: none where all that there are came after the window."""
    name, org = plan.object, work.org
    try:
        there = org.record_counts([name]).get(name, 0)
        if there and plan.cursor:
            in_window = soql(name, ["COUNT()"], plan.cursor, plan.window)
            if seen := org.query_page(soql=in_window, deleted=True).total:
                return seen
            if org.query_page(soql=soql(name, ["COUNT()"], None, plan.window), deleted=True).total:
                return 0
    except SalesforceError as error:
        if error.status in (400, 403, 404):
            return 0  # an org or an object that does not count
        raise
    return there
