"""Forms (`application/x-www-form-urlencoded`) as objects: `user[email]=…` is a field of `user`."""

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl

from wardgate.recognise.body_bounds import MOST_FIELDS

_FORM = re.compile(rb"[\w.\[\]%-]{1,100}=[^\s]*\Z")
_BRACKETS = re.compile(r"[.\[\]]+")
_LONGEST_NAME = 200
_DEEPEST_NAME = 8


def read_form(raw: bytes) -> dict[str, object] | None:
    """A form's fields; None where it is none, or has too many of them."""
    if not _FORM.match(raw):
        return None
    try:
        pairs = parse_qsl(raw.decode("utf-8", "ignore"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        return None
    return fields(pairs)


def fields(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    """Fields by name; a name that comes twice is a list, and the value of one with fields below is at ``."""
    root: dict[str, object] = {}
    for name, value in pairs:
        parts = [one for one in _BRACKETS.split(name.strip()[:_LONGEST_NAME]) if one][:_DEEPEST_NAME] or [""]
        node = root
        for part in parts[:-1]:
            inner = node.setdefault(part, {})
            if not isinstance(inner, dict):
                inner = node[part] = {"": inner}
            node = inner
        last = parts[-1]
        if last not in node:
            node[last] = value
            continue
        there = node[last]
        if isinstance(there, list):
            there.append(value)
        elif isinstance(there, dict) and not isinstance(value, dict):
            there.setdefault("", value)
        else:
            node[last] = [there, value]
    return root
