"""Real values as background: what stands in the recorded bodies of API clients, each under its place.

Recordings say nothing of classes, so a hit may be right: test accounts have names and addresses. What no such
recording holds is a false alarm wherever it is told (`ABSENT`); every other hit is counted by class,
and `SHOW=1` shows some of each, to be read.
"""

from collections.abc import Iterator

from labelled_values import Labelled
from templating import recordings
from templating.clients import CLIENTS
from wardgate.match.classes.catalogue import data_classes
from wardgate.recognise.bodies import Walker

_TOLD_APART = ("secret.other", "secret.password")
ABSENT = frozenset(
    one.name
    for one in data_classes()
    if one.name.startswith(("national-id", "secret.", "health")) and one.name not in _TOLD_APART
) | {"payment-card", "card-security-code", "iban", "date-of-birth"}
"""Classes that the recordings, having been read, are known to hold nothing of."""
_LONGEST = 4_000
_AT_ONCE = 256


def recorded() -> list[Labelled]:
    """Distinct values and places of all recorded bodies. Downloads the clients' sources where absent."""
    found = dict.fromkeys(pair for client in CLIENTS for pair in _values(client))
    return [Labelled("", place, value, source="recorded") for place, value in found]


def _values(client) -> Iterator[tuple[str, str]]:  # type: ignore[no-untyped-def]
    calls = recordings.calls(client)
    bodies = list(dict.fromkeys(body for one in calls for body in (one.request, one.response) if body))
    for start in range(0, len(bodies), _AT_ONCE):
        walked = Walker().walk(bodies[start : start + _AT_ONCE])
        for place, value in zip(walked.place.tolist(), walked.texts, strict=False):
            if len(value) <= _LONGEST:
                yield walked.places[place], value
