"""What the run counts must lead Great Expectations to what it would have found by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from forceglue.mapping.model.quality import Expectation
from forceglue.runtime.session import ANSI, TOLERANT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import DataFrame, SparkSession


@pytest.fixture(autouse=True)
def tolerant(spark: SparkSession) -> Iterator[None]:
    """The session as mappings have it, on either stack."""
    before = spark.conf.get(ANSI)
    spark.conf.set(ANSI, TOLERANT[ANSI])
    yield
    spark.conf.set(ANSI, str(before))


RESULT_KEYS = ("element_count", "missing_count", "unexpected_count", "unexpected_percent")


def expect(name: str, **arguments: Any) -> Expectation:
    return Expectation(name=f"expect_{name}", arguments=arguments)


ROW_LEVEL = [
    *(expect("column_values_to_not_be_null", column=c) for c in ("a", "none_s", "id")),
    expect("column_values_to_be_null", column="none_s"),
    expect("column_values_to_be_null", column="a"),
    *(expect("column_values_to_be_between", column="a", min_value=0, max_value=30, mostly=m) for m in (1, 0.7)),
    expect("column_values_to_be_between", column="none_i", min_value=1, max_value=2),
    expect("column_values_to_be_in_set", column="t", value_set=["ok"]),
    expect("column_values_to_not_be_in_set", column="t", value_set=[""]),
    expect("column_values_to_match_regex", column="t", regex="^ok$"),
    expect("column_value_lengths_to_be_between", column="t", min_value=1, max_value=2),
    *(
        expect(f"column_pair_values_{what}", column_A="a", column_B="b", ignore_row_if=ignore)
        for what in ("a_to_be_greater_than_b", "to_be_equal")
        for ignore in ("both_values_are_missing", "either_value_is_missing", "neither")
    ),
    *(
        expect("select_column_values_to_be_unique_within_record", column_list=["a", "b"], ignore_row_if=ignore)
        for ignore in ("all_values_are_missing", "any_value_is_missing", "never")
    ),
    expect(
        "column_values_to_be_between",
        column="a",
        min_value=0,
        max_value=30,
        row_condition='g = "EVEN"',
        condition_parser="spark",
    ),
    expect("column_values_to_not_be_null", column="b", row_condition='g = "ODD"', condition_parser="spark"),
]
UNIQUE = [
    *(expect("column_values_to_be_unique", column=c) for c in ("id", "k1", "none_s")),
    *(
        expect("compound_columns_to_be_unique", column_list=["k1", "k2"], ignore_row_if=ignore)
        for ignore in ("all_values_are_missing", "any_value_is_missing", "never")
    ),
]
SCHEMA_ONLY = [
    expect("table_row_count_to_be_between", min_value=1),
    expect("table_column_count_to_equal", value=9),
    expect("column_to_exist", column="a"),
    expect("column_values_to_be_of_type", column="a", type_="IntegerType"),
]
LEFTOVER = [
    expect("column_max_to_be_between", column="a", max_value=39),
    expect("column_sum_to_be_between", column="a", min_value=1),
    expect("column_values_to_be_unique", column="k1", row_condition='g = "ODD"', condition_parser="spark"),
    expect("column_value_z_scores_to_be_less_than", column="a", threshold=1, double_sided=True),
]
EVERY = [*ROW_LEVEL, *UNIQUE, *SCHEMA_ONLY, *LEFTOVER]


@pytest.fixture(scope="module")
def messy(spark: SparkSession) -> DataFrame:
    from pyspark.sql import functions as F

    def holes(every: int, value: Any) -> Any:
        return F.when(F.col("id") % every == 0, None).otherwise(value)

    number = F.col("id")
    text = F.when(number % 11 == 0, "").when(number % 13 == 0, " x ").otherwise("ok")
    return spark.range(0, 600, 1, 2).select(
        "id",
        holes(7, (number % 40).cast("int")).alias("a"),
        holes(5, (number % 37).cast("int")).alias("b"),
        holes(3, F.concat(F.lit("k"), number % 180)).alias("k1"),
        holes(4, F.concat(F.lit("m"), number % 50)).alias("k2"),
        holes(6, text).alias("t"),
        F.lit(None).cast("string").alias("none_s"),
        F.lit(None).cast("int").alias("none_i"),
        F.when(number % 2 == 0, "EVEN").otherwise("ODD").alias("g"),
    )


def counted(frame: DataFrame, flags: dict[str, Any]) -> tuple[int, dict[str, int]]:
    """What the run does: all flags in one aggregate."""
    from pyspark.sql import functions as F

    sums = [F.count_if(column).alias(name) for name, column in flags.items()]
    found = frame.agg(F.count(F.lit(1)).alias("rows"), *sums).first()
    assert found is not None
    counts = found.asDict()
    return counts.pop("rows"), counts


def results(frame: DataFrame, *, fed: bool) -> dict[int, tuple[bool, dict[str, Any], Any]]:
    """By place in EVERY: success, the counts, and whether Great Expectations raised."""
    from forceglue.quality.expectations.build import build
    from forceglue.quality.expectations.one_pass import plan
    from forceglue.quality.expectations.redact import cause
    from forceglue.quality.expectations.session import GxSession

    suite = [build(expectation, index) for index, expectation in enumerate(EVERY)]
    known = {}
    if fed:
        answers = plan(frame, EVERY)
        known = answers.known(*counted(frame, answers.flags()), answers.count_unique(frame))
    result = GxSession("parity", "run", None).validate("suite", suite, frame, has_rows=True, known=known, action=None)
    return {
        one.expectation_config.meta["forceglue"]["index"]: (
            one.success,
            {key: one.result.get(key) for key in (*RESULT_KEYS, "observed_value")},
            cause(one),
        )
        for one in result.results
    }


@pytest.mark.parametrize("which", ["whole", "empty", "only null"])
def test_fed_counts_and_plain_great_expectations_agree(messy: DataFrame, which: str) -> None:
    frame = {"whole": messy, "empty": messy.limit(0), "only null": messy.where("a is null")}[which]
    plain, fed = results(frame, fed=False), results(frame, fed=True)
    assert fed.keys() == plain.keys() == set(range(len(EVERY)))
    differing = {EVERY[i].name: (plain[i], fed[i]) for i in plain if plain[i] != fed[i]}
    assert not differing


def test_every_expectation_is_answered_where_it_is_cheapest(messy: DataFrame) -> None:
    from forceglue.quality.expectations.one_pass import plan

    answers = plan(messy, EVERY)
    first, second = len(ROW_LEVEL), len(ROW_LEVEL) + len(UNIQUE)
    assert [check.index for check in answers.checks] == list(range(first))
    assert [check.index for check in answers.unique] == list(range(first, second))
    assert answers.leftover == tuple(range(second + len(SCHEMA_ONLY), len(EVERY)))


def test_planning_and_fed_validation_start_no_spark_job(spark: SparkSession, messy: DataFrame) -> None:
    from forceglue.quality.gx import Validations, one_pass

    cheap = [*ROW_LEVEL, *SCHEMA_ONLY]
    rows, counts = counted(messy, one_pass(messy, cheap).flags())

    def unread() -> DataFrame:
        raise AssertionError("the rows were asked for")

    spark.sparkContext.setJobGroup("no job is expected", "planning and validation")
    answers = one_pass(messy, cheap)
    Validations(None, "p").validate("m", [], cheap, unread, rows, answers=answers, counts=counts)
    assert list(spark.sparkContext.statusTracker().getJobIdsForGroup("no job is expected")) == []


def test_uniqueness_of_all_keys_is_one_read(spark: SparkSession, messy: DataFrame) -> None:
    from forceglue.quality.expectations.one_pass import plan

    answers = plan(messy, UNIQUE)
    calls = []

    class Counting:
        def select(self, *columns: Any) -> DataFrame:
            calls.append(columns)
            return messy.select(*columns)

    answers.count_unique(Counting())  # type: ignore[arg-type]
    assert len(calls) == 1


def test_a_flag_is_never_null(messy: DataFrame) -> None:
    from pyspark.sql import functions as F

    from forceglue.quality.gx import one_pass

    flags = one_pass(messy, ROW_LEVEL).flags()
    nulls = messy.select(*(F.count_if(column.isNull()).alias(name) for name, column in flags.items())).first()
    assert nulls is not None and set(nulls.asDict().values()) == {0}


def test_a_condition_that_does_not_resolve_never_reaches_the_pass(messy: DataFrame) -> None:
    from forceglue.quality.gx import one_pass

    wrong = [
        expect("column_values_to_not_be_null", column="not_there"),
        expect("column_values_to_not_be_null", column="a", row_condition="not_there > 1", condition_parser="spark"),
    ]
    answers = one_pass(messy, wrong)
    assert answers.flags() == {}
    assert answers.leftover == (0, 1)


def test_under_ansi_a_condition_that_casts_is_left_to_great_expectations(spark: SparkSession, messy: DataFrame) -> None:
    from forceglue.quality.gx import one_pass

    casting = [expect("column_values_to_be_between", column="t", min_value=1, max_value=5)]
    before = spark.conf.get("spark.sql.ansi.enabled", "false")
    spark.conf.set("spark.sql.ansi.enabled", "true")
    try:
        answers = one_pass(messy, casting)
    finally:
        spark.conf.set("spark.sql.ansi.enabled", before)
    assert answers.flags() == {}
