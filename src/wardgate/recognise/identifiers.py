"""Which fields of bodies hold identifiers of objects, told by their names."""

import re

from wardgate.match.field_names import words_of
from wardgate.match.secrets import is_secret_name

MOST = 32
"""Identifiers of one body that are kept."""
_OWN = re.compile(r"(?:^| )(?:ids?|uuids?|guids?|[iou]id|arn)$")
_NO_OBJECT = re.compile(
    r"(?:^| )(?:request|trace|span|correlation|session|transaction trace|message|event|log|nonce|device"
    r"|tracking|visitor|anonymous|client request) (?:ids?|uuid|guid)$"
)


def is_identifier(place: str) -> bool:
    """Whether the field at a place is called as identifiers are (`id`, `user_id`, `orderIds[]`)."""
    words = words_of(place.replace("[]", ""))
    return bool(_OWN.search(words)) and not _NO_OBJECT.search(words) and not is_secret_name(place)
