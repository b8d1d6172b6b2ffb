"""Salesforce Ids as join keys: a 15-character Id and its 18-character form are the same key.

The last three characters of the long form are a checksum of the letter case of the first fifteen: one character of
`ABCDEFGHIJKLMNOPQRSTUVWXYZ012345` for each block of five, with a bit for every capital.
"""

from __future__ import annotations

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def long_id(value: str) -> str:
    """The 18-character form of a 15-character Id; anything else as it is."""
    if len(value) != 15 or not (value.isascii() and value.isalnum()):
        return value
    blocks = (value[start : start + 5] for start in (0, 5, 10))
    return value + "".join(ALPHABET[sum(1 << i for i, c in enumerate(block) if c.isupper())] for block in blocks)


def same_key(key: str) -> str:
    """SQL text: the key (an SQL expression) as text in the form that both forms of an Id share; blank is null."""
    text = f"nullif(trim(CAST({key} AS STRING)), '')"
    # one small lambda for the fifteen letters: written out, the text would be planned anew for every key of a wide join
    bits = (
        "aggregate(sequence(0, 4), 0, (sum, i) -> "
        f"sum + IF(substring({text}, start + i, 1) BETWEEN 'A' AND 'Z', shiftleft(1, i), 0))"
    )
    checksum = f"array_join(transform(array(1, 6, 11), start -> substring('{ALPHABET}', 1 + {bits}, 1)), '')"
    # the length test comes first: the long form is what nearly every row has, and it costs nothing then
    short = f"length({text}) = 15 AND {text} RLIKE '^[0-9A-Za-z]{{15}}$'"
    return f"CASE WHEN {short} THEN concat({text}, {checksum}) ELSE {text} END"
