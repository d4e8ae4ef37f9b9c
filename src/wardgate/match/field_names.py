"""Names of fields as words: `user.dateOfBirth`, `user[date_of_birth]` and `User-DateOfBirth2` are one name.

Words are in lower case with single spaces; parents come first, so that `card.number` reads `card number`.
Digits at the end of a name and list marks are left out. Only the last few words are kept.
"""

import re
from functools import lru_cache

MOST_WORDS = 8
LONGEST = 200
_BREAK = re.compile(r"[^A-Za-z0-9\u0080-\U0010ffff]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NUMBER = re.compile(r"(?<=[^\W\d])\d+\Z")


@lru_cache(maxsize=65536)
def words_of(name: str) -> str:
    """The words of a field's dotted name; empty where it has none."""
    words = [_NUMBER.sub("", word).lower() for word in _BREAK.split(name[-LONGEST:]) if word]
    while words and words[-1].isdigit():
        words.pop()
    return " ".join(words[-MOST_WORDS:])
