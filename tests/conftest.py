"""What all tests share: one Spark session for the whole run, started by the first test that asks for it."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

    from played import Played

# a busy machine must not fail a property; the number of examples is what bounds the time; CI judges the change, and the
# examples that chance finds are found at home
settings.register_profile("forceglue", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("forceglue")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What asks for the session is marked `spark`: these tests are also run on the other stack."""
    for item in items:
        if {"spark", "played"} & {*getattr(item, "fixturenames", ())}:
            item.add_marker(pytest.mark.spark)


# access and refresh tokens of the simulated org, and the secrets that tests sign in with: in no output of any test
SECRETS = re.compile(r"\b00D\w{12,15}![\w.-]{20,}|\b5Aep861[\w-]{20,}|app-secret-7731|made-up-and-of-no-use")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """A test whose output, or whose processes' output, holds a secret has failed, whatever it asked for."""
    outcome = yield
    report: pytest.TestReport = outcome.get_result()
    if call.when != "teardown" or not report.passed:
        return
    for name, text in report.sections:
        if found := SECRETS.search(text):
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid}: {name} holds a secret: {found[0][:12]}…"


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """A local session with Delta, set for small runs."""
    from forceglue.runtime.session import INTERPRETED, start

    # the tests' own frames are few rows each: compiling their plans would be a tenth of the whole CPU time
    session = start(app="forceglue tests", master="local[2]", memory="2g", quick=True, extra=INTERPRETED)
    yield session
    session.stop()


@pytest.fixture(scope="session")
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """The demo, played once for all tests and processes."""
    from played import shared

    return shared(request, tmp_path_factory)
