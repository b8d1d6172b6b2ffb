"""Functions see the standard library, the AWS SDK and their own package, as on AWS: what a package lacks shows.

ministack starts them with its own Python, whose packages (pydantic, requests, …) they would see. Here their
Python knows no site-packages, only a folder with links to the SDK.
"""

from __future__ import annotations

import importlib.util
import os
import stat
import sys
import tempfile
from pathlib import Path

from ministack.core import lambda_runtime

SDK = ("boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six")


def apply() -> None:
    """Corrects it."""
    folder = Path(tempfile.mkdtemp(prefix="forceglue-runtime-"))
    python = _python(folder)
    original = lambda_runtime._detect_runtime_binary

    def detect(runtime: str) -> tuple[str, str]:
        binary, script = original(runtime)
        return (str(python), script) if binary == sys.executable else (binary, script)

    lambda_runtime._detect_runtime_binary = detect


def _python(folder: Path) -> Path:
    """A program that starts this Python as Lambda's own would be."""
    sdk = folder / "sdk"
    sdk.mkdir()
    for name in SDK:
        found = importlib.util.find_spec(name)
        if found is None or found.origin is None:
            continue
        place = Path(found.origin)
        place = place.parent if found.submodule_search_locations else place
        (sdk / place.name).symlink_to(place)
    program = folder / "python"
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{sdk}" exec "{os.path.realpath(sys.executable)}" -S -s "$@"\n', "utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program
