"""Which format is this? Every format is asked how well a sample fits; a tie is asked, not guessed."""

from dataclasses import dataclass

from wardgate.core.errors import WardgateError
from wardgate.sources.catalogue import formats
from wardgate.sources.format import Fit, Format

SAMPLE = 256 << 10
"""Bytes looked at."""
_ENOUGH = 0.5  # a format that fits fewer than half of the lines is no answer
_TIE = 0.02


@dataclass(frozen=True, slots=True)
class Detected:
    """The format found, why, and what else came near."""

    format: Format
    fit: Fit
    others: tuple[tuple[Format, Fit], ...] = ()


def detect(sample: bytes, origin: str) -> Detected:
    """The format of `sample` (the first bytes of `origin`, decompressed).

    Raises `input-empty`, `format-not-recognised` or `format-ambiguous`.
    """
    whole = sample[: sample.rfind(b"\n") + 1] if len(sample) >= SAMPLE and b"\n" in sample else sample
    if not whole.strip():
        raise WardgateError("input-empty", f"{origin} is empty: there is nothing to tell its format from.")
    fits = []
    for one in formats().values():
        fit = one.fit(whole)
        if fit is not None:
            fits.append((one, fit))
    fits.sort(key=lambda pair: -pair[1].score)
    if not fits or fits[0][1].score < _ENOUGH:
        near = f" Nearest: {fits[0][0].name} ({fits[0][1].why})." if fits else ""
        raise WardgateError(
            "format-not-recognised",
            f"{origin} is in no format Wardgate knows.{near}",
            mend="Say which with --format, or describe it with a mapping file.",
        )
    best, fit = fits[0]
    rivals = [pair for pair in fits[1:] if pair[1].score > fit.score - _TIE]
    if rivals:
        names = ", ".join([best.name, *(one.name for one, _ in rivals)])
        raise WardgateError(
            "format-ambiguous", f"{origin} could be any of {names}.", mend="Say which with --format."
        )
    return Detected(best, fit, tuple(fits[1:]))
