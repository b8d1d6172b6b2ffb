"""The twenty datasets as the old scripts build them: joins and a list of columns each, nothing generic."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mappings.reference import PUBLISHER_MAP, DatasetFacts

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

Tables = Callable[[str], "DataFrame"]
"""Alias of the facts → its live records."""

PRODUCT_NAME = """
case when product.name <> '' then concat_ws(' ', product.name, nullif(concat_ws(' | ',
  cast(nullif(greatest(try_cast(try_cast(size.vlocity_cmt__runtime__c as decimal(18,2)) as int), 0), 0) as string),
  case when size.vlocity_cmt__mediatype__c = 'Digital Video' and instr(space.name, '_CTV_') > 0 then 'CTV' end,
  concat_ws('', concat(
    cast(nullif(greatest(try_cast(try_cast(size.vlocity_cmt__width__c as decimal(18,2)) as int), 0), 0) as string), 'x',
    cast(nullif(greatest(try_cast(try_cast(size.vlocity_cmt__height__c as decimal(18,2)) as int), 0), 0) as string)),
    case when size.vlocity_cmt__mediatype__c = 'Digital Video' then 'v' end)), '')) else product.name end
""".replace("size.", "ad_creative_size_type.").replace("space.", "ad_space_specification.")
PRODUCT_ID = """
concat_ws('-', product.id, coalesce(ad_creative_size_type.id, 'None'), coalesce(ad_space_specification.id, 'None'),
  coalesce(ad_space_creative_size_type.id, 'None'))
"""
PUBLISHER = ("vlocity_cmt__adserverorderlineidentiifier__c", "production_system__c", "swm_parent_media_placement__c")


def dataset(facts: DatasetFacts, tables: Tables) -> DataFrame:
    """The dataset's rows with its columns."""
    from pyspark.sql import functions as F

    if facts.name == PUBLISHER_MAP:
        frame = tables("order_ad_placement").where(F.trim(PUBLISHER[0]) != "")
        named = zip(PUBLISHER, facts.delivered, strict=True)
        return frame.select(*(F.col(field).alias(name) for field, (name, _, _) in named))
    frames: dict[str, DataFrame] = {}

    def input_(alias: str) -> DataFrame:
        return frames.setdefault(alias, tables(alias).alias(alias))

    joined = _products(input_) if facts.from_product else _joined(facts, input_)
    return joined.select(*(_value(expression, frames).alias(name) for name, _, expression in facts.delivered))


def _joined(facts: DatasetFacts, input_: Tables) -> DataFrame:
    frame, there = input_(facts.base), {facts.base}
    for kind, left, right in facts.joins:
        alias = next(side.partition(".")[0] for side in (left, right) if side.partition(".")[0] not in there)
        there.add(alias)
        frame = frame.join(input_(alias), _same(left, right), kind)
    return frame


def _products(input_: Tables) -> DataFrame:
    spaces = _same("ad_space_specification.vlocity_cmt__product2id__c", "product.id")
    sizes = _same("ad_space_creative_size_type.vlocity_cmt__adspacespecificationid__c", "ad_space_specification.id")
    size = _same("ad_space_creative_size_type.vlocity_cmt__adcreativesizetypeid__c", "ad_creative_size_type.id")
    frame = input_("product").join(input_("ad_space_specification"), spaces, "left")
    frame = frame.join(input_("ad_space_creative_size_type"), sizes, "left")
    return frame.join(input_("ad_creative_size_type"), size, "left")


def _same(left: str, right: str) -> Column:
    """Two Ids are the same in their first 15 characters."""
    from pyspark.sql import functions as F

    return F.substring(F.col(left), 1, 15) == F.substring(F.col(right), 1, 15)


def _value(expression: str, frames: dict[str, DataFrame]) -> Column:
    from pyspark.sql import functions as F

    if expression in ("NULL", "CAST(NULL AS STRING)"):
        return F.lit(None).cast("string")
    if expression.startswith("'"):
        return F.lit(expression[1:-1])
    if expression == "product_id()":
        return F.expr(PRODUCT_ID)
    if expression == "product_name()":
        return F.expr(PRODUCT_NAME)
    alias, _, field = expression.partition(".")
    there = field.lower() in frames[alias].columns
    return F.col(f"{alias}.{field.lower()}") if there else F.lit(None).cast("string")
