"""What bodies say about templates: their shape, and which texts stand in them, as values, ids or keys.

The strongest evidence is an answer that names the end of its own path (`/users/ann` answers `login: ann`),
and a collection's answer that lists what stands behind it (`/users` lists `ann`).

Bounded in bytes, depth and number; a body that is not JSON says nothing. Values are only looked up, never
kept beyond the caller's mapping.
"""

import re
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import quote, unquote
from zlib import crc32

import msgspec

from wardgate.recognise.templating.surroundings import (
    BODIES,
    ECHOES,
    IN_BODY_AS_ID,
    IN_BODY_AS_KEY,
    IN_BODY_AS_VALUE,
    LISTED,
    LISTS,
)

LONGEST = 512 << 10
_DEEPEST = 12
_MOST = 4000
_MOST_KEPT = 500_000
_NOTHING = object()
_SAFE = "@:,;=+!$&'()*~"
"""What stands in paths as it is."""
_IDENTIFYING = re.compile(
    r"(?:^|_|[a-z])(?:id|ids|uuid|guid|key|slug|sid|ref|number|iid)$|^(?:login|name|username|user_?name|handle|email|"
    r"full_?name|path|code|sha|sha1|tag|ref|arn|uid|acct|alias|title|label|domain|branch|default_branch)$|"
    r"(?<=[a-z])(?:Id|Ids|Key|Name|Sid|Uuid)$|(?:_name|_login|_sha)$"
)


def read_body(raw: bytes | None, held: MutableMapping[str, int]) -> int:
    """Notes a body's texts in `held` (segment → bits) and answers its shape; 0 where it is not JSON."""
    found = _decoded(raw)
    if found is _NOTHING:
        return 0
    held[""] = BODIES
    _note(found, held)
    return shape_of(found)


def _decoded(raw: bytes | None) -> Any:
    if not raw or len(raw) > LONGEST or raw[:1] not in b'{[ \n\t\r"':
        return _NOTHING
    try:
        return msgspec.json.decode(raw)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return _NOTHING


def read_answer(raw: bytes | None, held: MutableMapping[str, int], path: str) -> tuple[int, ...]:
    """As `read_body`, of a successful answer: its shape, and `ECHOES` where it names the end of its path.

    What a collection lists is noted in `held` under the path that it would have: `/users/ann`.
    """
    found = _decoded(raw)
    if found is _NOTHING:
        return ()
    held[""] = BODIES
    _note(found, held)
    _list(found, held, path.rstrip("/"))
    shape = shape_of(found)
    return (ECHOES, shape) if _echoes(found, path) else (shape,)


def _echoes(found: Any, path: str) -> bool:
    """Whether an object, or one in its envelope, has the last segment as what identifies it."""
    last = unquote(path.rpartition("/")[2]).casefold()
    if not last or not isinstance(found, dict):
        return False
    return any(last == text.casefold() for one in (found, *_inner(found)) for text in _identities(one))


def _inner(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in list(found.values())[:40] if isinstance(one, dict)]


def _list(found: Any, held: MutableMapping[str, int], path: str) -> None:
    """Notes what a list of objects or texts, or one in an envelope, says stands behind the path."""
    lists = [found] if isinstance(found, list) else []
    if isinstance(found, dict):
        places = [found, *_inner(found)]
        lists = [one for place in places for one in list(place.values())[:40] if isinstance(one, list)]
    for one in lists:
        for item in one[:200]:
            if len(held) >= _MOST_KEPT:
                return
            texts = _identities(item) if isinstance(item, dict) else [item] if isinstance(item, str) else []
            for text in texts:
                if 0 < len(text) <= 120:
                    held[path] = held.get(path, 0) | LISTS
                    key = f"{path}/{quote(text, safe=_SAFE)}"
                    held[key] = held.get(key, 0) | LISTED


def _identities(item: dict[str, Any]) -> list[str]:
    return [
        str(one)
        for name, one in list(item.items())[:80]
        if isinstance(one, str | int) and not isinstance(one, bool) and _IDENTIFYING.search(name)
    ]


def shape_of(found: Any) -> int:
    """A number for the top-level keys of an object, or of a list's first object; never 0 or `ECHOES`."""
    mark = ""
    if isinstance(found, list):
        mark = "[]"
        found = found[0] if found else None
    keys = sorted(found)[:40] if isinstance(found, dict) else [type(found).__name__]
    return crc32("\0".join([mark, *keys]).encode("utf-8", "replace")) | ECHOES + 1


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
