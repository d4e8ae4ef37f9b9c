"""Which operation somebody means: by its id, or as people write it, `GET /v1/orders/{orderId}`."""

from dataclasses import dataclass

from wardgate.core.errors import WardgateError
from wardgate.inventory.covering import NeverCalled
from wardgate.inventory.names import plain_name, skeleton
from wardgate.inventory.seen import Called
from wardgate.service.standings import Standings


@dataclass(frozen=True, slots=True)
class Meant:
    """One operation of the inventory."""

    service: str
    one: Called | NeverCalled


def meant(look: Standings, text: str, service: str | None = None) -> Meant:
    """The one operation that `text` names: an id, `[METHOD] TEMPLATE`, or the name of a method or tool.

    Parameters may be called otherwise. Raises `operation-unknown` and `operation-ambiguous`.
    """
    text = " ".join(text.split())
    digits = text.removeprefix("-")
    if digits.isascii() and digits.isdecimal() and len(digits) <= 19:
        called = look.called(int(text))
        return Meant(called.service, called)
    method, _, path = text.rpartition(" ") if "/" in text.rpartition(" ")[2] else ("", "", text)
    fitting = [
        one
        for one in _every(look)
        if (service is None or one.service == service) and _is_meant(one.one, method.upper(), path)
    ]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise WardgateError(
            "operation-unknown",
            "no operation is called that;",
            mend="`wardgate operations` lists them; write one as 'GET /v1/orders/{id}', or take its id.",
        )
    raise WardgateError(
        "operation-ambiguous",
        f"{len(fitting)} operations are called that;",
        mend="name the method or --service, or take the id that `wardgate operations --json` shows.",
    )


def _every(look: Standings) -> list[Meant]:
    called = [Meant(service, one) for service, one in look.every()]
    return called + [Meant(one.service, one) for one in look.never_called]


def _is_meant(one: Called | NeverCalled, method: str, text: str) -> bool:
    if method and (one.method or "").upper() != method:
        return False
    if text.startswith("/"):
        return skeleton(one.template.rstrip("/") or "/") == skeleton(text.rstrip("/") or "/")
    return one.operation is not None and plain_name(one.operation) == plain_name(text)
