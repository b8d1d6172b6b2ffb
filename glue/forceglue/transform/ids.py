"""Salesforce Ids as join keys: a 15-character Id and its 18-character form are the same key.

The last three characters of the long form are a checksum of the letter case of the first fifteen: one character of
`ABCDEFGHIJKLMNOPQRSTUVWXYZ012345` for each block of five, with a bit for every capital.
"""

from __future__ import annotations

import string

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits
_CAPITAL = "1" * 26 + "0" * 36
# Of five letters in a row of this each way to be capital or not is there once: where it is found tells the checksum.
# Looked up as text, since Spark interprets lambdas row by row.
_CASES = "000001000110010100111010110111110000"
_CHECKSUMS = "".join(ALPHABET[int(_CASES[at : at + 5][::-1], 2)] for at in range(32))


def long_id(value: str) -> str:
    """The 18-character form of a 15-character Id; anything else as it is."""
    if len(value) != 15 or not (value.isascii() and value.isalnum()):
        return value
    blocks = (value[start : start + 5] for start in (0, 5, 10))
    return value + "".join(ALPHABET[sum(1 << i for i, c in enumerate(block) if c.isupper())] for block in blocks)


def same_key(key: str) -> str:
    """SQL text: the key (an SQL expression) as text in the form that both forms of an Id share; blank is null."""
    text = f"nullif(trim(CAST({key} AS STRING)), '')"
    capitals = f"translate({text}, '{_LETTERS}', '{_CAPITAL}')"
    blocks = (f"substring({capitals}, {start}, 5)" for start in (1, 6, 11))
    checksum = ", ".join(f"substring('{_CHECKSUMS}', instr('{_CASES}', {block}), 1)" for block in blocks)
    # the length test comes first: the long form is what nearly every row has, and it costs nothing then
    short = f"length({text}) = 15 AND {text} RLIKE '^[0-9A-Za-z]{{15}}$'"
    return f"CASE WHEN {short} THEN concat({text}, {checksum}) ELSE {text} END"
