"""One file, one object, one verdict: the checks of a file with what the project knows about its object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forceglue.landing.checks import check
from forceglue.landing.facts import FileFacts, FileRejected, Reason
from forceglue.landing.objects import ObjectNames
from forceglue.landing.store import Entry, Store

if TYPE_CHECKING:
    from forceglue.mapping.project import Project


class Judge:
    """Checks files against a project; made once for many files, used by many threads."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.names = ObjectNames(project)
        self._fields = {e.name.casefold(): frozenset(f.casefold() for f in e.field_names) for e in project.catalog}
        self._catalog = project.catalog

    def object_of(self, token: str) -> str:
        """The API name of a folder's token; `FileRejected` where none or no mapping is there for it."""
        found = self.names.find(token)
        if found is None or self.names.refused(token):
            raise FileRejected(Reason.UNKNOWN_OBJECT, self.names.complaint(token) or "no object is known for the file")
        return found

    def facts(self, store: Store, entry: Entry, object_name: str) -> FileFacts:
        """The facts of a file that is fit to be loaded into the object; raises as `checks.check` does."""
        mapping = self._project.object_for(object_name) or self._project.unmapped(object_name)
        key = self._project.with_defaults(mapping).key or ()
        facts = check(store, entry, key=key, files=self._project.settings.files)
        if facts.patch is None:  # a patch has few fields, and most objects have those
            self._refuse_other_object(object_name, facts)
        return facts

    def _refuse_other_object(self, object_name: str, facts: FileFacts) -> None:
        """Half of the fields are strange to this object and another one knows every field: it is the other's file.

        New fields alone never do that, so drift is not mistaken for it.
        """
        known = self._fields.get(object_name.casefold())
        if not known:
            return
        names = {name.casefold() for name, _ in facts.fields}
        if 2 * len(names - known) < len(names):
            return
        for other in self._catalog:
            if names <= self._fields[other.name.casefold()]:
                raise FileRejected(
                    Reason.OTHER_OBJECT,
                    f"its columns are those of {other.name}, and it lies in the folder of {object_name}: "
                    f"land it in the right folder",
                )
