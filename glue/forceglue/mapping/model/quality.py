"""Quality gates: row rules of five severities, and batch-level expectations."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from forceglue.mapping.model.base import Model

Severity = Literal["fail", "reject_file", "quarantine", "drop", "warn"]
SEVERITIES: tuple[Severity, ...] = ("fail", "reject_file", "quarantine", "drop", "warn")


class Rule(Model):
    """A predicate that good rows satisfy, whatever the severity."""

    sql: str = Field(description="A Spark SQL predicate over the mapping's own columns that good rows satisfy.")
    nulls: Literal["fail", "pass"] = Field("fail", description="What a null result counts as.")
    description: str | None = None


def _rule(raw: Any) -> Any:
    return {"sql": raw} if isinstance(raw, str) else raw


RuleSpec = Annotated[Rule, BeforeValidator(_rule)]
Rules = dict[str, RuleSpec]


class Quality(Model):
    """Row rules by severity; the names are unique within a mapping."""

    fail: Rules = Field({}, description="A row that breaks it stops this mapping: nothing is written (reject batch).")
    reject_file: Rules = Field({}, description="A row that breaks it sets aside every row of its file (reject file).")
    quarantine: Rules = Field({}, description="The row is set aside with every reason (reject record).")
    drop: Rules = Field({}, description="The row is left out and counted.")
    warn: Rules = Field({}, description="The row is written; the report shows the count (warning).")

    def rules(self) -> tuple[tuple[str, Severity, Rule], ...]:
        """Every rule as `(name, severity, rule)`, severest first."""
        return tuple(
            (name, severity, rule) for severity in SEVERITIES for name, rule in getattr(self, severity).items()
        )


class Expectation(Model):
    """Any Great Expectations expectation by its own name and arguments: a check of the whole batch."""

    name: str = Field(description="For example `expect_table_row_count_to_be_between`.")
    arguments: dict[str, Any] = {}
    on_failure: Literal["fail", "warn"] = "fail"


def _expectation(raw: Any) -> Any:
    """`{expect_x: {args}, on_failure: warn}` as the model's form."""
    if isinstance(raw, str):
        return {"name": raw}
    if not isinstance(raw, dict) or "name" in raw:
        return raw
    rest = {k: v for k, v in raw.items() if k == "on_failure"}
    named = [k for k in raw if k != "on_failure"]
    if len(named) != 1:
        raise ValueError(f"one expectation an entry, found {len(named)}: {', '.join(map(str, named)) or 'none'}")
    return {"name": named[0], "arguments": raw[named[0]] or {}, **rest}


ExpectationSpec = Annotated[Expectation, BeforeValidator(_expectation)]
