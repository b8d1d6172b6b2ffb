"""The image for local runs: lint, and the facts that it shares with the rest."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from forceglue.runtime.stacks import stack
from tests.house.lock import ROOT

DOCKERFILE = ROOT / "docker" / "Dockerfile"


def test_hadolint_has_nothing_to_say() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    said = subprocess.run([str(linter), "--no-color", str(DOCKERFILE)], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr


def test_its_delta_is_that_of_the_stack() -> None:
    (told,) = re.findall(r'"io\.delta:([^"]+)"', DOCKERFILE.read_text("utf-8"))
    delta = stack("3.5.6").jars["delta"][0]
    assert told == f"{delta.name}:{delta.version}"


def test_what_it_copies_is_there_and_let_through() -> None:
    ignored = (ROOT / "docker" / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    for line in re.findall(r"^COPY (.+)$", DOCKERFILE.read_text("utf-8"), re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert any(f"!{source}".startswith(rule) for rule in ignored if rule.startswith("!")), source
