"""The served description against the served API: Schemathesis looks for an answer that is an error or is not described."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from lambdas.rest_kit import Client

# what it is to look for; that every request that fits the description is done is not promised: records may not be there
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "response_headers_conformance,negative_data_rejection,unsupported_method,missing_required_header,"
    "allow_header_conformance,use_after_free,ensure_resource_availability"
)


# a value with a slash in it is another path, which may take another method
CONFIG = """
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 406, 412, 413, 414, 415, 422, 428]
"""


def fuzzed(api: Client, tmp_path: Path, examples: int, *more: str) -> int:
    """How many requests were made."""
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "run", f"{api.url}/openapi.json", "--checks", CHECKS,
        "--max-examples", str(examples), "--seed", "7", "--workers", "1", "--no-color", "--request-timeout", "30",
        "--generation-database", "none", "--suppress-health-check", "all", *more,
    ]  # fmt: skip
    (tmp_path / "schemathesis.toml").write_text(CONFIG, "utf-8")
    said = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert said.returncode == 0, _cut(said.stdout) + said.stderr[-2_000:]
    found = re.search(r"([\d,]+) generated", said.stdout)
    assert found, said.stdout[-2_000:]
    return int(found[1].replace(",", ""))


def _cut(said: str) -> str:
    """What was found, without the whole of very long values."""
    lines = said.partition("= FAILURES =")[2].splitlines()
    return "\n".join(line[:300] for line in lines)[:12_000]


def test_no_answer_is_an_error_or_not_described(api: Client, tmp_path: Path) -> None:
    assert fuzzed(api, tmp_path, 12) >= 300


@pytest.mark.slow
def test_nor_in_ten_thousand_requests(api: Client, tmp_path: Path) -> None:
    assert fuzzed(api, tmp_path, 450) >= 10_000
