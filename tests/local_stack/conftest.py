from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local_stack_kit import Emulated, emulated


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    """The corrected emulator with a Glue runner that the test answers for."""
    with emulated(tmp_path_factory.mktemp("emulated")) as running:
        yield running


@pytest.fixture
def names(request: pytest.FixtureRequest) -> str:
    """A prefix for names of this test alone: all share one emulator."""
    return "t" + "".join(sign for sign in Path(request.node.nodeid).name.lower() if sign.isalnum())[-24:]
