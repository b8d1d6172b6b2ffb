"""Fixtures: a mappings folder, and an org on a socket of this machine that the environment names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from describe.kit import AMOUNT, DOUBLE, OWNER, STAGE, describe, put
from forceglue.salesforce.client import Salesforce
from forceglue.salesforce.settings import from_environment
from forceglue.simulated.salesforce import Org, OrgServer, serve


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A mappings folder with a project file."""
    place = tmp_path / "mappings"
    put(place, "project.yaml", "name: small\n")
    return place


@pytest.fixture
def org() -> Iterator[Org]:
    with Org() as made:
        made.define(describe(AMOUNT, OWNER, STAGE, DOUBLE), describe(name="Contact", keyPrefix="003"))
        made.access.add_app("app", "app-secret", run_as="integration@example.com")
        yield made


@pytest.fixture
def server(org: Org, monkeypatch: pytest.MonkeyPatch) -> Iterator[OrgServer]:
    """The org on a socket, and the environment that names it."""
    with serve(org) as running:
        for name in ("SF_BROKER_URL", "SF_SECRET", "SF_PRIVATE_KEY", "SF_PRIVATE_KEY_FILE", "SF_REFRESH_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("SF_TOKEN_URL", running.token_url)
        monkeypatch.setenv("SF_CLIENT_ID", "app")
        monkeypatch.setenv("SF_CLIENT_SECRET", "app-secret")
        yield running


@pytest.fixture
def client(server: OrgServer) -> Iterator[Salesforce]:
    with Salesforce(from_environment()) as signed_in:
        yield signed_in
