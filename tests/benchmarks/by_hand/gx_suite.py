"""Great Expectations as it comes, on a Delta table: 25 statements about rows and three about uniqueness, SUMMARY.

python -m benchmarks.by_hand.gx_suite TABLE
"""

from __future__ import annotations

import json
import sys

from benchmarks.by_hand.plain import plain_session

STATES = ["New", "Open", "Won", "Lost"]
MAIL = "^[^@ ]+@[^@ ]+[.][a-z]+$"


def expectations():  # of Great Expectations' own classes
    import great_expectations.expectations as gxe

    yield from (gxe.ExpectColumnValuesToNotBeNull(column=f"field{n}") for n in (1, 5, 6, 12, 13))
    yield from (gxe.ExpectColumnValuesToBeInSet(column=f"field{n}", value_set=STATES) for n in (4, 10, 22, 28))
    yield gxe.ExpectColumnValuesToBeInSet(column="field16", value_set=STATES[:3])
    yield from (gxe.ExpectColumnValuesToBeBetween(column=f"field{n}", min_value=0, max_value=999) for n in (2, 8))
    yield gxe.ExpectColumnValuesToBeBetween(column="field14", min_value=0, max_value=990)
    yield gxe.ExpectColumnValuesToBeBetween(column="field7", min_value=0, max_value=1000)
    yield gxe.ExpectColumnValuesToBeBetween(column="field1", min_value=0)
    yield from (gxe.ExpectColumnValuesToBeBetween(column=f"field{n}", max_value="2030-01-01") for n in (3, 9))
    yield from (gxe.ExpectColumnValuesToMatchRegex(column=f"field{n}", regex=MAIL) for n in (5, 11))
    yield gxe.ExpectColumnValuesToMatchRegex(column="field18", regex="^text [0-9]+$")
    yield gxe.ExpectColumnValueLengthsToEqual(column="record_id", value=18)
    yield gxe.ExpectColumnValueLengthsToBeBetween(column="field24", max_value=10)
    yield gxe.ExpectColumnValueLengthsToBeBetween(column="field30", min_value=6, max_value=9)
    yield gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A="field15", column_B="field3", or_equal=True)
    yield gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A="field7", column_B="field1", or_equal=True)
    yield gxe.ExpectColumnValuesToBeUnique(column="record_id")
    yield gxe.ExpectCompoundColumnsToBeUnique(column_list=["record_id", "modified"])
    yield gxe.ExpectCompoundColumnsToBeUnique(column_list=["field6", "field5", "field11"])


def main(table: str) -> None:
    import great_expectations as gx

    spark = plain_session("gx", delta=True)
    context = gx.get_context(mode="ephemeral")
    suite = context.suites.add(gx.ExpectationSuite("wide", expectations=list(expectations())))
    batches = (
        context.data_sources.add_spark("spark").add_dataframe_asset("wide").add_batch_definition_whole_dataframe("all")
    )
    validation = context.validation_definitions.add(gx.ValidationDefinition(name="wide", data=batches, suite=suite))
    checkpoint = context.checkpoints.add(
        gx.Checkpoint(name="wide", validation_definitions=[validation], result_format="SUMMARY")
    )
    result = checkpoint.run(batch_parameters={"dataframe": spark.read.format("delta").load(table)})
    run = next(iter(result.run_results.values()))
    print(json.dumps({"evaluated": run.statistics["evaluated_expectations"]}))


if __name__ == "__main__":
    main(sys.argv[1])
