"""`python -m local_stack.emulator`: serves until it is ended; `local_stack.emulated` says with which environment."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.metadata import version

WRITTEN_FOR = "1.5.33"
LOOPBACK = "127.0.0.1"
CORRECTIONS = (
    "any_method",
    "async_invocations",
    "batching_windows",
    "error_types",
    "function_metrics",
    "function_runtime",
    "glue_jobs",
    "log_pages",
    "log_targets",
    "resource_types",
    "rights",
    "step_functions",
    "stream_failures",
    "unpacked_once",
)
"""Modules beside this one, each with `apply`."""


def main() -> None:
    """Checks what the corrections rest on, applies them, serves."""
    if (found := version("ministack")) != WRITTEN_FOR:
        sys.exit(f"the corrections are written for ministack {WRITTEN_FOR}, and {found} is installed")
    if os.environ.get("BIND_HOST") != LOOPBACK:
        sys.exit(f"BIND_HOST must be {LOOPBACK}: nothing here is meant for a network")
    for name in CORRECTIONS:
        import_module(f"local_stack.emulator.{name}").apply()
    from ministack.app import main as serve

    serve()


if __name__ == "__main__":
    main()
