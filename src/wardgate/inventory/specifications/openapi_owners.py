"""Who a description says answers for an operation: extensions that are in use, from the nearest place.

An operation's own word counts over its path's, that over its first tag's that says something; the document's
is kept apart. A value may be a text, a list of texts, or an object with a name, a team or an e-mail address.
"""

from typing import Any

OWNERS = ("x-owner", "x-owners", "x-team", "x-service-owner", "x-code-owner")
_NAMES = ("name", "team", "email")
_MOST = 20
_LONGEST = 200


def owner_of(*places: Any) -> str | None:
    """The owner the first of these places names; several with commas between."""
    for place in places:
        if not isinstance(place, dict):
            continue
        for name in OWNERS:
            found = _texts(place.get(name))
            if found:
                return ", ".join(dict.fromkeys(found))
    return None


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for one in value[:_MOST] if not isinstance(one, list) for text in _texts(one)]
    if isinstance(value, dict):
        value = next((value[name] for name in _NAMES if isinstance(value.get(name), str)), None)
    if not isinstance(value, str):
        return []
    text = " ".join(value.split())
    return [text] if text and text.isprintable() and len(text) <= _LONGEST else []
