"""One call of the function in a process of its own; prints its answer and the most memory that the process ever had."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from common import bus
from lambdas.ingest_kit import Called, event


def main(bucket: str, key: str) -> None:
    told: list[object] = []
    bus.put = lambda *given: told.extend(given[2])  # type: ignore[assignment]  # there is no bus here
    from ingest.handler import handler

    answer = handler(event(bucket, key), Called(900))
    # not `ru_maxrss`, which begins with what the process that started this one had
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    sys.stdout.write("\n" + json.dumps({"answer": answer, "told": told, "peak": int(peak) * 1024}) + "\n")


main(*sys.argv[1:])
