"""What is said once for the whole project: `project.yaml`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from forceglue.mapping.model.base import Model
from forceglue.mapping.model.maintain import ProjectMaintain
from forceglue.mapping.model.mapping import Names, Naming
from forceglue.mapping.model.refresh import RefreshSpec
from forceglue.mapping.model.target import DRIFT, DriftPolicy


class ObjectDefaults(Model):
    """Defaults of every Salesforce object."""

    key: Names = Field(("Id",), description="The fields that identify a record.")
    order_by: str = Field("SystemModstamp", description="The field whose greatest value is the latest version.")
    deleted: str = Field("IsDeleted", description="The field that says that the record is deleted.")
    naming: Naming = Field(
        "snake",
        description="How fields become column names: close_date (snake), closedate (lower), CloseDate (source).",
    )
    on_drift: DriftPolicy = Field(
        "evolve",
        description=DRIFT,
    )
    refresh: RefreshSpec | None = Field(
        None,
        description="How often formula fields are read again, where the mapping does not say; unsaid: daily.",
    )
    never_read: tuple[str, ...] = Field((), description="Field names, in any object, that nothing may read.")


class Roots(Model):
    """Folders or `s3://` URIs; the command line wins over them."""

    landing: str | None = Field(None, description="Where Salesforce data lands.")
    warehouse: str | None = Field(None, description="Where the tables, quarantine and run reports are.")
    delivery: str | None = Field(None, description="Where delivered files go.")


class Connection(Model):
    """A database by URL; user and password by the name of a secret or of environment variables, never here."""

    url: str = Field(description="For example `postgresql://host:5432/warehouse`; may hold `${PARAM}`.")
    secret: str | None = Field(None, description="A Secrets Manager name whose JSON has `username` and `password`.")
    user_env: str | None = Field(None, description="The environment variable that holds the user name.")
    password_env: str | None = Field(None, description="The environment variable that holds the password.")


class FileChecks(Model):
    """What a landed file must have before it is loaded."""

    min_bytes: int = Field(1, ge=0, description="A smaller file is rejected.")
    min_rows: int = Field(0, ge=0, description="A file with fewer rows is rejected.")
    formats: tuple[Literal["parquet", "json", "csv"], ...] = Field(
        ("parquet", "json", "csv"), description="The formats taken."
    )


class Environment(Model):
    """One environment: its parameters, and the roots that differ."""

    params: dict[str, str] = Field({}, description="Values of `${NAME}` in this environment.")
    roots: Roots = Field(Roots(), description="The roots that differ in this environment.")


class ProjectSettings(Model):
    """The file `project.yaml`. Every key has a default: a project may have no such file."""

    version: Literal[1] = Field(1, description="The version of the mapping format.")
    name: str = Field("salesforce", description="The project's name in reports and Data Docs.")
    roots: Roots = Field(Roots(), description="Landing, warehouse and delivery; the command line wins.")
    params: dict[str, str] = Field({}, description="Values of `${NAME}` in this file and in the mappings.")
    environments: dict[str, Environment] = Field({}, description="dev, nonprod, prod, …: chosen by `--env`.")
    objects: ObjectDefaults = Field(ObjectDefaults(), description="Defaults of every object mapping.")
    unmapped: Literal["load", "ignore", "error"] = Field(
        "load", description="What happens to objects that land and have no mapping file."
    )
    files: FileChecks = Field(FileChecks(), description="What a landed file must have.")
    connections: dict[str, Connection] = Field({}, description="Databases, by the name that `deliver: jdbc` uses.")
    maintain: ProjectMaintain = Field(ProjectMaintain(), description="How `forceglue maintain` looks after all tables.")
    on_failure: tuple[str, ...] = Field(
        (), description="The team's own actions when a gate fails: `module:function` each, called with a plain value."
    )
