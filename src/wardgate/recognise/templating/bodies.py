"""What bodies say about templates: their shape, and which texts stand in them, as values, ids or keys.

Bounded in bytes, depth and number; a body that is not JSON says nothing. Values are only looked up, never
kept beyond the caller's mapping.
"""

import re
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import quote
from zlib import crc32

import msgspec

from wardgate.recognise.templating.evidence import (
    BODIES,
    IN_BODY_AS_ID,
    IN_BODY_AS_KEY,
    IN_BODY_AS_VALUE,
)

LONGEST = 512 << 10
_DEEPEST = 12
_MOST = 4000
_MOST_KEPT = 500_000
_IDENTIFYING = re.compile(
    r"(?:^|_|[a-z])(?:id|ids|uuid|guid|key|slug|sid|ref|number|iid)$|^(?:login|name|username|user_?name|handle|email|"
    r"full_?name|path|code|sha|sha1|tag|ref|arn|uid|acct|alias|title|label|domain|branch|default_branch)$|"
    r"(?<=[a-z])(?:Id|Ids|Key|Name|Sid|Uuid)$|(?:_name|_login|_sha)$"
)


def read_body(raw: bytes | None, held: MutableMapping[str, int]) -> int:
    """Notes a body's texts in `held` (segment → bits) and answers its shape; 0 where it is not JSON."""
    if not raw or len(raw) > LONGEST or raw[:1] not in b'{[ \n\t\r"':
        return 0
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return 0
    held[""] = BODIES
    _note(found, held)
    return shape_of(found)


def shape_of(found: Any) -> int:
    """A number for the top-level keys of an object, or of a list's first object; never 0."""
    mark = ""
    if isinstance(found, list):
        mark = "[]"
        found = found[0] if found else None
    keys = sorted(found)[:40] if isinstance(found, dict) else [type(found).__name__]
    return crc32("\0".join([mark, *keys]).encode("utf-8", "replace")) or 1


def _note(found: Any, held: MutableMapping[str, int]) -> None:
    waiting: list[tuple[str, Any, int]] = [("", found, 0)]
    count = 0
    while waiting and count < _MOST and len(held) < _MOST_KEPT:
        key, value, depth = waiting.pop()
        count += 1
        if isinstance(value, dict):
            if depth < _DEEPEST:
                for name, one in value.items():
                    if len(name) <= 80:
                        held[name] = held.get(name, 0) | IN_BODY_AS_KEY
                    waiting.append((name, one, depth + 1))
        elif isinstance(value, list):
            if depth < _DEEPEST:
                waiting += [(key, one, depth + 1) for one in value[:200]]
        elif isinstance(value, bool) or value is None or isinstance(value, float):
            continue
        else:
            text = str(value)
            if text and len(text) <= 120:
                bit = IN_BODY_AS_ID if _IDENTIFYING.search(key) else IN_BODY_AS_VALUE
                held[text] = held.get(text, 0) | bit
                quoted = quote(text, safe="")
                if quoted != text:
                    held[quoted] = held.get(quoted, 0) | bit
