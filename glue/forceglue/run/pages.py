"""How pages are made from templates: everything escaped, nothing undefined passed over."""

from __future__ import annotations

from functools import cache

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from forceglue.run import wording


@cache
def environment(package: str) -> Environment:
    """The templates of `package`, which may include those of `forceglue.run` (the style that all pages share)."""
    made = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("forceglue.run")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: wording.clean(value) if type(value) is str else value,
    )
    made.filters.update(number=wording.number, plural=wording.plural, duration=wording.duration, share=_share)
    made.filters.update(patched=wording.patched_rows)
    return made


def _share(part: float, whole: float) -> str:
    """`part` of `whole` in percent."""
    return f"{100 * part / whole:.2f}" if whole else "0"
