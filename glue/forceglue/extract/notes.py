"""What a person should know of an object's fields, as sentences of the report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from forceglue.extract.bookmark import Bookmark
from forceglue.extract.fields import Choice
from forceglue.extract.plan import Page


def of_fields(choice: Choice, before: Bookmark | None) -> Iterator[str]:
    """Which fields a mapping names in vain, and which are gone, new or of another type since the last extract."""
    if choice.missing:
        yield (
            f"the mapping names {', '.join(choice.missing)}, which describe does not have: gone, misspelt, or hidden "
            "from this user by field-level security"
        )
    if before is None or not before.kinds:
        return
    now = choice.kinds
    gone = [name for name in before.kinds if name not in now and name not in choice.left_out]
    new = [name for name in now if name not in before.kinds]
    other = [name for name, kind in before.kinds.items() if now.get(name, kind) != kind]
    if gone:
        yield f"no longer there, or hidden by field-level security: {', '.join(gone)}"
    if new:
        yield f"new: {', '.join(new)}; records that do not change keep no value (--since start)"
    if other:
        yield f"of another type: {', '.join(f'{name} ({before.kinds[name]} → {now[name]})' for name in other)}"


def of_pages(pages: Sequence[Page]) -> Iterator[str]:
    """Columns that became text in some files, and columns that some pages did not have."""
    texts = dict.fromkeys(name for page in pages for name in page.texts)
    missing = dict.fromkeys(name for page in pages for name in page.missing)
    if texts:
        yield f"text in some files, since a value does not fit the type: {', '.join(texts)}"
    if missing:
        yield f"not in every result page: {', '.join(missing)}"
