"""What an `haproxy.cfg` says about its log: each frontend's format and the headers it captures.

Reference: HAProxy Configuration Manual, "2.2 Quoting and escaping", "4.2 log-format, option httplog, option
httpslog, capture request header, http-request capture".
"""

import shlex
from dataclasses import dataclass, field, replace
from pathlib import Path

from wardgate.core.errors import WardgateError
from wardgate.sources.haproxy_fields import Captures
from wardgate.sources.haproxy_layout import CLF, HTTP, HTTPS, haproxy_layouts
from wardgate.sources.layout import Layout

_SECTIONS = {"frontend", "listen", "defaults"}
_OTHERS = {"global", "backend", "userlist", "peers", "resolvers", "mailers", "program", "cache", "ring"}
_OTHERS |= {"http-errors", "log-forward", "fcgi-app", "crt-store", "traces", "acme", "log-profile"}


@dataclass(frozen=True, slots=True)
class Frontend:
    """What one section says."""

    name: str
    log_format: str | None = None
    captures: Captures = field(default_factory=Captures)


def frontends(config: Path) -> dict[str, Frontend]:
    """The frontends of a configuration that log HTTP, by name. Raises `config-unreadable`."""
    try:
        text = config.read_text("utf-8", "replace")
    except OSError as error:
        raise WardgateError("config-unreadable", f"cannot read {config}: {error.strerror}.") from error
    found: dict[str, Frontend] = {}
    defaults = current = Frontend("")
    kind = ""
    for line in [*text.splitlines(), "global"]:
        words = _words(line)
        if not words:
            continue
        if words[0] in _SECTIONS | _OTHERS:
            if kind in ("frontend", "listen") and current.log_format:
                found[current.name] = current
            elif kind == "defaults":
                defaults = current
            kind = words[0]
            name = words[1] if len(words) > 1 else ""
            current = Frontend(name) if kind == "defaults" else replace(defaults, name=name)
        elif kind in _SECTIONS:
            current = _directive(current, words)
    return found


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError:  # an unbalanced quote: HAProxy would refuse the file
        return []


def _directive(section: Frontend, words: list[str]) -> Frontend:
    captures = section.captures
    match words:
        case ["option", "httplog", "clf", *_]:
            return replace(section, log_format=CLF)
        case ["option", "httplog", *_]:
            return replace(section, log_format=HTTP)
        case ["option", "httpslog", *_]:
            return replace(section, log_format=HTTPS)
        case ["log-format", text, *_]:
            return replace(section, log_format=text)
        case ["capture", "request", "header", name, *_]:
            captures = replace(captures, request=(*captures.request, name))
        case ["capture", "response", "header", name, *_]:
            captures = replace(captures, response=(*captures.response, name))
        case ["http-request", "capture", sample, *_]:
            captures = replace(captures, request=(*captures.request, _header_of(sample)))
        case ["http-response", "capture", sample, *_]:
            captures = replace(captures, response=(*captures.response, _header_of(sample)))
    return replace(section, captures=captures)


def _header_of(sample: str) -> str:
    """The header a `capture` sample fetches; a slot of anything else stays without a name."""
    _, _, rest = sample.partition("hdr(")
    return rest.partition(")")[0].partition(",")[0].strip()


def configured_layouts(config: Path, frontend: str | None = None) -> list[Layout]:
    """Layouts of the configuration's frontends, or of one of them.

    Raises `config-unreadable`, `layout-unknown`, `layout-empty`.
    """
    known = frontends(config)
    if frontend is not None:
        if frontend not in known:
            raise WardgateError(
                "layout-unknown",
                f"{config} has no frontend {frontend!r} that logs HTTP;",
                mend=f"it has {', '.join(known) or 'none'}.",
            )
        known = {frontend: known[frontend]}
    if not known:
        raise WardgateError(
            "layout-empty",
            f"{config} has no frontend with option httplog, httpslog or a log-format.",
        )
    by_format: dict[str, dict[str, Captures]] = {}
    for one in known.values():
        by_format.setdefault(one.log_format or HTTP, {})[one.name] = one.captures
    return [layout for text, captures in by_format.items() for layout in haproxy_layouts(text, captures)]
