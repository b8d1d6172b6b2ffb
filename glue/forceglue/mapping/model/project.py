"""What is said once for the whole project: `project.yaml`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from forceglue.mapping.model.base import Model
from forceglue.mapping.model.mapping import Names, Naming
from forceglue.mapping.model.target import DriftPolicy


class ObjectDefaults(Model):
    """Defaults of every Salesforce object."""

    key: Names = ("Id",)
    order_by: str = "SystemModstamp"
    deleted: str = "IsDeleted"
    naming: Naming = "snake"
    on_drift: DriftPolicy = "evolve"
    never_read: tuple[str, ...] = Field((), description="Field names, in any object, that nothing may read.")


class Roots(Model):
    """Folders or `s3://` URIs; the command line wins over them."""

    landing: str | None = None
    warehouse: str | None = None
    delivery: str | None = None


class Connection(Model):
    """A database by URL; user and password by the name of a secret or of environment variables, never here."""

    url: str = Field(description="For example `postgresql://host:5432/warehouse`; may hold `${PARAM}`.")
    secret: str | None = Field(None, description="A Secrets Manager name whose JSON has `username` and `password`.")
    user_env: str | None = Field(None, description="The environment variable that holds the user name.")
    password_env: str | None = Field(None, description="The environment variable that holds the password.")


class FileChecks(Model):
    """What a landed file must have before it is loaded."""

    min_bytes: int = Field(1, ge=0)
    min_rows: int = Field(0, ge=0)
    formats: tuple[Literal["parquet", "json", "csv"], ...] = ("parquet", "json", "csv")


class Environment(Model):
    """One environment: its parameters, and the roots that differ."""

    params: dict[str, str] = {}
    roots: Roots = Roots()


class ProjectSettings(Model):
    """The file `project.yaml`. Every key has a default: a project may have no such file."""

    version: Literal[1] = 1
    name: str = "salesforce"
    roots: Roots = Roots()
    params: dict[str, str] = {}
    environments: dict[str, Environment] = {}
    objects: ObjectDefaults = ObjectDefaults()
    unmapped: Literal["load", "ignore", "error"] = Field(
        "load", description="What happens to objects that land and have no mapping file."
    )
    files: FileChecks = FileChecks()
    connections: dict[str, Connection] = {}
