"""Bodies that are not JSON: forms become objects, all other text is one text, and bytes are nothing."""

import re
from urllib.parse import parse_qsl

from wardgate.match.finder import LONGEST

MOST_FIELDS = 200
_FORM = re.compile(rb"[\w.\[\]%-]{1,100}=[^\s]*\Z")
_BRACKETS = re.compile(r"[.\[\]]+")


def read_other(raw: bytes) -> dict[str, object] | str | None:
    """A form's fields, or a text without structure; None where it is neither."""
    cut = raw[: 4 * LONGEST]
    text = cut.decode("utf-8", "ignore")
    if _FORM.match(cut):
        try:
            return _fields(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS))
        except ValueError:
            return text[:LONGEST]
    if not text or text.count("\0") > 8:
        return None
    return text[:LONGEST]


def _fields(pairs: list[tuple[str, str]]) -> dict[str, object]:
    """Fields by name; `user[email]` is a field of `user`, and a name that comes twice is a list."""
    root: dict[str, object] = {}
    for name, value in pairs:
        parts = [one for one in _BRACKETS.split(name.strip()[:200]) if one][:8] or [""]
        node = root
        for part in parts[:-1]:
            inner = node.setdefault(part, {})
            if not isinstance(inner, dict):
                inner = node[part] = {"": inner}
            node = inner
        last = parts[-1]
        there = node.get(last)
        if there is None:
            node[last] = value
        elif isinstance(there, list):
            there.append(value)
        elif isinstance(there, dict):
            there.setdefault("", value)
        else:
            node[last] = [there, value]
    return root
