"""Sealed texts: they open for whom they were sealed, and for nobody else."""

from __future__ import annotations

import pytest

from common.sealed import Sealer, SealError
from lambdas.kit import Aws

OURS = {"app": "a", "env": "prod", "what": "access"}


@pytest.mark.parametrize("text", ["", "00D!token", "Grüße 😀", "{}"])
def test_a_text_comes_back(aws: Aws, text: str) -> None:
    sealer = Sealer(aws.kms, aws.key)
    assert sealer.open(sealer.seal(text, OURS), OURS) == text


def test_a_long_text_is_no_trouble_and_nothing_of_it_shows(aws: Aws) -> None:
    sealer, text = Sealer(aws.kms, aws.key), "token " * 10_000
    sealed = sealer.seal(text, OURS)
    assert b"token" not in sealed and sealer.open(sealed, OURS) == text
    assert sealer.seal(text, OURS) != sealed


@pytest.mark.parametrize("other", [{"app": "b"}, {"env": "dev"}, {"what": "refresh"}])
def test_what_was_copied_into_another_item_does_not_open(aws: Aws, other: dict[str, str]) -> None:
    sealer = Sealer(aws.kms, aws.key)
    with pytest.raises(SealError, match="copied from elsewhere"):
        sealer.open(sealer.seal("t", OURS), OURS | other)


@pytest.mark.parametrize("damage", [b"", b"\0", b"\0\1x"])
def test_what_is_damaged_does_not_open(aws: Aws, damage: bytes) -> None:
    sealer = Sealer(aws.kms, aws.key)
    sealed = sealer.seal("t", OURS)
    for broken in (damage, sealed[:-1], sealed[:-1] + bytes([sealed[-1] ^ 1])):
        with pytest.raises(SealError):
            sealer.open(broken, OURS)


def test_kms_itself_opens_the_data_key_for_nobody_else(aws: Aws) -> None:
    sealed = Sealer(aws.kms, aws.key).seal("t", OURS)
    key = sealed[2 : 2 + int.from_bytes(sealed[:2], "big")]
    assert len(aws.kms.decrypt(CiphertextBlob=key, EncryptionContext=OURS)["Plaintext"]) == 32
    with pytest.raises(aws.kms.exceptions.InvalidCiphertextException):
        aws.kms.decrypt(CiphertextBlob=key, EncryptionContext=OURS | {"app": "b"})
