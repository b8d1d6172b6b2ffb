"""Texts that are stored encrypted: a data key of KMS for each, bound to what the text is and whose.

The encryption context (app, environment, what it is) is part of the key's use and of the cipher: a text that was copied
into another item opens nowhere, CloudTrail shows for whom each was opened, and a key policy can ask for it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE, _LENGTH = 12, 2


class SealError(Exception):
    """A sealed text that does not open: damaged, or of another app, environment or kind."""


class Sealer:
    """Seals and opens texts.

    Args:
        kms: a boto3 client of KMS.
        key: the id, alias or ARN of the KMS key.
    """

    def __init__(self, kms: Any, key: str) -> None:
        self._kms, self._key = kms, key

    def ready(self, context: Mapping[str, str]) -> Callable[[str], bytes]:
        """What seals one text; KMS is asked now, so that nothing can fail once there is a text to keep.

        A sealed text is: length of the data key, the data key as KMS encrypted it, nonce, cipher.
        """
        made = self._kms.generate_data_key(KeyId=self._key, KeySpec="AES_256", EncryptionContext=dict(context))
        kept, nonce = made["CiphertextBlob"], os.urandom(_NONCE)
        cipher, bound = AESGCM(made["Plaintext"]), _bound(context)
        return lambda text: (
            len(kept).to_bytes(_LENGTH, "big") + kept + nonce + cipher.encrypt(nonce, text.encode(), bound)
        )

    def seal(self, text: str, context: Mapping[str, str]) -> bytes:
        """The text, encrypted."""
        return self.ready(context)(text)

    def open(self, sealed: bytes, context: Mapping[str, str]) -> str:
        """The text again.

        Raises:
            SealError: it was sealed for another context, or is damaged.
        """
        size = int.from_bytes(sealed[:_LENGTH], "big") + _LENGTH
        kept, nonce, box = sealed[_LENGTH:size], sealed[size : size + _NONCE], sealed[size + _NONCE :]
        try:
            if len(kept) + len(nonce) < size - _LENGTH + _NONCE or not kept:
                raise ValueError
            # the key is named: a data key of a key of somebody else's account is refused
            key = self._kms.decrypt(CiphertextBlob=kept, KeyId=self._key, EncryptionContext=dict(context))["Plaintext"]
            return AESGCM(key).decrypt(nonce, box, _bound(context)).decode()
        except (self._kms.exceptions.InvalidCiphertextException, InvalidTag, ValueError):
            raise SealError(
                f"a text sealed for {dict(context)} does not open: it is damaged or was copied from elsewhere. Delete "
                "its item; the next call begins anew."
            ) from None


def _bound(context: Mapping[str, str]) -> bytes:
    return json.dumps(dict(context), sort_keys=True).encode()
