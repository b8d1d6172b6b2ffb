"""Great Expectations' page views with templates of our own in front of theirs.

Theirs fetch style sheets, fonts, scripts and a logo from eight hosts; without the network the index page is empty,
because its tables are drawn by such a script. Ours are plain HTML with one embedded style sheet.
"""

from __future__ import annotations

from typing import Any

from great_expectations.render.view.view import DefaultJinjaIndexPageView, DefaultJinjaPageView
from jinja2 import ChoiceLoader, PackageLoader

_OURS = ("forceglue.quality.data_docs", "templates")


class LocalPageView(DefaultJinjaPageView):
    """A page of a suite or of its validation."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.env.loader = ChoiceLoader([PackageLoader(*_OURS), *([self.env.loader] if self.env.loader else [])])


class LocalIndexPageView(DefaultJinjaIndexPageView):
    """The index page."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.env.loader = ChoiceLoader([PackageLoader(*_OURS), *([self.env.loader] if self.env.loader else [])])
