"""`forceglue catalog pull`: describe of objects, as the integration user sees them, kept as snapshots."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from forceglue.describe import snapshot
from forceglue.describe.changes import Change, changes, learnt
from forceglue.describe.choice import Chosen, chosen, did_you_mean
from forceglue.errors import LandingError, SalesforceError
from forceglue.mapping.catalog import object_from_describe
from forceglue.mapping.project import Project
from forceglue.salesforce.client import BATCH, Salesforce

Outcome = Literal["new", "changed", "same", "failed"]


@dataclass(frozen=True)
class Pulled:
    """What became of one object.

    Attributes:
        fields: how many it has.
        changes: since the snapshot that there was.
        learnt: fields whose type the snapshot did not know.
        error: why it has no new snapshot; the one that there was stays.
    """

    object: str
    outcome: Outcome
    file: str | None = None
    fields: int = 0
    changes: tuple[Change, ...] = ()
    learnt: int = 0
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def pull(project: Project, org: Salesforce, names: Sequence[str] = (), *, everything: bool = False) -> Iterator[Pulled]:
    """The objects one by one, each written before the next batch is asked for.

    Args:
        names: objects, mappings or tables; without, the sources of all mappings.
        everything: all objects that can be queried.

    Raises:
        UsageError: nothing to pull.
        SalesforceError: the org refuses describe global, or the calls are used up; what is pulled so far stands.
        LandingError: the catalog folder cannot be written.
    """
    listed = org.objects()
    objects = chosen(project, listed, names, everything=everything)
    there = [one for one in objects if one.entry is not None]
    for one in objects:
        if one.entry is None:
            near = did_you_mean(one.name, [str(entry["name"]) for entry in listed])
            yield Pulled(one.name, "failed", error=f"{one.why_not}{near}")
    for at in range(0, len(there), BATCH):
        described = org.describe_many([one.name for one in there[at : at + BATCH]])
        for one in there[at : at + BATCH]:
            yield _kept(project.folder, one, described[one.name])


def _kept(folder: Path, one: Chosen, described: dict[str, Any] | SalesforceError) -> Pulled:
    if isinstance(described, SalesforceError):
        return Pulled(one.name, "failed", error=f"{described}; see the integration user's permissions on it")
    try:
        before = snapshot.find(folder, one.name)
    except ValueError:  # broken: this pull mends it
        before = None
    except OSError as error:
        raise LandingError(f"{folder / snapshot.CATALOG}: {error.strerror}. Give the right to read it.") from error
    facts = snapshot.slim(described, before.facts if before else None)
    now = object_from_describe(facts)
    count = len(now.fields)
    if before is None:
        return Pulled(one.name, "new", snapshot.write(folder, facts), count)
    if facts == before.facts:
        return Pulled(one.name, "same", before.file, count)
    file = snapshot.write(folder, facts, before.file)
    return Pulled(one.name, "changed", file, count, changes(before.object, now), learnt(before.object, now))
