"""How a row rule reads in Data Docs. Every value goes in as a template parameter: those are the ones GX escapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from great_expectations.expectations.expectation import Expectation
from great_expectations.render.components import (
    LegacyDiagnosticRendererType,
    LegacyRendererType,
    RenderedStringTemplateContent,
    RenderedTableContent,
)
from great_expectations.render.renderer.renderer import renderer

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

_EFFECT = {
    "fail": "stops the mapping",
    "reject_file": "sets aside its whole file",
    "quarantine": "is set aside",
    "drop": "is left out",
    "warn": "is written",
}
_BADGE = {"fail": "danger", "reject_file": "danger", "quarantine": "warning", "drop": "warning", "warn": "info"}


def _text(template: str, params: dict[str, Any], styling: dict[str, Any]) -> RenderedStringTemplateContent:
    return RenderedStringTemplateContent(
        content_block_type="string_template",
        string_template={"template": template, "params": params, "styling": styling},
    )


def _raised(result: ExpectationValidationResult) -> bool:
    return not result.result or "unexpected_count" not in result.result


class RuleRendering(Expectation):
    """The renderers of `ExpectRowsToSatisfy`."""

    @classmethod
    @renderer(renderer_type=LegacyRendererType.PRESCRIPTIVE)
    def _prescriptive_renderer(
        cls,
        configuration: ExpectationConfiguration | None = None,
        result: ExpectationValidationResult | None = None,
        runtime_configuration: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> list[RenderedStringTemplateContent]:
        if configuration is None:
            return []
        asked = configuration.kwargs
        level = asked["level"]
        params = {
            "rule": asked["rule"],
            "level": level.replace("_", " "),
            "predicate": asked["predicate"],
            "effect": f"a row that breaks it {_EFFECT[level]}; null counts as {asked.get('nulls', 'fail')}",
        }
        template = "$rule $level rows satisfy $predicate"
        described = ((configuration.meta or {}).get("forceglue") or {}).get("description")
        if described:
            params["described"] = described
            template += "\n$described"
        template += "\n$effect"
        styling = {
            "params": {
                "rule": {"tag": "strong"},
                "level": {"classes": ["badge", f"badge-{_BADGE[level]}"]},
                "predicate": {"tag": "code"},
                "effect": {"classes": ["text-muted"]},
            }
        }
        return [_text(template, params, styling)]

    @classmethod
    @renderer(renderer_type=LegacyDiagnosticRendererType.UNEXPECTED_STATEMENT)
    def _diagnostic_unexpected_statement_renderer(
        cls,
        configuration: ExpectationConfiguration | None = None,
        result: ExpectationValidationResult | None = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> list[Any]:
        if result is not None and _raised(result):
            said: list[Any] = super()._diagnostic_unexpected_statement_renderer(result=result)
            return said
        return []

    @classmethod
    @renderer(renderer_type=LegacyDiagnosticRendererType.UNEXPECTED_TABLE)
    def _diagnostic_unexpected_table_renderer(
        cls,
        configuration: ExpectationConfiguration | None = None,
        result: ExpectationValidationResult | None = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> list[Any] | None:
        sample = [] if result is None or _raised(result) else result.result["partial_unexpected_list"]
        if not sample:
            return None
        header = list(sample[0])
        rows = [[_text("$v", {"v": "null" if row.get(k) is None else row[k]}, {}) for k in header] for row in sample]
        return [
            RenderedTableContent(
                content_block_type="table",
                table=rows,
                header_row=[_text("for example $k", {"k": k}, {}) for k in header],
                styling={"body": {"classes": ["table-bordered", "table-sm", "mt-3"]}},
            )
        ]

    @classmethod
    @renderer(renderer_type=LegacyDiagnosticRendererType.OBSERVED_VALUE)
    def _diagnostic_observed_value_renderer(
        cls,
        configuration: ExpectationConfiguration | None = None,
        result: ExpectationValidationResult | None = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> str:
        if result is None or _raised(result):
            return "--"
        rows, failed = result.result["element_count"], result.result["unexpected_count"]
        if not failed:
            return f"all of {rows:,} rows satisfy it"
        return f"{failed:,} of {rows:,} rows break it ({result.result['unexpected_percent']:.3g}\u00a0%)"
