from __future__ import annotations

from pathlib import Path

from forceglue.describe.uses import Uses
from forceglue.mapping.model import ObjectMapping, ProjectSettings
from forceglue.mapping.project import Project

FIELDS = ("Id", "Name", "Amount__c", "OwnerId", "SystemModstamp", "IsDeleted", "Secret__c")


def uses(**said: object) -> Uses:
    mapping = ObjectMapping.model_validate({"mapping": "account", "source": "Account", **said})
    project = Project(Path(), ProjectSettings(), {}, {})
    return Uses(project.with_defaults(mapping), FIELDS)


def test_columns_and_words_that_read_a_field() -> None:
    found = uses(
        columns={"id": "Id", "cash": "amount__c", "half": {"sql": "Account.Amount__c / 2"}, "boss": "owner.Name"},
        lookups={"owner": {"object": "User", "by": "OwnerId"}},
        where="amount_c > 0 and owner.Name is not null",
    )
    assert [c.name for c in found.of("Amount__c")] == ["cash", "half"]
    assert found.words("Amount__c") == ("where",)
    assert found.words("OwnerId") == ("lookup owner",) and found.words("Id") == ("key",)
    assert found.words("SystemModstamp") == ("order_by",)
    assert found.of("Name") == ()  # that of the lookup is another's
    assert (found.lets_pass, found.unknown) == (False, ())


def test_every_field_passes_but_those_that_nothing_may_read() -> None:
    found = uses(never_read=["secret__c"])
    assert found.lets_pass and found.never_reads("Secret__C")
    assert [c.name for c in found.of("Name")] == ["name"] and found.of("Secret__c") == ()
    assert uses(columns=[{"all": "Account"}]).lets_pass
    assert not uses(columns=[{"all": "Account", "only": ["Id"]}]).lets_pass


def test_names_that_are_no_field() -> None:
    found = uses(columns={"id": "Id", "x": "Nome", "y": {"sql": "Amont + 1"}}, order_by="Changed", where="Z > 1")
    assert found.unknown == ("nome", "amont", "z")
