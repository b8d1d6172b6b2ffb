"""How often formula fields are read again: their change does not touch SystemModstamp."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, field_validator

from forceglue.mapping.model.base import Model
from forceglue.mapping.model.maintain import SPAN, span

_WORDS = {"every_run": timedelta(0), "daily": timedelta(days=1), "weekly": timedelta(weeks=1)}
_EVERY = rf"^({'|'.join(_WORDS)})$|{SPAN}"
_FORMER = {"ignore": "never", "full": "every_run"}
WORDS = "never, every_run, daily, weekly, or {every: 3 days}"
UNSAID = timedelta(days=1)
"""What holds where neither mapping nor project says anything."""


class Refresh(Model):
    """How often, and which fields beside those that describe calls formulas."""

    every: str = Field(pattern=_EVERY, description="`every_run`, `daily`, `weekly`, or for example `3 days`.")
    also: Annotated[tuple[str, ...], BeforeValidator(lambda raw: (raw,) if isinstance(raw, str) else raw)] = Field(
        (),
        description="Fields that behave like formulas, of which describe does not say so: ContractLineItem.Status.",
    )

    @field_validator("every", mode="before")
    @classmethod
    def _known(cls, raw: Any) -> Any:
        if raw in ("never", "ignore"):
            raise ValueError("`never` stands by itself: `refresh: never`, which reads nothing again")
        return _as_now(raw)


def _as_now(raw: Any) -> Any:
    if isinstance(raw, str) and raw in _FORMER:
        raise ValueError(f"`{raw}` is not said any more: write `{_FORMER[raw]}` (it takes {WORDS})")
    return raw


def _kind(raw: Any) -> str:
    return "<every>" if isinstance(raw, (dict, Refresh)) else "<word>"


RefreshSpec = Annotated[
    Annotated[Literal["never", "every_run", "daily", "weekly"], BeforeValidator(_as_now), Tag("<word>")]
    | Annotated[Refresh, Tag("<every>")],
    Discriminator(_kind),
]


def interval(spec: str | Refresh | None) -> timedelta | None:
    """The time between two refreshes, zero for every run; None: never."""
    if spec is None:
        return UNSAID
    every = spec.every if isinstance(spec, Refresh) else spec
    if every == "never":
        return None
    return _WORDS[every] if every in _WORDS else span(every)


def acts_like_formula(spec: str | Refresh | None) -> tuple[str, ...]:
    """The fields of `also`."""
    return spec.also if isinstance(spec, Refresh) else ()
