"""Which format is this? Every format is asked how well a sample fits; a tie is asked, not guessed.

Where a person gave a layout or a configuration but no format, the format is the one whose parser fits the
sample because of it.
"""

from dataclasses import dataclass

from wardgate.core.errors import WardgateError
from wardgate.sources.catalogue import formats
from wardgate.sources.format import Fit, Format, LineFormat, Options
from wardgate.sources.text_lines import parser_fit

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


def detect(sample: bytes, origin: str, options: Options | None = None) -> Detected:
    """The format of `sample` (the first bytes of `origin`, decompressed).

    Raises `input-empty`, `format-not-recognised`, `format-ambiguous`, `layout-several` or `layout-unfit`.
    """
    whole = sample[: sample.rfind(b"\n") + 1] if len(sample) >= SAMPLE and b"\n" in sample else sample
    if not whole.strip():
        raise WardgateError("input-empty", f"{origin} is empty: there is nothing to tell its format from.")
    given = options is not None and bool(options.layout or options.config)
    if options is not None and given:
        found = _with(options, whole, origin)
        if found is not None:
            return found
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
    if options is not None and given and not _fits(best, options, whole):
        raise _unfit(origin)
    rivals = [pair for pair in fits[1:] if pair[1].score > fit.score - _TIE]
    if rivals:
        names = ", ".join([best.name, *(one.name for one, _ in rivals)])
        raise WardgateError(
            "format-ambiguous", f"{origin} could be any of {names}.", mend="Say which with --format."
        )
    return Detected(best, fit, tuple(fits[1:]))


def _with(options: Options, whole: bytes, origin: str) -> Detected | None:
    """The format that fits with these options, and worse without them; None where they make no difference."""
    told: list[tuple[float, Format, Fit]] = []
    several: WardgateError | None = None
    fitting = False
    for one in formats().values():
        if not isinstance(one, LineFormat):
            continue
        try:
            fit = parser_fit(one.parser(options), whole, f"{one.title} as given")
        except WardgateError as error:
            several = error if error.code == "layout-several" else several
            continue
        if fit is None or fit.score < _ENOUGH:
            continue
        fitting = True
        without = parser_fit(one.parser(Options(timezone=options.timezone)), whole, one.title)
        gain = fit.score - (without.score if without is not None else 0.0)
        if gain > _TIE:
            told.append((gain, one, fit))
    if not told:
        if several is not None or not fitting:
            raise several or _unfit(origin)
        return None
    told.sort(key=lambda entry: (-entry[2].score, -entry[0]))
    best, others = told[0], told[1:]
    if others and others[0][2].score > best[2].score - _TIE and others[0][0] > best[0] - _TIE:
        names = ", ".join(one.name for _, one, _ in told)
        raise WardgateError(
            "format-ambiguous", f"{origin} could be any of {names}.", mend="Say which with --format."
        )
    return Detected(best[1], best[2], tuple((one, fit) for _, one, fit in others))


def _fits(one: Format, options: Options, whole: bytes) -> bool:
    if not isinstance(one, LineFormat):
        return True
    fit = parser_fit(one.parser(options), whole, one.title)
    return fit is not None and fit.score >= _ENOUGH


def _unfit(origin: str) -> WardgateError:
    return WardgateError(
        "layout-unfit",
        f"{origin} does not have the layout that was given.",
        mend="Name the format too, with --format, and look with `wardgate parse`.",
    )
