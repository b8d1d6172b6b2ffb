"""A small project, sample content, and a store that is killed at a given step."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Literal

from forceglue.landing.store import Backend, Entry
from forceglue.mapping.catalog import Catalog, CatalogField, CatalogObject
from forceglue.mapping.model import FileChecks, ObjectMapping, ProjectSettings
from forceglue.mapping.project import Project

NOON = datetime(2024, 5, 6, 12, 30, tzinfo=UTC)
ONE = datetime(2024, 5, 6, 13, 0, tzinfo=UTC)

ACCOUNTS = b'\xef\xbb\xbfId,Name\n001A,"Acme, ""Inc"""\n001B,"two\nlines"\n'


def described(name: str, label: str | None, *fields: str) -> CatalogObject:
    return CatalogObject(name, label, tuple(CatalogField(field) for field in fields))


def make_project(
    *,
    unmapped: Literal["load", "ignore", "error"] = "load",
    files: FileChecks | None = None,
    objects: tuple[ObjectMapping, ...] | None = None,
    catalog: tuple[CatalogObject, ...] | None = None,
) -> Project:
    if objects is None:
        objects = (
            ObjectMapping(mapping="account", source="Account"),
            ObjectMapping(mapping="order_item", source="OrderItem", folders=("Bookings",)),
        )
    if catalog is None:
        catalog = (
            described("Account", "Account", "Id", "Name", "SystemModstamp", "IsDeleted"),
            described("OrderItem", "Order Product", "Id", "OrderId", "Quantity", "SystemModstamp"),
            described("Product2", "Product", "Id", "ProductCode", "Family"),
        )
    settings = ProjectSettings(unmapped=unmapped, files=files or FileChecks())
    return Project(Path("mappings"), settings, {m.mapping: m for m in objects}, {}, Catalog(catalog))


class Killed(BaseException):
    """Nothing may catch it: the process is gone."""


class Mortal:
    """A backend that is killed at a given step; a move may be made of a copy and a delete, as on S3."""

    def __init__(self, inner: Backend, dies_at: int, *, copies: bool) -> None:
        self._inner, self._left, self._copies = inner, dies_at, copies

    def _step(self) -> None:
        if self._left == 0:
            raise Killed
        self._left -= 1

    def entries(self, prefix: str, recursive: bool) -> list[Entry]:
        return self._inner.entries(prefix, recursive)

    def stat(self, path: str) -> Entry | None:
        return self._inner.stat(path)

    def open_input(self, path: str) -> BinaryIO:
        return self._inner.open_input(path)

    def write_bytes(self, path: str, data: bytes, exclusive: bool) -> None:
        self._step()
        self._inner.write_bytes(path, data, exclusive)
        self._step()

    def move(self, source: str, target: str, seen: Entry | None) -> None:
        self._step()
        if self._copies:
            with self._inner.open_input(source) as stream:
                data = stream.read()
            self._inner.write_bytes(target, data, False)
            shutil.copystat(self._inner.uri(source), self._inner.uri(target))  # a copy keeps its ETag
            self._step()
            self._inner.delete(source)
        else:
            self._inner.move(source, target, seen)
        self._step()

    def delete(self, path: str) -> None:
        self._step()
        self._inner.delete(path)
        self._step()

    def uri(self, path: str) -> str:
        return self._inner.uri(path)
