"""What any Spark program takes before it does anything: a session, and one read of a Delta table.

python -m benchmarks.by_hand.bare_session TABLE
"""

from __future__ import annotations

import sys

from benchmarks.by_hand.plain import plain_session


def main(table: str) -> None:
    spark = plain_session("bare", delta=True)
    spark.read.format("delta").load(table).limit(1).collect()
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1])
