"""Every content rule, in the order in which they are shown.

To add one: write it as `match/signals/shape.py` describes, list it here, and let
`tests/match/test_content_rules.py` tell you what it lacks. Detectors and the gate list theirs here too; a package
adds its own through the entry point group `wardgate.content_rules` (a `ContentRule`, or a tuple of them).
"""

from functools import cache
from importlib.metadata import entry_points

from wardgate.core.errors import WardgateError
from wardgate.match.signals.command_injection import CODE_INJECTION, COMMAND_INJECTION
from wardgate.match.signals.other_injections import (
    HEADER_INJECTION,
    NOSQL_INJECTION,
    PROMPT_INJECTION,
    SERVER_SIDE_REQUEST,
)
from wardgate.match.signals.path_traversal import PATH_TRAVERSAL
from wardgate.match.signals.script_injection import CROSS_SITE_SCRIPTING
from wardgate.match.signals.secrets_shown import PRIVATE_KEY_SENT, SECRET_IN_URL
from wardgate.match.signals.shape import ContentRule
from wardgate.match.signals.sql_injection import SQL_INJECTION

BUILTIN_RULES: tuple[ContentRule, ...] = (
    SECRET_IN_URL,
    PRIVATE_KEY_SENT,
    SQL_INJECTION,
    NOSQL_INJECTION,
    CROSS_SITE_SCRIPTING,
    PATH_TRAVERSAL,
    COMMAND_INJECTION,
    CODE_INJECTION,
    SERVER_SIDE_REQUEST,
    HEADER_INJECTION,
    PROMPT_INJECTION,
)


@cache
def content_rules() -> tuple[ContentRule, ...]:
    """The built-in rules and those of installed packages. Raises `content-rule-malformed`."""
    found = list(BUILTIN_RULES)
    for point in entry_points(group="wardgate.content_rules"):
        loaded = point.load()
        known = {one.name for one in found}
        for one in loaded if isinstance(loaded, tuple) else (loaded,):
            if not isinstance(one, ContentRule) or one.name in known:
                raise WardgateError(
                    "content-rule-malformed",
                    f"the entry point {point.name!r} gives no content rule of a new name.",
                )
            known.add(one.name)
            found.append(one)
    return tuple(found)
