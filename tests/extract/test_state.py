"""What is kept between two extracts, when it is not what was written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from forceglue.errors import ExtractError
from forceglue.extract.bookmark import bookmark_of
from forceglue.extract.notices import known_of
from forceglue.extract.refresh import refreshed_of
from forceglue.landing.store import Store


@pytest.mark.parametrize("text", [b"{", b"[]", b'{"until": 1, "began": 1}'])
@pytest.mark.parametrize(
    ("read", "path", "follows"),
    [
        (bookmark_of, "Account.json", "the object is then read whole again"),
        (refreshed_of, "Account/refresh.json", "its formula fields are then read again at once"),
        (known_of, "Account/deleted.json", "the last 15 days are then asked for again"),
    ],
)
def test_a_damaged_file_says_what_follows_when_it_is_removed(
    tmp_path: Any, text: bytes, read: Callable[[Store, str], object], path: str, follows: str
) -> None:
    store = Store(str(tmp_path))
    assert read(store, "Account") is None
    store.write_bytes(f"_extract/{path}", text)
    with pytest.raises(ExtractError, match=f"{path} is damaged. Bring it back, or remove it: {follows}"):
        read(store, "Account")
