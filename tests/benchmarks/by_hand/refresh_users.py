"""Ten thousand users refreshed, one in a hundred of whom fails; what came of it was compared with what the org saw."""

from __future__ import annotations

import json
import sys

from lambdas.crowd import Ways, refreshed


def main() -> None:
    told = refreshed(10_000, Ways.hundred())
    counts = told["statistics"]
    shown = {"seconds": told["seconds"], "refreshed": counts["tokens_refreshed"], "failures": counts["failures"]}
    sys.stdout.write("\n" + json.dumps(shown))


if __name__ == "__main__":
    main()
