"""The Data Docs site of a run: Great Expectations' site builder with local views, written below one folder."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from great_expectations.data_context.data_context.abstract_data_context import AbstractDataContext
from great_expectations.data_context.store.store import DataDocsSiteConfigTypedDict
from great_expectations.data_context.types.resource_identifiers import ValidationResultIdentifier
from great_expectations.render.renderer.site_builder import SiteBuilder

from forceglue.errors import DataDocsError

_VIEWS = "forceglue.quality.data_docs.view"
_SITE_LOG = SiteBuilder.__module__


class LocalSiteBuilder(SiteBuilder):
    """A site without Great Expectations' static assets: 4 MB of fonts and pictures that our pages do not use."""

    def build(self, resource_identifiers: Any = None, build_index: bool = True) -> tuple[Any, Any]:
        """Render every section, then the index; its URL and its links."""
        for section in self.site_section_builders.values():
            section.build(resource_identifiers=resource_identifiers)
        _, links = self.site_index_builder.build(build_index=build_index)
        return self.get_resource_url(only_if_exists=False), links


def site_config(folder: Path) -> DataDocsSiteConfigTypedDict:
    """How Great Expectations is told of the site."""
    page = {"module_name": _VIEWS, "class_name": "LocalPageView"}
    config: dict[str, Any] = {
        "class_name": "LocalSiteBuilder",
        "module_name": __name__,
        "show_how_to_buttons": False,
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder)},
        "site_index_builder": {
            "class_name": "DefaultSiteIndexBuilder",
            "view": {"module_name": _VIEWS, "class_name": "LocalIndexPageView"},
        },
        "site_section_builders": {
            "expectations": {"class_name": "DefaultSiteSectionBuilder", "view": page},
            "validations": {"class_name": "DefaultSiteSectionBuilder", "view": page},
            "profiling": "None",
        },
    }
    return cast("DataDocsSiteConfigTypedDict", config)  # GX's type knows fewer keys than its site builder takes


def page_of(key: ValidationResultIdentifier) -> Path:
    """The page of a validation result, relative to the site's folder."""
    parts: tuple[str, ...] = key.to_tuple()  # type: ignore[no-untyped-call]  # untyped in GX
    return Path("validations", *parts[:-1], f"{parts[-1]}.html")


def build_site(context: AbstractDataContext, name: str, folder: Path, expected: list[Path]) -> Path:
    """Build the site of a project into a folder; its index page.

    Raises:
        DataDocsError: a page is not there: Great Expectations logs what fails in rendering and goes on.
    """
    if name not in context.get_site_names():
        context.add_data_docs_site(name, site_config(folder))
    with _told() as because:
        context.build_data_docs(site_names=[name])
    missing = [page for page in (Path("index.html"), *expected) if not _written(folder / page)]
    if missing:
        raise DataDocsError(folder, missing, because)
    return folder / "index.html"


@contextmanager
def _told() -> Iterator[list[str]]:
    """What fails in rendering: Great Expectations tells its log only, with the trace in the text."""
    found: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            text = record.getMessage()
            kind = re.search(r"^ *(\w+): \"", text, re.MULTILINE)
            places = re.findall(r"File \"[^\"]*?([^/\\\"]+)\", line (\d+)", text)
            place = f" at {places[-1][0]}:{places[-1][1]}" if places else ""
            found.append(f"{kind.group(1) if kind else record.levelname}{place}")

    said = logging.getLogger(_SITE_LOG)
    listener, level, propagate = Listener(), said.level, said.propagate
    said.addHandler(listener)
    said.setLevel(logging.WARNING)
    said.propagate = False
    try:
        yield found
    finally:
        said.removeHandler(listener)
        said.setLevel(level)
        said.propagate = propagate


def _written(page: Path) -> bool:
    return page.is_file() and page.stat().st_size > 0
