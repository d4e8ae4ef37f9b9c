r"""F5 ASM / Advanced WAF events as key-value pairs, as F5 sends them to a reporting server (Splunk).

Reference: F5, "BIG-IP ASM: Implementations", Logging Application Security Events (storage format key-value
pairs). `key="value"` divided by commas, with or without a syslog prefix and `ASM:`. A quote inside a value is
doubled, or escaped; where a device does neither, a value ends before the next `",key="`. The first of equal
keys counts: what a client wrote into its request comes last.
"""

import re

from wardgate.sources.f5_asm_events import EventParser
from wardgate.sources.format import Fit, LineParser, Options, State
from wardgate.sources.text_lines import parser_fit

_BEGIN = re.compile(r'(?:\A|[ :>,])(?=[a-z][a-z0-9_]{1,63}=")')
_VALUE = r'[^"\\]*(?:(?:""|\\.)[^"\\]*)*'
_DOUBLED = r'[^"]*(?:""[^"]*)*'
_KEY = r"[a-z][a-z0-9_]{1,63}"


def _patterns(value: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    pair = rf'({_KEY})="({value})"(?:, ?|\s*\Z)'
    whole = rf'(?:{_KEY}="{value}"(?:, ?|\s*\Z))+'
    return re.compile(pair, re.DOTALL), re.compile(whole, re.DOTALL)


_PAIR_DOUBLED, _ALL_DOUBLED = _patterns(_DOUBLED)
_PAIR, _ALL = _patterns(_VALUE)
_NEXT = re.compile(r'",\s*(?=[a-z][a-z0-9_]{1,63}=")')
_SIGNATURE = {"support_id", "request_status", "violations", "policy_name", "attack_type", "violation_rating"}
_DATE = "%Y-%m-%d %H:%M:%S"


def pairs(line: str) -> dict[str, str] | None:
    """Keys and values of one event; None where the line holds none."""
    begin = _BEGIN.search(line)
    if begin is None:
        return None
    if _ALL_DOUBLED.fullmatch(line, begin.end()) is not None:  # then a backslash before one is the client's
        found = dict(reversed(_PAIR_DOUBLED.findall(line, begin.end())))
        return {key: value.replace('""', '"') for key, value in found.items()}
    if _ALL.fullmatch(line, begin.end()) is None:
        return _loosely(line[begin.end() :])
    found = dict(reversed(_PAIR.findall(line, begin.end())))
    return {key: value.replace('""', '"').replace('\\"', '"') for key, value in found.items()}


def _loosely(text: str) -> dict[str, str] | None:
    """Values that end where the next key begins, whatever quotes they hold."""
    text = text.rstrip()
    if not text.endswith('"'):  # cut off: the last value has no end
        return None
    found: dict[str, str] = {}
    for part in _NEXT.split(text[:-1]):
        key, _, value = part.partition('="')
        found.setdefault(key, value)
    return found


class F5Asm:
    """Events of F5 ASM and Advanced WAF in key-value form, with the whole request in each."""

    name = "f5-asm"
    title = "F5 ASM / Advanced WAF events (key-value pairs)"
    reference = "F5, BIG-IP ASM Implementations: Logging Application Security Events"

    def fit(self, sample: bytes) -> Fit | None:
        return parser_fit(self.parser(Options()), sample, "F5 ASM events in key-value pairs")

    def parser(self, options: Options, state: State | None = None) -> LineParser:
        return EventParser(_event, _DATE, options.timezone)


def _event(line: str) -> dict[str, str] | None:
    found = pairs(line)
    return found if found is not None and _SIGNATURE & found.keys() else None
