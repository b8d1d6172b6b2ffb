"""The frozen models of the mapping language, one module a concept."""

from forceglue.mapping.model.columns import AllColumns, Block, Column, EmptyColumns, NamedColumns
from forceglue.mapping.model.maintain import Maintain, ProjectMaintain
from forceglue.mapping.model.mapping import AnyMapping, DatasetMapping, Example, Join, Lookup, ObjectMapping
from forceglue.mapping.model.project import Connection, Environment, FileChecks, ObjectDefaults, ProjectSettings, Roots
from forceglue.mapping.model.quality import SEVERITIES, Expectation, Quality, Rule, Severity
from forceglue.mapping.model.refresh import Refresh
from forceglue.mapping.model.target import CsvDelivery, Delivery, DeltaDelivery, JdbcDelivery, ParquetDelivery, Target

__all__ = (
    "SEVERITIES",
    "AllColumns",
    "AnyMapping",
    "Block",
    "Column",
    "Connection",
    "CsvDelivery",
    "DatasetMapping",
    "Delivery",
    "DeltaDelivery",
    "EmptyColumns",
    "Environment",
    "Example",
    "Expectation",
    "FileChecks",
    "JdbcDelivery",
    "Join",
    "Lookup",
    "Maintain",
    "NamedColumns",
    "ObjectDefaults",
    "ObjectMapping",
    "ParquetDelivery",
    "ProjectMaintain",
    "ProjectSettings",
    "Quality",
    "Refresh",
    "Roots",
    "Rule",
    "Severity",
    "Target",
)
