"""Great Expectations reports through its results; what it says besides is noise in a run.

This module imports nothing of it: call `quiet` first.
"""

from __future__ import annotations

import logging
import os
import warnings


def quiet() -> None:
    """No telemetry (read at import), no log lines, no warnings."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    warnings.filterwarnings("ignore", module=r"great_expectations(\.|$)")
    warnings.filterwarnings("ignore", message=r"[\s\S]*deprecated as of GX Core", category=DeprecationWarning)
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
