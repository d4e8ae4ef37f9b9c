"""Why an operation has its standing, in one line for people."""

from collections.abc import Iterable

from wardgate.inventory.classification import Classification, Standing
from wardgate.inventory.evidence import Evidence, Layer, Says

_MOST_NAMED = 3


def reason(found: Classification) -> str:
    """The reason, from the evidence that decided."""
    because = found.because
    called = _named(because, (Layer.TRAFFIC,), (Says.EXISTS, Says.TRIED))
    probed = _named(because, (Layer.PROBE,), (Says.EXISTS, Says.DEPRECATED))
    served = " and ".join(
        [f"called ({called})"] * bool(called) + [f"answered a probe ({probed})"] * bool(probed)
    )
    described = _named(because, (Layer.SPECIFICATION,), (Says.EXISTS, Says.DEPRECATED))
    match found.standing:
        case Standing.DOCUMENTED:
            return f"{served}, and described in {described}"
        case Standing.ZOMBIE:
            ended = _named(because, (Layer.SPECIFICATION,), (Says.DEPRECATED,))
            return f"still {served}, and deprecated in {ended}"
        case Standing.SHADOW:
            covers = _named(because, (Layer.SPECIFICATION,), (Says.COVERS,))
            return f"{served}, and not in {covers}"
        case Standing.UNUSED:
            sights = _named(because, tuple(Layer), (Says.IN_SIGHT,))
            return f"described in {described} and never called, though {sights} would have shown it"
        case Standing.NOT_OBSERVABLE:
            return f"described in {described}, and no source shows calls of its service"
        case Standing.LATENT:
            return f"known from {_named(because, tuple(Layer), tuple(Says))}, neither called nor described"
    if any(one.says is Says.EXISTS for one in because):
        return f"{served}, and no specification describes its service"
    return f"asked for ({called}) and never found" if called else "nothing is known of it"


def _named(because: Iterable[Evidence], layers: tuple[Layer, ...], says: tuple[Says, ...]) -> str:
    names = sorted({one.source for one in because if one.layer in layers and one.says in says})
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
