"""When two names of an operation are the same: templates whatever their parameters are called, and names of
methods and fields however their parts are joined."""

import re
from functools import lru_cache

VARIABLE = re.compile(r"\{([^{}]*)\}")
_ROOT = re.compile(r"(Query|Mutation|Subscription)\.")
_NO_WORD = re.compile(r"[^\w.]+")


def skeleton(template: str) -> str:
    """A template without the names of its parameters."""
    return VARIABLE.sub("{}", template)


@lru_cache(maxsize=20_000)
def plain_name(name: str) -> str:
    """The name of an operation, however its parts are joined: `Query.user` is `query user`."""
    first, *rest = _NO_WORD.split(_ROOT.sub(r"\1 ", name.strip(" /")))
    return " ".join([first if "." in first else first.lower(), *rest])
