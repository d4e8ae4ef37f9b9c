"""Request targets: split, redacted, and cut into template and identifiers; once per distinct target.

A secret in a path or query becomes a keyed token before anything else sees it. Most targets hold nothing
suspicious: one vectorised match finds those that need a closer look.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote, unquote_plus

from wardgate.match.secrets import is_secret_name, secret_kind
from wardgate.recognise.credentials.parameters import SHAPED
from wardgate.recognise.credentials.signature import PRESIGNED
from wardgate.recognise.tokens import MARK, Tokens

NEEDS_CARE = r"[?#;@%=: \x00-\x1f\x7f]|^[^/]|[A-Za-z0-9+_=.~-]{12,}|[^\x20-\x7e]"
"""Targets without a match are their own path, with no query and no secret (RE2 syntax)."""

LONGEST = 4096
"""Longest path and query kept; what is beyond is cut and marked."""
_HOST = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)(.*)\Z", re.DOTALL)
_SCHEMES = {"http", "https", "ws", "wss"}
_NOT_SHOWN = re.compile(r"[\x00-\x1f\x7f]")
SEMICOLON = re.compile(r";([A-Za-z0-9_.-]+)=([^;/]*)")


@dataclass(frozen=True, slots=True)
class Target:
    """A redacted request target. `secrets` are (place, value) of what it carried, for fingerprinting."""

    path: str
    query: str | None = None
    scheme: str | None = None
    authority: str | None = None
    secrets: tuple[tuple[str, str], ...] = field(default=(), repr=False)


def split_target(target: str, tokens: Tokens) -> Target:
    """One target in any of HTTP's four forms, redacted."""
    scheme = authority = None
    found = _HOST.match(target)
    if found is not None:
        scheme, authority, target = found[1].lower(), found[2].rpartition("@")[2], found[3] or "/"
        scheme = scheme if scheme in _SCHEMES else None
    elif not target.startswith(("/", "*", "?")):
        authority, target = target.rpartition("@")[2], "/"
    path, mark, query = target.partition("?")
    path = path.partition("#")[0] or "/"
    secrets: list[tuple[str, str]] = []
    path = redact_path(path, tokens, secrets)
    clean = redact_query(query.partition("#")[0], tokens, secrets) if mark else None
    return Target(path, clean or None, scheme, authority or None, tuple(secrets))


def redact_path(path: str, tokens: Tokens, secrets: list[tuple[str, str]]) -> str:
    """A path whose secret-looking segments and matrix parameters are tokens."""
    path = _cut(path)
    segments = []
    for raw in path.split("/"):
        segment = raw
        if ";" in segment:
            segment = SEMICOLON.sub(lambda m: _matrix(m[1], m[2], tokens, secrets), segment)
        if len(segment) >= 12 and MARK not in segment:
            plain = unquote(segment)
            kind = secret_kind(plain)
            if kind is not None:
                segment = tokens.of(kind, plain)
            else:
                masked = tokens.masked(plain)
                segment = segment if masked == plain else masked.replace("/", "%2F")
        segments.append(_NOT_SHOWN.sub(_escaped, segment))
    return "/".join(segments)


def _matrix(name: str, value: str, tokens: Tokens, secrets: list[tuple[str, str]]) -> str:
    if not is_secret_name(name):
        return f";{name}={value}"
    secrets.append((f"path:{name.lower()}", value))
    return f";{name}={tokens.of('secret', value)}"


def redact_query(query: str, tokens: Tokens, secrets: list[tuple[str, str]]) -> str:
    """A query whose secret values are tokens: by name, by known prefix, by shape, also when encoded."""
    out = []
    for pair in _cut(query).split("&")[:200]:
        raw_name, equals, raw_value = pair.partition("=")
        name, value = unquote_plus(raw_name), unquote_plus(raw_value)
        if not equals:
            kind = secret_kind(name)
            masked = tokens.of(kind, name) if kind else tokens.masked(name)
            out.append(raw_name if masked == name else masked)
            continue
        shown_name = raw_name if len(name) < 20 or tokens.masked(name) == name else tokens.of("name", name)
        if is_secret_name(name) and value:
            secrets.append((f"query:{name.lower()}", value))
            out.append(f"{shown_name}={tokens.of(secret_kind(value) or 'secret', value)}")
            continue
        kind = secret_kind(value)
        if name.lower() in PRESIGNED and value:
            secrets.append((f"query:{name.lower()}", value))
        elif kind is not None:
            secrets.append((f"{SHAPED}:{name}", value))
        if kind is not None or _hides_secret(value, tokens):
            out.append(f"{shown_name}={tokens.of(kind or 'text', value)}")
        else:
            out.append(f"{shown_name}={raw_value}")
    return _NOT_SHOWN.sub(_escaped, "&".join(out))


def _hides_secret(value: str, tokens: Tokens) -> bool:
    """Whether a secret stands inside a value, at up to three levels of percent encoding."""
    for _ in range(3):
        if tokens.masked(value) != value:
            return True
        deeper = unquote_plus(value)
        if deeper == value:
            return False
        value = deeper
    return False


def _cut(text: str) -> str:
    """At most LONGEST characters; the cut-off rest leaves its length, never half a secret's clear text."""
    if len(text) <= LONGEST:
        return text
    at = max(text.rfind("&", 0, LONGEST), text.rfind("/", 0, LONGEST), 1)
    return f"{text[:at]}/{MARK}cut{len(text) - at}"


def _escaped(found: re.Match[str]) -> str:
    return f"%{ord(found[0]):02X}"
